/** Yields to the browser, so that long work doesn't block drawing and input. */
export function yieldToBrowser() {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
