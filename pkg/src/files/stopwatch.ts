/** Sums up the time spent on a kind of work, in milliseconds. */
export class Stopwatch {
  spent = 0;

  async time<T>(work: () => Promise<T> | T): Promise<T> {
    const before = performance.now();
    try {
      return await work();
    } finally {
      this.spent += performance.now() - before;
    }
  }

  /** Measures the time spent waiting for the next chunk. */
  async *waiting(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.time(() => iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
}
