import { MobileBertError } from "./errors.js";
import { inNode, workerThreads } from "./node.js";
import type { Reply, Request } from "./protocol.js";

/** A worker, the browser's or Node's. */
export interface Thread {
  post(message: Request): void;
  terminate(): void;
  /** Whether the process should stay alive for this worker; browsers do not ask. */
  hold(held: boolean): void;
}

/** Who hears of a worker. */
export interface ThreadListener {
  message(reply: Reply): void;
  /** The worker will say no more. */
  stopped(problem: string): void;
}

const NAME = "mobilebert";
const NOT_SERVED =
  "worker.js could not be loaded; is it served beside index.js? In Vite's dev server: optimizeDeps.exclude";

/** Starts `worker.js`, the one beside this module unless an address is given. */
export async function startThread(workerUrl: string | undefined, listener: ThreadListener): Promise<Thread> {
  if (typeof Worker !== "undefined") return browserThread(workerUrl, listener);
  if (inNode()) return await nodeThread(workerUrl, listener);
  throw new MobileBertError("unsupported", "there are no workers here; load with `worker: false`", { field: "worker" });
}

function browserThread(workerUrl: string | undefined, listener: ThreadListener): Thread {
  let worker: Worker;
  try {
    // Written out in this form, bundlers find the worker and take it along.
    worker = workerUrl
      ? new Worker(workerUrl, { type: "module", name: NAME })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: NAME });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const hint = "serve the package from the page's own origin, or load with `worker: false`";
    throw new MobileBertError("unsupported", `the worker could not be started (${said}); ${hint}`, { field: "worker" });
  }
  worker.onmessage = ({ data }: MessageEvent<Reply>) => listener.message(data);
  worker.onerror = (event) => {
    event.preventDefault();
    listener.stopped(event.message || NOT_SERVED);
  };
  worker.onmessageerror = () => listener.stopped("a message was lost");
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate(), hold: () => {} };
}

async function nodeThread(workerUrl: string | undefined, listener: ThreadListener): Promise<Thread> {
  const { Worker } = await workerThreads();
  // Not in the form above: bundlers would take the worker along a second time.
  const here = new URL(import.meta.url);
  // Flags of the process (`--input-type`, `--test`) are not the worker's.
  const worker = new Worker(workerUrl ? new URL(workerUrl) : new URL("./worker.js", here), {
    name: NAME,
    execArgv: [],
  });
  worker.on("message", (reply: Reply) => listener.message(reply));
  worker.on("error", (error) => listener.stopped(error.message));
  worker.on("messageerror", () => listener.stopped("a message was lost"));
  worker.on("exit", (code) => listener.stopped(`it ended with code ${code}`));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
    hold: (held) => (held ? worker.ref() : worker.unref()),
  };
}
