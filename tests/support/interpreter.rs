//! Interprets a plan in f64 with simple loops, as the reference for kernels and executors.

use std::collections::BTreeMap;

use mobilebert::kernels::{
    Activate, Add, Attention, AttentionContext, AttentionProbabilities, Chain, ChainOperand, ChainSource,
    Columns, Embedding, EmbeddingPosition, LayerNorm, Linear, Position,
};
use mobilebert::plan::{Inputs, Operation, PAD_ID, Parameter, Plan, Request, Residual};

use super::reference::activate;

/// Values of a network's parameters by index.
pub type Parameters = Vec<Vec<f64>>;

/// Results of all steps by label, and outputs by name.
pub type Results = BTreeMap<String, Vec<f64>>;

/// Runs all steps. Panics if the plan is malformed.
pub fn run(network: &[Parameter], plan: &Plan, parameters: &Parameters, inputs: &Inputs) -> Results {
    let mut buffers: Vec<Vec<f64>> = vec![Vec::new(); plan.buffers.len()];
    let mut results = Results::new();
    for step in &plan.steps {
        let interpreter =
            Interpreter { network, request: plan.request, parameters, inputs, buffers: &buffers };
        let output = interpreter.run(&step.operation);
        assert_eq!(output.len(), plan.buffers[step.output.0].len, "{}", step.label);
        results.insert(step.label.clone(), output.clone());
        buffers[step.output.0] = output;
    }
    for output in &plan.outputs {
        results.insert(output.name.clone(), output_values(output, &buffers[output.buffer.0]));
    }
    results
}

fn output_values(output: &mobilebert::plan::Output, buffer: &[f64]) -> Vec<f64> {
    match output.column {
        None => buffer.to_vec(),
        Some((column, width)) => buffer.iter().skip(column).step_by(width).copied().collect(),
    }
}

struct Interpreter<'a> {
    network: &'a [Parameter],
    request: Request,
    parameters: &'a Parameters,
    inputs: &'a Inputs,
    buffers: &'a [Vec<f64>],
}

impl Interpreter<'_> {
    fn run(&self, operation: &Operation) -> Vec<f64> {
        let buffer = |id: &mobilebert::plan::BufferId| self.buffers[id.0].as_slice();
        let parameter = |id: &mobilebert::plan::ParameterId| self.parameters[id.0].as_slice();
        let shape = |id: &mobilebert::plan::ParameterId| self.network[id.0].shape.as_slice();
        match operation {
            Operation::Embedding(Embedding { table, trigram }) => {
                self.embedding(parameter(table), shape(table)[1], *trigram)
            }
            Operation::Position(Position { input, position, token_type }) => {
                let width = shape(position)[1];
                let zeros = vec![0.0; self.rows() * width];
                let mut output = input.as_ref().map_or(zeros, |input| buffer(input).to_vec());
                for (row, values) in output.chunks_mut(width).enumerate() {
                    let at = row % self.request.sequence;
                    add(values, &parameter(position)[at * width..][..width]);
                    if let Some(token_type) = token_type {
                        let kind = self.inputs.token_type_ids[row] as usize;
                        add(values, &parameter(token_type)[kind * width..][..width]);
                    }
                }
                output
            }
            Operation::Linear(Linear { input, rows, weight, bias, outputs, activation, residual }) => {
                let (outs, ins) = (outputs.len(), shape(weight)[1]);
                let weight = &parameter(weight)[outputs.start * ins..outputs.end * ins];
                let bias = &parameter(bias)[outputs.clone()];
                let mut output = linear(&self.columns(input, ins), *rows, ins, weight, bias, ins, outs);
                output.iter_mut().for_each(|value| *value = activate(*activation, *value));
                if let Some(residual) = residual {
                    self.add_residual(&mut output, residual, outs);
                }
                output
            }
            Operation::Activate(Activate { input, activation }) => {
                buffer(input).iter().map(|value| activate(*activation, *value)).collect()
            }
            Operation::Add(Add { input, residual, features }) => {
                let mut output = buffer(input).to_vec();
                self.add_residual(&mut output, residual, *features);
                output
            }
            Operation::LayerNorm(LayerNorm { input, weight, bias, features, epsilon }) => layer_norm(
                &self.columns(input, *features),
                parameter(weight),
                parameter(bias),
                *features,
                f64::from(*epsilon),
            ),
            Operation::AttentionProbabilities(AttentionProbabilities { query, key, heads, head_size }) => {
                let [query, key] = [query, key].map(|from| self.columns(from, heads * head_size));
                self.probabilities(&query, &key, *heads, *head_size)
            }
            Operation::AttentionContext(AttentionContext { probabilities, value, heads, head_size }) => self
                .context(buffer(probabilities), &self.columns(value, heads * head_size), *heads, *head_size),
            Operation::EmbeddingPosition(EmbeddingPosition { embedding, position }) => {
                let parts = [self.run(&embedding.clone().into()), self.run(&position.clone().into())];
                side_by_side(&parts, self.rows())
            }
            Operation::Chain(chain) => self.chain(chain),
            Operation::Attention(Attention { query, key, value, heads, head_size }) => {
                let [query, key, value] =
                    [query, key, value].map(|from| self.columns(from, heads * head_size));
                let probabilities = self.probabilities(&query, &key, *heads, *head_size);
                self.context(&probabilities, &value, *heads, *head_size)
            }
        }
    }

    /// Every row has its own memory, as large as a workgroup's.
    fn chain(&self, chain: &Chain) -> Vec<f64> {
        let input =
            |column, features| columns(&self.buffers[chain.input.0], chain.input_width, column, features);
        let source = match chain.source {
            ChainSource::Rows { column, features } => input(column, features),
            ChainSource::Attention { columns, heads, head_size } => {
                let [query, key, value] = columns.map(|column| input(column, heads * head_size));
                let probabilities = self.probabilities(&query, &key, heads, head_size);
                self.context(&probabilities, &value, heads, head_size)
            }
        };
        let rows = self.buffers[chain.input.0].len() / chain.input_width;
        let mut memory = vec![f64::NAN; rows * chain.scratch];
        let mut output = vec![f64::NAN; rows * chain.width];
        store(&mut memory, chain.scratch, Some(chain.source_place), &source);
        store(&mut output, chain.width, chain.source_column, &source);
        for linear in &chain.linears {
            let (outs, ins) = (linear.outputs.len(), self.network[linear.weight.0].shape[1]);
            let from = columns(&memory, chain.scratch, linear.input, ins);
            let outputs = &linear.outputs;
            let weight = &self.parameters[linear.weight.0][outputs.start * ins..outputs.end * ins];
            let bias = &self.parameters[linear.bias.0][outputs.clone()];
            let mut values = self::linear(&from, rows, ins, weight, bias, ins, outs);
            values.iter_mut().for_each(|value| *value = activate(linear.activation, *value));
            if let Some(residual) = linear.residual {
                let added = match residual.from {
                    ChainOperand::Place(place) => columns(&memory, chain.scratch, place, outs),
                    ChainOperand::Column(column) => input(column, outs),
                };
                let scale = residual.scale.map(|scale| &self.parameters[scale.0]);
                for (index, (value, added)) in values.iter_mut().zip(added).enumerate() {
                    *value += added * scale.map_or(1.0, |scale| scale[index % outs]);
                }
            }
            store(&mut memory, chain.scratch, linear.place, &values);
            store(&mut output, chain.width, linear.column, &values);
        }
        output
    }

    /// Copies the columns of every row, or of first tokens, into a matrix of their own.
    fn columns(&self, from: &Columns, features: usize) -> Vec<f64> {
        columns(&self.buffers[from.buffer.0], from.stride, from.first, features)
    }

    fn rows(&self) -> usize {
        self.request.batch * self.request.sequence
    }

    fn embedding(&self, table: &[f64], width: usize, trigram: bool) -> Vec<f64> {
        let vector = |row: usize, shift: isize| -> Vec<f64> {
            let at = (row % self.request.sequence) as isize + shift;
            if at < 0 || at >= self.request.sequence as isize {
                return vec![0.0; width];
            }
            match self.inputs.input_ids[(row as isize + shift) as usize] {
                PAD_ID => vec![0.0; width],
                id => table[id as usize * width..][..width].to_vec(),
            }
        };
        let shifts: &[isize] = if trigram { &[1, 0, -1] } else { &[0] };
        (0..self.rows()).flat_map(|row| shifts.iter().flat_map(move |shift| vector(row, *shift))).collect()
    }

    fn add_residual(&self, output: &mut [f64], residual: &Residual, features: usize) {
        let added = self.columns(&residual.from, features);
        let scale = residual.scale.map(|scale| &self.parameters[scale.0]);
        for (index, (value, added)) in output.iter_mut().zip(added).enumerate() {
            *value += added * scale.map_or(1.0, |scale| scale[index % features]);
        }
    }

    fn probabilities(&self, query: &[f64], key: &[f64], heads: usize, head_size: usize) -> Vec<f64> {
        let Request { batch, sequence, .. } = self.request;
        let width = heads * head_size;
        let mut output = Vec::with_capacity(batch * heads * sequence * sequence);
        for b in 0..batch {
            for head in 0..heads {
                let vector = |values: &[f64], t: usize| -> Vec<f64> {
                    values[(b * sequence + t) * width + head * head_size..][..head_size].to_vec()
                };
                for t in 0..sequence {
                    let query = vector(query, t);
                    let scores: Vec<f64> = (0..sequence)
                        .map(|s| match self.inputs.attention_mask[b * sequence + s] {
                            0 => f64::NEG_INFINITY,
                            _ => vector(key, s).iter().zip(&query).map(|(k, q)| k * q).sum(),
                        })
                        .collect();
                    output.extend(softmax(&scores));
                }
            }
        }
        output
    }

    fn context(&self, probabilities: &[f64], value: &[f64], heads: usize, head_size: usize) -> Vec<f64> {
        let Request { batch, sequence, .. } = self.request;
        let width = heads * head_size;
        let mut output = vec![0.0; batch * sequence * width];
        for b in 0..batch {
            for head in 0..heads {
                for t in 0..sequence {
                    let row = &probabilities[((b * heads + head) * sequence + t) * sequence..][..sequence];
                    for (s, p) in row.iter().enumerate() {
                        for d in 0..head_size {
                            let column = head * head_size + d;
                            output[(b * sequence + t) * width + column] +=
                                p * value[(b * sequence + s) * width + column];
                        }
                    }
                }
            }
        }
        output
    }
}

fn add(values: &mut [f64], added: &[f64]) {
    values.iter_mut().zip(added).for_each(|(value, added)| *value += added);
}

/// `input · weightᵀ + bias` for rows `stride` apart.
pub fn linear(
    input: &[f64],
    rows: usize,
    stride: usize,
    weight: &[f64],
    bias: &[f64],
    ins: usize,
    outs: usize,
) -> Vec<f64> {
    let mut output = Vec::with_capacity(rows * outs);
    for row in 0..rows {
        let input = &input[row * stride..][..ins];
        for out in 0..outs {
            let products = weight[out * ins..][..ins].iter().zip(input).map(|(w, x)| w * x);
            output.push(bias[out] + products.sum::<f64>());
        }
    }
    output
}

/// Layer norm of each row of `features`, with the biased variance.
pub fn layer_norm(input: &[f64], weight: &[f64], bias: &[f64], features: usize, epsilon: f64) -> Vec<f64> {
    let mut output = Vec::with_capacity(input.len());
    for row in input.chunks(features) {
        let mean = row.iter().sum::<f64>() / features as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
        let scale = 1.0 / (variance + epsilon).sqrt();
        output.extend(row.iter().zip(weight).zip(bias).map(|((x, w), b)| (x - mean) * scale * w + b));
    }
    output
}

/// Softmax; all zeros if every score is −∞.
pub fn softmax(scores: &[f64]) -> Vec<f64> {
    let maximum = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if maximum == f64::NEG_INFINITY {
        return vec![0.0; scores.len()];
    }
    let powers: Vec<f64> = scores.iter().map(|score| (score - maximum).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// Columns of a row-major matrix.
fn columns(values: &[f64], width: usize, column: usize, features: usize) -> Vec<f64> {
    values.chunks(width).flat_map(|row| row[column..column + features].to_vec()).collect()
}

/// Replaces columns of a row-major matrix, if there is a first one.
fn store(values: &mut [f64], width: usize, column: Option<usize>, from: &[f64]) {
    let Some(column) = column else { return };
    let features = from.len() / (values.len() / width);
    for (row, from) in values.chunks_mut(width).zip(from.chunks(features)) {
        row[column..column + features].copy_from_slice(from);
    }
}

/// Matrices with the same number of rows, joined side by side.
fn side_by_side(parts: &[Vec<f64>], rows: usize) -> Vec<f64> {
    let row = |row: usize| {
        parts.iter().flat_map(move |part| part.chunks(part.len() / rows).nth(row).unwrap().to_vec())
    };
    (0..rows).flat_map(row).collect()
}
