/** A cache storage in memory, with what the package uses of it. */
export class MemoryCaches {
  readonly stored = new Map<string, Response>();

  async open() {
    const { stored } = this;
    return {
      match: async (url: string) => stored.get(url)?.clone(),
      put: async (url: string, response: Response) => void stored.set(url, response),
      delete: async (url: string) => stored.delete(url),
      keys: async () => [...stored.keys()].map((url) => ({ url })),
    };
  }

  /** Runs a test with this storage as the browser's. */
  async during(work: () => Promise<void>): Promise<void> {
    const before = Object.getOwnPropertyDescriptor(globalThis, "caches");
    Object.defineProperty(globalThis, "caches", { value: this, configurable: true });
    try {
      await work();
    } finally {
      if (before) Object.defineProperty(globalThis, "caches", before);
      else Reflect.deleteProperty(globalThis, "caches");
    }
  }
}
