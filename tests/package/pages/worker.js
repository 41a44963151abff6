import { ask } from "./ask.js";

addEventListener("message", async ({ data }) => postMessage(await ask(data)));
