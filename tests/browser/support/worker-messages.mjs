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

/** While `globalThis.failing` is set in the page, the next page's calls to models fail. */
export async function failCalls(page) {
  await page.evaluateOnNewDocument(() => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        set.call(this, (event) => {
          const { id, kind, value } = event.data;
          if (!globalThis.failing || kind !== "result" || value?.task) return listener.call(this, event);
          const error = { code: "internal", message: "the call failed", detail: {} };
          listener.call(this, new MessageEvent("message", { data: { id, kind: "error", error } }));
        });
      },
    });
  });
}

/** Changes the device that the next page's models are loaded for, and after a call with `globalThis.next` set in the page, again. */
export async function changeDevices(page, first) {
  await page.evaluateOnNewDocument((first) => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        let device;
        set.call(this, (event) => {
          const { kind, value } = event.data;
          if (kind === "result" && value?.task) device = Object.assign(value.device, first);
          else if (kind === "result" && globalThis.next) {
            const data = { kind: "device", device: { ...device, ...globalThis.next } };
            listener.call(this, new MessageEvent("message", { data }));
          }
          listener.call(this, event);
        });
      },
    });
  }, first);
}
