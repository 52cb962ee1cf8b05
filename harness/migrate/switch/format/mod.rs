//! Forms of configuration files, one file each. Each replaces values and leaves every other byte as it was.

mod env;
mod ini;
mod json;
mod text;
mod toml;

use std::path::Path;

/// Every form.
pub(super) const ALL: &[&dyn Format] = &[&env::Env, &toml::Toml, &json::Json, &ini::Ini, &text::Text];

/// A form of configuration files.
pub(super) trait Format: Sync {
    /// Its word in scenario files: `env`.
    fn id(&self) -> &'static str;

    /// Whether a file of this name usually has this form.
    fn is_usual(&self, path: &Path) -> bool;

    /// The text with one value replaced. `key` names the value as the form does: `server.port`, or a pattern.
    ///
    /// # Errors
    /// What is wrong with the text, or that there is no such value, or more than one.
    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String>;
}

/// The form of this word.
pub(super) fn by_id(id: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.id() == id)
}

/// The form that a file of this name usually has.
pub(super) fn usual(path: &Path) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.is_usual(path))
}

/// Whether a file's name ends with one of these, behind a dot.
fn ends(path: &Path, endings: &[&str]) -> bool {
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending))
}

/// That there is no such value.
fn absent(key: &str) -> String {
    format!("there is no `{key}`")
}

/// The lines of a text, each with its end, and the one that `is_meant` finds replaced by what it gives.
///
/// # Errors
/// If no line is meant, or more than one.
fn with_line(text: &str, key: &str, mut replaced: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let (mut told, mut found) = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        match replaced(bare) {
            Some(new) => {
                found += 1;
                told.push_str(&new);
                told.push_str(&line[bare.len()..]);
            }
            None => told.push_str(line),
        }
    }
    match found {
        0 => Err(absent(key)),
        1 => Ok(told),
        _ => Err(format!("`{key}` is there {found} times")),
    }
}

#[cfg(test)]
mod tests;
