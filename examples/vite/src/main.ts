import { type AskResult, MobileBertError, type Progress, QuestionAnswering } from "mobilebert";

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has no ${kind.name} #${id}`);
}

const form = element("form", HTMLFormElement);
const context = element("context", HTMLTextAreaElement);
const question = element("question", HTMLInputElement);
const button = element("ask", HTMLButtonElement);
const bar = element("progress", HTMLProgressElement);
const output = element("answer", HTMLParagraphElement);

function progress({ loaded, total }: Progress): void {
  bar.value = loaded / Math.max(1, total);
}

function show({ answers, verdict, timing }: AskResult): void {
  const [best] = answers;
  if (!best || verdict === "no-answer") {
    output.textContent = "The text doesn't say.";
    return;
  }
  output.textContent = `${best.text} (${(100 * best.probability).toFixed(0)}%, ${timing.total.toFixed(0)} ms)`;
  context.setSelectionRange(best.start, best.end);
}

function fail(error: unknown): void {
  output.textContent = error instanceof MobileBertError ? `${error.code}: ${error.message}` : String(error);
}

try {
  const qa = await QuestionAnswering.load("models/mobilebert-squad/", { onProgress: progress });
  output.textContent = `Ready: ${qa.device.kind}, because ${qa.device.reason}.`;
  button.disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    qa.ask(question.value, context.value).then(show, fail);
  });
} catch (error) {
  fail(error);
}
bar.hidden = true;
