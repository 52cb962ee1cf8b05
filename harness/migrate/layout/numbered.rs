//! Plain numbered SQL: `001_title.sql`, or `001_title.up.sql` with `001_title.down.sql`; a name may say its engine
//! (`001_title.postgres.up.sql`), and then counts only there.

use std::{collections::BTreeMap, path::Path};

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction, folder::base, name::Named};
use crate::{engine, model::EngineId};

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
        read(folder, folder.sql_names(), engine, Transaction::Around, found);
    }
}

/// What says in a name that no transaction is wanted.
pub(super) const COMMITS_ITSELF: &str = ".autocommit.";

/// Files of pairs.
pub(super) fn pairs(folder: &Folder) -> impl Iterator<Item = Parsed<'_>> {
    folder.sql_names().filter_map(parse).filter(Parsed::says_way)
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

/// Words by which names say an engine that is none of ours.
const OTHERS: &[&str] = &["cockroach", "cockroachdb", "mssql", "sqlserver", "oracle", "spanner"];

pub(super) fn parse(file: &str) -> Option<Parsed<'_>> {
    let stem = base(file).strip_suffix(".sql")?;
    let (stem, way) = match stem.rsplit_once('.') {
        Some((stem, "up")) => (stem, Some(Way::Up)),
        Some((stem, "down")) => (stem, Some(Way::Down)),
        _ => (stem, None),
    };
    let stem = stem.strip_suffix(COMMITS_ITSELF.trim_end_matches('.')).filter(|_| way.is_some()).unwrap_or(stem);
    let (stem, engine) = match stem.rsplit_once('.') {
        Some((stem, word)) if is_engine(word) => (stem, Some(word)),
        _ => (stem, None),
    };
    Some(Parsed { file, stem, named: Named::of(stem)?, engine, way })
}

fn is_engine(word: &str) -> bool {
    OTHERS.contains(&word) || engine::ALL.iter().any(|one| one.words().contains(&word))
}

impl Parsed<'_> {
    /// Whether the name says a way.
    pub(super) const fn says_way(&self) -> bool {
        self.way.is_some()
    }

    /// Whether the name says an engine.
    pub(super) const fn says_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// 2 if it is for this engine by name, 1 if for any, 0 if for another.
    fn fits(&self, engine: &EngineId) -> u8 {
        match self.engine {
            None => 1,
            Some(word) => 2 * u8::from(engine::by_id(engine.as_str()).is_some_and(|one| one.words().contains(&word))),
        }
    }
}

/// The files of one version.
#[derive(Default)]
struct Version<'a> {
    up: Vec<Parsed<'a>>,
    down: Vec<Parsed<'a>>,
}

/// Reads pairs and single files of a folder in the order of their numbers. What belongs together says so by its version;
/// titles may differ.
pub(super) fn read<'f>(
    folder: &'f Folder,
    files: impl Iterator<Item = &'f str>,
    engine: &EngineId,
    transaction: Transaction,
    found: &mut Found,
) {
    let mut versions: BTreeMap<u128, Version<'_>> = BTreeMap::new();
    for name in files {
        let Some(parsed) = parse(name) else {
            found.notes.push(format!("`{name}` has no number in front and is no migration"));
            continue;
        };
        if parsed.fits(engine) == 0 {
            continue;
        }
        let version = versions.entry(parsed.named.number()).or_default();
        let files = if parsed.way == Some(Way::Down) { &mut version.down } else { &mut version.up };
        // A file for this engine stands in for the one of the same name for any.
        match files.iter_mut().find(|other| other.stem == parsed.stem) {
            Some(other) if parsed.fits(engine) > other.fits(engine) => *other = parsed,
            Some(_) => {}
            None => files.push(parsed),
        }
    }
    for mut version in versions.into_values() {
        let several = version.up.len() > 1;
        for up in version.up {
            let titled = version.down.iter().position(|down| down.stem == up.stem);
            let down = titled.or((!several && !version.down.is_empty()).then_some(0)).map(|at| version.down.remove(at));
            let mut script = |parsed: Parsed<'_>| {
                let text = folder.text_or_tell(parsed.file, &mut found.problems)?;
                Some(Script::of_file(Path::new(parsed.file), text, transaction))
            };
            let down = down.and_then(&mut script);
            if let Some(script) = script(up) {
                found.migrations.push(Migration {
                    version: up.named.version.to_owned(),
                    name: up.stem.to_owned(),
                    up: script,
                    down,
                    verify: None,
                    is_repeatable: false,
                });
            }
        }
        let alone = version.down.iter();
        found.problems.extend(alone.map(|down| format!("`{}` has no file for the way up beside it", down.file)));
    }
}
