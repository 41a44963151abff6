import type { TransferListItem } from "node:worker_threads";
import { MobileBertError } from "../errors.js";
import { timeouts } from "../files/timeouts.js";
import { inNode, workerThreads } from "../node.js";
import type { Reply, Request } from "./messages.js";
import { bundledScript, loadable, NAME, notModule, notStarted, refused, type Script, whyNotStarted } from "./script.js";

/** A worker of the browser or of Node. */
export interface Thread {
  post(message: Request, transfer?: Transferable[]): void;
  terminate(): void;
  /** Sets whether this worker keeps the process alive; does nothing in browsers. */
  keepAlive(alive: boolean): void;
}

/** Callbacks of a worker. */
export interface ThreadListener {
  message(reply: Reply): void;
  /** The worker has ended; no more messages will arrive. */
  stopped(error: MobileBertError): void;
}

/** Starts the `worker.js` next to this bundle, or the one at `workerUrl`, within `limit` milliseconds. */
export async function startThread(
  workerUrl: string | undefined,
  listener: ThreadListener,
  limit = timeouts.response,
): Promise<Thread> {
  if (typeof Worker !== "undefined") return browserThread(workerUrl, listener, limit);
  if (inNode()) return await nodeThread(workerUrl, listener);
  throw new MobileBertError("unsupported", "workers are not available here; load with `worker: false`", {
    field: "worker",
  });
}

function browserThread(workerUrl: string | undefined, listener: ThreadListener, limit: number): Thread {
  const script: Script = workerUrl ? { url: workerUrl, type: "module", name: NAME } : bundledScript();
  const { url, release } = loadable(script);
  let worker: Worker;
  try {
    // Trusted Types aren't among TypeScript's types.
    worker = new Worker(url as string, script);
  } catch (error) {
    release();
    throw refused(script.url, error);
  }
  const late = () => listener.stopped(notStarted("network", script.url, `no response within ${limit / 1000} s`));
  const timer = setTimeout(late, limit);
  let hasStarted = false;
  const settle = () => {
    clearTimeout(timer);
    release();
  };
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if (!hasStarted) settle();
    hasStarted = true;
    listener.message(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    settle();
    if (hasStarted) listener.stopped(stopped(event.message));
    else void whyNotStarted(script.url, event.message).then(listener.stopped);
  };
  worker.onmessageerror = () => listener.stopped(stopped("a message was lost"));
  const terminate = () => {
    settle();
    worker.terminate();
  };
  const post = (message: Request, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  return { post, terminate, keepAlive: () => {} };
}

async function nodeThread(workerUrl: string | undefined, listener: ThreadListener): Promise<Thread> {
  const { Worker } = await workerThreads();
  // Not in the form that bundlers recognize, or they would include the worker a second time.
  const here = new URL(import.meta.url);
  const url = workerUrl ? new URL(workerUrl) : new URL("./worker.js", here);
  // The worker must not inherit the process's flags, such as `--input-type` and `--test`.
  let worker: InstanceType<typeof Worker>;
  try {
    worker = new Worker(url, { name: NAME, execArgv: [] });
  } catch (error) {
    // Node starts workers from the disk only.
    throw refused(url.href, error);
  }
  worker.on("message", (reply: Reply) => listener.message(reply));
  worker.on("error", ({ code = "", message }: NodeJS.ErrnoException) => {
    if (/MODULE_NOT_FOUND$/.test(code)) listener.stopped(notStarted("not-found", url.href, message));
    else if (/outside a module/.test(message)) listener.stopped(notModule(url.href, message));
    else listener.stopped(stopped(message));
  });
  worker.on("messageerror", () => listener.stopped(stopped("a message was lost")));
  worker.on("exit", (code) => listener.stopped(stopped(`it exited with code ${code}`)));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as TransferListItem[]),
    // A browser's worker reports nothing either when it is terminated.
    terminate: () => void worker.removeAllListeners("exit").terminate(),
    keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
  };
}

function stopped(problem: string): MobileBertError {
  return new MobileBertError("internal", `the worker stopped: ${problem}`);
}
