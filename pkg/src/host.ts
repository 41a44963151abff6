import type { EngineModel, EnginePartial } from "./engine.js";
import { aborted, disposed, invalidInput, MobileBertError, toError } from "./errors.js";
import { loadModel } from "./load.js";
import { ProgressTotal } from "./progress.js";
import type { Call, Connection, Loaded, LoadHooks, LoadRequest } from "./protocol.js";
import { joined, slices } from "./slices.js";
import { Trap, untilTrap } from "./trap.js";
import type { Device } from "./types.js";

/** A model in this thread: what a worker holds, and what `worker: false` gives. */
export class Host implements Connection {
  onDevice: (device: Device) => void = () => {};

  private model: EngineModel | undefined;
  private request: LoadRequest | undefined;
  /** What was said when the GPU was lost, each time. */
  private readonly losses: string[] = [];
  /** What the module stopped with, if it did: what it leaves behind answers no more. */
  private trap: Trap | undefined;
  private busy = false;
  private gone = false;

  async load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<Loaded> {
    const model = await this.build(request, hooks, signal);
    this.request = request;
    return { device: this.device(model), task: model.task(), labels: model.labels() };
  }

  async call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    if (!this.request || this.gone) throw disposed();
    if (this.trap) throw this.trap;
    if (signal.aborted) throw aborted();
    let seen = 0;
    const partial: EnginePartial = async (value) => {
      const { windowsDone = seen + 1 } = value as { windowsDone?: number };
      // A call that runs again after a lost GPU does not tell twice what it told before.
      if (call.partial && windowsDone > seen) onPartial(value);
      seen = Math.max(seen, windowsDone);
      // Messages (a stop among them) come in only when this thread is free for a moment.
      await pause();
      return !(signal.aborted || this.gone);
    };
    this.busy = true;
    try {
      const results: unknown[] = [];
      for (const slice of slices(call)) {
        // Without a worker, a page that asks much would else stand still, and never hear of a stop.
        await pause();
        if (this.gone) throw disposed();
        if (signal.aborted) throw aborted();
        results.push(await this.answer(this.request, slice, partial, signal));
      }
      return joined(results);
    } finally {
      this.busy = false;
      if (this.gone) this.free();
    }
  }

  dispose(): void {
    this.gone = true;
    // The module must not be freed under a call that it is running.
    if (!this.busy) this.free();
  }

  /** Runs a call, on a model that is loaded anew where the GPU was lost. */
  private async answer(request: LoadRequest, call: Call, partial: EnginePartial, signal: AbortSignal) {
    for (;;) {
      const model = this.model ?? (await this.rebuild(request, signal));
      try {
        const value = await untilTrap(() => dispatch(model, call, partial));
        if (signal.aborted) throw aborted();
        return value;
      } catch (error) {
        if (error instanceof Trap) {
          this.trap = error;
          this.model = undefined;
        }
        if (!this.noteLoss(error)) throw error;
        this.free();
      }
    }
  }

  /** A GPU's memory is gone with it, so the files are read again, from the cache where they are kept. */
  private async rebuild(request: LoadRequest, signal: AbortSignal): Promise<EngineModel> {
    try {
      const model = await this.build(request, { progress: () => {}, warning: () => {} }, signal);
      this.onDevice(this.device(model));
      return model;
    } catch (error) {
      const { code, message } = toError(error);
      if (code === "aborted" || code === "disposed") throw error;
      const reason = this.losses.at(-1) ?? "";
      const said = `the GPU was lost (${reason}) and the model could not be loaded again: ${message}`;
      throw new MobileBertError("device-lost", said, { reason });
    }
  }

  /** Loads the model: after a first loss where it was, after a second one on the CPU. */
  private async build(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<EngineModel> {
    const progress = new ProgressTotal(hooks.progress);
    for (;;) {
      const device = this.losses.length > 1 ? "wasm" : request.device;
      let model: EngineModel | undefined;
      try {
        model = await loadModel({ ...request, device }, progress, hooks.warning, signal);
        if (this.gone) throw disposed();
        if (signal.aborted) throw aborted();
        await warmUp(model, progress);
        if (signal.aborted) throw aborted();
        this.model = model;
        return model;
      } catch (error) {
        if (!(error instanceof Trap)) model?.free();
        const absent = this.losses.length === 1 && toError(error).code === "unsupported";
        if (!this.noteLoss(error) && !absent) throw error;
        // A GPU that did not come back is lost for good.
        if (absent) this.losses.push(toError(error).message);
      }
    }
  }

  /** Whether an error says that the GPU is gone; if so, that is remembered. */
  private noteLoss(error: unknown): boolean {
    const { code, message, detail } = toError(error);
    if (code !== "device-lost") return false;
    this.losses.push((detail.reason ?? message).replace(/\.$/, ""));
    return true;
  }

  private device(model: EngineModel): Device {
    const device = model.device();
    const [first] = this.losses;
    if (first === undefined) return device;
    const reason =
      device.kind === "webgpu"
        ? `the GPU was lost (${first}); the model was loaded on it again`
        : `the GPU was lost (${this.losses.join("; then: ")}); the CPU took over`;
    return { ...device, reason };
  }

  private free(): void {
    this.model?.free();
    this.model = undefined;
  }
}

function dispatch(model: EngineModel, call: Call, partial: EnginePartial): Promise<unknown> | unknown {
  const [first, second, third] = call.args;
  switch (call.name) {
    case "ask":
      return model.ask(first as string, second as string, third as object, partial);
    case "classify":
      return model.classify(first as unknown[], second as object);
    case "labelTokens":
      return model.labelTokens(first as string, second as object);
    case "fillMask":
      return model.fillMask(first as string, second as object);
    case "encode":
      return model.encode(first as unknown[], second as object);
    case "memory":
      return model.memory();
    default:
      throw invalidInput("name", `no such call: ${call.name satisfies never}`);
  }
}

/** A first inference of each task. Fill-mask has none: which token is its mask, only the module knows. */
const FIRST: Record<string, (model: EngineModel) => Promise<unknown>> = {
  "question-answering": (model) => model.ask("Ready?", "Ready.", {}),
  "text-classification": (model) => model.classify(["Ready."], {}),
  "token-classification": (model) => model.labelTokens("Ready.", {}),
  "feature-extraction": (model) => model.encode(["Ready."], {}),
};

/** Has pipelines compiled, memory taken and code optimised before someone waits for an answer. */
async function warmUp(model: EngineModel, progress: ProgressTotal): Promise<void> {
  const first = FIRST[model.task()];
  if (!first) return;
  progress.enter("warmup");
  await untilTrap(() => first(model));
}

/** A turn of the event loop, without the delay that timers have. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
