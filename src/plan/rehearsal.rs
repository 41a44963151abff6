//! A small network with the kernels and shapes of a larger one, for trying out a device, and plans that
//! simulate more layers.

use std::ops::Range;

use super::{Network, Operation, Plan};
use crate::config::{Config, Head};
use crate::error::Result;
use crate::kernels::ChainSource;

/// Layers of a rehearsal: the minimum for a boundary between layers.
const LAYERS: usize = 2;
/// Rows of a rehearsal's word embeddings. Their number affects neither results nor times.
const VOCABULARY: usize = 256;

/// Steps of a plan that are run several times, as if the network had more layers. The times are meaningful,
/// the results aren't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Indices of the steps.
    pub steps: Range<usize>,
    /// How many times they are run; 1 runs the plan unchanged.
    pub times: usize,
}

impl Stretch {
    /// Every step once.
    pub const NONE: Stretch = Stretch { steps: 0..0, times: 1 };

    /// Indices of the steps of a plan of `len` steps, in order of execution.
    pub fn order(&self, len: usize) -> impl Iterator<Item = usize> + use<> {
        let Range { start, end } = self.steps;
        let again = (1..self.times).flat_map(move |_| start..end);
        (0..end).chain(again).chain(end..len)
    }
}

impl Network {
    /// Two layers of the network described by `config`, with a small vocabulary, and hidden states as the
    /// result. Its layers run the same kernels over operands of the same shapes.
    ///
    /// # Errors
    /// Same as [`Network::new`].
    pub fn rehearsal(config: &Config) -> Result<Network> {
        let mut small = config.clone();
        small.head = Head::Encoder;
        small.num_hidden_layers = LAYERS;
        small.vocab_size = config.vocab_size.min(VOCABULARY);
        Network::of(&small)
    }
}

impl Plan {
    /// The steps from the first attention to the second, which match those of one layer in number and size.
    /// Empty if there aren't two attentions.
    pub fn layer_steps(&self) -> Range<usize> {
        let mut attentions = self.steps.iter().enumerate().filter_map(|(index, step)| {
            let attends = match &step.operation {
                Operation::Attention(_) | Operation::AttentionProbabilities(_) => true,
                Operation::Chain(chain) => matches!(chain.source, ChainSource::Attention { .. }),
                _ => false,
            };
            attends.then_some(index)
        });
        match (attentions.next(), attentions.next()) {
            (Some(first), Some(second)) => first..second,
            _ => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Request, Schedule};

    const PUBLISHED: &str =
        r#"{"model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"]}"#;

    fn published() -> Config {
        Config::from_json(PUBLISHED).unwrap()
    }

    fn plan(network: &Network, schedule: Schedule) -> Plan {
        network.plan(Request { batch: 1, sequence: 128, schedule, ..Request::default() }).unwrap()
    }

    #[test]
    fn a_stretched_rehearsal_has_as_many_steps_as_the_whole_network() {
        let config = published();
        let whole = Network::of(&Config::for_task(PUBLISHED, Some(Head::Encoder)).unwrap()).unwrap();
        let rehearsal = Network::rehearsal(&config).unwrap();
        for schedule in [Schedule::Tiled, Schedule::Chain] {
            let small = plan(&rehearsal, schedule);
            let stretch = Stretch { steps: small.layer_steps(), times: config.num_hidden_layers - 1 };
            let order: Vec<usize> = stretch.order(small.steps.len()).collect();
            let kinds = |plan: &Plan, index: usize| plan.steps[index].operation.kernel();
            let whole = plan(&whole, schedule);
            let expected: Vec<&str> = (0..whole.steps.len()).map(|index| kinds(&whole, index)).collect();
            assert_eq!(order.iter().map(|&index| kinds(&small, index)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_stretch_of_once_runs_every_step_once() {
        let stretch = Stretch { steps: 2..4, times: 1 };
        assert_eq!(stretch.order(6).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(
            Stretch { times: 3, ..stretch }.order(6).collect::<Vec<_>>(),
            [0, 1, 2, 3, 2, 3, 2, 3, 4, 5]
        );
    }

    #[test]
    fn a_rehearsal_of_the_published_model_is_a_tenth_of_it() {
        let values = |network: &Network| -> usize {
            network.parameters.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum()
        };
        let config = published();
        assert!(10 * values(&Network::rehearsal(&config).unwrap()) < values(&Network::of(&config).unwrap()));
    }
}
