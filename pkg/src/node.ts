/** Node's file system, out of bundlers' sight: they would look for it when they build for a browser. */
export function fileSystem(): Promise<typeof import("node:fs/promises")> {
  const name = ["node:fs", "promises"].join("/");
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
