/** Lets the browser draw and take input before the work goes on: no stretch of it should be felt. */
export function turn() {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
