"use client";

import { QuestionAnswering } from "mobilebert";
import { useEffect, useState } from "react";

const describe = ({ code, message }) => `${code ?? "error"}: ${message}`;

export default function Page() {
  const [qa, setQa] = useState();
  const [shown, setShown] = useState("Loading the model…");

  useEffect(() => {
    // React's StrictMode runs effects twice; the first load is aborted before it starts a worker.
    const controller = new AbortController();
    let model;
    QuestionAnswering.load("/models/mobilebert-squad/", { signal: controller.signal }).then(
      (loaded) => {
        model = loaded;
        setQa(loaded);
        setShown("Ready.");
      },
      (error) => error.name !== "AbortError" && setShown(describe(error)),
    );
    return () => {
      controller.abort();
      model?.dispose();
    };
  }, []);

  async function ask(event) {
    event.preventDefault();
    const { context, question } = event.target;
    const { answers, verdict } = await qa.ask(question.value, context.value);
    setShown(verdict === "no-answer" ? "The text doesn't say." : answers[0].text);
  }

  return (
    <form onSubmit={(event) => ask(event).catch((error) => setShown(describe(error)))}>
      <p>
        <label htmlFor="context">Text</label>
      </p>
      <textarea
        id="context"
        rows="6"
        cols="60"
        defaultValue="The lighthouse was first lit on 4 October 1871. Its lamp burnt rapeseed oil."
      />
      <p>
        <label htmlFor="question">Question</label>
      </p>
      <input id="question" size="40" defaultValue="When was it first lit?" />
      <button type="submit" id="ask" disabled={!qa}>
        Ask
      </button>
      <p id="answer" role="status">
        {shown}
      </p>
    </form>
  );
}
