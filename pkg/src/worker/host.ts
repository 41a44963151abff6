import type { EngineModel, EnginePartial } from "../engine/engine.js";
import { loadModel } from "../engine/load.js";
import { headTask, type LoadRequest, type Task } from "../engine/request.js";
import { Trap, untilTrap } from "../engine/trap.js";
import { aborted, disposed, invalidInput, MobileBertError, toError } from "../errors.js";
import { ProgressTotal } from "../files/progress.js";
import type { Device } from "../types.js";
import { batches, merged } from "./batches.js";
import type { Call, Connection, LoadHooks, ModelInfo } from "./protocol.js";

/** A model in this thread, which is a worker or, with `worker: false`, the caller's thread. */
export class Host implements Connection {
  onDevice: (device: Device) => void = () => {};

  private model: EngineModel | undefined;
  private request: LoadRequest | undefined;
  /** The reasons of each GPU loss so far. */
  private readonly losses: string[] = [];
  /** Set once the module has trapped; every later call fails with it. */
  private trap: Trap | undefined;
  private busy = false;
  private disposed = false;

  async load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo> {
    const model = await this.build(request, hooks, signal);
    this.request = request;
    return { device: this.device(model), task: model.task(), labels: model.labels() };
  }

  async call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    if (!this.request || this.disposed) throw disposed();
    if (this.trap) throw this.trap;
    if (signal.aborted) throw aborted();
    let seen = 0;
    const partial: EnginePartial = async (value) => {
      const { windowsDone = seen + 1 } = value as { windowsDone?: number };
      // A call that is repeated after a lost GPU must not report the same partial results again.
      if (call.partial && windowsDone > seen) onPartial(value);
      seen = Math.max(seen, windowsDone);
      // Messages, such as an abort, are delivered only when this thread yields.
      await yieldToEvents();
      return !(signal.aborted || this.disposed);
    };
    this.busy = true;
    try {
      const results: unknown[] = [];
      for (const batch of batches(call)) {
        // Without a worker, a large call would otherwise block the page and could not be aborted.
        await yieldToEvents();
        if (this.disposed) throw disposed();
        if (signal.aborted) throw aborted();
        results.push(await this.run(this.request, batch, partial, signal));
      }
      return merged(results);
    } finally {
      this.busy = false;
      if (this.disposed) this.free();
    }
  }

  dispose(): void {
    this.disposed = true;
    // The model must not be freed during a call.
    if (!this.busy) this.free();
  }

  /** Runs a call; loads the model again if the GPU was lost. */
  private async run(request: LoadRequest, call: Call, partial: EnginePartial, signal: AbortSignal) {
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

  /** Loads the model again after a lost GPU, because the weights were lost with it. Uses the cache if possible. */
  private async rebuild(request: LoadRequest, signal: AbortSignal): Promise<EngineModel> {
    try {
      const model = await this.build(request, { progress: () => {}, warning: () => {} }, signal);
      this.onDevice(this.device(model));
      return model;
    } catch (error) {
      const { code, message } = toError(error);
      if (code === "aborted" || code === "disposed") throw error;
      const reason = this.losses.at(-1) ?? "";
      const problem = `the GPU was lost (${reason}) and the model could not be loaded again: ${message}`;
      throw new MobileBertError("device-lost", problem, { reason });
    }
  }

  /** Loads the model: on the requested device after the first GPU loss, on the CPU after the second. */
  private async build(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<EngineModel> {
    const progress = new ProgressTotal(hooks.progress);
    for (;;) {
      const device = this.losses.length > 1 ? "wasm" : request.device;
      let model: EngineModel | undefined;
      try {
        model = await loadModel({ ...request, device }, progress, hooks.warning, signal);
        if (this.disposed) throw disposed();
        if (signal.aborted) throw aborted();
        await warmUp(model, request.task, progress);
        if (signal.aborted) throw aborted();
        this.model = model;
        return model;
      } catch (error) {
        if (!(error instanceof Trap)) model?.free();
        const isGone = this.losses.length === 1 && toError(error).code === "unsupported";
        if (!this.noteLoss(error) && !isGone) throw error;
        // The GPU did not come back: treat it as lost for good.
        if (isGone) this.losses.push(toError(error).message);
      }
    }
  }

  /** Returns whether an error means that the GPU was lost, and records the reason if so. */
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
        ? `the GPU was lost (${first}); the model was reloaded on it`
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
    case "explain":
      return model.explain(first as string, second as string, third as object, partial);
    case "classify":
      return model.classify(first as unknown[], second as object);
    case "contributions":
      return model.contributions(first as string, second as string | undefined, partial);
    case "zeroShot":
      return model.zeroShot(first as string, second as unknown[], third as object, partial);
    case "rank":
      return model.rank(first as string, second as unknown[], third as object, partial);
    case "labelTokens":
      return model.labelTokens(first as string, second as object, partial);
    case "fillMask":
      return model.fillMask(first as string, second as object);
    case "encode":
      return model.encode(first as unknown[], second as object);
    case "tokenize":
      return model.tokenize(first as string, second as string | undefined);
    case "memory":
      return model.memory();
    default:
      throw invalidInput("name", `unknown call ${call.name satisfies never}`);
  }
}

/** A first inference per task. Fill-mask has none, because only the module knows the mask token. */
const WARM_UP: Partial<Record<Task, (model: EngineModel) => Promise<unknown>>> = {
  "question-answering": (model) => model.ask("Ready?", "Ready.", {}),
  "text-classification": (model) => model.classify(["Ready."], {}),
  "zero-shot-classification": (model) => model.zeroShot("Ready.", ["ready"], {}),
  "text-ranking": (model) => model.rank("Ready?", ["Ready."], {}),
  "token-classification": (model) => model.labelTokens("Ready.", {}),
  // Whatever the directory says: only callers who follow it need what it names.
  "feature-extraction": (model) => model.encode(["Ready."], { pooling: "mean" }),
};

/**
 * Compiles pipelines, allocates memory and lets the browser optimize code before the first real call. Fails for a model
 * whose head fits but whose labels don't.
 */
async function warmUp(model: EngineModel, task: Task, progress: ProgressTotal): Promise<void> {
  const run = WARM_UP[task];
  if (!run || model.task() !== headTask(task)) return;
  progress.enter("warmup");
  await untilTrap(() => run(model));
}

/** Yields to the event loop, without the delay of timers. */
function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
