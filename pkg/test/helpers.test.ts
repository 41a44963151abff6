import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import type { LoadRequest } from "../src/engine/request.ts";
import { timeouts } from "../src/files/timeouts.ts";
import { Helpers } from "../src/worker/helpers.ts";
import type { Reply } from "../src/worker/messages.ts";

/** A worker's helpers, one of which is ready, and the messages to the thread that starts them. */
function oneHelper(answers: boolean) {
  const sent: Reply[] = [];
  const helpers = new Helpers(
    { threads: 2 } as LoadRequest,
    (message) => sent.push(message),
    () => {},
  );
  const { port1, port2 } = new MessageChannel();
  port2.on("message", ({ id, kind }) => {
    if (answers && kind === "call") port2.postMessage({ id, kind: "result", value: [] });
  });
  helpers.join(0, port1 as unknown as MessagePort);
  return { helpers, sent, close: () => port2.close() };
}

for (const answers of [false, true]) {
  test(`a helper that ${answers ? "answers is kept" : "has died is terminated"} once its job is no longer needed`, async () => {
    const limit = timeouts.stop;
    // An answer takes longer on a busy machine.
    timeouts.stop = answers ? 1_000 : 50;
    const { helpers, sent, close } = oneHelper(answers);
    try {
      const call = helpers.forCall();
      assert.ok(call.offer(1, []));
      call.end();
      await new Promise((resolve) => setTimeout(resolve, timeouts.stop + 250));
      assert.deepEqual(sent, answers ? [] : [{ kind: "terminate-helper", helper: 0 }]);
      assert.equal(helpers.workers, answers ? 2 : 1);
      assert.equal(helpers.problems, answers ? undefined : "a worker has stopped responding");
    } finally {
      timeouts.stop = limit;
      close();
    }
  });
}
