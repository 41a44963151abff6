import { type EngineModel, type EnginePartial, simdFor } from "../engine/engine.js";
import { loadModel } from "../engine/load.js";
import { loadForHelper } from "../engine/load-for-helper.js";
import { LoadTimer } from "../engine/load-timer.js";
import type { LoadRequest } from "../engine/request.js";
import { Trap, untilTrap } from "../engine/trap.js";
import { aborted, disposed, MobileBertError, toError } from "../errors.js";
import { ProgressTotal } from "../files/progress.js";
import type { Device, Memory } from "../types.js";
import { dispatch } from "./dispatch.js";
import { yieldToEvents } from "./events.js";
import { GpuLosses } from "./gpu-losses.js";
import { Helpers } from "./helpers.js";
import { canShareMemory } from "./memory.js";
import type { Reply, Request } from "./messages.js";
import type { Call, Connection, LoadHooks, ModelInfo } from "./protocol.js";
import { warmUp } from "./warm-up.js";

/** A model in this thread, which is a worker or, with `worker: false`, the caller's thread. */
export class Host implements Connection {
  onDevice: (device: Device) => void = () => {};

  private model: EngineModel | undefined;
  /** The model's device. The model can't be asked during a call. */
  private found: Device | undefined;
  private request: LoadRequest | undefined;
  private readonly losses = new GpuLosses();
  /** Set once the module has trapped; every later call fails with it. */
  private trap: Trap | undefined;
  private busy = false;
  private disposed = false;
  /** Ends when all calls so far have ended: the module takes one at a time. */
  private turn: Promise<unknown> = Promise.resolve();
  private helpers: Helpers | undefined;

  /** `send` reaches the thread that has started this worker; without it, there are no helpers. */
  constructor(private readonly send?: (message: Reply) => void) {}

  async load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo> {
    const timer = new LoadTimer();
    const model = await this.build(request, hooks, signal, timer);
    this.request = request;
    if (this.send && request.threads > 1 && !request.help) {
      this.helpers = new Helpers(request, this.send, () => this.reportDevice());
    }
    const device = this.device(this.found ?? model.device());
    return { device, task: model.task(), labels: model.labels(), times: timer.times() };
  }

  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    const result = this.turn.then(() => this.callNow(call, onPartial, signal));
    this.turn = result.catch(() => {});
    return result;
  }

  /** A helper has become ready, or was lost. */
  onHelper(message: Extract<Request, { kind: "helper" | "lost" }>): void {
    if (message.kind === "helper") this.helpers?.join(message.helper, message.port);
    else this.helpers?.leave(message.helper, message.reason);
  }

  private async callNow(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
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
      // Lets an abort that was already sent arrive before the call starts.
      await yieldToEvents();
      if (this.disposed) throw disposed();
      if (signal.aborted) throw aborted();
      return await this.run(this.request, call, partial, signal);
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
      const helpers = this.found?.kind === "wasm" ? this.helpers?.forCall() : undefined;
      try {
        model.setHelpers(helpers);
        const value = await untilTrap(() => dispatch(model, call, partial));
        if (signal.aborted) throw aborted();
        return call.name === "memory" ? await this.withHelpers(value as Memory) : value;
      } catch (error) {
        if (error instanceof Trap) {
          this.trap = error;
          this.model = undefined;
        }
        if (!this.losses.note(error)) throw error;
        this.free();
      } finally {
        helpers?.end();
      }
    }
  }

  /** Adds the helpers' memory. */
  private async withHelpers(memory: Memory): Promise<Memory> {
    const bytes = (await this.helpers?.memory()) ?? 0;
    return { ...memory, wasmBytes: memory.wasmBytes + bytes };
  }

  /** Loads the model again after a lost GPU, because the weights were lost with it. Uses the cache if possible. */
  private async rebuild(request: LoadRequest, signal: AbortSignal): Promise<EngineModel> {
    try {
      const model = await this.build(request, { progress: () => {}, warning: () => {} }, signal);
      this.reportDevice();
      return model;
    } catch (error) {
      const { code, message } = toError(error);
      if (code === "aborted" || code === "disposed") throw error;
      const reason = this.losses.last;
      const problem = `the GPU was lost (${reason}) and the model could not be loaded again: ${message}`;
      throw new MobileBertError("device-lost", problem, { reason });
    }
  }

  /** Loads the model, on the CPU if the GPU turns out to be unfit. */
  private async build(
    request: LoadRequest,
    hooks: LoadHooks,
    signal: AbortSignal,
    timer = new LoadTimer(),
  ): Promise<EngineModel> {
    const progress = new ProgressTotal(hooks.progress);
    for (;;) {
      const device = this.losses.deviceFor(request.device);
      let model: EngineModel | undefined;
      try {
        model = request.help
          ? await loadForHelper(request, request.help, signal)
          : await loadModel({ ...request, device }, progress, hooks.warning, signal, timer);
        if (this.disposed) throw disposed();
        if (signal.aborted) throw aborted();
        const loaded = model;
        // A helper shares the optimized code of the worker it helps.
        if (!request.help) await timer.warmup.time(() => warmUp(loaded, request.task, progress));
        const found = model.device();
        if (found.kind === "wasm") found.simd = await simdFor(request.simd);
        if (signal.aborted) throw aborted();
        this.model = model;
        this.found = found;
        return model;
      } catch (error) {
        if (!(error instanceof Trap)) model?.free();
        if (!this.losses.noteFailedLoad(error, device)) throw error;
      }
    }
  }

  private reportDevice(): void {
    if (this.found) this.onDevice(this.device(this.found));
  }

  private device(found: Device): Device {
    const { threads: most = 1 } = this.request ?? {};
    const isOnCpu = found.kind === "wasm";
    const threads = isOnCpu && this.send ? (this.helpers?.workers ?? most) : 1;
    const device = { ...found, threads, reason: this.losses.reasonFor(found) };
    const problem = isOnCpu ? this.helpers?.problems : undefined;
    if (problem) device.reason += `; ${threads} of ${most} workers: ${problem}`;
    if (threads > 1 && !canShareMemory()) device.reason += `; ${ONE_CORE}`;
    return device;
  }

  private free(): void {
    this.model?.free();
    this.model = undefined;
  }
}

/** Added to the reason for a device if workers can't share a run. */
const ONE_CORE = "a short text is read on one core, because the page is not cross-origin isolated";
