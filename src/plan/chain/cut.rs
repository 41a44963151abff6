//! Cuts a plan's steps into segments.

use super::Piece;
use super::segment::{Segment, Source, Value};
use crate::kernels::chain::FEATURE_MULTIPLE;
use crate::kernels::{Columns, EmbeddingPosition, Linear, Position};
use crate::plan::{Buffer, BufferId, Network, Operation, Plan, Residual, Step};

/// Cuts the steps into segments and the steps between them.
pub(super) fn cut(network: &Network, plan: &mut Plan) -> Vec<Piece> {
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
                let features = linear.outputs.len();
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

/// Returns whether a chain supports the linear's size.
fn fits(network: &Network, linear: &Linear) -> bool {
    let [_, ins] = network.parameter(linear.weight).shape[..] else { return false };
    ins.is_multiple_of(FEATURE_MULTIPLE) && linear.outputs.len() <= MAX_FEATURES && ins <= MAX_FEATURES
}

/// Maximum number of features per row: two columns per invocation.
const MAX_FEATURES: usize = 512;

/// The start of a network whose word vectors pass through a linear before positions are added: one step that
/// gathers all vectors, and a segment that starts with that linear and adds the positions as its residual.
fn gathered(network: &Network, plan: &mut Plan, steps: &[Step]) -> Option<(Step, Segment)> {
    let [first, second, third, ..] = steps else { return None };
    let (Operation::Embedding(embedding), Operation::Linear(linear), Operation::Position(position)) =
        (&first.operation, &second.operation, &third.operation)
    else {
        return None;
    };
    let rows = plan.request.batch * plan.request.sequence;
    let in_order = linear.input.buffer == first.output && position.input == Some(second.output);
    if !in_order || linear.residual.is_some() || !fits(network, linear) {
        return None;
    }
    let words = plan.buffers[first.output.0].len / rows;
    let hidden = plan.buffers[third.output.0].len / rows;
    let input = BufferId(plan.buffers.len());
    let label = format!("{}.gathered", first.label);
    plan.buffers.push(Buffer { label: label.clone(), len: rows.saturating_mul(words + hidden), slot: 0 });
    // Names the columns with the positions, which the previous step writes as a part of `input`.
    let positions = BufferId(plan.buffers.len());
    plan.buffers.push(Buffer { label: String::new(), len: rows.saturating_mul(hidden), slot: 0 });
    let embedding = embedding.clone();
    let position = Position { input: None, ..position.clone() };
    let step = Step { label, operation: EmbeddingPosition { embedding, position }.into(), output: input };
    let residual = Some(Residual { from: Columns::all(positions, hidden), scale: None });
    let segment = Segment {
        source: Source::Gathered { input, positions: Value { buffer: positions, features: hidden } },
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
