//! The identity of a plan.

use std::sync::{Arc, Weak};

/// The identity of a plan, shared only with its clones.
#[derive(Clone, Debug, Default)]
pub struct Identity(Arc<()>);

impl Identity {
    /// Observes the plan without keeping it alive.
    pub fn liveness(&self) -> Liveness {
        Liveness(Arc::downgrade(&self.0))
    }
}

/// Tells whether a plan or a clone of it still exists. Kept with anything prepared for the plan.
#[derive(Clone, Debug)]
pub struct Liveness(Weak<()>);

impl Liveness {
    /// Returns whether the observed plan has this identity.
    pub fn is_of(&self, identity: &Identity) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&identity.0))
    }

    /// Returns whether the plan still exists.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_the_same_and_others_are_not() {
        let identity = Identity::default();
        let liveness = identity.liveness();
        assert!(liveness.is_of(&identity.clone()));
        assert!(!liveness.is_of(&Identity::default()));
    }

    #[test]
    fn it_lives_as_long_as_the_last_clone() {
        let identity = Identity::default();
        let (liveness, clone) = (identity.liveness(), identity.clone());
        drop(identity);
        assert!(liveness.is_alive());
        drop(clone);
        assert!(!liveness.is_alive());
    }
}
