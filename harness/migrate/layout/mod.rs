//! Migration layouts: how tools keep their migrations in a folder, one file each.
//!
//! A layout recognises a folder by its names and markers and reads it into a [`History`]: migrations in that tool's own
//! order, each with its way up and its way down. It runs nothing. A new layout is one file and one line in [`ALL`].

mod apply;
mod command;
mod dbmate;
mod diesel;
mod flyway;
mod folder;
mod golang_migrate;
mod goose;
mod ledger;
mod marked;
mod name;
mod numbered;
mod order;
mod pop;
mod refinery;
mod sections;
mod sqitch;
mod sqlx;
#[cfg(test)]
mod tests;
mod turn;
mod watch;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use apply::{ApplyError, Placed, apply, write};
pub use command::Commands;
pub use folder::Folder;
pub use ledger::{Entry, Ledger, LedgerSql};
pub use sqitch::{Place, Plan};
pub use watch::Applied;

use crate::model::EngineId;

/// Every layout; where several recognise a folder equally well, the first one has it.
pub const ALL: &[&dyn Layout] = &[
    &command::Command,
    &goose::Goose,
    &dbmate::Dbmate,
    &sqitch::Sqitch,
    &diesel::Diesel,
    &flyway::Flyway,
    &refinery::Refinery,
    &sqlx::Sqlx,
    &pop::Pop,
    &golang_migrate::GolangMigrate,
    &marked::Marked,
    &numbered::Numbered,
];

/// The layout of this id.
pub fn by_id(id: &str) -> Option<&'static dyn Layout> {
    ALL.iter().copied().find(|layout| layout.id() == id)
}

/// How a tool keeps its migrations.
pub trait Layout: Sync {
    /// Its id on the command line: `golang-migrate`.
    fn id(&self) -> &'static str;

    /// What it looks for in a folder, for whoever is told that nothing was recognised.
    fn looks_for(&self) -> &'static str;

    /// How surely a folder is of this layout.
    fn recognises(&self, folder: &Folder) -> Likeness;

    /// How the tool keeps what it ran; `None` where that is not known, or there is no tool.
    fn ledger(&self) -> Option<&'static dyn Ledger> {
        None
    }

    /// Whether the tool's sessions keep references while a migration runs, where the engine leaves that to the session
    /// (SQLite, whose own default is not to).
    fn keeps_references(&self) -> bool {
        false
    }

    /// Whether the tool looks into the folders below the folder, too.
    fn reads_below(&self) -> bool {
        false
    }

    /// Reads the folder's migrations in the order in which the tool would run them.
    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found);
}

/// How surely a folder is of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It is not.
    None,
    /// Its names would do, and another tool's folder could look the same.
    Possible,
    /// It has what only this tool's folders have.
    Sure,
}

/// A folder's migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The layout's id.
    pub layout: &'static str,
    /// In the order in which the tool runs them.
    pub migrations: Vec<Migration>,
    /// What was in the folder and is no migration that can be run here, one sentence each.
    pub notes: Vec<String>,
    /// The commands that run them, where a tool of the user's does; their scripts are empty then.
    pub commands: Option<Commands>,
    /// The plan, where the tool keeps one, with what its registry says of each migration.
    pub plan: Option<Plan>,
}

impl History {
    /// The position of the migration that somebody names: by its name, its version, or its version as its tool writes it.
    pub fn position(&self, named: &str) -> Option<usize> {
        let is_named = |one: &Migration| one.name == named || one.version == named;
        let is_version = |one: &Migration| name::comparable(&one.version) == name::comparable(named);
        let begins = |one: &Migration| one.name.split_once('_').is_some_and(|(version, _)| version == named);
        let find = |is_meant: &dyn Fn(&Migration) -> bool| self.migrations.iter().position(is_meant);
        find(&is_named).or_else(|| find(&is_version)).or_else(|| find(&begins))
    }
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version as the tool keeps it in its history table.
    pub version: String,
    /// What reports call it: the name of its folder or file without endings.
    pub name: String,
    /// The way up.
    pub up: Script,
    /// The way down, where there is one.
    pub down: Option<Script>,
    /// What fails if the way up did not do what it should.
    pub verify: Option<Script>,
    /// Whether the tool runs it again whenever it changed, after all others; it has no way down.
    pub is_repeatable: bool,
}

/// SQL of a file, or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file, relative to the folder.
    pub file: PathBuf,
    /// The line of the file on which the text begins, from 1.
    pub first_line: usize,
    /// The text.
    pub text: String,
    /// What the tool puts around it.
    pub transaction: Transaction,
    /// Parts that the file marks as one statement each, whatever they hold; the tool cuts the rest.
    pub whole: Vec<Whole>,
    /// Why the tool does not run it at all, where it reads scripts before.
    pub refused: Option<Refused>,
}

impl Script {
    /// A script that is a whole file.
    pub fn of_file(file: &Path, text: impl Into<String>, transaction: Transaction) -> Self {
        Self { file: file.to_owned(), first_line: 1, text: text.into(), transaction, whole: Vec::new(), refused: None }
    }
}

/// Why a tool does not run a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line of its file of which that is said, from 1.
    pub line: usize,
    /// What the tool says.
    pub said: String,
}

/// A range of lines of a script that is one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The first of its lines, counted within the script from 1.
    pub first: usize,
    /// The last of them.
    pub last: usize,
}

/// What a tool puts around a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// One transaction around all of it.
    Around,
    /// Nothing: each statement is on its own, unless the script says otherwise.
    Nothing,
    /// Nothing, and the script goes to the server in one message (which PostgreSQL takes for one transaction).
    OneMessage,
}

/// What reading a folder found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the tool's order.
    pub migrations: Vec<Migration>,
    /// What can be told and is no error.
    pub notes: Vec<String>,
    /// What is wrong with the folder, each naming its file.
    pub problems: Vec<String>,
    /// Commands that run the migrations, which have to be asked for them.
    pub commands: Option<Commands>,
    /// A plan of the migrations, one change each.
    pub plan: Option<Plan>,
}

impl Found {
    fn history(self, layout: &dyn Layout) -> History {
        let Self { migrations, notes, commands, plan, .. } = self;
        History { layout: layout.id(), migrations, notes, commands, plan }
    }
}

/// Why a folder gave no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// It could not be read.
    #[error("failed to read `{}`: {reason}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No layout knows it.
    #[error("`{}` has no layout of migrations that is known here; looked for {}", path.display(), looked_for.join("; "))]
    Unknown {
        /// The folder.
        path: PathBuf,
        /// What each layout looks for.
        looked_for: Vec<String>,
    },
    /// The layout that was named is not one of ours.
    #[error("unknown layout `{named}`; expected one of {}", known.join(", "))]
    NoSuchLayout {
        /// What was named.
        named: String,
        /// The ids that there are.
        known: Vec<&'static str>,
    },
    /// The folder is of that layout, and not in order.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

/// Reads the migrations of a folder, or of a file of commands: of the layout that is named, or of the one that recognises it best.
///
/// # Errors
/// If the folder cannot be read, is of no known layout, or is not in order; every problem at once.
pub fn read(path: &Path, named: Option<&str>, engine: &EngineId) -> Result<History, LayoutError> {
    if path.is_file() {
        let found = Found { commands: Some(command::of_file(path)?), ..Found::default() };
        return Ok(found.history(&command::Command));
    }
    let folder = Folder::open(path)?;
    let layout = match named {
        Some(id) => by_id(id).ok_or_else(|| LayoutError::NoSuchLayout {
            named: id.to_owned(),
            known: ALL.iter().map(|layout| layout.id()).collect(),
        })?,
        None => recognise(&folder)?,
    };
    let mut found = Found::default();
    layout.read(&folder, engine, &mut found);
    let left_out = left_out(&folder, layout);
    found.notes.extend(left_out.clone());
    let mut problems = std::mem::take(&mut found.problems);
    problems.extend(doubled(&found.migrations));
    if found.migrations.is_empty() && found.commands.is_none() && problems.is_empty() {
        problems.push(format!(
            "`{}` holds no migration ({} looks for {})",
            path.display(),
            layout.id(),
            layout.looks_for()
        ));
        problems.extend(left_out);
    }
    if problems.is_empty() { Ok(found.history(layout)) } else { Err(LayoutError::Problems(problems)) }
}

/// Migrations of one version, and those without one that have one title.
fn doubled(migrations: &[Migration]) -> Vec<String> {
    let mut versions: BTreeMap<(bool, String), &Migration> = BTreeMap::new();
    let mut doubled = Vec::new();
    for one in migrations {
        let version = if one.is_repeatable { one.version.clone() } else { name::comparable(&one.version) };
        if let Some(other) = versions.insert((one.is_repeatable, version), one) {
            let files = [other, one].map(|one| format!("`{}`", one.up.file.display()));
            let what = if one.is_repeatable { "title" } else { "version" };
            doubled.push(format!("{} and {} have one {what}, {}", files[0], files[1], one.version));
        }
    }
    doubled
}

/// The SQL of folders below, where the tool looks into none.
fn left_out(folder: &Folder, layout: &dyn Layout) -> Option<String> {
    const NAMED: usize = 3;
    let below: Vec<&str> = folder.sql_files().filter(|file| folder::base(file) != *file).collect();
    if layout.reads_below() || below.is_empty() {
        return None;
    }
    let named = below.iter().take(NAMED).map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
    let more = below.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let id = layout.id();
    Some(format!("{named}{more}: not read, for migrations of the layout {id} lie in the folder itself, not below it"))
}

fn recognise(folder: &Folder) -> Result<&'static dyn Layout, LayoutError> {
    let mut best: Option<(Likeness, &'static dyn Layout)> = None;
    for layout in ALL {
        let likeness = layout.recognises(folder);
        if likeness > best.map_or(Likeness::None, |(likeness, _)| likeness) {
            best = Some((likeness, *layout));
        }
    }
    best.map(|(_, layout)| layout).ok_or_else(|| LayoutError::Unknown {
        path: folder.path().to_owned(),
        looked_for: ALL.iter().map(|layout| format!("{} ({})", layout.looks_for(), layout.id())).collect(),
    })
}
