/** The package, for modules in subfolders: bundling leaves its path as it is here, so it has to be right next to `main.js`. */
export { QuestionAnswering, TextClassification, ZeroShotClassification } from "../pkg/dist/index.js";
