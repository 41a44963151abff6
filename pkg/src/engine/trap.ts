import { MobileBertError } from "../errors.js";
import { inNode } from "../node.js";

/** The wasm module trapped. The object it was working on can't be used or freed anymore. */
export class Trap extends MobileBertError {}

/** Returns the size of the module's last failed allocation, or 0 if one has succeeded since. */
let refusedBytes: () => number = () => 0;

/** Sets {@link refusedBytes}, which distinguishes running out of memory from other traps. */
export function setRefusedBytes(refused: () => number): void {
  refusedBytes = refused;
}

/** Rejects the calls that wait for the module. */
const waiting = new Set<(trap: Trap) => void>();
let listening = false;

/**
 * Runs a call into the module. A trap after the call's first `await` doesn't reject its promise, but becomes an uncaught
 * error, and the call would never settle.
 */
export async function untilTrap<T>(call: () => T | Promise<T>): Promise<T> {
  listen();
  let stop: (trap: Trap) => void = () => {};
  const trapped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  if (inNode() && waiting.size === 0) process.on("uncaughtException", onUncaught);
  waiting.add(stop);
  try {
    return await Promise.race([call(), trapped]);
  } catch (error) {
    throw isTrap(error) ? trapError(error) : error;
  } finally {
    waiting.delete(stop);
    if (inNode() && waiting.size === 0) process.off("uncaughtException", onUncaught);
  }
}

/** In Node, listens only while a call runs, and leaves errors that aren't traps to the program. */
function onUncaught(error: unknown): void {
  if (!takeUncaught(error) && process.listenerCount("uncaughtException") === 1) throw error;
}

/** Handles an uncaught error; returns whether it was a trap that a call was waiting for. */
function takeUncaught(error: unknown): boolean {
  if (!isTrap(error) || waiting.size === 0) return false;
  const trap = trapError(error);
  // It's unknown which call trapped, and the module's state can't be trusted in any of them.
  for (const stop of waiting) stop(trap);
  return true;
}

/** Listens for traps in browsers. */
export function listen(): void {
  if (listening || typeof addEventListener !== "function") return;
  listening = true;
  addEventListener("error", (event: ErrorEvent) => {
    if (takeUncaught(event.error)) event.preventDefault();
  });
}

/** Returns whether an error is a trap of the module. */
export function isTrap(error: unknown): error is WebAssembly.RuntimeError {
  return error instanceof WebAssembly.RuntimeError;
}

/** Converts a trap to an error: usually the module ran out of memory, otherwise it's a bug. */
export function trapError({ message }: WebAssembly.RuntimeError): Trap {
  const bytes = refusedBytes();
  if (bytes === 0) return new Trap("internal", `${message} (a bug in mobilebert; please report it)`);
  const hint = "close other tabs, or load a smaller model or another `dtype`";
  return new Trap("out-of-memory", `not enough memory: the browser refused the wasm module ${bytes} bytes; ${hint}`);
}
