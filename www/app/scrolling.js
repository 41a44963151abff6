/** Scrolls instantly for users who prefer reduced motion. @returns {ScrollBehavior} */
export function scrolling() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}
