/** Whether this is Node, where files have paths and workers are of another kind. Pages may have a `process`, too. */
export const inNode = (): boolean =>
  typeof process !== "undefined" &&
  Boolean(process.versions?.node) &&
  typeof document === "undefined" &&
  !("WorkerGlobalScope" in globalThis);

/** Node's file system. */
export const fileSystem = () => nodeModule<typeof import("node:fs/promises")>("fs/promises");

/** Node's workers. */
export const workerThreads = () => nodeModule<typeof import("node:worker_threads")>("worker_threads");

/** Paths as addresses. */
export const nodeUrl = () => nodeModule<typeof import("node:url")>("url");

/** A module of Node's own, out of bundlers' sight: they would look for it when they build for a browser. */
async function nodeModule<T>(name: string): Promise<T> {
  const specifier = `node:${name}`;
  // Bundled server code has no `import()` of its own; Node before 20.16 has no `getBuiltinModule`.
  const builtin = process.getBuiltinModule?.(specifier) as T | undefined;
  if (builtin) return builtin;
  // As text: webpack warns of an `import()` that it cannot follow, and minifying drops the comments that stop it.
  const load = new Function("specifier", "return import(specifier)") as (specifier: string) => Promise<T>;
  return await load(specifier);
}
