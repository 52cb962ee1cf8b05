//! JSON files, with comments or without, by dotted keys (positions in lists are numbers); layout stays.

use std::path::Path;

use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstNode, CstRootNode},
};

use super::{Format, absent, ends};

/// JSON.
pub(super) struct Json;

impl Format for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn is_usual(&self, path: &Path) -> bool {
        ends(path, &["json", "jsonc", "json5"])
    }

    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String> {
        let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
        let mut node = root.value().ok_or_else(|| absent(key))?;
        for part in key.split('.') {
            node = child(&node, part).ok_or_else(|| absent(key))?;
        }
        let new = if node.as_string_lit().is_some() || node.as_null_keyword().is_some() {
            CstInputValue::String(value.to_owned())
        } else if node.as_number_lit().is_some() && value.parse::<f64>().is_ok() {
            CstInputValue::Number(value.to_owned())
        } else if let (Some(_), Ok(value)) = (node.as_boolean_lit(), value.parse()) {
            CstInputValue::Bool(value)
        } else {
            return Err(format!("`{key}` is of another kind than the value"));
        };
        replace(&node, new);
        Ok(root.to_string())
    }
}

fn child(node: &CstNode, part: &str) -> Option<CstNode> {
    if let Some(object) = node.as_object() {
        return object.get(part)?.value();
    }
    node.as_array()?.elements().into_iter().nth(part.parse().ok()?)
}

fn replace(node: &CstNode, new: CstInputValue) {
    if let Some(text) = node.as_string_lit() {
        text.replace_with(new);
    } else if let Some(number) = node.as_number_lit() {
        number.replace_with(new);
    } else if let Some(boolean) = node.as_boolean_lit() {
        boolean.replace_with(new);
    } else if let Some(null) = node.as_null_keyword() {
        null.replace_with(new);
    }
}
