import { QuestionAnswering } from "mobilebert";

const [form, context, question, button, bar, output] = ["form", "context", "question", "ask", "progress", "answer"].map(
  (id) => document.getElementById(id),
);

try {
  const qa = await QuestionAnswering.load("models/mobilebert-squad/", {
    onProgress({ loaded, total }) {
      bar.value = loaded / Math.max(1, total);
    },
  });
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

function show({ answers, verdict, timing }) {
  const [best] = answers;
  if (!best || verdict === "no-answer") {
    output.textContent = "The text doesn't say.";
    return;
  }
  output.textContent = `${best.text} (${(100 * best.probability).toFixed(0)}%, ${timing.total.toFixed(0)} ms)`;
  context.focus();
  context.setSelectionRange(best.start, best.end);
}

function fail({ code, message }) {
  output.textContent = `${code ?? "error"}: ${message}`;
}
