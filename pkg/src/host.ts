import type { EngineModel, EnginePartial } from "./engine.js";
import { aborted, disposed, invalidInput } from "./errors.js";
import { loadModel } from "./load.js";
import type { Call, Connection, Loaded, LoadRequest } from "./protocol.js";
import type { Progress } from "./types.js";

/** A model in this thread: what a worker holds, and what `worker: false` gives. */
export class Host implements Connection {
  private model: EngineModel | undefined;
  private busy = false;
  private gone = false;

  async load(request: LoadRequest, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Loaded> {
    const model = await loadModel(request, onProgress, signal);
    if (signal.aborted || this.gone) {
      model.free();
      throw this.gone ? disposed() : aborted();
    }
    this.model = model;
    if (model.device().kind === "webgpu") await warmUp(model, onProgress);
    return { device: model.device(), task: model.task(), labels: model.labels() };
  }

  async call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    const { model } = this;
    if (!model || this.gone) throw disposed();
    if (signal.aborted) throw aborted();
    const partial: EnginePartial = async (value) => {
      if (call.partial) onPartial(value);
      // Messages (a stop among them) come in only when this thread is free for a moment.
      await pause();
      return !(signal.aborted || this.gone);
    };
    this.busy = true;
    try {
      const value = await dispatch(model, call, partial);
      if (signal.aborted) throw aborted();
      return value;
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

/** A first inference, so that the GPU's pipelines are compiled before someone waits for an answer. */
async function warmUp(model: EngineModel, onProgress: (progress: Progress) => void): Promise<void> {
  onProgress({ phase: "warmup", file: "", loaded: 1, total: 1 });
  if (model.task() === "question-answering") await model.ask("Ready?", "Ready.", {});
  else if (model.task() === "text-classification") await model.classify(["Ready."], {});
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
