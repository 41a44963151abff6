//! The tensors of a checkpoint, in any order → the parameters of a network, each as soon as its tensors have
//! arrived.

mod product;
mod recipe;
mod rows;

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::error::{Error, Result};
use crate::plan::{Network, Parameter, ParameterId, Source};

use super::SCALE_SUFFIX;
use super::header::check_stored;
use super::tensor::{ParameterData, RawTensor};

/// Holds tensors in their stored form for as long as an unfinished parameter needs them.
///
/// ```no_run
/// use mobilebert::plan::{Network, ParameterId};
/// use mobilebert::weights::{Assembler, RawTensor, ParameterData};
///
/// fn load(
///     network: &Network,
///     checkpoint: Vec<RawTensor>,
///     upload: impl Fn(ParameterId, ParameterData),
/// ) -> mobilebert::error::Result<()> {
///     let mut assembler = Assembler::new(network);
///     for tensor in checkpoint {
///         assembler.push(tensor)?;
///         while let Some((id, values)) = assembler.next_ready()? {
///             upload(id, values);
///         }
///     }
///     assembler.finish()
/// }
/// ```
#[derive(Debug)]
pub struct Assembler {
    parameters: Vec<PendingParameter>,
    sources: Vec<PendingSource>,
    by_name: HashMap<String, usize>,
    ready: VecDeque<usize>,
    held: usize,
}

#[derive(Debug)]
struct PendingParameter {
    parameter: Parameter,
    sources: Vec<usize>,
    missing: usize,
    done: bool,
}

#[derive(Debug)]
struct PendingSource {
    source: Source,
    raw: Option<RawTensor>,
    scale: Option<RawTensor>,
    users: Vec<usize>,
    unfinished_users: usize,
    complete: bool,
}

impl Assembler {
    /// An assembler for all parameters of a network.
    pub fn new(network: &Network) -> Self {
        let mut assembler = Assembler {
            parameters: Vec::with_capacity(network.parameters.len()),
            sources: Vec::new(),
            by_name: HashMap::new(),
            ready: VecDeque::new(),
            held: 0,
        };
        for (index, parameter) in network.parameters.iter().enumerate() {
            assembler.expect(index, parameter);
        }
        assembler
    }

    fn expect(&mut self, index: usize, parameter: &Parameter) {
        let mut sources = Vec::new();
        for source in parameter.recipe.sources() {
            let place = *self.by_name.entry(source.name().into()).or_insert_with(|| {
                self.sources.push(PendingSource {
                    source: source.clone(),
                    raw: None,
                    scale: None,
                    users: Vec::new(),
                    unfinished_users: 0,
                    complete: false,
                });
                self.sources.len() - 1
            });
            if !sources.contains(&place) {
                sources.push(place);
                self.sources[place].users.push(index);
                self.sources[place].unfinished_users += 1;
            }
        }
        if sources.is_empty() {
            self.ready.push_back(index);
        }
        let missing = sources.len();
        self.parameters.push(PendingParameter {
            parameter: parameter.clone(),
            sources,
            missing,
            done: false,
        });
    }

    /// Bytes of the tensors held for unfinished parameters.
    #[doc(hidden)] // For tests of peak memory.
    pub fn held_bytes(&self) -> usize {
        self.held
    }

    /// Takes a tensor; drops it if the network doesn't need it. Call [`Assembler::next_ready`] after each.
    pub fn push(&mut self, raw: RawTensor) -> Result<()> {
        let (place, is_scale) = match self.by_name.get(&raw.name) {
            Some(place) => (*place, false),
            None => match raw.name.strip_suffix(SCALE_SUFFIX).and_then(|name| self.by_name.get(name)) {
                Some(place) => (*place, true),
                None => return Ok(()),
            },
        };
        let waiting = &mut self.sources[place];
        let slot = if is_scale { &mut waiting.scale } else { &mut waiting.raw };
        if slot.is_some() || (waiting.complete && !is_scale) {
            return Err(Error::tensor(raw.name, "is in the checkpoint twice"));
        }
        if waiting.complete {
            // The scale of floats, which need none.
            return Ok(());
        }
        if !is_scale {
            check_stored(raw.dtype, &raw.shape, &raw.name, &waiting.source.shape)?;
        }
        self.held += raw.bytes.len();
        *slot = Some(raw);
        if !waiting.is_complete() {
            return Ok(());
        }
        waiting.complete = true;
        for &user in &self.sources[place].users {
            let pending = &mut self.parameters[user];
            pending.missing -= 1;
            if pending.missing == 0 {
                self.ready.push_back(user);
            }
        }
        Ok(())
    }

    /// The next parameter whose tensors have all arrived.
    pub fn next_ready(&mut self) -> Result<Option<(ParameterId, ParameterData)>> {
        let Some(index) = self.ready.pop_front() else { return Ok(None) };
        let values = self.evaluate(&self.parameters[index].parameter)?;
        self.parameters[index].done = true;
        for place in std::mem::take(&mut self.parameters[index].sources) {
            let waiting = &mut self.sources[place];
            waiting.unfinished_users -= 1;
            if waiting.unfinished_users == 0 {
                let freed = [waiting.raw.take(), waiting.scale.take()];
                self.held -= freed.iter().flatten().map(|raw| raw.bytes.len()).sum::<usize>();
            }
        }
        Ok(Some((ParameterId(index), values)))
    }

    /// Checks that every parameter has been assembled.
    pub fn finish(self) -> Result<()> {
        if self.parameters.iter().all(|pending| pending.done) {
            return Ok(());
        }
        if !self.ready.is_empty() {
            return Err(Error::internal("weights", "parameters were not fetched"));
        }
        let waiting = self.sources.iter().filter(|waiting| !waiting.complete);
        // `collect` would sort, and instantiate the algorithm for this type.
        let mut missing: BTreeMap<&str, &PendingSource> = BTreeMap::new();
        missing.extend(waiting.map(|waiting| (waiting.source.name(), waiting)));
        let Some((name, waiting)) = missing.first_key_value() else {
            return Err(Error::internal("weights", "a parameter has no source"));
        };
        let what = match &waiting.raw {
            Some(raw) => format!("is stored as {:?}, but `{name}{SCALE_SUFFIX}` is missing", raw.dtype),
            None => "is missing from the checkpoint".into(),
        };
        let others: Vec<String> = missing.keys().skip(1).take(5).map(|name| format!("`{name}`")).collect();
        let others = match missing.len() - 1 {
            0 => String::new(),
            count => format!(
                "; so are {count} others ({}{})",
                others.join(", "),
                if count > 5 { ", …" } else { "" }
            ),
        };
        Err(Error::tensor(*name, what + &others))
    }
}

impl PendingSource {
    /// Returns whether the tensor has arrived, with its scales if it is quantized.
    fn is_complete(&self) -> bool {
        match &self.raw {
            None => false,
            Some(raw) => !is_quantized(raw) || self.scale.is_some(),
        }
    }
}

fn is_quantized(raw: &RawTensor) -> bool {
    matches!(raw.dtype, safetensors::Dtype::I8 | safetensors::Dtype::U8)
}
