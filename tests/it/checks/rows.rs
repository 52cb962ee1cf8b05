//! Defects in the rows: lost, doubled, changed, NULL, no longer unique.

use super::{NOTHING, Planted};

const ROW_COUNT: Planted = Planted { check: "row_count", ..NOTHING };
const CHECKSUM: Planted = Planted { check: "checksum", ..NOTHING };
const NOT_NULL: Planted = Planted { check: "not_null", ..NOTHING };
const UNIQUE: Planted = Planted { check: "unique", ..NOTHING };

const ACCOUNTED: Planted = Planted { check: "accounted", ..NOTHING };
const MAPPING: Planted = Planted { check: "mapping", ..NOTHING };

pub const CASES: &[Planted] = &[
    Planted {
        name: "a row that a mapping carries is nowhere",
        copied: Some("posts"),
        target: "DELETE FROM posts WHERE id = 3",
        finds: &[
            "accounted count_differs target posts 1",
            "row_count count_differs target posts 1",
            "checksum missing_row target posts 1 [id=\"3\"]",
        ],
        ..ACCOUNTED
    },
    Planted { name: "a value that is mapped is in the rows", values: &[("users", "city", "Graz")], ..MAPPING },
    Planted {
        name: "a value that is mapped is in no row",
        values: &[("users", "city", "graz")],
        finds: &["mapping rule_unused source mapping.toml:7: compare[0].columns 1"],
        ..MAPPING
    },
    Planted {
        name: "a row is dropped from the target",
        target: "DELETE FROM posts WHERE id = 3",
        finds: &["row_count count_differs target posts 1", "checksum missing_row target posts 1 [id=\"3\"]"],
        ..ROW_COUNT
    },
    Planted {
        name: "more rows are dropped than a sample shows, which has the total all the same",
        source: "INSERT INTO posts SELECT id + 10, author, editor, title FROM posts UNION ALL SELECT 20, 1, 1, 'z'
                 UNION ALL SELECT 21, 1, 1, 'z'",
        target: "INSERT INTO posts VALUES (20, 1, 1, 'z'); ALTER TABLE posts ALTER COLUMN id RESTART WITH 30",
        finds: &[
            "row_count count_differs target posts 4",
            "checksum missing_row target posts 4 [id=\"12\"; id=\"13\"; id=\"21\"]",
        ],
        ..ROW_COUNT
    },
    Planted {
        name: "a table is emptied",
        target: "DELETE FROM words",
        finds: &[
            "row_count count_differs target words 3",
            "checksum missing_row target words 3 [word=\"a\"; word=\"b\"; word=\"b\"]",
        ],
        ..ROW_COUNT
    },
    Planted {
        name: "a row is only in the target",
        target: "INSERT INTO devices VALUES ('00000000-0000-0000-0000-000000000000', NULL, NULL, 'X3')",
        finds: &[
            "row_count count_differs target devices 1",
            "checksum extraneous_row target devices 1 [id=\"00000000-0000-0000-0000-000000000000\"]",
        ],
        ..ROW_COUNT
    },
    Planted {
        name: "one row lost and another one gained",
        target: "DELETE FROM posts WHERE id = 3; INSERT INTO posts VALUES (0, 1, NULL, 'Zero')",
        finds: &["checksum missing_row target posts 1 [id=\"3\"]", "checksum extraneous_row target posts 1 [id=\"0\"]"],
        ..CHECKSUM
    },
    Planted {
        name: "rows without a key doubled in another way: a, b, b and a, c, c",
        target: "UPDATE words SET word = 'c' WHERE word = 'b'",
        finds: &[
            "checksum missing_row target words 2 [word=\"b\"; word=\"b\"]",
            "checksum extraneous_row target words 2 [word=\"c\"; word=\"c\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "one byte of a text is changed",
        target: "UPDATE users SET last_name = 'Lovelade' WHERE id = 1",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.last_name 1 [id=\"1\" last_name: \"Lovelace\" -> \"Lovelade\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "NULL and the empty text are swapped",
        target: "UPDATE users SET last_name = '', city = NULL WHERE id = 3",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.last_name 1 [id=\"3\" last_name: NULL -> \"\"]",
            "checksum changed_value target users.city 1 [id=\"3\" city: \"\" -> NULL]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "the word NULL stands for NULL",
        target: "UPDATE users SET last_name = 'NULL' WHERE id = 3",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.last_name 1 [id=\"3\" last_name: NULL -> \"NULL\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "instants are shifted by an hour",
        target: "UPDATE spellings SET seen = seen + interval '1 hour'",
        finds: &[
            "checksum changed_row target spellings 2",
            "checksum changed_value target spellings.seen 2 \
             [id=\"1\" seen: \"2024-03-01 10:00:00+00\" -> \"2024-03-01 11:00:00+00\"; \
             id=\"2\" seen: \"2024-03-02 10:00:00+00\" -> \"2024-03-02 11:00:00+00\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "a fraction of a second is cut off",
        target: "UPDATE users SET seen_at = date_trunc('second', seen_at)",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.seen_at 1 \
             [id=\"2\" seen_at: \"2024-03-02 10:00:00.5\" -> \"2024-03-02 10:00:00\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "a value is rounded",
        target: "UPDATE users SET balance = round(balance, 1) WHERE id < 3",
        finds: &[
            "checksum changed_row target users 2",
            "checksum changed_value target users.balance 2 \
             [id=\"1\" balance: \"10.25\" -> \"10.30\"; id=\"2\" balance: \"99.99\" -> \"100.00\"]",
        ],
        ledger: &["target users.balance number at value: 2"],
        ..CHECKSUM
    },
    Planted {
        name: "0.1 + 0.2 became 0.3",
        target: "UPDATE users SET score = 0.3 WHERE id = 2",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.score 1 [id=\"2\" score: \"0.30000000000000004\" -> \"0.3\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "two columns of one type are swapped",
        target: "UPDATE users SET first_name = last_name, last_name = first_name WHERE id < 3",
        finds: &[
            "checksum changed_row target users 2",
            "checksum changed_value target users.first_name 2 \
             [id=\"1\" first_name: \"Ada\" -> \"Lovelace\"; id=\"2\" first_name: \"Grace\" -> \"Hopper\"]",
            "checksum changed_value target users.last_name 2 \
             [id=\"1\" last_name: \"Lovelace\" -> \"Ada\"; id=\"2\" last_name: \"Hopper\" -> \"Grace\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "the values of two rows are swapped",
        target: "UPDATE devices SET serial = CASE serial WHEN 'X1' THEN 'X2' ELSE 'X1' END",
        finds: &[
            "checksum changed_row target devices 2",
            "checksum changed_value target devices.serial 2 \
             [id=\"550e8400-e29b-41d4-a716-446655440000\" serial: \"X1\" -> \"X2\"; \
             id=\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" serial: \"X2\" -> \"X1\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "a trailing space is lost",
        target: "UPDATE users SET first_name = rtrim(first_name)",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.first_name 1 [id=\"4\" first_name: \"Ed \" -> \"Ed\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "one character became two: NFC and NFD",
        target: "UPDATE users SET first_name = normalize(first_name, NFD)",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.first_name 1 [id=\"3\" first_name: \"Zoë\" -> \"Zoe\\u{308}\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "a boolean of the source is 2",
        source: "UPDATE users SET is_active = 2 WHERE id = 1",
        finds: &[
            "checksum changed_row target users 1",
            "checksum changed_value target users.is_active 1 [id=\"1\" is_active: \"2\" -> \"true\"]",
        ],
        ledger: &["source users.is_active as stored where unfit for boolean: 1"],
        ..CHECKSUM
    },
    Planted {
        name: "a member of a document is lost",
        target: "UPDATE spellings SET document = document - 'bb' WHERE id = 2",
        finds: &[
            "checksum changed_row target spellings 1",
            "checksum changed_value target spellings.document 1 \
             [id=\"2\" document: \"{\\\"a\\\": 2, \\\"bb\\\": []}\" -> \"{\\\"a\\\": 2}\"]",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "all other spellings of the same values are accepted and counted",
        source: "UPDATE spellings SET token = '{' || upper(token) || '}', seen = '2024-03-01T12:30:00.000+02:30',
                 flag = 't', amount = '1.50', document = '{\"bb\": [2.0], \"a\": 1}' WHERE id = 1;
                 UPDATE spellings SET token = replace(token, '-', ''), flag = 'no', document = '{\"a\":2,\"bb\":[]}'
                 WHERE id = 2",
        ledger: &[
            "source spellings.token uuid from text or bytes: 2",
            "source spellings.seen instant at microseconds in UTC: 1",
            "source spellings.flag boolean from number or text: 2",
            "source spellings.amount number at value: 1",
            "source spellings.document json by value: 1",
        ],
        ..CHECKSUM
    },
    Planted {
        name: "NOT NULL is dropped and a value is NULL",
        target: "ALTER TABLE posts ALTER COLUMN title DROP NOT NULL; UPDATE posts SET title = NULL WHERE id < 3",
        finds: &[
            "not_null null_value target posts.title 2",
            "schema object_missing target constraint:posts.title (NOT NULL) 1",
            "checksum changed_row target posts 2",
            "checksum changed_value target posts.title 2 \
             [id=\"1\" title: \"Notes\" -> NULL; id=\"2\" title: \"A compiler\" -> NULL]",
        ],
        ..NOT_NULL
    },
    Planted {
        name: "a row is doubled after its key was dropped",
        target: "ALTER TABLE devices DROP CONSTRAINT devices_pkey;
                 INSERT INTO devices SELECT * FROM devices WHERE serial = 'X1'",
        finds: &[
            "unique duplicate_key target devices.id 1 [id=\"550e8400-e29b-41d4-a716-446655440000\"]",
            "row_count count_differs target devices 1",
            "schema object_missing target constraint:devices (PRIMARY KEY) 1",
            "checksum extraneous_row target devices 1 [id=\"550e8400-e29b-41d4-a716-446655440000\"]",
        ],
        ..UNIQUE
    },
    Planted {
        name: "a unique constraint is dropped and two rows have one value",
        target: "ALTER TABLE users DROP CONSTRAINT users_email_key; UPDATE users SET email = 'ada@example.org'",
        finds: &[
            "unique duplicate_key target users.email 3 [email=\"ada@example.org\"]",
            "schema object_missing target constraint:users (UNIQUE) 1",
            "checksum changed_row target users 3",
            "checksum changed_value target users.email 3 \
             [id=\"2\" email: \"grace@example.org\" -> \"ada@example.org\"; \
             id=\"3\" email: \"zoe@example.org\" -> \"ada@example.org\"; \
             id=\"4\" email: \"ed@example.org\" -> \"ada@example.org\"]",
        ],
        ..UNIQUE
    },
];
