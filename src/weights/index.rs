//! `model.safetensors.index.json`: which file of a sharded checkpoint contains which tensor.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::json;
use crate::sorting::sort;

use super::header::without_wrappers;
use super::manifest::check_file_name;

/// The index of a sharded checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardIndex {
    /// File names by tensor name, without wrapper prefixes such as `module.`.
    pub weight_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct IndexJson {
    weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Parses the file's content; `file` is its name for error messages.
    pub fn parse(file: &str, json: &[u8]) -> Result<ShardIndex> {
        let refuse = |problem: String| Error::NotAModel { file: file.into(), problem };
        let json = json::content(file, json)?;
        let IndexJson { weight_map } = serde_json::from_slice(json)
            .map_err(|error| refuse(format!("it isn't an index of a sharded checkpoint: {error}")))?;
        if weight_map.is_empty() {
            return Err(Error::corrupt(file, "`weight_map` is empty"));
        }
        for (tensor, shard) in &weight_map {
            check_file_name(shard)
                .map_err(|problem| Error::corrupt(file, format!("tensor `{tensor}` is in {problem}")))?;
        }
        let unwrapped = |(tensor, shard): (String, String)| (without_wrappers(&tensor).to_owned(), shard);
        // `collect` would sort, and instantiate the algorithm for this type.
        let mut by_tensor = BTreeMap::new();
        by_tensor.extend(weight_map.into_iter().map(unwrapped));
        Ok(ShardIndex { weight_map: by_tensor })
    }

    /// The files, without duplicates, sorted by name.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.weight_map.values().map(String::as_str).collect();
        sort(&mut files);
        files.dedup();
        files
    }

    /// Returns whether the checkpoint has a tensor with this name.
    pub fn has(&self, tensor: &str) -> bool {
        self.weight_map.contains_key(tensor)
    }
}
