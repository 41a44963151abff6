/** Stable codes of {@link MobileBertError}, for programs to branch on. */
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

/** The file, tensor, argument (`field`) or computation step that caused an error, if known. */
export interface ErrorDetail {
  /** Name of a model file. */
  file?: string;
  /** Name of a tensor in a weights file. */
  tensor?: string;
  /** Name of an argument, an option or a field in a file. */
  field?: string;
  /** Step of the computation. */
  step?: string;
  /** The platform's reason for a lost GPU. */
  reason?: string;
  /** HTTP status of the response that caused the error. */
  status?: number;
  /** The model's actual task, if it was loaded for a different one. */
  task?: string;
  /** Hugging Face ids of the models that this one was made from, if it can't be read but they may. */
  baseModels?: string[];
}

/** The error class of this package. `message` says what happened and, if possible, what to do about it. */
export class MobileBertError extends Error {
  static {
    // Node shows it next to `name`, and minifying shortens it.
    Object.defineProperty(MobileBertError, "name", { value: "MobileBertError" });
  }

  /**
   * `MobileBertError`, except with code `aborted`: then `AbortError`, or `TimeoutError` if the signal was that of
   * `AbortSignal.timeout`, as for the platform's own functions. `cause` is then the signal's reason.
   */
  override readonly name: "MobileBertError" | "AbortError" | "TimeoutError";
  /** The code to branch on; stable across versions. */
  readonly code: ErrorCode;
  /** What caused the error, if known. */
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = code === "aborted" ? abortName(options?.cause) : "MobileBertError";
    this.code = code;
    this.detail = detail;
  }
}

/** The name that programs recognize an abort by, from the signal's reason. */
function abortName(reason: unknown): "AbortError" | "TimeoutError" {
  return Object(reason).name === "TimeoutError" ? "TimeoutError" : "AbortError";
}

/** An error as sent by the worker or thrown by the wasm module; error classes don't survive that boundary. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  detail: ErrorDetail;
}

/** Converts anything that was thrown to a {@link MobileBertError}. */
export function toError(thrown: unknown): MobileBertError {
  if (thrown instanceof MobileBertError) return thrown;
  if (isPlainError(thrown)) return new MobileBertError(thrown.code, thrown.message, thrown.detail ?? {});
  if (thrown instanceof Error && thrown.name === "AbortError") return aborted(thrown);
  if (thrown instanceof RangeError && /memory|allocation|buffer/i.test(thrown.message)) {
    return new MobileBertError("out-of-memory", `not enough memory: ${thrown.message}`);
  }
  return new MobileBertError("internal", `${messageOf(thrown)} (a bug in mobilebert; please report it)`);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Converts anything that was thrown to a form that can be sent from a worker. */
export function toPlain(thrown: unknown): PlainError {
  const { code, message, detail } = toError(thrown);
  return { code, message, detail };
}

/** The caller aborted the operation; `reason` is that of the caller's signal. */
export function aborted(reason?: unknown): MobileBertError {
  return new MobileBertError("aborted", "aborted by the caller", {}, { cause: reason });
}

/** The model was disposed. */
export function disposed(): MobileBertError {
  return new MobileBertError("disposed", "the model was disposed; load it again");
}

/** An invalid argument; `problem` says what is allowed. */
export function invalidInput(field: string, problem: string): MobileBertError {
  return new MobileBertError("invalid-input", `\`${field}\`: ${problem}`, { field });
}

/** Replaces the names of options in an error about an argument. */
export function renamed(error: MobileBertError, names: Readonly<Record<string, string>>): MobileBertError {
  const pattern = new RegExp(`\\b(${Object.keys(names).join("|")})\\b`, "g");
  const rename = (text: string) => text.replace(pattern, (name) => names[name] as string);
  const { code, message, detail } = error;
  if (code !== "invalid-input" || rename(message) === message) return error;
  return new MobileBertError(code, rename(message), { ...detail, field: rename(detail.field ?? "") });
}

function isPlainError(value: unknown): value is PlainError {
  if (typeof value !== "object" || value === null || value instanceof Error) return false;
  const { code, message } = value as Partial<PlainError>;
  return typeof message === "string" && errorCodes.includes(code as ErrorCode);
}
