const SKIPPED = "script, style, template, noscript, textarea, select, button, question-answerer";
const BLOCKS = "p, li, dt, dd, td, th, h1, h2, h3, h4, h5, h6, pre, blockquote, figcaption, summary, div, section";

/** Returns the text of an element, and a function that maps offsets in the text to a range in the page. */
export function readPage(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement?.closest(SKIPPED) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  const pieces = [];
  let text = "";
  let block;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const found = node.parentElement.closest(BLOCKS);
    // A sentence doesn't continue in the next paragraph.
    if (block && found !== block) text += "\n";
    block = found;
    pieces.push({ node, start: text.length });
    text += node.data;
  }

  /** Returns the range of `text.slice(start, end)`. */
  function range(start, end) {
    const found = document.createRange();
    const first = pieces.findLast((piece) => piece.start <= start);
    const last = pieces.findLast((piece) => piece.start < end);
    found.setStart(first.node, Math.min(start - first.start, first.node.length));
    found.setEnd(last.node, Math.min(end - last.start, last.node.length));
    return found;
  }
  return { text, range };
}
