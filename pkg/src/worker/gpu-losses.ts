import { Trap } from "../engine/trap.js";
import { toError } from "../errors.js";
import type { Device, DeviceKind } from "../types.js";

/** What went wrong with the GPU so far, and the device that follows from it. */
export class GpuLosses {
  /** The reason of each loss. */
  private readonly reasons: string[] = [];
  /** The error if the GPU had too little memory for the model. */
  private tooSmall: string | undefined;

  /** The reason of the last loss. */
  get last(): string {
    return this.reasons.at(-1) ?? "";
  }

  /** The device to load the model on: the requested one after the first loss, the CPU after the second, or for lack of memory. */
  deviceFor(requested: "auto" | DeviceKind): "auto" | DeviceKind {
    return this.reasons.length > 1 || this.tooSmall !== undefined ? "wasm" : requested;
  }

  /** Returns whether an error means that the GPU was lost, and records the reason if so. */
  note(error: unknown): boolean {
    const { code, message, detail } = toError(error);
    if (code !== "device-lost") return false;
    this.reasons.push((detail.reason ?? message).replace(/\.$/, ""));
    return true;
  }

  /** Returns whether a model that could not be loaded on `device` is worth another try, and records the reason if so. */
  noteFailedLoad(error: unknown, device: "auto" | DeviceKind): boolean {
    if (this.note(error)) return true;
    const { code, message } = toError(error);
    // The GPU did not come back: treat it as lost for good.
    const isGone = this.reasons.length === 1 && code === "unsupported";
    if (isGone) this.reasons.push(message);
    // A trap means that the wasm module ran out of memory.
    const isFull = code === "out-of-memory" && device === "auto" && !(error instanceof Trap);
    if (isFull) this.tooSmall = message;
    return isGone || isFull;
  }

  /** The reason for a device that was chosen because of what went wrong. */
  reasonFor({ kind, reason }: Device): string {
    if (this.tooSmall !== undefined) return `the GPU's memory is too small (${this.tooSmall}); the CPU took over`;
    const [first] = this.reasons;
    if (first === undefined) return reason;
    return kind === "wasm"
      ? `the GPU was lost (${this.reasons.join("; then: ")}); the CPU took over`
      : `the GPU was lost (${first}); the model was reloaded on it`;
  }
}
