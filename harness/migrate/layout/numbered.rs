//! Plain numbered SQL: `001_title.sql`, or `001_title.up.sql` with `001_title.down.sql`; a name may say its engine
//! (`001_title.postgres.up.sql`), and then counts only there.

use std::{collections::BTreeMap, path::Path};

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction, name::Named};
use crate::model::EngineId;

/// Plain numbered SQL.
pub struct Numbered;

impl Layout for Numbered {
    fn id(&self) -> &'static str {
        "numbered"
    }

    fn looks_for(&self) -> &'static str {
        "files NUMBER_title.sql, or NUMBER_title.up.sql and NUMBER_title.down.sql"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if singles(folder).next().is_some() { Likeness::Possible } else { Likeness::None }
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        read(folder, engine, Transaction::Around, found);
    }
}

/// Files of pairs.
pub(super) fn pairs(folder: &Folder) -> impl Iterator<Item = Parsed<'_>> {
    folder.sql_names().filter_map(parse).filter(|file| file.way.is_some())
}

/// Files that have no way in their names.
pub(super) fn singles(folder: &Folder) -> impl Iterator<Item = Parsed<'_>> {
    folder.sql_names().filter_map(parse).filter(|file| file.way.is_none())
}

/// A file's name in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parsed<'a> {
    file: &'a str,
    stem: &'a str,
    named: Named<'a>,
    engine: Option<&'a str>,
    way: Option<Way>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Words by which names say an engine.
const ENGINES: &[(&str, &[&str])] = &[
    ("postgres", &["postgres", "postgresql", "pg"]),
    ("mariadb", &["mariadb", "mysql"]),
    ("sqlite", &["sqlite", "sqlite3"]),
    ("", &["cockroach", "cockroachdb", "mssql", "sqlserver", "oracle", "spanner"]),
];

fn parse(file: &str) -> Option<Parsed<'_>> {
    let stem = file.strip_suffix(".sql")?;
    let (stem, way) = match stem.rsplit_once('.') {
        Some((stem, "up")) => (stem, Some(Way::Up)),
        Some((stem, "down")) => (stem, Some(Way::Down)),
        _ => (stem, None),
    };
    let (stem, engine) = match stem.rsplit_once('.') {
        Some((stem, word)) if ENGINES.iter().any(|(_, words)| words.contains(&word)) => (stem, Some(word)),
        _ => (stem, None),
    };
    Some(Parsed { file, stem, named: Named::of(stem)?, engine, way })
}

impl Parsed<'_> {
    /// 2 if it is for this engine by name, 1 if for any, 0 if for another.
    fn fits(&self, engine: &EngineId) -> u8 {
        match self.engine {
            None => 1,
            Some(word) => {
                2 * u8::from(ENGINES.iter().any(|(id, words)| *id == engine.as_str() && words.contains(&word)))
            }
        }
    }
}

/// Reads pairs and single files in the order of their numbers.
pub(super) fn read(folder: &Folder, engine: &EngineId, transaction: Transaction, found: &mut Found) {
    let mut ways: BTreeMap<(u128, &str), [Option<Parsed<'_>>; 2]> = BTreeMap::new();
    for name in folder.sql_names() {
        let Some(parsed) = parse(name) else {
            found.notes.push(format!("`{name}` has no number in front and is no migration"));
            continue;
        };
        if parsed.fits(engine) == 0 {
            continue;
        }
        let slot = &mut ways.entry((parsed.named.number(), parsed.stem)).or_default()
            [usize::from(parsed.way == Some(Way::Down))];
        if slot.is_none_or(|other| parsed.fits(engine) > other.fits(engine)) {
            *slot = Some(parsed);
        }
    }
    for ((_, stem), [up, down]) in ways {
        let mut script = |parsed: Option<Parsed<'_>>| {
            let file = parsed?.file;
            let text = folder.text_or_tell(file, &mut found.problems)?;
            Some(Script::of_file(Path::new(file), text, transaction))
        };
        match (script(up), script(down)) {
            (Some(up), down) => found.migrations.push(Migration {
                version: Named::of(stem).map_or(stem, |named| named.version).to_owned(),
                name: stem.to_owned(),
                up,
                down,
                verify: None,
                is_repeatable: false,
            }),
            (None, Some(down)) if up.is_none() => {
                found.problems.push(format!("`{}` has no file for the way up beside it", down.file.display()));
            }
            (None, _) => {}
        }
    }
}
