//! Files that hold both ways behind plain comments, `-- up` and `-- down`, as many small runners have them.

use std::path::Path;

use super::{
    Folder, Found, Layout, Likeness, Migration, Transaction,
    name::Named,
    sections::{Marker, comment_words, cut},
};
use crate::model::EngineId;

/// One file with `-- up` and `-- down`.
pub struct Marked;

impl Layout for Marked {
    fn id(&self) -> &'static str {
        "up-down"
    }

    fn looks_for(&self) -> &'static str {
        "SQL files with lines `-- up` and `-- down`"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folder.has_marker(|line| matches!(marker(line), Some(Marker::Up))) { Likeness::Sure } else { Likeness::None }
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let mut files: Vec<&str> = folder.sql_names().collect();
        files.sort_by_key(|name| (Named::of(name).map_or(u128::MAX, |one| one.number()), *name));
        for name in files {
            let stem = &name[..name.len() - ".sql".len()];
            let Some(text) = folder.text_or_tell(name, &mut found.problems) else { continue };
            let cut = cut(Path::new(name), &text, |line| marker(line).map(|marker| (marker, Transaction::Around)));
            match cut {
                Ok(sections) => match sections.up {
                    Some(up) => found.migrations.push(Migration {
                        version: Named::of(stem).map_or(stem, |one| one.version).to_owned(),
                        name: stem.to_owned(),
                        up,
                        down: sections.down,
                        verify: None,
                        is_repeatable: false,
                    }),
                    None => found.problems.push(format!("`{name}` has no line `-- up`")),
                },
                Err(problem) => found.problems.push(problem),
            }
        }
    }
}

fn marker(line: &str) -> Option<Marker> {
    let words = comment_words(line);
    let word = match words.as_slice() {
        [word] => *word,
        ["!", word] | ["+", word] | ["@", word] => *word,
        _ => return None,
    };
    match word.trim_start_matches(['+', '!', '@']).trim_end_matches(':').to_ascii_lowercase().as_str() {
        "up" => Some(Marker::Up),
        "down" => Some(Marker::Down),
        _ => None,
    }
}
