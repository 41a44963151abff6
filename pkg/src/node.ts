declare global {
  /**
   * `import()` of a built-in module of Node, which no bundler may try to resolve. Added by `xtask/src/package.rs`, because
   * minifying drops the comments that say so. Service workers don't even allow the syntax, and their build lacks it.
   */
  const importBuiltin: ((specifier: string) => Promise<unknown>) | undefined;
  /** Defined in the build for service workers. Checking its `typeof` lets the bundler remove what they don't allow. */
  const STATIC_BUILD: true | undefined;
}

/** True if this is Node, which has file paths and a different kind of workers. Pages may define `process`, too. */
export const inNode = (): boolean =>
  typeof process !== "undefined" &&
  Boolean(process.versions?.node) &&
  typeof document === "undefined" &&
  !("WorkerGlobalScope" in globalThis);

/** Node's file system. */
export const fileSystem = () => nodeModule<typeof import("node:fs/promises")>("fs/promises");

/** Node's workers. */
export const workerThreads = () => nodeModule<typeof import("node:worker_threads")>("worker_threads");

/** Node's URL helpers. */
export const nodeUrl = () => nodeModule<typeof import("node:url")>("url");

/** The number of cores, or 1 if it's unknown. Node before 21 has no `navigator`. */
export async function countCores(): Promise<number> {
  const os = inNode() ? await nodeModule<typeof import("node:os") | undefined>("os") : undefined;
  return globalThis.navigator?.hardwareConcurrency ?? os?.availableParallelism() ?? 1;
}

/** Imports a built-in module of Node without bundlers noticing: they would fail to resolve it for a browser. */
async function nodeModule<T>(name: string): Promise<T> {
  const specifier = `node:${name}`;
  // Bundled server code may not support `import()`; Node before 20.16 lacks `getBuiltinModule`.
  const builtin = process.getBuiltinModule?.(specifier);
  if (builtin || typeof importBuiltin === "undefined") return builtin as T;
  return (await importBuiltin(specifier)) as T;
}
