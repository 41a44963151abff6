//! Names of the paper's networks, as given on the command line.

use mobilebert::benchmark::{Variant, variants};

/// The name of a network, or `all`.
#[derive(Clone, Debug)]
pub struct Named(String);

impl Named {
    /// Returns whether the name means this variant.
    pub fn fits(&self, variant: &Variant) -> bool {
        self.0 == "all" || self.0 == variant.name
    }
}

/// Parses a name.
pub fn parse(typed: &str) -> Result<Named, String> {
    let variants = variants().map_err(|error| error.to_string())?;
    let named = Named(typed.to_owned());
    if variants.iter().any(|variant| named.fits(variant)) {
        return Ok(named);
    }
    let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    Err(format!("none of {}, all", names.join(", ")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stored_logits_are_those_of_the_seed_that_bench_uses() {
        assert_eq!(mobilebert::benchmark::stored().unwrap().seed, super::super::SEED);
    }
}
