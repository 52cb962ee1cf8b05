//! Any text, by a pattern: what its first group matches is replaced.

use std::path::Path;

use regex::Regex;

use super::Format;

/// Any text.
pub(super) struct Text;

impl Format for Text {
    fn id(&self) -> &'static str {
        "text"
    }

    fn is_usual(&self, _path: &Path) -> bool {
        false
    }

    /// # Errors
    /// Also if the pattern is none, or has no group.
    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String> {
        let pattern = Regex::new(key).map_err(|error| error.to_string())?;
        let mut found = pattern.captures_iter(text);
        let (Some(first), None) = (found.next(), found.next()) else {
            let times = pattern.find_iter(text).count();
            return Err(if times == 0 {
                format!("nothing matches `{key}`")
            } else {
                format!("`{key}` matches {times} times, and nobody says which is meant")
            });
        };
        let group = first.get(1).ok_or_else(|| format!("`{key}` has no group (in parentheses) for the value"))?;
        Ok([&text[..group.start()], value, &text[group.end()..]].concat())
    }
}
