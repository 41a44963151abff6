import { Stopwatch } from "../files/stopwatch.js";
import type { LoadTimes } from "../types.js";

/** Measures the parts of a load. */
export class LoadTimer {
  readonly module = new Stopwatch();
  /** Opening files, and waiting for their bytes. */
  readonly fetch = new Stopwatch();
  /** Waiting for verified bytes, which includes waiting for the bytes themselves. */
  readonly checked = new Stopwatch();
  /** The part of `fetch` that `checked` includes. */
  readonly streamed = new Stopwatch();
  readonly compile = new Stopwatch();
  readonly upload = new Stopwatch();
  readonly warmup = new Stopwatch();
  private readonly began = performance.now();

  times(): LoadTimes {
    return {
      module: this.module.spent,
      fetch: this.fetch.spent + this.streamed.spent,
      verify: Math.max(0, this.checked.spent - this.streamed.spent),
      compile: this.compile.spent,
      upload: this.upload.spent,
      warmup: this.warmup.spent,
      total: performance.now() - this.began,
    };
  }
}
