//! The schedule `chain`: everything between two attentions works on each row by itself, so one kernel computes it for a few
//! rows at a time, together with the attention before it.
//!
//! The fused steps are cut into *segments*: an attention and the linears after it, up to the next attention. Values that
//! only a segment reads live in its workgroup memory, at places assigned here; values that the next segment reads become
//! columns of the segment's result.

mod places;

use std::collections::HashMap;

use self::places::Places;
use super::schedule::drop_unwritten_buffers;
use super::{Buffer, BufferId, Group, Network, Operation, Plan, Residual, Step};
use crate::config::Normalization;
use crate::error::{Error, Result};
use crate::kernels::chain::{FEATURE_MULTIPLE, MAX_LINEARS, MAX_WIDTH};
use crate::kernels::{
    Attention, Chain, ChainLinear, ChainOperand, ChainResidual, ChainSource, Embedding, EmbeddingPosition,
    Linear, Position,
};

/// A value that a segment computes: its linear with the label of the step, or the source of the segment.
struct Value {
    buffer: BufferId,
    features: usize,
}

/// An attention or the rows that the first linears read, and linears.
struct Segment {
    source: Source,
    value: Value,
    linears: Vec<(Linear, Value)>,
    label: String,
    rows: usize,
    /// Distance of the rows in floats, where they are loaded.
    stride: usize,
    /// The group of its parameters, once the network knows its groups.
    group: Option<Group>,
}

enum Source {
    Attention(Attention),
    Rows,
    /// The columns of [`EmbeddingPosition`]: word vectors, then what is added to the first linear.
    Gathered {
        input: BufferId,
        places: Value,
    },
}

enum Piece {
    Step(Step),
    Segment(Segment),
}

/// Where a value of an earlier segment is: a buffer, its width, and the value's first column.
#[derive(Clone, Copy)]
struct Columns {
    buffer: BufferId,
    width: usize,
    column: usize,
}

/// Turns the fused steps of a network into chains.
///
/// # Errors
/// [`Error::Unsupported`] with the reason, where the network or the request can't be computed this way.
pub(super) fn chain(network: &Network, plan: &mut Plan) -> Result<()> {
    check(network, plan)?;
    let pieces = cut(network, plan);
    let layers = pieces.iter().filter(|piece| matches!(piece, Piece::Segment(segment) if segment.attends()));
    if layers.count() != network.config.num_hidden_layers {
        return Err(too_wide());
    }
    let mut columns: HashMap<BufferId, Columns> = HashMap::new();
    let mut steps = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Step(step) => steps.push(step.clone()),
            Piece::Segment(segment) => {
                let read_later = |buffer| is_output(plan, buffer) || read_by(&pieces[index + 1..], buffer);
                let results = segment.results(read_later);
                steps.push(segment.step(&mut plan.buffers, &mut columns, &results)?);
            }
        }
    }
    plan.steps = steps;
    drop_unwritten_buffers(plan);
    Ok(())
}

fn unsupported(reason: impl Into<String>) -> Error {
    Error::unsupported("the schedule `chain` for this network", reason)
}

/// Some linear is outside of the chains.
fn too_wide() -> Error {
    unsupported("its layers are wider than a workgroup's memory; use the schedule `tiled`")
}

fn check(network: &Network, plan: &Plan) -> Result<()> {
    let config = &network.config;
    if config.normalization == Normalization::LayerNorm {
        return Err(unsupported("it computes NoNorm, not LayerNorm; use the schedule `tiled`"));
    }
    if plan.request.keeps_more() {
        return Err(unsupported(
            "hidden states and attentions stay inside its kernels; use the schedule `tiled`",
        ));
    }
    let head_size = config.head_size();
    let width = head_size * config.num_attention_heads;
    if !head_size.is_multiple_of(4) || width > MAX_WIDTH {
        let sizes = format!("{} heads of {head_size}", config.num_attention_heads);
        return Err(unsupported(format!("{sizes}; it takes multiples of 4, and {MAX_WIDTH} altogether")));
    }
    Ok(())
}

fn is_output(plan: &Plan, buffer: BufferId) -> bool {
    plan.outputs.iter().any(|output| output.buffer == buffer)
}

fn read_by(pieces: &[Piece], buffer: BufferId) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Step(step) => step.operation.reads().contains(&buffer),
        Piece::Segment(segment) => segment.reads(buffer),
    })
}

/// Cuts the steps into segments and the steps between them.
fn cut(network: &Network, plan: &mut Plan) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open: Option<Segment> = None;
    let mut steps = std::mem::take(&mut plan.steps);
    if let Some((gather, segment)) = gathered(network, plan, &steps) {
        steps.drain(..3);
        pieces.push(Piece::Step(gather));
        open = Some(segment);
    }
    for step in steps {
        let Step { label, operation, output } = step;
        match operation {
            Operation::Attention(attention) => {
                pieces.extend(open.take().map(Piece::Segment));
                let features = attention.heads * attention.head_size;
                open = Some(Segment {
                    source: Source::Attention(attention),
                    value: Value { buffer: output, features },
                    linears: vec![],
                    label,
                    rows: plan.request.batch * plan.request.sequence,
                    stride: 0,
                    group: None,
                });
            }
            Operation::Linear(linear) if fits(network, &linear) => {
                let group = network.parameter(linear.weight).group;
                let segment = match open.take() {
                    Some(segment) if segment.takes(&linear, group) => open.insert(segment),
                    other => {
                        pieces.extend(other.map(Piece::Segment));
                        open.insert(Segment::of_rows(network, &linear, group))
                    }
                };
                segment.label = label;
                segment.group = group;
                let features = network.parameter(linear.weight).shape[0];
                segment.linears.push((linear, Value { buffer: output, features }));
            }
            operation => {
                pieces.extend(open.take().map(Piece::Segment));
                pieces.push(Piece::Step(Step { label, operation, output }));
            }
        }
    }
    pieces.extend(open.map(Piece::Segment));
    pieces
}

/// Whether a linear has a size that a chain takes.
fn fits(network: &Network, linear: &Linear) -> bool {
    let [outs, ins] = network.parameter(linear.weight).shape[..] else { return false };
    ins.is_multiple_of(FEATURE_MULTIPLE) && outs <= MAX_FEATURES && ins <= MAX_FEATURES
}

/// Features of a row at most: two columns per invocation.
const MAX_FEATURES: usize = 512;

/// Where word vectors pass a linear before positions are added: one step that gathers all vectors, and a segment that
/// begins with that linear and has the positions as its residual.
fn gathered(network: &Network, plan: &mut Plan, steps: &[Step]) -> Option<(Step, Segment)> {
    let [first, second, third, ..] = steps else { return None };
    let (Operation::Embedding(embedding), Operation::Linear(linear), Operation::Position(position)) =
        (&first.operation, &second.operation, &third.operation)
    else {
        return None;
    };
    let rows = plan.request.batch * plan.request.sequence;
    let in_order = linear.input == first.output && position.input == Some(second.output);
    if !in_order || linear.residual.is_some() || !fits(network, linear) {
        return None;
    }
    let words = plan.buffers[first.output.0].len / rows;
    let hidden = plan.buffers[third.output.0].len / rows;
    let input = BufferId(plan.buffers.len());
    let label = format!("{}.gathered", first.label);
    plan.buffers.push(Buffer { label: label.clone(), len: rows * (words + hidden), slot: 0 });
    // A placeholder for the columns with the positions; no step writes it.
    let places = BufferId(plan.buffers.len());
    plan.buffers.push(Buffer { label: String::new(), len: rows * hidden, slot: 0 });
    let embedding = Embedding { ..embedding.clone() };
    let position = Position { input: None, ..position.clone() };
    let step = Step { label, operation: EmbeddingPosition { embedding, position }.into(), output: input };
    let residual = Some(Residual { buffer: places, scale: None });
    let segment = Segment {
        source: Source::Gathered { input, places: Value { buffer: places, features: hidden } },
        value: Value { buffer: first.output, features: words },
        linears: vec![(
            Linear { residual, ..linear.clone() },
            Value { buffer: third.output, features: hidden },
        )],
        label: third.label.clone(),
        rows,
        stride: words,
        group: network.parameter(linear.weight).group,
    };
    Some((step, segment))
}

impl Segment {
    /// A segment that begins with the rows of a linear, and has none yet.
    fn of_rows(network: &Network, linear: &Linear, group: Option<Group>) -> Segment {
        let features = network.parameter(linear.weight).shape[1];
        Segment {
            source: Source::Rows,
            value: Value { buffer: linear.input, features },
            linears: vec![],
            label: String::new(),
            rows: linear.rows,
            stride: linear.row_stride,
            group,
        }
    }

    fn attends(&self) -> bool {
        matches!(self.source, Source::Attention(_))
    }

    /// Whether a linear continues it: over the same rows, of which it reads some that are here or in the segment's input,
    /// and not of another group. (Where a sequence is one token, first tokens are all there is, and only groups differ.)
    fn takes(&self, linear: &Linear, group: Option<Group>) -> bool {
        let same_group = self.group.is_none() || group == self.group;
        let here = self.values().find(|value| value.buffer == linear.input);
        let whole = here.is_some_and(|value| {
            linear.row_stride == value.features
                || (self.linears.is_empty() && linear.row_stride == self.stride)
        });
        same_group && whole && linear.rows == self.rows
    }

    /// Its values in order: the source, and what the linears compute.
    fn values(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.value).chain(self.linears.iter().map(|(_, value)| value))
    }

    fn reads(&self, buffer: BufferId) -> bool {
        let source = match &self.source {
            Source::Attention(attention) => {
                [attention.query, attention.key, attention.value].contains(&buffer)
            }
            Source::Rows | Source::Gathered { .. } => self.value.buffer == buffer,
        };
        source || self.linears.iter().any(|(linear, _)| reads(linear, buffer))
    }

    /// The values that later steps read. Rows that it begins with are somewhere already.
    fn results(&self, read_later: impl Fn(BufferId) -> bool) -> Vec<&Value> {
        let computed = self.values().skip(usize::from(!self.attends()));
        computed.filter(|value| read_later(value.buffer)).collect()
    }

    /// The step that computes it. `columns` knows where earlier values are, and learns where this one's are.
    fn step(
        &self,
        buffers: &mut Vec<Buffer>,
        columns: &mut HashMap<BufferId, Columns>,
        results: &[&Value],
    ) -> Result<Step> {
        let (input, source) = self.source(columns)?;
        let width: usize = results.iter().map(|value| value.features).sum();
        // A single value is the whole buffer, which steps other than chains can read, too.
        let (output, label) = match results {
            [value] => (value.buffer, self.label.clone()),
            _ => (BufferId(buffers.len()), format!("{}.rows", self.label)),
        };
        if output.0 == buffers.len() {
            buffers.push(Buffer { label: label.clone(), len: self.rows * width, slot: 0 });
        }
        let mut column = 0;
        let mut stored = HashMap::new();
        for value in results {
            stored.insert(value.buffer, column);
            columns.insert(value.buffer, Columns { buffer: output, width, column });
            column += value.features;
        }
        let places = Places::assign(self)?;
        let mut linears = Vec::with_capacity(self.linears.len());
        for (index, (linear, value)) in self.linears.iter().enumerate() {
            let residual =
                linear.residual.map(|residual| self.residual(residual, index, &places, input, columns));
            linears.push(ChainLinear {
                input: places.of(linear.input).ok_or_else(too_wide)?,
                weight: linear.weight,
                bias: linear.bias,
                activation: linear.activation,
                residual: residual.transpose()?,
                place: places.of(value.buffer),
                column: stored.get(&value.buffer).copied(),
            });
        }
        let too_many = format!("a layer has {} linears, it takes {MAX_LINEARS}", linears.len());
        if linears.len() > MAX_LINEARS || linears.is_empty() {
            return Err(unsupported(too_many));
        }
        let chain = Chain {
            input: input.buffer,
            input_width: input.width,
            source,
            source_place: 0,
            source_column: stored.get(&self.value.buffer).copied(),
            linears,
            scratch: places.end,
            width,
        };
        Ok(Step { label, operation: chain.into(), output })
    }

    /// The buffer that the segment reads, and its source in there.
    fn source(&self, columns: &HashMap<BufferId, Columns>) -> Result<(Columns, ChainSource)> {
        let features = self.value.features;
        match &self.source {
            Source::Attention(Attention { query, key, value, heads, head_size }) => {
                let found = [query, key, value].map(|buffer| columns.get(buffer).copied());
                let [Some(query), Some(key), Some(value)] = found else {
                    return Err(too_wide());
                };
                if query.buffer != key.buffer || key.buffer != value.buffer {
                    return Err(too_wide());
                }
                let columns = [query.column, key.column, value.column];
                let source = ChainSource::Attention { columns, heads: *heads, head_size: *head_size };
                Ok((query, source))
            }
            Source::Rows => {
                let input = Columns { buffer: self.value.buffer, width: self.stride, column: 0 };
                Ok((input, ChainSource::Rows { column: 0, features }))
            }
            Source::Gathered { input, places } => {
                let width = features + places.features;
                let input = Columns { buffer: *input, width, column: 0 };
                Ok((input, ChainSource::Rows { column: 0, features }))
            }
        }
    }

    /// Where linear `index` finds its residual.
    fn residual(
        &self,
        residual: Residual,
        index: usize,
        places: &Places,
        input: Columns,
        columns: &HashMap<BufferId, Columns>,
    ) -> Result<ChainResidual> {
        let own = self.values().take(index + 1).any(|value| value.buffer == residual.buffer);
        let from = match (&self.source, columns.get(&residual.buffer)) {
            _ if own => places.of(residual.buffer).map(ChainOperand::Place),
            (Source::Gathered { places, .. }, _) if places.buffer == residual.buffer => {
                Some(ChainOperand::Column(self.value.features))
            }
            (_, Some(columns)) if columns.buffer == input.buffer => {
                Some(ChainOperand::Column(columns.column))
            }
            _ => None,
        };
        let from = from.ok_or_else(too_wide)?;
        Ok(ChainResidual { from, scale: residual.scale })
    }
}

fn reads(linear: &Linear, buffer: BufferId) -> bool {
    linear.input == buffer || linear.residual.is_some_and(|residual| residual.buffer == buffer)
}
