//! TOML files, by dotted keys; comments and layout stay.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Value};

use super::{Format, absent, ends};

/// TOML.
pub(super) struct Toml;

impl Format for Toml {
    fn id(&self) -> &'static str {
        "toml"
    }

    fn is_usual(&self, path: &Path) -> bool {
        ends(path, &["toml"])
    }

    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String> {
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
        let mut item = document.as_item_mut();
        for part in key.split('.') {
            item = item.get_mut(part).filter(|item| !item.is_none()).ok_or_else(|| absent(key))?;
        }
        let Item::Value(old) = item else { return Err(format!("`{key}` is no single value")) };
        let mut new = match old {
            Value::Integer(_) => Value::from(value.parse::<i64>().map_err(|_| format!("`{key}` is a number"))?),
            Value::Boolean(_) => Value::from(value.parse::<bool>().map_err(|_| format!("`{key}` is true or false"))?),
            Value::String(_) => Value::from(value),
            _ => return Err(format!("`{key}` is neither text nor a whole number nor true or false")),
        };
        *new.decor_mut() = old.decor().clone();
        *old = new;
        Ok(document.to_string())
    }
}
