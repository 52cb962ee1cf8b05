//! Flyway: `V1.2__title.sql`, `U1.2__title.sql` to undo it, `R__title.sql` to be run again
//! (<https://documentation.red-gate.com/fd/migrations-184127470.html>).

use std::path::Path;

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction};
use crate::model::EngineId;

/// Flyway.
pub struct Flyway;

impl Layout for Flyway {
    fn id(&self) -> &'static str {
        "flyway"
    }

    fn looks_for(&self) -> &'static str {
        "files V1__title.sql, with U1__title.sql to undo them and R__title.sql to be run again"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let prefixes = || folder.sql_names().filter_map(parse).map(|file| file.prefix);
        if prefixes().any(|prefix| prefix == 'R') || folder.names().any(|name| name.ends_with(".sql.conf")) {
            return Likeness::Sure;
        }
        if prefixes().any(|prefix| prefix == 'V') { Likeness::Possible } else { Likeness::None }
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let mut files: Vec<(Parsed<'_>, &str)> = Vec::new();
        for name in folder.sql_names() {
            match parse(name) {
                Some(parsed) => files.push((parsed, name)),
                None => found
                    .notes
                    .push(format!("`{name}` is not named as Flyway's migrations are, so that it leaves it out")),
            }
        }
        files.sort_by(|(one, _), (other, _)| (one.number(), one.title).cmp(&(other.number(), other.title)));
        let mut script = |name: &str| {
            let transaction = transaction(folder, name);
            let text = folder.text_or_tell(name, &mut found.problems)?;
            Some(Script::of_file(Path::new(name), text, transaction))
        };
        let migration = |version: String, name: &str, up: Script, down: Option<Script>, is_repeatable: bool| {
            Migration { version, name: name.trim_end_matches(".sql").to_owned(), up, down, verify: None, is_repeatable }
        };
        let mut undone = 0;
        for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'V') {
            let undo = files.iter().find(|(other, _)| other.prefix == 'U' && other.number() == parsed.number());
            undone += usize::from(undo.is_some());
            let down = undo.and_then(|(_, name)| script(name));
            if let Some(up) = script(name) {
                found.migrations.push(migration(parsed.version.replace('_', "."), name, up, down, false));
            }
        }
        for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'R') {
            if let Some(up) = script(name) {
                found.migrations.push(migration(parsed.title.to_owned(), name, up, None, true));
            }
        }
        if files.iter().filter(|(parsed, _)| parsed.prefix == 'U').count() > undone {
            for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'U') {
                if !files.iter().any(|(other, _)| other.prefix == 'V' && other.number() == parsed.number()) {
                    found.problems.push(format!("`{name}` undoes version {}, which no file makes", parsed.version));
                }
            }
        }
    }
}

/// A file's name in its parts.
struct Parsed<'a> {
    prefix: char,
    version: &'a str,
    title: &'a str,
}

impl Parsed<'_> {
    /// The version's numbers, zeros at its end left out: 1.0 is 1.
    fn number(&self) -> Vec<u128> {
        let mut parts: Vec<u128> =
            self.version.split(['.', '_']).map(|part| part.parse().unwrap_or(u128::MAX)).collect();
        while parts.last() == Some(&0) {
            parts.pop();
        }
        parts
    }
}

fn parse(name: &str) -> Option<Parsed<'_>> {
    let (head, title) = name.strip_suffix(".sql")?.split_once("__")?;
    let prefix = head.chars().next()?;
    let version = &head[prefix.len_utf8()..];
    let is_version = !version.is_empty()
        && version.split(['.', '_']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let is_ours = match prefix {
        'V' | 'U' => is_version,
        'R' => version.is_empty(),
        _ => false,
    };
    is_ours.then_some(Parsed { prefix, version, title })
}

/// A file beside the script may take the transaction away.
fn transaction(folder: &Folder, name: &str) -> Transaction {
    let settings = folder.text(format!("{name}.conf")).unwrap_or_default();
    let is_alone = settings.lines().any(|line| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        line.eq_ignore_ascii_case("executeInTransaction=false")
    });
    if is_alone { Transaction::Nothing } else { Transaction::Around }
}
