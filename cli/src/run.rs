//! `run`: raw outputs for token ids, named as in `transformers`. Needs no tokenizer.

use std::path::PathBuf;

use mobilebert::error::{Error, Result};
use mobilebert::session::{ExtraOutputs, Outputs, Sequence};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::arguments::ModelArguments;
use crate::input::Source;
use crate::output_file::OutputFile;
use crate::raw_input::RawInput;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// JSON: {input_ids, token_type_ids?, attention_mask?}, each [batch, sequence] (or - for standard input)
    #[arg(long, value_name = "FILE.json")]
    input: Source,
    /// The file for the outputs
    #[arg(long, value_name = "FILE.safetensors")]
    output: PathBuf,
    /// Include the outputs of the embeddings and of every layer (hidden_states.N)
    #[arg(long)]
    hidden_states: bool,
    /// Include the attention probabilities of every layer (attentions.N)
    #[arg(long)]
    attentions: bool,
}

/// An output of the whole batch.
#[derive(Debug, PartialEq)]
struct Stacked {
    name: String,
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Arguments {
    /// Runs the network once on the whole input.
    pub fn run(self) -> Result<()> {
        let input = RawInput::parse(&self.input.name(), &self.input.read("input")?)?;
        let inputs: Vec<PathBuf> = self.input.path().into_iter().chain(self.model.files()).collect();
        let file = OutputFile::create("output", &self.output, &inputs)?;
        let mut model = self.model.open()?;
        input.check_choices(model.config().head)?;
        let wanted = ExtraOutputs { hidden_states: self.hidden_states, attentions: self.attentions };
        let results = pollster::block_on(model.run(&sequences(&input), wanted))?;
        file.write(&serialize(&stack(&results, &input.shape)?)?)
    }
}

/// The content of a safetensors file.
fn serialize(outputs: &[Stacked]) -> Result<Vec<u8>> {
    let views = outputs
        .iter()
        .map(|output| {
            let bytes = bytemuck::cast_slice(&output.data);
            TensorView::new(Dtype::F32, output.shape.clone(), bytes).map(|view| (output.name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::internal("run", error.to_string()))?;
    safetensors::serialize(views, None).map_err(|error| Error::internal("run", error.to_string()))
}

fn sequences(input: &RawInput) -> Vec<Sequence> {
    let rows = |values: &[u32]| values.chunks(input.sequence()).map(<[u32]>::to_vec).collect::<Vec<_>>();
    let others = rows(&input.token_type_ids).into_iter().zip(rows(&input.attention_mask));
    rows(&input.input_ids)
        .into_iter()
        .zip(others)
        .map(|(input_ids, (token_type_ids, attention_mask))| Sequence {
            input_ids,
            token_type_ids,
            attention_mask,
        })
        .collect()
}

/// Stacks the outputs of all sequences: `[batch, …]`. For multiple choice, `[batch, choices, sequence]` ids
/// give `[batch, choices]` logits; hidden states and attentions keep choices in the batch axis, as in
/// `transformers`.
fn stack(results: &[Outputs], shape: &[usize]) -> Result<Vec<Stacked>> {
    let first = results.first().ok_or_else(|| Error::internal("run", "no results"))?;
    first
        .iter()
        .map(|(name, tensor)| {
            let mut data = Vec::with_capacity(results.len() * tensor.data.len());
            for outputs in results {
                let own = outputs.get(name).filter(|own| own.shape == tensor.shape);
                let own =
                    own.ok_or_else(|| Error::internal(name, "sequences of one batch differ in shape"))?;
                data.extend_from_slice(&own.data);
            }
            let batch = match shape {
                [batch, choices, _] if name == "logits" => vec![*batch, *choices],
                _ => [&[results.len()], tensor.shape.as_slice()].concat(),
            };
            Ok(Stacked { name: name.to_owned(), shape: batch, data })
        })
        .collect()
}
