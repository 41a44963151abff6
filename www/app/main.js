/** Starts the page: its cards first, then the models, then storing it for visits without a network. */
import { askedTexts, startAsking } from "./ask.js";
import { startCode } from "./code/code.js";
import { startDevices } from "./device.js";
import { byId } from "./elements.js";
import { keep, keptTexts } from "./kept.js";
import { startChoosing } from "./models/choose.js";
import { callListener } from "./models/failures.js";
import { beginAnswers, chooseForAnswers, loadAnswers } from "./models/for-answers.js";
import {
  beginSentiment,
  chooseForSentiment,
  loadSentiment,
  prepareSentiment,
  sentimentHasBegun,
} from "./models/for-sentiment.js";
import { endedOrStalled } from "./models/load.js";
import { setRemark, showWaiting } from "./models/loading.js";
import { chooseModels } from "./models/models.js";
import { startOffline } from "./offline.js";
import { showProblem } from "./problem.js";
import { startLabels } from "./sentiment/labels.js";
import { sentimentText, startSentiment } from "./sentiment/sentiment.js";
import { startSharing } from "./sharing/share-answer.js";
import { startShared } from "./sharing/shared.js";
import { yieldToBrowser } from "./yield-to-browser.js";

showWaiting("Looking for a model…");
// Fetch the list of models while setting up the page.
const choice = chooseModels().catch((error) => {
  showWaiting("The page could not find out which models there are.");
  showProblem(error, () => location.reload());
  throw error;
});
await yieldToBrowser();
const kept = keptTexts();
startAsking(callListener("answers", loadAnswers), kept);
await yieldToBrowser();
const listener = callListener("sentiment", loadSentiment);
startSentiment(listener, kept?.sentence);
const keepTexts = () => keep({ ...askedTexts(), sentence: sentimentText() });
addEventListener("pagehide", keepTexts);
// Phones end hidden tabs without another event.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) keepTexts();
});
startLabels(listener);
startDevices(loadBoth);
startSharing();
startCode();
startShared();

const chosen = await choice;
prepareSentiment(chosen);
// A model whose task is unknown is tried for answers; if it is a classifier, it is handed over.
startChoosing(chosen.bundled, (choice, use) => {
  if (use === "sentiment") chooseForSentiment(choice);
  else chooseForAnswers(choice);
});
if (chosen.gone)
  setRemark(`Ready. ${chosen.gone.label} is no longer stored in this browser: tap Change model to load it.`);
beginAnswers(chosen);
// One after the other, so that the first is ready soon; but don't wait for a stalled one.
await endedOrStalled("answers");
beginSentiment();
// After the models, which are more urgent.
await endedOrStalled("sentiment");
const isStored = await startOffline();
byId("offline", HTMLElement).hidden = !isStored;
document.documentElement.dataset.offline = isStored ? "stored" : "not stored";

/** Loads the current models again, for another device. */
async function loadBoth() {
  const isSecondLoaded = sentimentHasBegun();
  loadAnswers();
  await endedOrStalled("answers");
  // Otherwise its first load is still to come, above.
  if (isSecondLoaded) loadSentiment();
}
