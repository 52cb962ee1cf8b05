//! INI files: `[section]` and `name = value` or `name: value`; values are taken as they stand.

use std::path::Path;

use super::{Format, ends, with_line};

/// Sections of `name = value`.
pub(super) struct Ini;

impl Format for Ini {
    fn id(&self) -> &'static str {
        "ini"
    }

    fn is_usual(&self, path: &Path) -> bool {
        ends(path, &["ini", "cfg", "conf", "properties"])
    }

    fn set(&self, text: &str, key: &str, value: &str) -> Result<String, String> {
        if value.contains(['\n', '\r', '\0']) {
            return Err(format!("the value for `{key}` holds a line break"));
        }
        let mut section = String::new();
        with_line(text, key, |line| {
            let bare = line.trim();
            if let Some(title) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = title.trim().to_owned();
                return None;
            }
            if bare.starts_with([';', '#']) {
                return None;
            }
            let sign = line.find(['=', ':'])?;
            let (before, old) = (&line[..sign], &line[sign + 1..]);
            let blank = &old[..old.len() - old.trim_start().len()];
            // Dots stand in names of sections and of values alike: `[alembic]` has a `sqlalchemy.url`.
            let name = match section.as_str() {
                "" => Some(key),
                section => key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')),
            };
            (Some(before.trim()) == name).then(|| format!("{before}{}{blank}{value}", &line[sign..=sign]))
        })
    }
}
