//! goose: one file a migration, ways marked by `-- +goose Up` and `-- +goose Down`
//! (<https://pressly.github.io/goose/documentation/annotations/>).

use std::path::Path;

use super::{
    Folder, Found, Layout, Likeness, Migration, Transaction,
    name::Named,
    sections::{Marker, comment_words, cut},
};
use crate::model::EngineId;

/// goose.
pub struct Goose;

impl Layout for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn looks_for(&self) -> &'static str {
        "files NUMBER_title.sql with lines `-- +goose Up` and `-- +goose Down`"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folder.has_marker(|line| marker(line).is_some()) { Likeness::Sure } else { Likeness::None }
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let mut named: Vec<(Named<'_>, &str)> = Vec::new();
        for name in folder.names() {
            match name.rsplit_once('.') {
                Some((stem, "sql")) => match Named::of(stem) {
                    Some(one) => named.push((one, name)),
                    None => found.notes.push(format!("`{name}` has no number in front, so that goose leaves it out")),
                },
                Some((stem, "go")) if Named::of(stem).is_some() => {
                    found.problems.push(format!("`{name}` is a migration in Go, which only its own program can run"));
                }
                _ => {}
            }
        }
        named.sort_by_key(|(one, _)| one.number());
        for (one, name) in named {
            let Some(text) = folder.text_or_tell(name, &mut found.problems) else { continue };
            if text.lines().any(|line| matches!(comment_words(line).as_slice(), ["+goose", "ENVSUB", "ON"])) {
                found
                    .problems
                    .push(format!("`{name}` takes values from the environment (ENVSUB), which is not done here"));
                continue;
            }
            let is_alone =
                text.lines().any(|line| matches!(comment_words(line).as_slice(), ["+goose", "NO", "TRANSACTION"]));
            let transaction = if is_alone { Transaction::Nothing } else { Transaction::Around };
            match cut(Path::new(name), &text, |line| marker(line).map(|marker| (marker, transaction))) {
                Ok(sections) => match sections.up {
                    Some(up) => found.migrations.push(Migration {
                        version: one.number().to_string(),
                        name: name.trim_end_matches(".sql").to_owned(),
                        up,
                        down: sections.down,
                        verify: None,
                        is_repeatable: false,
                    }),
                    None => found.problems.push(format!("`{name}` has no line `-- +goose Up`")),
                },
                Err(problem) => found.problems.push(problem),
            }
        }
    }
}

fn marker(line: &str) -> Option<Marker> {
    let ["+goose", word] = comment_words(line)[..] else { return None };
    match word.to_ascii_lowercase().as_str() {
        "up" => Some(Marker::Up),
        "down" => Some(Marker::Down),
        "statementbegin" => Some(Marker::Begin),
        "statementend" => Some(Marker::End),
        _ => None,
    }
}
