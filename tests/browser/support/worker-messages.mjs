/** What a page hears of its workers, held or changed: states that otherwise pass in no time, or cannot be brought about. */

/** Every load of the page stops at its first report of a phase, as if the rest took for ever. */
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

/** The first thing that a worker has to say is this error. */
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
