import { invalidInput } from "../errors.js";
import { CALL, checkOptions } from "../options.js";
import type { CallOptions, Device, LoadTimes, Memory } from "../types.js";
import type { CallName } from "../worker/protocol.js";
import type { RunningModel } from "./running-model.js";

/** A text or a pair as tokens, special tokens included. All arrays have one entry per token. */
export interface Tokens {
  /** Token ids. */
  ids: number[];
  /** The tokens as the vocabulary spells them: `##ing` continues a word. */
  pieces: string[];
  /** `[start, end]` of each token in its text, in UTF-16 units; `[0, 0]` for `[CLS]` and `[SEP]` around the texts. */
  offsets: [number, number][];
  /** 0 for the first text, 1 for the second. */
  typeIds: number[];
  /** The text that a token is from: 0, 1 for the second of a pair, `null` for `[CLS]` and `[SEP]` around the texts. */
  textIndices: (number | null)[];
  /** Number of tokens. */
  count: number;
  /** The model's maximum number of tokens. Calls truncate longer texts, except question answering, which reads windows. */
  maxLength: number;
}

declare global {
  // For compilers without `esnext.disposable`. If it is there, the declarations merge.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** Base class of all loaded models. */
export abstract class LoadedModel {
  static {
    // Not as a method: browsers without this symbol would get one named "undefined".
    if (Symbol.asyncDispose) {
      LoadedModel.prototype[Symbol.asyncDispose] = function (this: LoadedModel) {
        return this.dispose();
      };
    }
  }

  /** @internal */
  constructor(
    /** @internal */
    readonly running: RunningModel,
  ) {}

  /** Labels of the model's head, by class index; empty if it has none. */
  get labels(): readonly string[] {
    return this.running.labels;
  }

  /** The times of the parts of loading. */
  get loadTimes(): LoadTimes {
    return this.running.loadTimes;
  }

  /** The device the model runs on, and why. Changes if the GPU is lost and the model is loaded again. */
  get device(): Device {
    return this.running.device;
  }

  /** Frees all memory. Running, waiting and later calls fail with `disposed`. */
  async dispose(): Promise<void> {
    this.running.dispose();
  }

  /** Frees all memory at the end of a block: `await using model = await Encoder.load(…)`. */
  declare [Symbol.asyncDispose]: () => Promise<void>;

  /** Returns the model's current memory usage. */
  async memory(): Promise<Memory> {
    return (await this.call("memory", [], {})) as Memory;
  }

  /** Returns the tokens of a text or a pair, as the model reads them. They aren't truncated. */
  async tokenize(text: string | readonly [string, string], options: CallOptions = {}): Promise<Tokens> {
    checkOptions(options, CALL);
    const [first, second, ...more] = typeof text === "string" ? [text] : Array.isArray(text) ? text : [text];
    if (typeof first !== "string" || !["string", "undefined"].includes(typeof second) || more.length > 0) {
      throw invalidInput("text", "neither a string nor an array of two");
    }
    return (await this.call("tokenize", [first, second], options)) as Tokens;
  }

  /** Calls the model once all earlier calls have ended. */
  protected call(
    name: CallName,
    args: unknown[],
    options: CallOptions,
    onPartial?: (value: unknown) => void,
  ): Promise<unknown> {
    return this.running.call(name, args, options.signal, onPartial);
  }
}

/** Returns the tokens of a text or a pair, as `model` reads them; the same as {@link LoadedModel.tokenize}. */
export async function tokenize(
  model: LoadedModel,
  text: string | readonly [string, string],
  options: CallOptions = {},
): Promise<Tokens> {
  if (!(model instanceof LoadedModel)) throw invalidInput("model", "not a loaded model");
  return await model.tokenize(text, options);
}
