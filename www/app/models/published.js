/**
 * MobileBERTs on the Hugging Face Hub. Sizes are those of the weights in the repositories' lists of files; scores are from
 * the model cards, if they state any.
 *
 * @typedef {{ id: string, bytes: number, use: import("./models.js").Use, about: string }} PublishedModel
 */

/** @type {PublishedModel[]} */
export const published = [
  {
    id: "csarron/mobilebert-uncased-squad-v2",
    bytes: 98_500_000,
    use: "answers",
    about: "F1 79 on SQuAD 2.0; also says when a text has no answer",
  },
  {
    id: "csarron/mobilebert-uncased-squad-v1",
    bytes: 98_500_000,
    use: "answers",
    about: "F1 90 on SQuAD 1.1; always gives an answer",
  },
  {
    id: "typeform/mobilebert-uncased-mnli",
    bytes: 98_500_000,
    use: "sentiment",
    about: "sorts a sentence under labels of your own",
  },
  {
    id: "lordtt13/emo-mobilebert",
    bytes: 85_100_000,
    use: "sentiment",
    about: "happy, sad, angry or others",
  },
];

/**
 * Returns the id in `owner/name` or `owner/name@revision`, and the revision; undefined for any other source.
 * @param {string} source
 */
export function hubId(source) {
  const [, id, revision] = /^([\w-][\w.-]*\/[\w.-]+)(?:@([\w./-]+))?$/.exec(source) ?? [];
  return id === undefined ? undefined : { id, revision };
}

/** Returns the URL of a published model's card, with its size and score. @param {string} id */
export function cardUrl(id) {
  return `https://huggingface.co/${id}`;
}
