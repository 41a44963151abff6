import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../../pkg/test/random.mjs";

const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?", "!", "-"];
const vocabulary = [...words, ...letters, ...letters.map((letter) => `##${letter}`), "the", "is", "and", "of"];

/** Names and shapes of a BERT with one head. */
function shapes({ hidden, layers, intermediate, positions, task, labels }) {
  const list = [
    ["bert.embeddings.word_embeddings.weight", [vocabulary.length, hidden]],
    ["bert.embeddings.position_embeddings.weight", [positions, hidden]],
    ["bert.embeddings.token_type_embeddings.weight", [2, hidden]],
  ];
  const linear = (name, outputs, inputs) =>
    list.push([`${name}.weight`, [outputs, inputs]], [`${name}.bias`, [outputs]]);
  const norm = (name) => list.push([`${name}.LayerNorm.weight`, [hidden]], [`${name}.LayerNorm.bias`, [hidden]]);
  norm("bert.embeddings");
  for (let layer = 0; layer < layers; layer++) {
    const at = `bert.encoder.layer.${layer}`;
    for (const part of ["query", "key", "value"]) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output`);
    linear(`${at}.intermediate.dense`, intermediate, hidden);
    linear(`${at}.output.dense`, hidden, intermediate);
    norm(`${at}.output`);
  }
  if (task === "question-answering") linear("qa_outputs", 2, hidden);
  else {
    linear("bert.pooler.dense", hidden, hidden);
    linear("classifier", labels?.length ?? 2, hidden);
  }
  return list;
}

/**
 * Makes the first position stand out and the head look at nothing else, so that `[CLS]`, which means "no answer", always
 * gets the highest score.
 */
function silence(name, values) {
  if (name.endsWith("position_embeddings.weight")) values[0] = 30;
  if (!name.startsWith("qa_outputs")) return;
  values.fill(0);
  for (let output = 0; output < 2 && values.length > 2; output++) values[(output * values.length) / 2] = 1;
}

function safetensors(list, seed, silent) {
  const random = new Random(seed);
  const header = {};
  let end = 0;
  for (const [name, shape] of list) {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, " ");
  json.copy(padded);
  const data = new Float32Array(end / 4);
  let at = 0;
  for (const [name, shape] of list) {
    const count = shape.reduce((product, size) => product * size, 1);
    const center = name.includes("LayerNorm.weight") ? 1 : 0;
    const size = shape.length > 1 ? 1 / Math.sqrt(shape[1]) : 0.1;
    const values = data.subarray(at, at + count);
    for (let i = 0; i < count; i++) values[i] = center + size * (2 * random.next() - 1);
    if (silent) silence(name, values);
    at += count;
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, Buffer.from(data.buffer)]);
}

/**
 * Writes model directories with random weights; `models` maps names to sizes. The models give reproducible nonsense, or
 * with `silent` never an answer; `labels` are the names of a classifier's classes. Returns their folders and a function
 * that removes them.
 */
export async function makeModels(models) {
  const parent = await mkdtemp(join(tmpdir(), "mobilebert-made-"));
  const folders = {};
  for (const [name, given] of Object.entries(models)) {
    const size = { hidden: 32, layers: 2, intermediate: 64, positions: 64, task: "question-answering", ...given };
    const folder = join(parent, name);
    await mkdir(folder);
    const head = size.task === "question-answering" ? "QuestionAnswering" : "SequenceClassification";
    const config = {
      architectures: [`BertFor${head}`],
      model_type: "bert",
      vocab_size: vocabulary.length,
      hidden_size: size.hidden,
      num_hidden_layers: size.layers,
      num_attention_heads: 2,
      intermediate_size: size.intermediate,
      max_position_embeddings: size.positions,
      type_vocab_size: 2,
      hidden_act: "gelu",
      layer_norm_eps: 1e-12,
      ...(size.labels && { id2label: { ...size.labels } }),
    };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    await writeFile(join(folder, "vocab.txt"), vocabulary.join("\n"));
    await writeFile(join(folder, "model.safetensors"), safetensors(shapes(size), 7, size.silent));
    folders[name] = folder;
  }
  return { folders, remove: () => rm(parent, { recursive: true }) };
}
