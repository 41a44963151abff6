/** Holds back or changes messages from workers, for states that are too short or hard to reach otherwise. */

/** Stops every load at its first progress message of a phase. */
export async function holdAt(page, phase) {
  await page.evaluateOnNewDocument((phase) => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        let held = false;
        set.call(this, (event) => {
          if (!held) listener.call(this, event);
          held ||= event.data.progress?.phase === phase;
        });
      },
    });
  }, phase);
}

/** Replaces every worker's first message with this error. */
export async function failWith(page, error) {
  await page.evaluateOnNewDocument((error) => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        set.call(this, ({ data: { id } }) => {
          listener.call(this, new MessageEvent("message", { data: { id, kind: "error", error } }));
        });
      },
    });
  }, error);
}

/** Delays every message from a worker, on the next page, by this many milliseconds. */
export async function delayMessages(page, milliseconds) {
  await page.evaluateOnNewDocument((milliseconds) => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        set.call(this, (event) => setTimeout(() => listener.call(this, event), milliseconds));
      },
    });
  }, milliseconds);
}
