//! refinery: `V1__title.sql` and `U1__title.sql` (versions that may leave gaps); it has no way down
//! (<https://docs.rs/refinery>).

use std::path::Path;

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction, name::Named};
use crate::model::EngineId;

/// refinery.
pub struct Refinery;

impl Layout for Refinery {
    fn id(&self) -> &'static str {
        "refinery"
    }

    fn looks_for(&self) -> &'static str {
        "files V1__title.sql in a Rust project"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_named = folder.sql_names().any(|name| parse(name).is_some());
        // The names are Flyway's, which does not live in Rust projects.
        if is_named && folder.is_below("Cargo.toml") { Likeness::Sure } else { Likeness::None }
    }

    fn keeps_references(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let mut files: Vec<(Named<'_>, &str)> = Vec::new();
        for name in folder.names() {
            match (parse(name), name.ends_with(".rs") && name.starts_with(['V', 'U'])) {
                (Some(named), _) => files.push((named, name)),
                (None, true) => {
                    found.problems.push(format!("`{name}` is a migration in Rust, which only its own program can run"))
                }
                (None, false) => {}
            }
        }
        files.sort_by_key(|(named, _)| named.number());
        for (named, name) in files {
            let Some(text) = folder.text_or_tell(name, &mut found.problems) else { continue };
            found.migrations.push(Migration {
                version: named.number().to_string(),
                name: name.trim_end_matches(".sql").to_owned(),
                up: Script::of_file(Path::new(name), text, Transaction::Around),
                down: None,
                verify: None,
                is_repeatable: false,
            });
        }
    }
}

fn parse(name: &str) -> Option<Named<'_>> {
    let (head, title) = name.strip_suffix(".sql")?.split_once("__")?;
    let version = head.strip_prefix(['V', 'U'])?;
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(Named { version, title })
}
