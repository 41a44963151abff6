import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts `xtask demo` on a free port and gives its address; the test run hands over which program that is. */
export async function startServer(modelFolders = []) {
  const program = process.env.XTASK;
  if (!program) throw new Error("XTASK is not set: run these tests by `cargo xtask test --only browsers`");
  const models = modelFolders.flatMap((folder) => ["--model", folder]);
  const child = spawn(program, ["demo", "--no-open", "--port", "0", ...models], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const printed = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (line.startsWith("http://")) return { address: line.trim(), stop: () => stop(child) };
  }
  throw new Error(`the server ended before it gave an address:\n${printed.join("\n")}`);
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
