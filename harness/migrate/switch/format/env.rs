//! `.env` files: `NAME=value`, with `export` before it and quotes around the value or without.

use std::path::Path;

use super::{Format, with_line};

/// Lines of `NAME=value`.
pub(super) struct Env;

impl Format for Env {
    fn id(&self) -> &'static str {
        "env"
    }

    fn is_usual(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(".env") || name.ends_with(".env")
    }

    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String> {
        if value.contains(['\n', '\r', '\0']) {
            return Err(format!("the value for `{key}` holds a line break"));
        }
        with_line(text, key, |line| {
            let (before, old) = line.split_once('=')?;
            let name = before.trim();
            let name = name.strip_prefix("export ").map_or(name, str::trim_start);
            (name == key).then(|| format!("{before}={}", written(old, value)))
        })
    }
}

/// The new value as the old one is written: behind the same blanks, in the same quotes, before the same comment.
fn written(old: &str, value: &str) -> String {
    let blank = &old[..old.len() - old.trim_start().len()];
    let old = old.trim_start();
    let (quote, rest) = match old.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), behind(&old[1..], quote)),
        _ => (None, old.find(" #").map_or("", |at| &old[at..])),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,~?&=".contains(c);
    // In single quotes everything stands for itself; in double quotes some signs are escaped.
    match quote {
        Some('\'') if !value.contains('\'') => format!("{blank}'{value}'{rest}"),
        None if value.chars().all(is_plain) => format!("{blank}{value}{rest}"),
        _ => {
            let escaped: String =
                value.chars().flat_map(|c| "\\\"$`".contains(c).then_some('\\').into_iter().chain([c])).collect();
            format!("{blank}\"{escaped}\"{rest}")
        }
    }
}

/// What stands behind the end of a quoted value.
fn behind(quoted: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return &quoted[at + 1..],
            _ => {}
        }
    }
    ""
}
