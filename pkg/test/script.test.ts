import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { whyNotStarted } from "../src/worker/script.ts";

test("a script that nothing else keeps from starting is refused by the sandbox, or by the page's policy", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/javascript" }).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const [origin, cause] of [
      ["null", /sandboxed frame.*`allow-same-origin`.*`worker: false`/],
      [host, /Content-Security-Policy.*`worker-src 'self'`/],
      ["https://page.example", /Content-Security-Policy.*`worker-src blob: http:/],
    ] as const) {
      Object.assign(globalThis, { origin });
      const { code, message } = await whyNotStarted(`${host}/worker.js`, "");
      assert.equal(code, "unsupported");
      assert.match(message, cause);
    }
  } finally {
    Reflect.deleteProperty(globalThis, "origin");
    server.closeAllConnections();
    server.close();
  }
});
