import { type ErrorCode, MobileBertError, messageOf } from "../errors.js";

/** The script of a browser's worker, and how to start it. */
export interface Script extends WorkerOptions {
  url: string;
}

/** Name of the worker, shown in developer tools, and of the Trusted Types policy. */
export const NAME = "mobilebert";

const EMBEDDER_POLICY = "cross-origin-embedder-policy";

/**
 * The `worker.js` next to this bundle. Bundlers include the worker where they find the expression below, and replace its
 * URL by that of their own file. Evaluating it is the only way to learn that URL, so a substitute for `Worker` keeps it.
 */
export function bundledScript(): Script {
  const actual = globalThis.Worker;
  let found: Script | undefined;
  class Recorder {
    constructor(url: URL, options: WorkerOptions) {
      found = { url: String(url), ...options };
    }
  }
  try {
    globalThis.Worker = Recorder as unknown as typeof Worker;
    new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: NAME });
  } catch {
    // Only modules know their own URL.
  } finally {
    globalThis.Worker = actual;
  }
  if (!found) throw notStarted("not-found", "this bundle", "it isn't an ES module, so it doesn't know its own URL");
  return found;
}

/** Returns a URL that `Worker` accepts for a script, and a function to call when the script has loaded or failed. */
export function loadable(script: Script): { url: unknown; release(): void } {
  if (!isForeign(script.url)) return { url: trusted(script.url), release: () => {} };
  // Workers must be from the page's own origin, but may import from others.
  const specifier = JSON.stringify(script.url);
  const code = script.type === "module" ? `import ${specifier};` : `importScripts(${specifier});`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return { url: trusted(url), release: () => URL.revokeObjectURL(url) };
}

function isForeign(url: string): boolean {
  // Unlike `location.origin`, also right in frames without a URL of their own.
  const own = globalThis.origin;
  return typeof own === "string" && /^https?:/.test(url) && new URL(url).origin !== own;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}
let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;

const trustedTypes = () => (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;

/** Under `require-trusted-types-for 'script'`, workers can't be started from plain strings. */
function trusted(url: string): unknown {
  try {
    policy ??= trustedTypes()?.createPolicy(NAME, { createScriptURL: (url) => url });
  } catch {
    // The page doesn't allow the policy. Where it doesn't require one either, the string is fine.
  }
  return policy?.createScriptURL(url) ?? url;
}

/** The error for a script that the browser refused at once. */
export function refused(url: string, error: unknown): MobileBertError {
  const reason = messageOf(error);
  if (trustedTypes() && !policy && error instanceof TypeError) {
    const hint = `the page's Content-Security-Policy must allow the package's policy: \`trusted-types ${NAME}\``;
    return new MobileBertError("unsupported", `the worker could not be started; ${hint} (${reason})`, {
      field: "workerUrl",
    });
  }
  return notStarted("unsupported", url, reason);
}

/** Finds out why a browser's worker didn't start: the browser only says so in its console. */
export async function whyNotStarted(url: string, problem: string): Promise<MobileBertError> {
  if (problem || !/^https?:/.test(url)) return notStarted("not-found", url, problem || "it could not be loaded");
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(8_000) });
    await response.body?.cancel();
  } catch (error) {
    return notStarted("network", url, `could not be fetched (${messageOf(error)})`);
  }
  const { ok, status, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (!ok) return notStarted(status === 404 ? "not-found" : "network", url, `the server responded with ${status}`);
  if (type.startsWith("text/html")) return notStarted("not-found", url, "the server sent an HTML page");
  if (!type.includes("javascript"))
    return notStarted("network", url, `the server sent it as "${type}", not as a script`);
  if (globalThis.crossOriginIsolated && !isForeign(url) && !headers.has(EMBEDDER_POLICY)) {
    const hint = `it needs the header \`${EMBEDDER_POLICY}: require-corp\`, like the page, which is cross-origin isolated`;
    return notStarted("unsupported", url, hint);
  }
  if (globalThis.origin === "null") {
    const remedy = "Give the frame `allow-same-origin`, or pass `worker: false`";
    return couldNotLoad("unsupported", url, "a sandboxed frame can't start workers", remedy);
  }
  const sources = isForeign(url) ? `blob: ${new URL(url).origin}` : "'self'";
  return notStarted("unsupported", url, `the page's Content-Security-Policy must allow \`worker-src ${sources}\``);
}

/** The error for a worker that Node takes for a CommonJS script. */
export function notModule(url: string, problem: string): MobileBertError {
  const remedy = 'Name it worker.mjs, or put a package.json with `"type": "module"` next to it';
  return couldNotLoad("unsupported", url, `Node doesn't read it as a module (${problem})`, remedy);
}

/** The error for a worker that didn't start. */
export function notStarted(code: ErrorCode, url: string, reason: string): MobileBertError {
  const remedy = url.includes("/.vite/")
    ? 'With Vite\'s dev server, exclude the package: `optimizeDeps: { exclude: ["mobilebert"] }`, or pass `workerUrl`'
    : "Bundlers such as esbuild and Rollup don't copy workers: copy node_modules/mobilebert/dist/worker.js and " +
      "node_modules/mobilebert/wasm/mobilebert_bg.wasm to the page's host, and pass their URLs as `workerUrl` and `wasmUrl`";
  return couldNotLoad(code, url, reason, remedy);
}

function couldNotLoad(code: ErrorCode, url: string, reason: string, remedy: string): MobileBertError {
  const message = `worker.js could not be loaded from ${url}: ${reason}. ${remedy}`;
  return new MobileBertError(code, message, { file: "worker.js", field: "workerUrl" });
}
