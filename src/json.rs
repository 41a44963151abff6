//! The JSON files of a model, before they are parsed.

use crate::error::{Error, Result};

/// The content without a byte order mark.
///
/// # Errors
/// [`Error::NotAModel`] if it is an HTML page: many servers send one instead of "not found".
pub(crate) fn content<'a>(file: &str, json: &'a [u8]) -> Result<&'a [u8]> {
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    if json.trim_ascii_start().starts_with(b"<") {
        let problem = "it is an HTML page, probably a server's answer to a wrong address".into();
        return Err(Error::NotAModel { file: file.into(), problem });
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped_and_a_page_is_refused() {
        assert_eq!(content("a.json", b"\xEF\xBB\xBF{}").unwrap(), b"{}");
        assert_eq!(content("a.json", b" {}").unwrap(), b" {}");
        let error = content("a.json", b"\xEF\xBB\xBF\n<!doctype html>").unwrap_err();
        assert!(error.to_string().contains("a.json") && error.to_string().contains("HTML page"), "{error}");
    }
}
