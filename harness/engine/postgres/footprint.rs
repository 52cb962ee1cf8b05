//! What a transaction holds and where rows lie.

use std::collections::BTreeMap;

use super::{queries::table_name, session::PostgresSession};
use crate::{
    engine::EngineError,
    model::footprint::{Blocks, Lock, Locks, Storage, StoredTable},
};

/// Locks of this very session on tables and what else is read like one. A table that the transaction dropped has no name
/// any more, and still its OID. The server's own tables have one below 16384.
const LOCKS: &str = "
SELECT l.relation::text, l.mode
FROM pg_catalog.pg_locks l
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

/// Tables with their indexes: OID, schema, name, file, bytes with those of indexes and of values kept outside the row;
/// behind these an index's name and file, where the row is an index's.
const STORED: &str = "
SELECT c.oid::text, n.nspname::text, c.relname::text, coalesce(pg_catalog.pg_relation_filenode(c.oid)::text, ''),
       coalesce(pg_catalog.pg_total_relation_size(c.oid), 0)::text, i.relname::text,
       coalesce(pg_catalog.pg_relation_filenode(i.oid)::text, '')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid
LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The lock modes of tables from the weakest to the strongest, with whom each keeps waiting: it conflicts with ROW EXCLUSIVE,
/// which every write takes, or also with ACCESS SHARE, which every read takes
/// (<https://www.postgresql.org/docs/current/explicit-locking.html>, table 13.2).
const MODES: &[(&str, &str, Blocks)] = &[
    ("AccessShareLock", "ACCESS SHARE", Blocks::Nobody),
    ("RowShareLock", "ROW SHARE", Blocks::Nobody),
    ("RowExclusiveLock", "ROW EXCLUSIVE", Blocks::Nobody),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE", Blocks::Nobody),
    ("ShareLock", "SHARE", Blocks::Writers),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE", Blocks::Writers),
    ("ExclusiveLock", "EXCLUSIVE", Blocks::Writers),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE", Blocks::ReadersAndWriters),
];

impl PostgresSession {
    /// The locks that the open transaction holds on tables.
    pub(super) async fn held_locks(&mut self) -> Result<Locks, EngineError> {
        let doing = "asking for locks";
        let mut locks = Vec::new();
        for row in self.texts(doing, LOCKS).await? {
            let [Some(table), Some(mode)]: [Option<String>; 2] = row.try_into().unwrap_or_default() else { continue };
            let Some(rank) = MODES.iter().position(|(name, ..)| *name == mode) else {
                let what = format!("`{mode}` is no lock on a table");
                return Err(EngineError::Unexpected { doing: doing.to_owned(), what });
            };
            let (_, mode, blocks) = MODES[rank];
            locks.push(Lock { table: Some(table), mode: mode.to_owned(), blocks, rank: rank as u8, held_ms: None });
        }
        Ok(Locks::Held(locks))
    }

    /// Where the rows of all tables lie.
    pub(super) async fn where_rows_lie(&mut self) -> Result<Storage, EngineError> {
        let mut storage = Storage::default();
        for row in self.texts("asking where rows lie", STORED).await? {
            let [Some(oid), Some(schema), Some(name), Some(file), Some(bytes), index, Some(index_file)]: [Option<
                String,
            >;
                7] = row.try_into().unwrap_or_default()
            else {
                continue;
            };
            let table = storage.tables.entry(oid).or_insert_with(|| StoredTable {
                name: table_name(schema, name),
                file: Some(file).filter(|file| !file.is_empty()),
                indexes: BTreeMap::new(),
                bytes: bytes.parse().ok(),
            });
            table.indexes.extend(index.map(|index| (index, index_file)));
        }
        Ok(storage)
    }
}
