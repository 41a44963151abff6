/** Stable codes of {@link MobileBertError}: what programs branch on. */
export const errorCodes = [
  "aborted",
  "network",
  "not-found",
  "not-a-model",
  "corrupt",
  "integrity",
  "unsupported",
  "invalid-input",
  "out-of-memory",
  "quota",
  "device-lost",
  "disposed",
  "internal",
] as const;

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** What is at fault: a file, tensor, argument (`field`) or step of the computation, as far as known. */
export interface ErrorDetail {
  /** Name of a file of the model. */
  file?: string;
  /** Name of a tensor in a file of weights. */
  tensor?: string;
  /** Name of an argument, an option or a field of a file. */
  field?: string;
  /** Step of the computation. */
  step?: string;
  /** What the platform said, where a GPU was lost. */
  reason?: string;
  /** HTTP status, where a server's answer is at fault. */
  status?: number;
  /** What the model was made for, where that is not what it was loaded for. */
  task?: string;
}

/** Every failure of this package. `message` says what happened and, where something can be done, what. */
export class MobileBertError extends Error {
  /** Always the same. */
  override readonly name = "MobileBertError";
  /** What to branch on; stays the same from version to version. */
  readonly code: ErrorCode;
  /** What is at fault, as far as known. */
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

/** An error as it crosses from the worker or from the wasm module: errors lose their class on the way. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  detail: ErrorDetail;
}

/** Makes a {@link MobileBertError} of whatever was thrown. */
export function toError(thrown: unknown): MobileBertError {
  if (thrown instanceof MobileBertError) return thrown;
  if (isPlainError(thrown)) return new MobileBertError(thrown.code, thrown.message, thrown.detail ?? {});
  if (thrown instanceof Error && thrown.name === "AbortError") return aborted();
  if (thrown instanceof RangeError && /memory|allocation|buffer/i.test(thrown.message)) {
    return new MobileBertError("out-of-memory", `the browser refused memory: ${thrown.message}`);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MobileBertError("internal", `${message} (a fault of mobilebert; please report it)`);
}

/** The form that crosses a worker's boundary. */
export function toPlain(thrown: unknown): PlainError {
  const { code, message, detail } = toError(thrown);
  return { code, message, detail };
}

/** The caller stopped the work. */
export function aborted(): MobileBertError {
  return new MobileBertError("aborted", "stopped by the caller");
}

/** The model was disposed of. */
export function disposed(): MobileBertError {
  return new MobileBertError("disposed", "the model was disposed of; load it again");
}

/** An argument that makes no sense; `problem` says what is allowed. */
export function invalidInput(field: string, problem: string): MobileBertError {
  return new MobileBertError("invalid-input", `\`${field}\`: ${problem}`, { field });
}

function isPlainError(value: unknown): value is PlainError {
  if (typeof value !== "object" || value === null || value instanceof Error) return false;
  const { code, message } = value as Partial<PlainError>;
  return typeof message === "string" && errorCodes.includes(code as ErrorCode);
}
