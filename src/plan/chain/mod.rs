//! The schedule `chain`: everything between two attentions works on each row independently, so one kernel
//! computes it for a few rows at a time, together with the attention before it.
//!
//! The fused steps are cut into *segments*: an attention and the linears after it, up to the next attention.
//! Values that are only read within a segment stay in workgroup memory, at places assigned here; values that
//! the next segment reads become columns of the segment's result.

mod cut;
mod fused;
mod places;
mod segment;

use std::collections::HashMap;

use self::cut::cut;
use self::segment::Segment;
use super::schedule::drop_unwritten_buffers;
use super::{BufferId, Columns, Network, Plan, Step};
use crate::config::Normalization;
use crate::error::{Error, Result};
use crate::kernels::chain::MAX_WIDTH;

enum Piece {
    Step(Step),
    Segment(Segment),
}

/// Turns the fused steps of a network into chains.
///
/// # Errors
/// [`Error::Unsupported`] with the reason, if the network or the request can't be computed this way.
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

/// The error for a linear outside of the chains.
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
        return Err(unsupported(format!("{sizes}; it supports multiples of 4, up to {MAX_WIDTH} in total")));
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
