//! What can change in SQLite.

use super::changes::{Change, Changes};

pub(super) const CHANGES: Changes = Changes {
    engine: "sqlite",
    schema: "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL, word TEXT DEFAULT 'x');
             CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), body TEXT);
             CREATE INDEX notes_body ON notes (body);
             CREATE TRIGGER notes_touch AFTER INSERT ON notes BEGIN UPDATE users SET word = 'y'; END;
             CREATE VIEW loud AS SELECT upper(body) AS body FROM notes;
             CREATE TABLE small (k TEXT, v TEXT)",
    changes: &[
        Change {
            make: "ALTER TABLE small ADD COLUMN extra INT",
            undo: "ALTER TABLE small DROP COLUMN extra",
            classes: &["column", "order"],
        },
        Change {
            make: "ALTER TABLE small RENAME COLUMN v TO w",
            undo: "ALTER TABLE small RENAME COLUMN w TO v",
            classes: &["column", "order"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v INTEGER)",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT DEFAULT 'z')",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT NOT NULL)",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT COLLATE NOCASE)",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT AS (upper(k)))",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT, UNIQUE (k))",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["constraint"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT, CHECK (k <> v))",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["constraint"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT) STRICT",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["table"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT PRIMARY KEY, v TEXT)",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column", "constraint"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["column", "constraint", "table"],
        },
        Change {
            make: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT REFERENCES users (id))",
            undo: "DROP TABLE small; CREATE TABLE small (k TEXT, v TEXT)",
            classes: &["constraint"],
        },
        Change {
            make: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body DESC)",
            undo: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body)",
            classes: &["index"],
        },
        Change {
            make: "DROP INDEX notes_body; CREATE UNIQUE INDEX notes_body ON notes (body)",
            undo: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body)",
            classes: &["index"],
        },
        Change {
            make: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body) WHERE id > 5",
            undo: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body)",
            classes: &["index"],
        },
        Change {
            make: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (lower(body))",
            undo: "DROP INDEX notes_body; CREATE INDEX notes_body ON notes (body)",
            classes: &["index"],
        },
        Change {
            make: "DROP TRIGGER notes_touch;
                   CREATE TRIGGER notes_touch AFTER INSERT ON notes BEGIN UPDATE users SET word = 'z'; END",
            undo: "DROP TRIGGER notes_touch;
                   CREATE TRIGGER notes_touch AFTER INSERT ON notes BEGIN UPDATE users SET word = 'y'; END",
            classes: &["trigger"],
        },
        Change {
            make: "DROP VIEW loud; CREATE VIEW loud AS SELECT body FROM notes",
            undo: "DROP VIEW loud; CREATE VIEW loud AS SELECT upper(body) AS body FROM notes",
            classes: &["view"],
        },
        Change { make: "PRAGMA user_version = 7", undo: "PRAGMA user_version = 0", classes: &["setting"] },
        Change { make: "PRAGMA application_id = 7", undo: "PRAGMA application_id = 0", classes: &["setting"] },
        Change { make: "PRAGMA journal_mode = wal", undo: "PRAGMA journal_mode = delete", classes: &["setting"] },
        Change {
            make: "CREATE VIRTUAL TABLE words USING fts5 (w)",
            undo: "DROP TABLE words",
            classes: &["shadow table", "virtual table"],
        },
    ],
};
