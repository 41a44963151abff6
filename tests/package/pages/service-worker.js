import { MobileBertError, QuestionAnswering } from "mobilebert/service-worker";

/** Answers on the port that came with the question. */
async function answer(options) {
  try {
    const qa = await QuestionAnswering.load("/models/answers/", options);
    const { answers } = await qa.ask("who?", "the cat and the dog");
    await qa.dispose();
    return { answers: answers.length, kind: qa.device.kind };
  } catch (error) {
    return { code: error.code, message: error.message, known: error instanceof MobileBertError };
  }
}

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => {
  event.waitUntil(answer(event.data).then((reply) => event.ports[0].postMessage(reply)));
});
