/**
 * Lists what doesn't fit on the page: elements that are wider than the screen, whose text is cut off, or that overlap each
 * other. What scrolls by itself may have more than it shows.
 */
export function crowding(page) {
  return page.evaluate(() => {
    const found = [];
    const named = (element) =>
      `${element.localName}${element.id && `#${element.id}`} "${(element.value || element.textContent).trim().slice(0, 24)}"`;
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) found.push(`the page scrolls sideways by ${wide} px`);
    const selector =
      "h1, h2, h3, h4, p, label, summary, button, input, select, textarea, a, li, meter, blockquote, td, th";
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // Behind the page's dialog, or for screen readers only.
    const isElsewhere = (element) => element.closest(".unseen, .skip, legend, [inert]");
    const scroller = (element) => {
      for (let parent = element.parentElement; parent; parent = parent.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(parent).overflow)) return parent;
      }
    };
    const shown = [...document.querySelectorAll(selector)].filter((one) => isShown(one) && !isElsewhere(one));
    const boxes = shown.map((element) => ({
      element,
      box: element.getBoundingClientRect(),
      within: scroller(element),
    }));
    for (const { element, box, within } of boxes) {
      const scrolls = within && within !== document.documentElement && within !== document.body;
      if (!scrolls && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5)) {
        found.push(`${named(element)} reaches from ${box.left} to ${box.right} px`);
      }
      const { overflowX, overflowY } = getComputedStyle(element);
      const cuts = (overflow) => overflow === "hidden" || overflow === "clip";
      if (element.localName === "input" || element.localName === "textarea" || element.localName === "meter") continue;
      if (
        (cuts(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
        (cuts(overflowY) && element.scrollHeight > element.clientHeight + 1) ||
        (overflowX === "visible" && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
      ) {
        found.push(`${named(element)} is cut off or leaves its box`);
      }
    }
    for (const [index, a] of boxes.entries()) {
      for (const b of boxes.slice(index + 1)) {
        if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
        // Only within the same scrolling box do places mean anything. A panel may cover the page.
        if (a.within !== b.within || a.element.closest(".reading") !== b.element.closest(".reading")) continue;
        const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const height = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (width > 1 && height > 1)
          found.push(`${named(a.element)} overlaps ${named(b.element)} by ${width} × ${height} px`);
      }
    }
    return found;
  });
}

/** The number of average letters that a text field has room for. */
export function lettersIn(page, selector) {
  return page.$eval(selector, (field) => {
    const { font, paddingLeft, paddingRight, borderLeftWidth, borderRightWidth } = getComputedStyle(field);
    const around = [paddingLeft, paddingRight, borderLeftWidth, borderRightWidth].map(Number.parseFloat);
    const context = document.createElement("canvas").getContext("2d");
    context.font = font;
    const letters = "how tall is the tower and who built it";
    const letter = context.measureText(letters).width / letters.length;
    return (field.getBoundingClientRect().width - around.reduce((sum, width) => sum + width, 0)) / letter;
  });
}
