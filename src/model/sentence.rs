//! The files that sentence-transformers adds to a directory → how an encoder turns texts into vectors.

use serde_json::{Map, Value};

use super::SmallFiles;
use crate::error::{Error, Result};
use crate::json;
use crate::task::pooling::Pooling;

const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const TRANSFORMER: &str = "sentence_bert_config.json";
const SETTINGS: &str = "config_sentence_transformers.json";
/// Prefix of the flags' names.
const FLAG: &str = "pooling_mode_";

/// How an encoder turns texts into vectors, unless the caller chooses otherwise. Without
/// sentence-transformers files, the mean over the tokens, as in that library.
#[derive(Debug)]
pub(super) struct SentenceSettings {
    /// The results of several poolings are concatenated. An error if the directory has a module that isn't
    /// supported; it only matters to callers who follow the directory.
    modules: Result<Modules, Unsupported>,
    /// Maximum number of tokens, if the directory limits it.
    pub max_length: Option<usize>,
    /// True if texts are converted to lower case before they are tokenized.
    pub lowercase: bool,
}

/// The modules after the transformer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Modules {
    pub pooling: Vec<Pooling>,
    pub normalize: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Unsupported {
    what: String,
    instead: &'static str,
}

impl Default for SentenceSettings {
    fn default() -> Self {
        let modules = Ok(Modules { pooling: vec![Pooling::Mean], normalize: false });
        SentenceSettings { modules, max_length: None, lowercase: false }
    }
}

impl SentenceSettings {
    /// Reads the files that exist.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, [`Error::NotFound`] if the pooling's file is missing.
    pub fn read(files: &SmallFiles) -> Result<Self> {
        let mut settings = Self::default();
        if let Some(transformer) = parse(files, TRANSFORMER)? {
            settings.max_length = transformer["max_seq_length"].as_u64().map(|length| length as usize);
            settings.lowercase = transformer["do_lower_case"] == true;
        }
        if let Some(modules) = parse(files, MODULES)? {
            settings.modules = self::modules(&modules, files)?;
        }
        if let Some(name) = default_prompt(files)? {
            settings.modules = Err(Unsupported {
                what: format!("{SETTINGS}: prompt `{name}`, which is put before every text by default,"),
                instead: "put it there yourself, and choose `pooling` yourself",
            });
        }
        Ok(settings)
    }

    /// The modules after the transformer.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the name of the module or pooling.
    pub fn modules(&self) -> Result<&Modules> {
        self.modules.as_ref().map_err(|Unsupported { what, instead }| Error::unsupported(what, *instead))
    }
}

/// The activation of a cross-encoder, which version 6 of sentence-transformers doesn't write to `config.json`.
///
/// # Errors
/// [`Error::Corrupt`].
pub(super) fn activation_fn(files: &SmallFiles) -> Result<Option<String>> {
    let settings = parse(files, SETTINGS)?;
    Ok(settings.and_then(|settings| settings["activation_fn"].as_str().map(str::to_owned)))
}

/// Name of the prompt that texts start with unless the caller chooses another one; `None` if the prompt is
/// empty.
fn default_prompt(files: &SmallFiles) -> Result<Option<String>> {
    let Some(settings) = parse(files, SETTINGS)? else { return Ok(None) };
    let name = text(&settings["default_prompt_name"]);
    Ok((!text(&settings["prompts"][name]).is_empty()).then(|| name.to_owned()))
}

fn modules(list: &Value, files: &SmallFiles) -> Result<Result<Modules, Unsupported>> {
    let list = list.as_array().ok_or_else(|| Error::corrupt(MODULES, "isn't a list"))?;
    let mut found = Modules { pooling: Vec::new(), normalize: false };
    for module in list {
        let (path, class) = (text(&module["path"]), text(&module["type"]));
        // The classes have moved between packages in different versions.
        match class.rsplit('.').next().unwrap_or_default() {
            "Transformer" if found.pooling.is_empty() => {}
            "Pooling" if found.pooling.is_empty() && path == "1_Pooling" => match pooling(files)? {
                Ok(pooling) => found.pooling = pooling,
                Err(unsupported) => return Ok(Err(unsupported)),
            },
            "Normalize" if !found.pooling.is_empty() => found.normalize = true,
            _ => {
                return Ok(Err(Unsupported {
                    what: format!("{MODULES}: module `{class}` at `{path}`"),
                    instead: "a Transformer, a Pooling in 1_Pooling and a Normalize are, in this order; choose `pooling` yourself to leave the others out",
                }));
            }
        }
    }
    if found.pooling.is_empty() {
        // A cross-encoder, or a transformer without its own pooling.
        found.pooling.push(Pooling::Mean);
    }
    Ok(Ok(found))
}

/// The pooling modes: flags before version 6 of sentence-transformers, names since then.
fn pooling(files: &SmallFiles) -> Result<Result<Vec<Pooling>, Unsupported>> {
    let config = parse(files, POOLING)?.ok_or_else(|| Error::NotFound {
        file: POOLING.into(),
        hint: format!("{MODULES} lists it; put it next to the model, or choose `pooling` yourself"),
    })?;
    let fields = config.as_object().ok_or_else(|| Error::corrupt(POOLING, "isn't an object"))?;
    let names: Vec<&str> = match &config["pooling_mode"] {
        Value::Null => flags(fields),
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![text(name)],
    };
    let mut modes = Vec::new();
    for name in names {
        match named(name) {
            Some(mode) => modes.push(mode),
            None => {
                return Ok(Err(Unsupported {
                    what: format!("{POOLING}: pooling `{name}`"),
                    instead: "cls, max, mean, mean_sqrt_len, weightedmean and lasttoken are; choose `pooling` yourself to use one of them",
                }));
            }
        }
    }
    if modes.is_empty() {
        modes.push(Pooling::Mean);
    }
    Ok(Ok(modes))
}

/// The names of the flags that are set: first the known ones, in the order in which their results are
/// concatenated, which a JSON object doesn't preserve, then the others.
fn flags(fields: &Map<String, Value>) -> Vec<&str> {
    let set = |(field, value): (&'_ String, &Value)| *value == true && field.starts_with(FLAG);
    let names = || fields.iter().filter(|field| set(*field)).map(|(field, _)| &field[FLAG.len()..]);
    let known = Pooling::ALL.into_iter().flat_map(|mode| names().find(|name| named(name) == Some(mode)));
    known.chain(names().filter(|name| named(name).is_none())).collect()
}

/// The mode with this name, in any of the spellings used by sentence-transformers.
fn named(name: &str) -> Option<Pooling> {
    let name = name.strip_suffix("_tokens").or(name.strip_suffix("_token")).unwrap_or(name);
    Pooling::ALL.into_iter().find(|mode| mode.name() == name)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn parse(files: &SmallFiles, name: &str) -> Result<Option<Value>> {
    let Some(text) = files.get(name) else { return Ok(None) };
    let json = json::content(name, text.as_bytes())?;
    serde_json::from_slice(json).map(Some).map_err(|error| Error::corrupt(name, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<SentenceSettings> {
        SentenceSettings::read(&files.iter().map(|&(name, text)| (name.into(), text.into())).collect())
    }

    fn list(types: &[(&str, &str)]) -> String {
        let entry =
            |(path, class): &(&str, &str)| format!(r#"{{"idx": 0, "path": "{path}", "type": "{class}"}}"#);
        format!("[{}]", types.iter().map(entry).collect::<Vec<_>>().join(", "))
    }

    const TRANSFORMER_CLASS: (&str, &str) = ("", "sentence_transformers.models.Transformer");
    const POOLING_CLASS: (&str, &str) = ("1_Pooling", "sentence_transformers.models.Pooling");

    fn with_pooling(config: &str) -> Result<Vec<Pooling>> {
        let modules = list(&[TRANSFORMER_CLASS, POOLING_CLASS]);
        Ok(read(&[(MODULES, &modules), (POOLING, config)])?.modules()?.pooling.clone())
    }

    #[test]
    fn without_files_the_tokens_are_averaged() {
        let settings = read(&[]).unwrap();
        let expected = Modules { pooling: vec![Pooling::Mean], normalize: false };
        assert_eq!((settings.modules().unwrap(), settings.max_length), (&expected, None));
    }

    #[test]
    fn a_default_prompt_is_unsupported_unless_it_is_empty() {
        let with = |settings: &str| read(&[(SETTINGS, settings)]).unwrap();
        let error = with(r#"{"prompts": {"query": "query: "}, "default_prompt_name": "query"}"#);
        let error = error.modules().unwrap_err().to_string();
        assert!(error.contains("`query`") && error.contains("choose `pooling`"), "{error}");
        for settings in [
            r#"{"prompts": {"query": "query: "}, "default_prompt_name": null}"#,
            r#"{"prompts": {"query": "", "document": "d"}, "default_prompt_name": "query"}"#,
            "{}",
        ] {
            with(settings).modules().unwrap();
        }
    }

    #[test]
    fn pooling_is_read_in_the_old_and_the_new_form() {
        assert_eq!(
            with_pooling(r#"{"pooling_mode": "mean_sqrt_len_tokens"}"#).unwrap(),
            [Pooling::MeanSqrtLen]
        );
        assert_eq!(
            with_pooling(r#"{"pooling_mode": ["mean", "cls"]}"#).unwrap(),
            [Pooling::Mean, Pooling::Cls]
        );
        let flags = r#"{"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
            "pooling_mode_cls_token": true, "pooling_mode_lasttoken": true, "include_prompt": true}"#;
        assert_eq!(with_pooling(flags).unwrap(), [Pooling::Cls, Pooling::Mean, Pooling::LastToken]);
        assert_eq!(with_pooling(r#"{"word_embedding_dimension": 384}"#).unwrap(), [Pooling::Mean]);
    }

    #[test]
    fn what_is_not_supported_is_named_when_it_is_used() {
        for config in [r#"{"pooling_mode": "attention"}"#, r#"{"pooling_mode_attention": true}"#] {
            let error = with_pooling(config).unwrap_err().to_string();
            assert!(error.contains("attention") && error.contains(POOLING), "{error}");
        }
        let dense = ("2_Dense", "sentence_transformers.models.Dense");
        for modules in [&[TRANSFORMER_CLASS, POOLING_CLASS, dense][..], &[TRANSFORMER_CLASS, dense]] {
            let modules = list(modules);
            let settings = read(&[(MODULES, &modules), (POOLING, "{}")]).unwrap();
            let error = settings.modules().unwrap_err().to_string();
            assert!(error.contains("models.Dense") && error.contains("2_Dense"), "{error}");
        }
    }

    #[test]
    fn damaged_and_missing_files_are_named() {
        let modules = list(&[TRANSFORMER_CLASS, POOLING_CLASS]);
        for (files, name) in [
            (&[(MODULES, "{}")][..], MODULES),
            (&[(MODULES, modules.as_str())], POOLING),
            (&[(MODULES, modules.as_str()), (POOLING, "[]")], POOLING),
            (&[(TRANSFORMER, "no")], TRANSFORMER),
        ] {
            assert!(read(files).unwrap_err().to_string().contains(name));
        }
    }
}
