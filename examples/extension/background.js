import { QuestionAnswering } from "./node_modules/mobilebert/dist/service-worker.js";

const MODEL = chrome.runtime.getURL("models/mobilebert-squad/");
let loading;

/** Loads the model with the first question. Chrome may stop this script when it is idle, and starts it again. */
function model() {
  loading ??= QuestionAnswering.load(MODEL).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function answer({ question, context }) {
  try {
    const { answers, verdict } = await (await model()).ask(question, context);
    const [best] = answers;
    return { text: best && verdict !== "no-answer" ? best.text : "The text doesn't say." };
  } catch ({ code, message }) {
    return { text: `${code ?? "error"}: ${message}` };
  }
}

chrome.runtime.onMessage.addListener((request, _sender, reply) => {
  answer(request).then(reply);
  // Chrome keeps the channel open for the reply.
  return true;
});
