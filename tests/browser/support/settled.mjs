/** Waits for what the browser does by itself, without a fixed delay. */

/** Waits for two frames: what has changed is laid out, and the events of scrolling are dispatched. */
export function frames(page) {
  return page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))),
  );
}

/** Adds up the layout shifts from now on. Those soon after a tap or a key don't count. */
export function watchShift(page) {
  return page.evaluate(() => {
    globalThis.shift = 0;
    globalThis.marked = false;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.entryType === "mark") globalThis.marked = true;
        else if (!entry.hadRecentInput) globalThis.shift += entry.value;
      }
    });
    for (const type of ["layout-shift", "mark"]) observer.observe({ type, buffered: false });
  });
}

/** Returns the sum of the shifts so far. Entries arrive in order, so all have come when a mark has. */
export async function shiftSoFar(page) {
  await frames(page);
  await page.evaluate(() => performance.mark("now"));
  await page.waitForFunction(() => globalThis.marked);
  return await page.evaluate(() => {
    globalThis.marked = false;
    return globalThis.shift;
  });
}
