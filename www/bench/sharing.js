/** The actions below a result: its sentence with a link, a picture, the link alone, and its JSON. */
import { byId } from "../app/elements.js";
import { canShare, canShareFile, copy, send, sendFile } from "../share/send.js";
import { describePicture, draw } from "./picture.js";
import { linkToResult } from "./share.js";
import { headline, headlineRow } from "./verdict.js";

/** @typedef {import("./result.js").Result} Result */

const TITLE = "Latency of MobileBERT";

const verdict = byId("verdict", HTMLElement);
const json = byId("json", HTMLTextAreaElement);
const link = byId("link", HTMLInputElement);
const linkLabel = byId("link-label", HTMLElement);
const copied = byId("copied", HTMLElement);
const share = byId("share", HTMLButtonElement);
const drawing = byId("draw", HTMLButtonElement);
const part = byId("picture-part", HTMLElement);
const picture = byId("picture", HTMLCanvasElement);
const save = byId("picture-save", HTMLAnchorElement);
const sharePicture = byId("picture-share", HTMLButtonElement);

/** The result that the actions are for, if it is complete. @type {Result | undefined} */
let offered;
/** @type {File | undefined} */
let drawn;

share.textContent = canShare ? "Share" : "Copy the verdict and a link";
on(share, async (result) => {
  await showLink(result);
  copied.textContent = await send({ title: TITLE, text: headline(result), url: link.value });
});
on(byId("copy-link", HTMLButtonElement), async (result) => {
  await showLink(result);
  copied.textContent = (await copy(link.value, "The link was copied.", link)).text;
});
on(byId("copy-json", HTMLButtonElement), async () => {
  const { done, text } = await copy(json.value, "The JSON was copied.", json);
  copied.textContent = text;
  if (done) return;
  byId("json-part", HTMLDetailsElement).open = true;
  // Only what is shown can be selected.
  json.select();
});
on(drawing, showPicture);
on(sharePicture, async () => {
  if (drawn) copied.textContent = await sendFile(drawn, TITLE);
});
// A picture in the other colors would look out of place.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (offered && !part.hidden) showPicture(offered);
});

/** @param {HTMLButtonElement} button @param {(result: Result) => Promise<void>} act */
function on(button, act) {
  button.addEventListener("click", () => {
    if (offered) act(offered);
  });
}

/** @param {Result} result */
async function showLink(result) {
  link.value = await linkToResult(result);
  linkLabel.hidden = false;
}

/** @param {Result} result */
async function showPicture(result) {
  try {
    drawn = await draw(picture, result);
  } catch (error) {
    copied.textContent = `No picture: ${error instanceof Error ? error.message : error}.`;
    return;
  }
  picture.setAttribute("aria-label", describePicture(result));
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(drawn);
  save.download = drawn.name;
  sharePicture.hidden = !canShareFile(drawn);
  part.hidden = false;
  part.scrollIntoView({ block: "nearest" });
}

/** Shows the result's sentence and offers to share it. @param {Result | undefined} result @param {boolean} complete */
export function offerSharing(result, complete) {
  offered = complete ? result : undefined;
  const words = complete ? headline(result) : "";
  // A void result says why in the same place.
  verdict.textContent = result && result.void === null ? `${words || waiting(complete)}.` : "";
  byId("share-actions", HTMLElement).hidden = !offered;
  byId("json-part", HTMLElement).hidden = !offered;
  share.hidden = words === "";
  drawing.hidden = !offered || !headlineRow(offered);
  linkLabel.hidden = true;
  part.hidden = true;
  copied.textContent = "";
  json.value = offered ? JSON.stringify(offered, undefined, 1) : "";
}

/** The text without a sentence to share. It takes its place, so that nothing shifts. @param {boolean} complete */
function waiting(complete) {
  return complete ? "No row was completed" : "Measuring";
}
