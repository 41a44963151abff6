import type { EngineMemory } from "../engine/engine.js";

/** Milliseconds to wait for the other workers before one of them counts as lost. */
const LIMIT = 2_000;

/** Reads of the counter before a worker sleeps: waking it takes longer than most waits. */
const SPINS = 4_000;

/** Indices of the counters. */
const ARRIVED = 0;
const FAILED = 1;
/** From here on, the number of arrivals of each part. */
const PARTS = 2;

/** Bytes before the values. */
const headerBytes = (parts: number) => 64 * Math.ceil((PARTS + parts) / 16);

/** Added to the number of arrivals when a worker fails: more than all arrivals of a run. */
const MANY = 1 << 24;

/** A worker's view of the memory that the workers of a run share; can be sent to it. */
export interface MemoryView {
  buffer: SharedArrayBuffer;
  part: number;
  parts: number;
}

/** Views for `parts` workers that exchange at most `floats` values at a time; fails if the browser refuses the memory. */
export function sharedViews(parts: number, floats: number): MemoryView[] {
  // Two halves in turn, so that the next values don't replace those that are still being read.
  const buffer = new SharedArrayBuffer(headerBytes(parts) + 2 * floats * Float32Array.BYTES_PER_ELEMENT);
  return Array.from({ length: parts }, (_, part) => ({ buffer, part, parts }));
}

/** Returns whether workers can share memory here: in Node, and in pages that are cross-origin isolated. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated !== false;
}

/** Memory that the workers of a run share. */
export class SharedMemory implements EngineMemory {
  readonly part: number;
  readonly parts: number;
  private readonly counters: Int32Array;
  private readonly halves: [Float32Array, Float32Array];
  private waits = 0;

  constructor({ buffer, part, parts }: MemoryView) {
    this.part = part;
    this.parts = parts;
    this.counters = new Int32Array(buffer, 0, PARTS + parts);
    const header = headerBytes(parts);
    const bytes = (buffer.byteLength - header) / 2;
    const half = (index: number) => new Float32Array(buffer, header + index * bytes, bytes / 4);
    this.halves = [half(0), half(1)];
  }

  put(offset: number, values: Float32Array): void {
    this.half(this.waits).set(values, offset);
  }

  get(offset: number, values: Float32Array): void {
    values.set(this.half(this.waits - 1).subarray(offset, offset + values.length));
  }

  wait(): boolean {
    const { counters, parts } = this;
    const target = ++this.waits * parts;
    Atomics.add(counters, PARTS + this.part, 1);
    let arrived = Atomics.add(counters, ARRIVED, 1) + 1;
    if (arrived === target) Atomics.notify(counters, ARRIVED);
    for (let spins = 0; arrived < target && spins < SPINS; spins++) arrived = Atomics.load(counters, ARRIVED);
    const end = performance.now() + LIMIT;
    while (arrived < target) {
      const left = end - performance.now();
      if (left <= 0) this.fail();
      else Atomics.wait(counters, ARRIVED, arrived, left);
      arrived = Atomics.load(counters, ARRIVED);
    }
    return Atomics.load(counters, FAILED) === 0;
  }

  /** Tells the other workers not to wait for this one. */
  fail(): void {
    Atomics.store(this.counters, FAILED, 1);
    Atomics.add(this.counters, ARRIVED, MANY);
    Atomics.notify(this.counters, ARRIVED);
  }

  /** The parts that have not come to this worker's last wait. */
  missing(): number[] {
    const parts = Array.from({ length: this.parts }, (_, part) => part);
    return parts.filter((part) => Atomics.load(this.counters, PARTS + part) < this.waits);
  }

  private half(wait: number): Float32Array {
    return this.halves[(wait % 2) as 0 | 1];
  }
}
