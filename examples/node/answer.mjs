import { readFile } from "node:fs/promises";
import { MobileBertError, QuestionAnswering } from "mobilebert";

const [model, file, question] = process.argv.slice(2);
if (!question) {
  console.error("usage: node answer.mjs MODEL TEXT.txt QUESTION");
  process.exit(2);
}

const context = await readFile(file, "utf8").catch((error) => {
  console.error(error.message);
  process.exit(1);
});

try {
  const qa = await QuestionAnswering.load(model);
  const { answers } = await qa.ask(question, context, { topK: 3 });
  for (const { text, start, end, probability } of answers) {
    console.log(`${(100 * probability).toFixed(1)}%  ${start}-${end}  ${text}`);
  }
  await qa.dispose();
} catch (error) {
  if (!(error instanceof MobileBertError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
