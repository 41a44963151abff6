import { QuestionAnswering } from "./node_modules/mobilebert/dist/index.js";
import { readPage } from "./page-text.js";

const HIGHLIGHT = "question-answerer";

const template = document.createElement("template");
template.innerHTML = `
  <form>
    <label>Ask this page <input type="search" enterkeyhint="search" required></label>
    <button type="submit">Ask</button>
    <progress value="0" aria-label="Loading the model" hidden></progress>
    <output></output>
  </form>`;

// A constructed style sheet, because a strict Content-Security-Policy blocks <style> elements.
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host { display: block; position: sticky; top: 0; padding: 0.5em; background: Canvas; border-bottom: 1px solid; }
  input, button { font: inherit; min-height: 2.4em; }
  output { display: block; }`);

/** `<question-answerer model="models/mobilebert-squad/" for="article">`: answers questions about its page. */
class QuestionAnswerer extends HTMLElement {
  #model;
  #asked = 0;

  connectedCallback() {
    if (this.shadowRoot) return;
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(template.content.cloneNode(true));
    const input = shadow.querySelector("input");
    // Load the model only when it's needed.
    const begin = () =>
      this.#load().then(
        () => this.#say(""),
        (error) => this.#say(error.message),
      );
    input.addEventListener("focus", begin, { once: true });
    shadow.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(input.value);
    });
  }

  disconnectedCallback() {
    CSS.highlights?.delete(HIGHLIGHT);
    this.#model?.then((model) => model.dispose()).catch(() => {});
    this.#model = undefined;
  }

  /** Answers a question and highlights the answer; returns the answers, unless a newer question was asked. */
  async ask(question) {
    const number = ++this.#asked;
    try {
      const model = await this.#load();
      this.#say("Reading…");
      const page = readPage(document.getElementById(this.getAttribute("for")) ?? document.body);
      const { answers, verdict } = await model.ask(question, page.text);
      if (number !== this.#asked) return undefined;
      const [best] = answers;
      if (!best || verdict === "no-answer") {
        CSS.highlights?.delete(HIGHLIGHT);
        this.#say("This page doesn't say.");
        return [];
      }
      this.#say(best.text);
      this.#mark(page.range(best.start, best.end));
      return answers;
    } catch (error) {
      if (number === this.#asked) this.#say(error.message);
      return undefined;
    }
  }

  #load() {
    this.#model ??= this.#start().catch((error) => {
      // Allow the next question to retry.
      this.#model = undefined;
      throw error;
    });
    return this.#model;
  }

  /** Loads the model and shows the progress. */
  async #start() {
    const bar = this.shadowRoot.querySelector("progress");
    bar.hidden = false;
    this.#say("Loading the model…");
    try {
      const onProgress = ({ loaded, total }) => {
        bar.value = loaded / Math.max(1, total);
      };
      return await QuestionAnswering.load(this.getAttribute("model"), { onProgress });
    } finally {
      bar.hidden = true;
    }
  }

  #mark(range) {
    const element = range.startContainer.parentElement;
    if (CSS.highlights) CSS.highlights.set(HIGHLIGHT, new Highlight(range));
    else
      document
        .getSelection()
        ?.setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element?.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  }

  #say(text) {
    this.shadowRoot.querySelector("output").textContent = text;
  }
}

customElements.define("question-answerer", QuestionAnswerer);
