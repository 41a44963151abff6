import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts `xtask demo` on a free port and returns its address; `XTASK` is the path of the program. */
export async function startServer(modelFolders = [], options = []) {
  const program = process.env.XTASK;
  if (!program) throw new Error("XTASK is not set: run these tests with `cargo xtask test --only browsers`");
  const models = modelFolders.flatMap((folder) => ["--model", folder]);
  const child = spawn(program, ["demo", "--no-open", "--port", "0", ...models, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const printed = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (line.startsWith("http://")) return { address: line.trim(), stop: () => stop(child) };
  }
  throw new Error(`the server exited before it printed its address:\n${printed.join("\n")}`);
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
