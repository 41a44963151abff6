import { MobileBertError } from "./errors.js";

/** The wasm module stopped in the middle of something: what it was working on cannot be used, nor freed. */
export class Trap extends MobileBertError {}

/** Bytes of the allocation that the module was refused last, if it was its last. */
let refusedBytes: () => number = () => 0;

/** Whom to ask why the module trapped. */
export function explainTraps(refused: () => number): void {
  refusedBytes = refused;
}

/** Those who wait for the module. */
const waiting = new Set<(trap: Trap) => void>();
let listening = false;

/**
 * Runs a call into the module. A trap after its first wait rejects no promise: it is an error that nobody catches, and
 * whoever waited would wait for ever.
 */
export async function untilTrap<T>(call: () => T | Promise<T>): Promise<T> {
  listen();
  let stop: (trap: Trap) => void = () => {};
  const trapped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  waiting.add(stop);
  try {
    return await Promise.race([call(), trapped]);
  } catch (error) {
    throw isTrap(error) ? explained(error) : error;
  } finally {
    waiting.delete(stop);
  }
}

/** Takes an error that nobody caught; whether it was one that somebody waits for. */
export function takeUncaught(error: unknown): boolean {
  if (!isTrap(error) || waiting.size === 0) return false;
  const trap = explained(error);
  // Which of several calls it was is not known; what the module holds is not to be trusted in any of them.
  for (const stop of waiting) stop(trap);
  return true;
}

/** Node has no such event; there, `worker.ts` listens. */
function listen(): void {
  if (listening || typeof addEventListener !== "function") return;
  listening = true;
  addEventListener("error", (event: ErrorEvent) => {
    if (takeUncaught(event.error)) event.preventDefault();
  });
}

/** Whether the module itself threw this. */
export function isTrap(error: unknown): error is WebAssembly.RuntimeError {
  return error instanceof WebAssembly.RuntimeError;
}

/** What a trap means: mostly that there was no memory left, and else a fault. */
export function explained({ message }: WebAssembly.RuntimeError): Trap {
  const bytes = refusedBytes();
  if (bytes === 0) return new Trap("internal", `${message} (a fault of mobilebert; please report it)`);
  const hint = "close other tabs, or load a smaller model or another `dtype`";
  return new Trap("out-of-memory", `the browser refused the wasm module ${bytes} bytes of memory; ${hint}`);
}
