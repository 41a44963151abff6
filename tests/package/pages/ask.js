import { QuestionAnswering } from "/node_modules/mobilebert/dist/index.js";

/** Loads a model, asks once, disposes of it; an error comes back as its code and message. */
export async function ask({ options, question, context }) {
  try {
    const qa = await QuestionAnswering.load("/models/squad/", { device: "wasm", ...options });
    const { answers } = await qa.ask(question, context);
    await qa.dispose();
    return { answers, isolated: globalThis.crossOriginIsolated };
  } catch ({ code, message }) {
    return { code, message };
  }
}
