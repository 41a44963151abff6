//! The cache of plans. Everything that an executor prepares for a plan lives as long as the plan, so this is
//! the only place that decides about eviction.

use std::sync::Arc;

use super::{Network, Plan, Request};
use crate::error::Result;

/// Maximum number of plans: one for each multiple of 32 up to 512 tokens.
const MAX_PLANS: usize = 16;
/// Maximum activation bytes of all plans together, unless a single plan needs more.
const MAX_BYTES: u64 = 256 << 20;

/// The most recently used plans of one network.
#[derive(Debug, Default)]
pub struct PlanCache {
    /// Most recently used last.
    plans: Vec<Arc<Plan>>,
}

impl PlanCache {
    /// The plan for a request, created if it isn't cached.
    ///
    /// # Errors
    /// Same as [`Network::plan`].
    pub fn get(&mut self, network: &Network, request: Request) -> Result<Arc<Plan>> {
        let plan = match self.plans.iter().position(|plan| plan.request == request) {
            Some(index) => self.plans.remove(index),
            None => {
                let plan = Arc::new(network.plan(request)?);
                self.make_room(plan.activation_bytes());
                plan
            }
        };
        self.plans.push(Arc::clone(&plan));
        Ok(plan)
    }

    /// Evicts plans, least recently used first, until one of `bytes` fits.
    fn make_room(&mut self, bytes: u64) {
        let mut held: u64 = self.plans.iter().map(|plan| plan.activation_bytes()).sum();
        while !self.plans.is_empty() && (self.plans.len() >= MAX_PLANS || held + bytes > MAX_BYTES) {
            held -= self.plans.remove(0).activation_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn network() -> Network {
        let config = r#"{ "model_type": "bert", "architectures": ["BertModel"], "vocab_size": 9, "hidden_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 64 }"#;
        Network::of(&Config::from_json(config).unwrap()).unwrap()
    }

    fn request(sequence: usize) -> Request {
        Request { batch: 1, sequence, ..Request::default() }
    }

    #[test]
    fn a_plan_is_made_once_and_the_one_used_longest_ago_goes_first() {
        let network = network();
        let mut cache = PlanCache::default();
        let first = cache.get(&network, request(1)).unwrap();
        let second = Arc::downgrade(&cache.get(&network, request(2)).unwrap());
        for sequence in 3..=MAX_PLANS {
            cache.get(&network, request(sequence)).unwrap();
        }
        assert!(Arc::ptr_eq(&first, &cache.get(&network, request(1)).unwrap()));
        assert!(second.upgrade().is_some());
        cache.get(&network, request(MAX_PLANS + 1)).unwrap();
        assert!(second.upgrade().is_none(), "the second plan was used longest ago");
        assert!(Arc::ptr_eq(&first, &cache.get(&network, request(1)).unwrap()));
    }

    #[test]
    fn a_request_that_cannot_be_planned_evicts_nothing() {
        let network = network();
        let mut cache = PlanCache::default();
        let first = cache.get(&network, request(1)).unwrap();
        assert!(cache.get(&network, request(65)).is_err());
        assert!(Arc::ptr_eq(&first, &cache.get(&network, request(1)).unwrap()));
    }
}
