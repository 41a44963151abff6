import { onAbort } from "../abort.js";
import type { EngineHelpers, EngineMemory } from "../engine/engine.js";
import { requestForHelper } from "../engine/load-for-helper.js";
import type { LoadRequest } from "../engine/request.js";
import { MobileBertError, toError } from "../errors.js";
import { timeouts } from "../files/timeouts.js";
import type { Memory } from "../types.js";
import { yieldToEvents } from "./events.js";
import { canShareMemory, type MemoryView, SharedMemory, sharedViews } from "./memory.js";
import type { AnswerReply, Reply } from "./messages.js";
import type { CallName } from "./protocol.js";
import { RequestChannel } from "./request-channel.js";

/** Helpers are started for a call that would take at least this many more milliseconds, which loading the model takes, too. */
const WORTH_IT = 2_000;

/** Jobs per helper: the one it runs, and the next. */
const MAX_JOBS = 2;

/** Milliseconds until a helper says how much memory it uses. */
const MEMORY_LIMIT = 2_000;

/** The number of a job that is a part of a run: its results aren't fetched. */
const SHARED = -1;

const STOPPED = "a worker has stopped responding";

const ignore = () => {};

/** Another worker with the same model. */
interface Helper {
  readonly number: number;
  readonly channel: RequestChannel;
  readonly port: MessagePort;
  /** The jobs it has, in the order in which it runs them. */
  readonly jobs: Job[];
}

interface Job {
  readonly number: number;
  /** The part of a run that workers share. */
  readonly part?: number;
  readonly call: CallHelpers;
  readonly stop: AbortController;
}

/** The helpers of this worker. They are started by the thread that has started it. */
export class Helpers {
  private readonly ready = new Map<number, Helper>();
  private wanted = false;
  private spent = 0;
  private isRefused = false;
  private expected: number;
  private problem: string | undefined;

  constructor(
    private readonly request: LoadRequest,
    private readonly send: (message: Reply) => void,
    /** Called when {@link problems} or {@link workers} have changed. */
    private readonly onChange: () => void,
  ) {
    this.expected = request.threads - 1;
  }

  /** Number of workers that read a long text, this one included. */
  get workers(): number {
    return 1 + this.expected;
  }

  /** Adds the time of a call: many short calls are worth helpers, too, if workers can share a run. */
  spend(milliseconds: number): void {
    this.spent += milliseconds;
    if (this.spent > WORTH_IT && canShareMemory()) void this.start();
  }

  /** Returns whether all helpers are ready for a part of a run. */
  canShare(): boolean {
    const helpers = this.all();
    const areIdle = helpers.every(({ jobs }) => jobs.length === 0);
    return helpers.length > 0 && areIdle && !this.isRefused && canShareMemory();
  }

  /** Allocates memory for a run of all workers; notes if the browser refuses it. */
  allocate(floats: number): MemoryView[] {
    try {
      return sharedViews(1 + this.ready.size, floats);
    } catch (error) {
      this.isRefused = true;
      this.reportMissing(0, `the browser refused memory that workers share (${error})`);
      return [];
    }
  }

  /** The reason if there are fewer workers than were wanted. */
  get problems(): string | undefined {
    return this.problem;
  }

  /** The helpers of one call, which must be ended with it. */
  forCall(): CallHelpers {
    return new CallHelpers(this);
  }

  /** Starts them, once. */
  async start(): Promise<void> {
    if (this.wanted || this.expected < 1) return;
    this.wanted = true;
    try {
      this.send({ kind: "start-helpers", count: this.expected, request: await requestForHelper(this.request) });
    } catch (error) {
      this.reportMissing(this.expected, toError(error).message);
    }
  }

  /** A helper is ready. */
  join(number: number, port: MessagePort): void {
    const channel = new RequestChannel((message) => port.postMessage(message));
    port.onmessage = ({ data }: MessageEvent<AnswerReply>) => channel.receive(data);
    // In Node, an open port would keep an idle process alive.
    (port as { unref?: () => void }).unref?.();
    this.ready.set(number, { number, channel, port, jobs: [] });
  }

  /** A helper didn't start or has stopped; its jobs are lost. */
  leave(number: number, reason: string): void {
    const gone = this.ready.get(number);
    this.ready.delete(number);
    gone?.channel.end(new MobileBertError("internal", reason));
    gone?.port.close();
    this.reportMissing(1, reason);
  }

  /** Ends a helper that doesn't respond, or fails. */
  terminate(number: number, reason: string): void {
    if (!this.ready.has(number)) return;
    this.send({ kind: "terminate-helper", helper: number });
    this.leave(number, reason);
  }

  /** The helpers that are ready. */
  all(): Helper[] {
    return [...this.ready.values()];
  }

  /** Bytes of their modules' memories. */
  async memory(): Promise<number> {
    const { signal } = new AbortController();
    const ask = async ({ channel }: Helper) => {
      const answer = channel.call({ name: "memory", args: [], partial: false }, ignore, signal);
      return ((await answer) as Memory).wasmBytes;
    };
    const late = new Promise<number>((resolve) => setTimeout(resolve, MEMORY_LIMIT, 0));
    const sizes = this.all().map((helper) => Promise.race([ask(helper).catch(() => 0), late]));
    return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
  }

  private reportMissing(count: number, reason: string): void {
    this.expected -= count;
    this.problem = reason;
    this.onChange();
  }
}

/** The helpers during one call. */
export class CallHelpers implements EngineHelpers {
  private arrived: [job: number, outputs: unknown][] = [];
  private wake = ignore;
  private ended = false;
  private memory: SharedMemory | undefined;
  private readonly begun = performance.now();

  constructor(private readonly helpers: Helpers) {}

  expect(milliseconds: number): void {
    if (milliseconds > WORTH_IT) void this.helpers.start();
  }

  offer(number: number, sequences: unknown[]): boolean {
    let least: Helper | undefined;
    for (const helper of this.helpers.all()) {
      if (helper.jobs.length < (least?.jobs.length ?? MAX_JOBS)) least = helper;
    }
    if (!least) return false;
    void this.run(least, { number, call: this, stop: new AbortController() }, sequences);
    return true;
  }

  reclaim(): number | undefined {
    for (const { jobs } of this.helpers.all()) {
      const waiting = jobs.length === MAX_JOBS ? jobs.at(-1) : undefined;
      if (!waiting || waiting.call !== this || waiting.stop.signal.aborted) continue;
      waiting.stop.abort();
      return waiting.number;
    }
    return undefined;
  }

  async finished(milliseconds: number): Promise<[job: number, outputs: unknown][]> {
    // Messages are delivered only when this thread yields.
    await yieldToEvents();
    if (this.arrived.length === 0 && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.arrived.splice(0);
  }

  canShare(): boolean {
    return this.helpers.canShare();
  }

  share(inputs: unknown[], batch: number, floats: number): EngineMemory | undefined {
    const [own, ...others] = this.helpers.allocate(floats);
    if (!own) return undefined;
    const memory = new SharedMemory(own);
    this.memory = memory;
    for (const [index, helper] of this.helpers.all().entries()) {
      const job = { number: SHARED, part: index + 1, call: this, stop: new AbortController() };
      void this.send(helper, job, "takePart", [inputs, batch, others[index]]).catch(() => memory.fail());
    }
    return memory;
  }

  giveUp(): void {
    const isLate = ({ call, part }: Job) =>
      call === this && (part === undefined || this.memory?.missing().includes(part));
    for (const { number, jobs } of this.helpers.all()) {
      if (jobs.some(isLate)) this.helpers.terminate(number, STOPPED);
    }
  }

  /** Ends the call; the jobs that helpers still have are aborted. */
  end(): void {
    this.ended = true;
    this.helpers.spend(performance.now() - this.begun);
    const jobs = this.helpers.all().flatMap((helper) => helper.jobs);
    for (const { call, stop } of jobs) if (call === this) stop.abort();
  }

  private async run(helper: Helper, job: Job, sequences: unknown[]): Promise<void> {
    const { signal } = job.stop;
    // If the helper fails, the job is run here instead.
    const outputs = await this.send(helper, job, "run", [sequences]).catch(() => undefined);
    if (this.ended || (signal.aborted && outputs === undefined)) return;
    this.arrived.push([job.number, outputs]);
    this.wake();
  }

  /** Sends a job to a helper; terminates a helper that fails. */
  private async send(helper: Helper, job: Job, name: CallName, args: unknown[]): Promise<unknown> {
    const { number, channel, jobs } = helper;
    const { signal } = job.stop;
    jobs.push(job);
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A helper that has died would otherwise be taken for a busy one, and no run would be shared again.
    const stopped = () => {
      timer = setTimeout(() => this.helpers.terminate(number, STOPPED), timeouts.stop);
      // In Node, a timer would keep an idle process alive.
      (timer as { unref?: () => void }).unref?.();
    };
    const unsubscribe = onAbort(signal, stopped);
    try {
      return await channel.call({ name, args, partial: false }, ignore, signal);
    } catch (error) {
      if (!signal.aborted) this.helpers.terminate(number, toError(error).message);
      throw error;
    } finally {
      clearTimeout(timer);
      unsubscribe();
      jobs.splice(jobs.indexOf(job), 1);
    }
  }
}
