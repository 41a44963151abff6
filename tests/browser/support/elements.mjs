/** What a page's elements say. */

/** The text of an element. */
export const text = (page, selector) => page.$eval(selector, (element) => element.textContent);

/** Waits until an element's text matches a regular expression. */
export const waitForText = (page, selector, words) =>
  page.waitForFunction(
    (selector, source) => new RegExp(source).test(document.querySelector(selector).textContent),
    {},
    selector,
    words.source,
  );
