//! What a rollback leaves, loses or changes, and what a second migration gives.

use super::{NOTHING, Planted};

const NO_TRACE: Planted = Planted { check: "no_trace", ..NOTHING };
const REAPPLY: Planted = Planted { check: "reapply", ..NOTHING };

pub const CASES: &[Planted] = &[
    Planted {
        check: "source",
        name: "the migration changes the source as it changes the target",
        source: "UPDATE users SET city = 'Linz' WHERE id = 4",
        target: "UPDATE users SET city = 'Linz' WHERE id = 4",
        finds: &["source baseline_differs source users.city 1"],
        ..NOTHING
    },
    Planted {
        check: "integrity",
        name: "an index of the source's file is not of its table's rows",
        source: "CREATE INDEX users_odd ON users (city); PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = 'CREATE INDEX users_odd ON users (last_name)' WHERE name = 'users_odd';
                 PRAGMA writable_schema = RESET",
        target: "CREATE INDEX users_odd ON users (last_name)",
        finds: &["integrity damaged source file:integrity_check 4"],
        ..NOTHING
    },
    Planted {
        name: "a row is left in the target",
        target: "INSERT INTO words VALUES ('left')",
        finds: &["no_trace rows_not_restored target words.word 1"],
        ..NO_TRACE
    },
    Planted {
        name: "rows without a key are doubled in another way",
        target: "UPDATE words SET word = 'c' WHERE word = 'b'",
        finds: &["no_trace rows_not_restored target words.word 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a row of the source is changed",
        source: "UPDATE users SET city = 'Linz' WHERE id = 4",
        finds: &["no_trace rows_not_restored source users.city 1", "no_trace trace_left source file:source 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a value has another type, which only the own form tells",
        source: "UPDATE spellings SET amount = CAST('20.0' AS BLOB) WHERE id = 2",
        finds: &["no_trace rows_not_restored source spellings.amount 1", "no_trace trace_left source file:source 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a column is brought back empty",
        target: "UPDATE users SET city = NULL",
        finds: &["no_trace rows_not_restored target users.city 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a byte of the source's file is changed",
        touch_file: true,
        finds: &["no_trace trace_left source file:source 1"],
        ..NO_TRACE
    },
    Planted {
        name: "an enum, a sequence and a function are left behind",
        target: "CREATE TYPE colour AS ENUM ('red'); CREATE SEQUENCE spare;
                 CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        finds: &[
            "no_trace trace_left target function:one() 1",
            "no_trace trace_left target sequence:spare 1",
            "no_trace trace_left target type:colour 1",
        ],
        ..NO_TRACE
    },
    Planted {
        name: "an enum has another label",
        target: "ALTER TYPE mood ADD VALUE 'middle' BEFORE 'high'",
        finds: &["no_trace object_changed target type:mood 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a function has another body",
        target: "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        finds: &["no_trace object_changed target function:touch() 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a trigger is left disabled",
        target: "ALTER TABLE users DISABLE TRIGGER users_touch",
        finds: &["no_trace object_changed target trigger:users.users_touch 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a grant is lost and another one left",
        target: "REVOKE SELECT ON posts FROM PUBLIC; GRANT SELECT ON words TO PUBLIC",
        finds: &["no_trace object_changed target table:posts 1", "no_trace object_changed target table:words 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a comment is changed",
        target: "COMMENT ON TABLE users IS 'persons'",
        finds: &["no_trace object_changed target comment:table public.users 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a policy is changed and row security is left on",
        target: "ALTER POLICY readers ON posts USING (false); ALTER TABLE posts ENABLE ROW LEVEL SECURITY",
        finds: &[
            "no_trace object_changed target policy:posts.readers 1",
            "no_trace object_changed target table:posts 1",
        ],
        ..NO_TRACE
    },
    Planted {
        name: "a view is lost",
        target: "DROP VIEW active_users",
        finds: &[
            "no_trace trace_lost target column:active_users.email 1",
            "no_trace trace_lost target column:active_users.id 1",
            "no_trace trace_lost target view:active_users 1",
        ],
        ..NO_TRACE
    },
    Planted {
        name: "an index is lost and a default changed",
        target: "DROP INDEX users_last_name; ALTER TABLE users ALTER COLUMN city SET DEFAULT 'Linz'",
        finds: &[
            "no_trace object_changed target column:users.city 1",
            "no_trace trace_lost target index:users.users_last_name 1",
        ],
        ..NO_TRACE
    },
    Planted {
        name: "a foreign key comes back NOT VALID",
        target: "ALTER TABLE posts DROP CONSTRAINT posts_editor_fkey;
                 ALTER TABLE posts ADD CONSTRAINT posts_editor_fkey FOREIGN KEY (editor) REFERENCES users NOT VALID",
        finds: &["no_trace object_changed target constraint:posts.posts_editor_fkey 1"],
        ..NO_TRACE
    },
    Planted {
        name: "columns come back in another order",
        target: "ALTER TABLE devices DROP COLUMN holder; ALTER TABLE devices ADD COLUMN holder uuid;
                 UPDATE devices SET holder = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        finds: &["no_trace warning column_order target order:devices 1"],
        ..NO_TRACE
    },
    Planted {
        name: "a sequence is ahead",
        target: "SELECT nextval('users_id_seq') FROM generate_series(1, 3)",
        finds: &["no_trace note sequence_moved target sequence:users_id_seq 3"],
        ..NO_TRACE
    },
    Planted {
        name: "a sequence is behind",
        target: "SELECT setval('users_id_seq', 2)",
        finds: &["no_trace sequence_moved target sequence:users_id_seq 2"],
        ..NO_TRACE
    },
    Planted {
        name: "an extension is left behind",
        target: "CREATE EXTENSION pgcrypto",
        finds: &[
            "no_trace warning trace_left target comment:extension pgcrypto 1",
            "no_trace warning trace_left target extension:pgcrypto 1",
        ],
        ..NO_TRACE
    },
    Planted {
        name: "a value is another one after the second migration",
        target: "UPDATE users SET seen_at = '2024-03-01 10:00:00.000001' WHERE id = 1",
        finds: &["reapply reapply_differs target users.seen_at 1"],
        ..REAPPLY
    },
    Planted {
        name: "a scale is another one after the second migration",
        target: "UPDATE spellings SET amount = 1.50 WHERE id = 1",
        finds: &["reapply reapply_differs target spellings.amount 1"],
        ..REAPPLY
    },
    Planted {
        name: "an index is not there after the second migration",
        target: "DROP INDEX users_last_name",
        finds: &["reapply reapply_differs target index:users.users_last_name 1"],
        ..REAPPLY
    },
];
