/** Whether this is Node, which has file paths and a different kind of workers. Pages may define `process`, too. */
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

/** Imports a built-in module of Node without bundlers noticing: they would fail to resolve it for a browser. */
async function nodeModule<T>(name: string): Promise<T> {
  const specifier = `node:${name}`;
  // Bundled server code may not support `import()`; Node before 20.16 lacks `getBuiltinModule`.
  const builtin = process.getBuiltinModule?.(specifier) as T | undefined;
  if (builtin) return builtin;
  // As a string: webpack warns about dynamic `import()`s, and minifiers drop the comments that suppress the warning.
  const load = new Function("specifier", "return import(specifier)") as (specifier: string) => Promise<T>;
  return await load(specifier);
}
