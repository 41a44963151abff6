/** Code that gives the same answer as the page. */
import { hubId } from "../models/published.js";

/**
 * @typedef {object} Asked
 * @property {import("../../pkg/dist/index.js").ModelSource} source
 * @property {Record<string, string>} options of `load`, if any were given
 * @property {string} question
 * @property {string} context
 */

/** A longer passage is read from a file: nobody wants to scroll through it. */
const LONG = 20_000;

/** With the npm package, in Node or a bundler. @param {Asked} asked */
export function moduleFor(asked) {
  return [`import { QuestionAnswering } from "mobilebert";`, "", ...body(asked, true), "console.log(answer);"].join(
    "\n",
  );
}

/** As a page that a browser can open. @param {Asked} asked */
export function pageFor(asked) {
  const script = [
    `import { QuestionAnswering } from ${text(new URL("pkg/dist/index.js", location.href).href)};`,
    "",
    ...body(asked, false),
    `document.querySelector("#answer").textContent = answer;`,
  ];
  return [
    "<!doctype html>",
    `<html lang="en">`,
    `<meta charset="utf-8">`,
    "<title>An answer by MobileBERT</title>",
    `<p id="answer" role="status">Loading the model…</p>`,
    `<script type="module">`,
    ...script.map((line) => (line === "" ? "" : `  ${line}`)),
    "</script>",
    "</html>",
  ].join("\n");
}

/** @param {Asked} asked @param {boolean} inNode @returns {string[]} lines */
function body({ source, options, question, context }, inNode) {
  const given = Object.keys(options).length > 0 ? `, ${JSON.stringify(options)}` : "";
  const isLong = context.length > LONG;
  const file = inNode
    ? `await (await import("node:fs/promises")).readFile("passage.txt", "utf8")`
    : `await (await fetch("passage.txt")).text()`;
  return [
    ...(typeof source === "string" ? [] : ["// The folder with your model's files, on a web server."]),
    `const model = await QuestionAnswering.load(${text(directory(source))}${given});`,
    `const question = ${text(question)};`,
    ...(isLong ? ["// The passage is long: save it as passage.txt, in UTF-8."] : []),
    `const passage = ${isLong ? file : text(context)};`,
    "const { verdict, answers } = await model.ask(question, passage, { topK: 3 });",
    `const answer = verdict === "no-answer" ? "The passage does not say." : answers[0].text;`,
    "await model.dispose();",
  ];
}

/** Returns the argument of `load`: a Hub id, or a URL that works everywhere. @param {Asked["source"]} source */
function directory(source) {
  if (typeof source !== "string") return "./my-model/";
  return hubId(source) ? source : new URL(source, location.href).href;
}

/** A string in JavaScript. In a page, `</script>` would end the script. @param {string} value */
function text(value) {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
