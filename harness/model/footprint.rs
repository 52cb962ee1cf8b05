//! What a change left behind on a server while it ran: the locks that it held, the tables that it rewrote, the bytes that
//! it took.

use std::{cmp::Reverse, collections::BTreeMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TableName;

/// Where the rows of a database's tables lie at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The tables by what stays the same as long as a table is itself, whatever it is called.
    pub tables: BTreeMap<String, StoredTable>,
}

/// Where the rows of one table lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTable {
    /// What it is called.
    pub name: TableName,
    /// What holds its rows; another one, once they were all written anew. `None` for a table without rows of its own.
    pub file: Option<String>,
    /// The same of its indexes, by their names.
    pub indexes: BTreeMap<String, String>,
    /// Bytes of its rows and indexes, where the engine tells.
    pub bytes: Option<u64>,
}

/// The locks that an open transaction holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locks {
    /// All of them; several of one table, if it holds several.
    Held(Vec<Lock>),
    /// Nobody can say, and why.
    Unknown(String),
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The table by its key in [`Storage::tables`]; `None` for the whole database.
    pub table: Option<String>,
    /// The engine's name for it: `ACCESS EXCLUSIVE`.
    pub mode: String,
    /// Whom it keeps waiting.
    pub blocks: Blocks,
    /// Among locks that block the same, a higher number is a stronger lock.
    pub rank: u8,
    /// How long it was held, in milliseconds, where somebody noted since when.
    pub held_ms: Option<u64>,
}

/// Whom a lock keeps waiting, of those who read and write rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Nobody; only others who change the table's definition.
    Nobody,
    /// Who writes.
    Writers,
    /// Who writes, and who reads.
    ReadersAndWriters,
}

/// What a change left behind on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Footprint {
    /// The strongest lock that it held on each table that was there before, the strongest first.
    pub locks: Vec<LockHeld>,
    /// Why its locks are not known, where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks_unknown: Option<String>,
    /// The lines of statements that ran outside of any transaction, so that their locks are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<u64>,
    /// Who had to wait meanwhile, of two sessions that read and write all tables: the longest waiting of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waited: Vec<Waited>,
    /// Tables that were there before and after, and whose rows were all written anew (or taken away at once).
    pub rewritten: Vec<TableName>,
    /// Indexes of tables that were there before and after, and that were built anew under their old name.
    pub rebuilt: Vec<String>,
    /// Bytes of all tables and indexes before.
    pub bytes_before: Option<u64>,
    /// And after.
    pub bytes_after: Option<u64>,
}

/// How long another session was kept waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waited {
    /// The table that it waited for.
    pub table: TableName,
    /// Whether it wanted to write it; else to read it.
    pub is_write: bool,
    /// How long, in milliseconds.
    pub ms: u64,
}

/// A lock that was held on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockHeld {
    /// The table as it was called before; `None` for the whole database.
    pub table: Option<TableName>,
    /// The engine's name for it: `ACCESS EXCLUSIVE`.
    pub mode: String,
    /// Whom it kept waiting.
    pub blocks: Blocks,
    /// How long it was held, in milliseconds: from the beginning of the statement that took it to the end of the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<u64>,
}

impl Footprint {
    /// The footprint of what happened between two moments.
    pub fn of(before: &Storage, after: &Storage, locks: Locks) -> Self {
        let (locks, locks_unknown) = match locks {
            Locks::Held(locks) => (strongest(before, locks), None),
            Locks::Unknown(reason) => (Vec::new(), Some(reason)),
        };
        let mut footprint =
            Self { locks, locks_unknown, bytes_before: before.bytes(), bytes_after: after.bytes(), ..Self::default() };
        for (key, old) in &before.tables {
            let Some(new) = after.tables.get(key) else { continue };
            if old.file.is_some() && old.file != new.file {
                footprint.rewritten.push(old.name.clone());
            }
            let is_rebuilt = |(name, file): &(&String, &String)| new.indexes.get(*name).is_some_and(|new| new != *file);
            let rebuilt = old.indexes.iter().filter(is_rebuilt).map(|(name, _)| name.clone());
            footprint.rebuilt.extend(rebuilt);
        }
        footprint.rewritten.sort();
        footprint.rebuilt.sort();
        footprint
    }
}

/// The strongest lock on each table that was there before.
fn strongest(before: &Storage, locks: Vec<Lock>) -> Vec<LockHeld> {
    let mut held: Vec<(u8, LockHeld)> = Vec::new();
    for Lock { table, mode, blocks, rank, held_ms } in locks {
        let table = match table {
            Some(key) => match before.tables.get(&key) {
                Some(stored) => Some(stored.name.clone()),
                // Nobody else knows of a table that is just being made.
                None => continue,
            },
            None => None,
        };
        held.push((rank, LockHeld { table, mode, blocks, held_ms }));
    }
    held.sort_by(|(rank, lock), (other_rank, other)| {
        Reverse((lock.blocks, rank)).cmp(&Reverse((other.blocks, other_rank))).then(lock.table.cmp(&other.table))
    });
    let mut strongest: Vec<LockHeld> = Vec::new();
    for (_, lock) in held {
        if strongest.iter().all(|stronger| stronger.table != lock.table) {
            strongest.push(lock);
        }
    }
    strongest
}

impl Storage {
    /// Bytes of all tables; `None` if one does not tell.
    pub fn bytes(&self) -> Option<u64> {
        self.tables.values().map(|table| table.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(tables: &[(&str, &str, &str)]) -> Storage {
        let stored = |(key, name, file): &(&str, &str, &str)| {
            let file = Some((*file).to_owned());
            let indexes = BTreeMap::from([(format!("{name}_pkey"), format!("{key}i"))]);
            ((*key).to_owned(), StoredTable { name: TableName::new(*name), file, indexes, bytes: Some(10) })
        };
        Storage { tables: tables.iter().map(stored).collect() }
    }

    fn lock(table: Option<&str>, mode: &str, blocks: Blocks, rank: u8) -> Lock {
        Lock { table: table.map(str::to_owned), mode: mode.to_owned(), blocks, rank, held_ms: Some(rank.into()) }
    }

    #[test]
    fn only_what_was_there_before_counts() {
        let before =
            storage(&[("1", "kept", "a"), ("2", "renamed", "b"), ("3", "rewritten", "c"), ("4", "dropped", "d")]);
        let after = storage(&[("1", "kept", "a"), ("2", "called", "b"), ("3", "rewritten", "x"), ("5", "new", "e")]);
        let locks = vec![
            lock(Some("5"), "all", Blocks::ReadersAndWriters, 9),
            lock(Some("3"), "weak", Blocks::Nobody, 1),
            lock(Some("3"), "strong", Blocks::Writers, 5),
            lock(Some("3"), "stronger", Blocks::Writers, 6),
            lock(Some("4"), "all", Blocks::ReadersAndWriters, 9),
        ];
        let footprint = Footprint::of(&before, &after, Locks::Held(locks));
        let held: Vec<String> =
            footprint.locks.iter().map(|lock| format!("{} {}", lock.table.as_ref().unwrap(), lock.mode)).collect();
        assert_eq!(held, ["dropped all", "rewritten stronger"]);
        assert_eq!(footprint.locks[1].held_ms, Some(6), "of the strongest lock, and of no other");
        assert_eq!(footprint.rewritten, [TableName::new("rewritten")]);
        assert_eq!((footprint.bytes_before, footprint.bytes_after), (Some(40), Some(40)));
        assert_eq!(footprint.rebuilt, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_known_is_not_nothing() {
        let mut before = storage(&[("1", "t", "a")]);
        before.tables.get_mut("1").unwrap().bytes = None;
        let footprint = Footprint::of(&before, &storage(&[]), Locks::Unknown("nobody looked".to_owned()));
        assert_eq!(footprint.locks_unknown.as_deref(), Some("nobody looked"));
        assert_eq!((footprint.bytes_before, footprint.bytes_after), (None, Some(0)));
    }
}
