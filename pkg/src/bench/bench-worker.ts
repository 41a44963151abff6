import { type EngineMemory, type EngineOptions, simdFor, startEngine } from "../engine/engine.js";
import { disposed, toPlain } from "../errors.js";
import { type OpenFile, openFile } from "../files/fetch.js";
import { missing, openWeights, WEIGHTS } from "../files/model-files.js";
import type { Place } from "../files/source.js";
import { Stopwatch } from "../files/stopwatch.js";
import { join } from "../files/streams.js";
import { parseManifest, verified } from "../files/verify.js";
import type { Device } from "../types.js";
import { type MemoryView, SharedMemory } from "../worker/memory.js";
import type { BenchReply, BenchRequest, ColdStart, NetworkInfo, StartProgress, StartRequest } from "./protocol.js";

/** The wasm module's `Benchmark`. */
interface EngineBenchmark {
  describe(): Omit<NetworkInfo, "cold" | "device" | "simd" | "threads"> & {
    times: { compile: number; generate: number; upload: number } | null;
  };
  device(): Device;
  dispatches(sequence: number): number;
  activationBytes(sequence: number): number;
  parts(sequence: number, runs: number): Promise<unknown>;
  limits(): Promise<unknown>;
  profile(sequence: number, runs: number): Promise<unknown>;
  run(sequence: number, expected: unknown): Promise<unknown>;
  runPart(sequence: number, expected: unknown, memory: EngineMemory): unknown;
  exchanged(sequence: number): number | undefined;
}

interface Seeding {
  step(): number;
  finish(): Promise<EngineBenchmark>;
}

interface Loader {
  push(chunk: Uint8Array): void;
  beginFile(name: string): void;
  choose(remembered: undefined): Promise<unknown>;
  finishBenchmark(): Promise<EngineBenchmark>;
}

/** The parts of the wasm module used here. */
interface Engine {
  Seeding: { create(config: string, seed: number, options: EngineOptions): Promise<Seeding> };
  Loader: { create(files: { config: string; index?: string }, options: EngineOptions): Promise<Loader> };
}

type Report = (progress: StartProgress) => void;

/** Interval in milliseconds at which to report progress and yield. */
const YIELD_INTERVAL = 50;

/** Loads a network onto its device, one part after the other so that each can be timed. */
async function start(
  request: StartRequest,
  report: Report,
): Promise<{ benchmark: EngineBenchmark; started: NetworkInfo }> {
  report({ phase: "module", share: null });
  const before = performance.now();
  const wasmUrl = request.wasmUrl ?? new URL("../wasm/benchmark/mobilebert_bg.wasm", import.meta.url).href;
  const engine = (await startEngine({ wasmUrl, wasmBytes: undefined })) as unknown as Engine;
  const module = performance.now() - before;
  report({ phase: "compile", share: null });
  const { device, schedule, profiling, place } = request;
  const { set: simd } = await simdFor(request.simd);
  const options: EngineOptions = { device, profiling, simd, ...(schedule && { schedule }) };
  const { benchmark, parts } =
    place.kind === "seeded"
      ? await generate(engine, place.config, place.seed, options, report)
      : await download(engine, place.place, options, report);
  const { times: _, ...about } = benchmark.describe();
  const on = benchmark.device();
  const threads = on.kind === "wasm" ? 1 : null;
  return { benchmark, started: { ...about, device: on, threads, simd, cold: { module, ...parts } } };
}

type Parts = Omit<ColdStart, "module">;

/** Generates the weights, and yields regularly so that progress is shown. */
async function generate(engine: Engine, config: string, seed: number, options: EngineOptions, report: Report) {
  const seeding = await engine.Seeding.create(config, seed, options);
  let yielded = performance.now();
  for (let share = 0; share < 1; ) {
    share = seeding.step();
    if (performance.now() - yielded > YIELD_INTERVAL) {
      report({ phase: "generate", share });
      await new Promise((resolve) => setTimeout(resolve));
      yielded = performance.now();
    }
  }
  const benchmark = await seeding.finish();
  const times = benchmark.describe().times ?? { compile: 0, generate: 0, upload: 0 };
  const parts: Parts = { ...times, download: null, verify: null };
  return { benchmark, parts };
}

/** Downloads a model without the package's cache, as on a first visit. */
async function download(engine: Engine, place: Place, options: EngineOptions, report: Report) {
  // `checked` wraps `stream`, so its time includes that of the stream.
  const [opening, stream, checked, device] = [new Stopwatch(), new Stopwatch(), new Stopwatch(), new Stopwatch()];
  const { signal } = new AbortController();
  const open = (name: string) => opening.time(() => openFile(place, name, signal));
  const required = async (name: string) => {
    const file = await open(name);
    if (!file) throw missing(place, name);
    return file;
  };
  const text = async (file: OpenFile) => new TextDecoder().decode(await opening.time(() => join(file.chunks)));
  const config = await text(await required("config.json"));
  const manifest = await open("files.json").then(async (file) => file && parseManifest(await text(file)));
  const { weights, index } = await openWeights((name) => missing(place, name), open, await open(WEIGHTS));
  const before = performance.now();
  const loader = await engine.Loader.create({ config, ...(index !== undefined && { index }) }, options);
  const compiling = new Stopwatch();
  const created = performance.now() - before;
  for (const [i, file] of weights.entries()) {
    const { name } = file;
    loader.beginFile(name);
    const bytes = manifest?.files.get(name)?.bytes ?? file.bytes;
    let read = 0;
    for await (const chunk of checked.waiting(verified(manifest, name, stream.waiting(file.chunks)))) {
      read += chunk.length;
      report({ phase: "download", share: bytes ? (i + read / bytes) / weights.length : null });
      await device.time(() => loader.push(chunk));
      // Once the header has arrived. Nothing is remembered, as on a first visit.
      await compiling.time(() => loader.choose(undefined));
    }
  }
  report({ phase: "upload", share: null });
  const benchmark = await device.time(() => loader.finishBenchmark());
  const verify = manifest ? checked.spent - stream.spent : null;
  const parts: Parts = {
    compile: created + compiling.spent,
    generate: null,
    upload: device.spent,
    download: opening.spent + stream.spent,
    verify,
  };
  return { benchmark, parts };
}

/** The network of this worker. */
let benchmark: EngineBenchmark | undefined;

function send(reply: BenchReply): void {
  postMessage(reply);
}

async function handle(message: BenchRequest): Promise<unknown> {
  if (message.kind === "start") {
    const { id } = message;
    const result = await start(message.request, (progress) => send({ id, kind: "progress", progress }));
    benchmark = result.benchmark;
    return result.started;
  }
  if (!benchmark) throw disposed();
  switch (message.kind) {
    case "run":
      return await benchmark.run(message.sequence, message.expected);
    case "runPart":
      return runPart(benchmark, message.sequence, message.expected, message.memory);
    case "exchanged":
      return benchmark.exchanged(message.sequence);
    case "dispatches":
      return benchmark.dispatches(message.sequence);
    case "activationBytes":
      return benchmark.activationBytes(message.sequence);
    case "parts":
      return await benchmark.parts(message.sequence, message.runs);
    case "limits":
      return await benchmark.limits();
    case "profile":
      return await benchmark.profile(message.sequence, message.runs);
  }
}

function runPart(benchmark: EngineBenchmark, sequence: number, expected: unknown, view: MemoryView): unknown {
  const memory = new SharedMemory(view);
  try {
    return benchmark.runPart(sequence, expected, memory);
  } catch (error) {
    memory.fail();
    throw error;
  }
}

addEventListener("message", async ({ data }: MessageEvent<BenchRequest>) => {
  try {
    send({ id: data.id, kind: "result", value: await handle(data) });
  } catch (error) {
    send({ id: data.id, kind: "error", error: toPlain(error) });
  }
});
