const [form, context, question, button, output] = ["form", "context", "question", "ask", "answer"].map((id) =>
  document.getElementById(id),
);

/** The visible text of the current tab; undefined for pages that extensions can't read. */
async function pageText() {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  const func = () => document.body.innerText;
  const [found] = await chrome.scripting.executeScript({ target: { tabId: tab.id }, func }).catch(() => []);
  return found?.result;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  output.textContent = "Loading the model…";
  const asked = { question: question.value, context: context.value };
  // Chrome may end the background script.
  const { text } = await chrome.runtime.sendMessage(asked).catch(({ message }) => ({ text: `error: ${message}` }));
  output.textContent = text;
});

context.value = (await pageText()) ?? context.value;
button.disabled = false;
