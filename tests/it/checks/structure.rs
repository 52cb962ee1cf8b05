//! Defects in what stands around the rows: schema, references, UUIDs, sequences.

use super::{NOTHING, Planted};

const SCHEMA: Planted = Planted { check: "schema", ..NOTHING };
const FOREIGN_KEY: Planted = Planted { check: "foreign_key", ..NOTHING };
const ORPHAN: Planted = Planted { check: "orphan", ..NOTHING };
const UUID_TYPE: Planted = Planted { check: "uuid_type", ..NOTHING };
const SEQUENCE: Planted = Planted { check: "sequence", ..NOTHING };

pub const CASES: &[Planted] = &[
    Planted {
        name: "a table is dropped",
        target: "DROP TABLE words",
        finds: &["schema table_missing source words 1"],
        ..SCHEMA
    },
    Planted {
        name: "a column is dropped",
        target: "ALTER TABLE devices DROP COLUMN serial",
        finds: &["schema column_missing source devices.serial 1"],
        ..SCHEMA
    },
    Planted {
        name: "an index is dropped",
        target: "DROP INDEX users_last_name",
        finds: &["schema object_missing target index:users.users_last_name 1"],
        ..SCHEMA
    },
    Planted {
        name: "an index is left invalid",
        target: "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_last_name'::regclass",
        finds: &["schema index_invalid target index:users.users_last_name 1"],
        ..SCHEMA
    },
    Planted {
        name: "an index is over another column",
        target: "DROP INDEX users_last_name; CREATE INDEX users_last_name ON users (first_name)",
        finds: &[
            "schema object_missing target index:users.users_last_name 1",
            "schema note object_extra target index:users.users_last_name 1",
        ],
        ..SCHEMA
    },
    Planted {
        name: "an index over an expression is over another one",
        source: "CREATE INDEX users_folded ON users (lower(city))",
        target: "CREATE INDEX users_folded ON users (md5(city))",
        finds: &["schema warning object_changed target index:users.users_folded 1"],
        ..SCHEMA
    },
    Planted {
        name: "an index over an expression is carried over",
        source: "CREATE INDEX users_folded ON users (lower(email), city DESC) WHERE (score IS NOT NULL)",
        target: "CREATE INDEX users_folded ON users (lower(email), city DESC) WHERE score IS NOT NULL",
        ..SCHEMA
    },
    Planted {
        name: "a unique constraint is dropped",
        target: "ALTER TABLE users DROP CONSTRAINT users_email_key",
        finds: &["schema object_missing target constraint:users (UNIQUE) 1"],
        ..SCHEMA
    },
    Planted {
        name: "a primary key is dropped",
        target: "ALTER TABLE spellings DROP CONSTRAINT spellings_pkey",
        finds: &["schema object_missing target constraint:spellings (PRIMARY KEY) 1"],
        ..SCHEMA
    },
    Planted {
        name: "NOT NULL is dropped",
        target: "ALTER TABLE posts ALTER COLUMN title DROP NOT NULL",
        finds: &["schema object_missing target constraint:posts.title (NOT NULL) 1"],
        ..SCHEMA
    },
    Planted {
        name: "a default is lost",
        target: "ALTER TABLE users ALTER COLUMN city DROP DEFAULT",
        finds: &["schema object_missing target default:users.city 1"],
        ..SCHEMA
    },
    Planted {
        name: "an index over some rows is over all of them",
        source: "CREATE INDEX posts_edited ON posts (title) WHERE editor IS NOT NULL",
        target: "CREATE INDEX posts_edited ON posts (title)",
        finds: &["schema note object_changed target index:posts.posts_edited 1"],
        ..SCHEMA
    },
    Planted {
        name: "a default is another",
        target: "ALTER TABLE users ALTER COLUMN city SET DEFAULT 'Graz', ALTER COLUMN is_active SET DEFAULT false",
        finds: &[
            "schema object_changed target default:users.city 1",
            "schema object_changed target default:users.is_active 1",
        ],
        ..SCHEMA
    },
    Planted {
        name: "columns, keys and CHECKs that only the target has",
        target: "ALTER TABLE users ADD COLUMN extra int, ADD COLUMN given int NOT NULL DEFAULT 7;
                 ALTER TABLE users ALTER COLUMN given DROP DEFAULT; ALTER TABLE devices ADD UNIQUE (serial);
                 ALTER TABLE words ADD CHECK (word <> ''); CREATE INDEX ON posts (title); CREATE TABLE more ()",
        finds: &[
            "schema note column_extra target users.extra 1",
            "schema warning column_extra target users.given 1",
            "schema warning object_extra target constraint:devices (UNIQUE) 1",
            "schema warning object_extra target constraint:words (CHECK) 1",
            "schema note object_extra target index:posts.posts_title_idx 1",
            "schema note object_extra target more 1",
        ],
        ..SCHEMA
    },
    Planted {
        name: "a trigger is left disabled, and so are those that keep a foreign key; a table is UNLOGGED",
        target: "ALTER TABLE users DISABLE TRIGGER users_touch; ALTER TABLE posts DISABLE TRIGGER ALL;
                 ALTER TABLE words SET UNLOGGED",
        finds: &[
            "schema warning left_disabled target trigger:users.users_touch 1",
            "schema left_disabled target constraint:posts.posts_author_fkey 1",
            "schema left_disabled target constraint:posts.posts_editor_fkey 1",
            "schema warning not_durable target table:words 1",
        ],
        ..SCHEMA
    },
    Planted {
        name: "a CHECK is not there",
        source: "ALTER TABLE words ADD COLUMN weight INTEGER CHECK (weight > 0)",
        target: "ALTER TABLE words ADD COLUMN weight bigint",
        finds: &["schema warning object_missing target constraint:words (CHECK) 1"],
        ..SCHEMA
    },
    Planted {
        name: "a view and a trigger are not carried over",
        source: "CREATE VIEW people AS SELECT email FROM users;
                 CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN DELETE FROM words; END",
        finds: &[
            "schema warning not_carried source view:people 1",
            "schema warning not_carried source trigger:users_gone 1",
        ],
        ..SCHEMA
    },
    Planted {
        name: "the migration names what it does not carry over, and it is told once",
        source: "CREATE VIEW people AS SELECT email FROM users",
        left: &[("view:people", "SQLite's views speak its own dialect")],
        finds: &["schema warning not_carried source view:people 1"],
        ..SCHEMA
    },
    Planted {
        name: "a foreign key is dropped",
        target: "ALTER TABLE posts DROP CONSTRAINT posts_editor_fkey",
        finds: &["foreign_key foreign_key_missing target posts.editor 1"],
        ..FOREIGN_KEY
    },
    Planted {
        name: "a foreign key is NOT VALID",
        target: "ALTER TABLE posts DROP CONSTRAINT posts_editor_fkey;
                 ALTER TABLE posts ADD CONSTRAINT posts_editor_fkey FOREIGN KEY (editor) REFERENCES users NOT VALID",
        finds: &["foreign_key foreign_key_not_validated target posts.editor 1"],
        ..FOREIGN_KEY
    },
    Planted {
        name: "ON DELETE CASCADE is lost",
        target: "ALTER TABLE posts DROP CONSTRAINT posts_author_fkey;
                 ALTER TABLE posts ADD FOREIGN KEY (author) REFERENCES users",
        finds: &["foreign_key foreign_key_changed target posts.author 1"],
        ..FOREIGN_KEY
    },
    Planted {
        name: "a foreign key refers to another table",
        source: "CREATE TABLE people (id INTEGER PRIMARY KEY)",
        target: "CREATE TABLE people (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);
                 ALTER TABLE posts DROP CONSTRAINT posts_editor_fkey;
                 ALTER TABLE posts ADD FOREIGN KEY (editor) REFERENCES people NOT VALID",
        finds: &[
            "foreign_key foreign_key_missing target posts.editor 1",
            "foreign_key note foreign_key_extra target posts.editor 1",
            "foreign_key foreign_key_not_validated target posts.editor 1",
            "orphan orphan target posts.editor 2 [editor=\"1\"; editor=\"2\"]",
        ],
        ..FOREIGN_KEY
    },
    Planted {
        name: "an orphan behind a foreign key that is declared and validated",
        source: "UPDATE posts SET author = 99 WHERE id = 1",
        target: "SET session_replication_role = replica; UPDATE posts SET author = 99 WHERE id = 1",
        finds: &["orphan orphan target posts.author 1 [author=\"99\"]"],
        ..ORPHAN
    },
    Planted {
        name: "a parent is deleted from the target alone, behind the foreign keys' backs",
        target: "SET session_replication_role = replica; DELETE FROM users WHERE id = 2",
        finds: &[
            "orphan orphan target posts.author 2 [author=\"2\"]",
            "orphan orphan target posts.editor 1 [editor=\"2\"]",
            "row_count count_differs target users 1",
            "checksum missing_row target users 1 [id=\"2\"]",
        ],
        ..ORPHAN
    },
    Planted {
        name: "an orphan of a reference that only the source declares",
        source: "UPDATE posts SET editor = 98 WHERE id = 3",
        target: "ALTER TABLE posts DROP CONSTRAINT posts_editor_fkey; UPDATE posts SET editor = 98 WHERE id = 3",
        finds: &[
            "orphan orphan target posts.editor 1 [editor=\"98\"]",
            "foreign_key foreign_key_missing target posts.editor 1",
        ],
        ..ORPHAN
    },
    Planted {
        name: "an orphan of a reference that only a name suggests",
        source: "CREATE TABLE items (n INTEGER, user_id INTEGER);
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20)
                 INSERT INTO items SELECT n, CASE n WHEN 7 THEN 99 ELSE 1 + n % 4 END FROM n",
        target: "CREATE TABLE items (n bigint, user_id bigint);
                 INSERT INTO items SELECT n, CASE n WHEN 7 THEN 99 ELSE 1 + n % 4 END FROM generate_series(1, 20) n",
        finds: &["orphan warning orphan_inferred target items.user_id 1 [user_id=\"99\"]"],
        ..ORPHAN
    },
    Planted {
        name: "a name that suggests a reference, and values that do not",
        source: "CREATE TABLE items (n INTEGER, user_id INTEGER); INSERT INTO items VALUES (1, 1), (2, 99), (3, 98)",
        target: "CREATE TABLE items (n bigint, user_id bigint); INSERT INTO items VALUES (1, 1), (2, 99), (3, 98)",
        ..ORPHAN
    },
    Planted {
        name: "a UUID in upper case beside the same one in lower case",
        source: "UPDATE devices SET holder = upper(holder) WHERE serial = 'X2'",
        finds: &["uuid_type uuid_spelling source devices.holder 1 \
             [holder=\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\" holder=\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"]"],
        ledger: &["source devices.holder uuid from text or bytes: 1"],
        ..UUID_TYPE
    },
    Planted {
        name: "a UUID column is text in the target, with two spellings of one UUID",
        target: "ALTER TABLE devices ALTER COLUMN holder TYPE text;
                 UPDATE devices SET holder = replace(holder, '-', '') WHERE serial = 'X2'",
        finds: &[
            "uuid_type uuid_not_native target devices.holder 2",
            "uuid_type uuid_spelling target devices.holder 1 \
             [holder=\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\" holder=\"a0eebc999c0b4ef8bb6d6bb9bd380a11\"]",
        ],
        ledger: &["target devices.holder uuid from text or bytes: 1"],
        ..UUID_TYPE
    },
    Planted {
        name: "a UUID in bytes beside the same one in text",
        source: "UPDATE devices SET holder = x'a0eebc999c0b4ef8bb6d6bb9bd380a11' WHERE serial = 'X2'",
        finds: &["uuid_type uuid_spelling source devices.holder 1 \
             [holder=\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\" holder=\"x'A0EEBC999C0B4EF8BB6D6BB9BD380A11'\"]"],
        ..UUID_TYPE
    },
    Planted {
        name: "text that is no UUID in a UUID column",
        source: "UPDATE devices SET holder = '550e8400-e29b-41d4-a716-44665544000g' WHERE serial = 'X2'",
        target: "ALTER TABLE devices ALTER COLUMN holder TYPE text;
                 UPDATE devices SET holder = '550e8400-e29b-41d4-a716-44665544000g' WHERE serial = 'X2'",
        finds: &[
            "uuid_type uuid_invalid source devices.holder 1",
            "uuid_type uuid_invalid target devices.holder 1",
            "uuid_type uuid_not_native target devices.holder 1",
        ],
        ledger: &[
            "source devices.holder as stored where unfit for uuid: 1",
            "target devices.holder as stored where unfit for uuid: 1",
        ],
        ..UUID_TYPE
    },
    Planted {
        name: "a scenario says that text holds UUIDs, and the target has text",
        source: "UPDATE devices SET ticket = id",
        target: "UPDATE devices SET ticket = id::text",
        stated: &[("devices", "ticket", "uuid")],
        finds: &["uuid_type uuid_not_native target devices.ticket 2"],
        ..UUID_TYPE
    },
    Planted {
        name: "text that nobody calls UUIDs holds nothing else",
        source: "UPDATE devices SET ticket = id",
        target: "UPDATE devices SET ticket = id::text",
        finds: &["uuid_type note uuid_not_native target devices.ticket 2"],
        ..UUID_TYPE
    },
    Planted {
        name: "a sequence is set back",
        target: "SELECT setval('users_id_seq', 1, false)",
        finds: &["sequence sequence_behind target users.id 4"],
        ..SEQUENCE
    },
    Planted {
        name: "a sequence stands on the largest key",
        target: "SELECT setval('users_id_seq', 4, false)",
        finds: &["sequence sequence_behind target users.id 1"],
        ..SEQUENCE
    },
    Planted {
        name: "a sequence that no column owns is behind",
        source: "INSERT INTO posts VALUES (8, 1, 1, 'Later')",
        target: "ALTER TABLE posts ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE post_ids START 7;
                 ALTER TABLE posts ALTER COLUMN id SET DEFAULT nextval('post_ids');
                 INSERT INTO posts VALUES (8, 1, 1, 'Later')",
        finds: &["sequence sequence_behind target posts.id 2"],
        ..SEQUENCE
    },
    Planted {
        name: "a sequence has no value left",
        source: "INSERT INTO posts VALUES (2147483647, 1, 1, 'Last')",
        target: "INSERT INTO posts VALUES (2147483647, 1, 1, 'Last');
                 ALTER TABLE posts ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE post_ids AS integer;
                 ALTER TABLE posts ALTER COLUMN id SET DEFAULT nextval('post_ids');
                 SELECT setval('post_ids', 2147483647)",
        finds: &["sequence sequence_exhausted target posts.id 1"],
        ..SEQUENCE
    },
    Planted {
        name: "a column is of a type that ends before its sequence",
        source: "INSERT INTO posts VALUES (2147483000, 1, 1, 'Nearly the last')",
        target: "INSERT INTO posts VALUES (2147483000, 1, 1, 'Nearly the last');
                 ALTER TABLE posts ALTER COLUMN id DROP IDENTITY; ALTER TABLE posts ALTER COLUMN id TYPE integer;
                 CREATE SEQUENCE post_ids START 2147483001;
                 ALTER TABLE posts ALTER COLUMN id SET DEFAULT nextval('post_ids')",
        finds: &["sequence warning sequence_near_end target posts.id 1"],
        ..SEQUENCE
    },
    Planted {
        name: "a sequence counts down and is behind",
        source: "INSERT INTO posts VALUES (-5, 1, 1, 'Below')",
        target: "INSERT INTO posts VALUES (-5, 1, 1, 'Below');
                 ALTER TABLE posts ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE post_ids INCREMENT -1;
                 ALTER TABLE posts ALTER COLUMN id SET DEFAULT nextval('post_ids')",
        finds: &["sequence sequence_behind target posts.id 5"],
        ..SEQUENCE
    },
    Planted {
        name: "rows were deleted in the source, and the target would give their numbers again",
        source: "INSERT INTO posts VALUES (50, 1, 1, 'Gone'); DELETE FROM posts WHERE id = 50",
        finds: &["sequence warning sequence_gives_again target sequence:posts_id_seq 47"],
        ..SEQUENCE
    },
    Planted {
        name: "one sequence feeds two tables, and is behind one of them",
        target: "CREATE SEQUENCE both_ids START 4; ALTER TABLE posts ALTER COLUMN id DROP IDENTITY;
                 ALTER TABLE users ALTER COLUMN id DROP IDENTITY;
                 ALTER TABLE posts ALTER COLUMN id SET DEFAULT nextval('both_ids');
                 ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('both_ids')",
        finds: &["sequence sequence_behind target users.id 1"],
        ..SEQUENCE
    },
    Planted {
        name: "an identity is dropped",
        target: "ALTER TABLE users ALTER COLUMN id DROP IDENTITY",
        finds: &["sequence sequence_missing target users.id 1"],
        ..SEQUENCE
    },
];
