import { QuestionAnswering } from "/node_modules/mobilebert/dist/index.js";

/** Loads a model, asks once and disposes of it; returns errors as code and message. */
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
