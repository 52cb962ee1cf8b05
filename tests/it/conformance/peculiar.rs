//! Types and values that only one engine has, made by its own SQL and read as cells.

use super::{Place, rows};

/// An engine, statements that make the table `peculiar` and fill it, and its rows.
type Peculiar = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

const ONES: &str = "Bits 1111111111111111111111111111111111111111111111111111111111111111";

const ALL: &[Peculiar] = &[
    (
        "mariadb",
        &[
            "CREATE TABLE peculiar (n INT PRIMARY KEY, big BIGINT UNSIGNED, truth BOOLEAN, small TINYINT UNSIGNED ZEROFILL,
               flags BIT(5), many BIT(64), born YEAR, mood ENUM('sad', 'it''s'), tags SET('a', 'b', 'c'), address INET6)",
            "INSERT INTO peculiar VALUES
               (1, 18446744073709551615, 2, 7, b'00101', 18446744073709551615, 2024, 'it''s', 'c,a', '::1'),
               (2, 9223372036854775807, -1, 255, 0, 1, 0, 'sad', '', '1:2::3')",
        ],
        &[
            &[
                "Integer 1",
                "Decimal 18446744073709551615",
                "Integer 2",
                "Integer 7",
                "Bits 00101",
                ONES,
                "Integer 2024",
                "Label it's",
                "Text a,c",
                "Network ::1",
            ],
            &[
                "Integer 2",
                "Integer 9223372036854775807",
                "Integer -1",
                "Integer 255",
                "Bits 00000",
                "Bits 0000000000000000000000000000000000000000000000000000000000000001",
                "Integer 0",
                "Label sad",
                "Text ",
                "Network 1:2::3",
            ],
        ],
    ),
    // Days that are none, and times that no clock shows.
    (
        "mariadb",
        &[
            "CREATE TABLE peculiar (n INT PRIMARY KEY, d DATE, t TIME(3), dt DATETIME(6), ts TIMESTAMP NULL, plain DATETIME)",
            "INSERT INTO peculiar VALUES
               (1, '0000-00-00', '838:59:59', '0000-00-00', '0000-00-00', '0009-01-02 03:04:05'),
               (2, '2024-02-00', '-25:00:00.5', '2024-00-15 01:02:03.000004', NULL, NULL)",
            "SET time_zone = '-05:00'",
            "INSERT INTO peculiar VALUES (3, '9999-12-31', '24:00:00', '2024-01-01', '2024-01-01', '2024-01-01')",
            "SET time_zone = '+00:00'",
        ],
        &[
            &[
                "Integer 1",
                "Text 0000-00-00",
                "Interval 838:59:59",
                "Text 0000-00-00 00:00:00",
                "Text 0000-00-00 00:00:00",
                "Timestamp 0009-01-02 03:04:05",
            ],
            &["Integer 2", "Text 2024-02-00", "Interval -25:00:00.5", "Text 2024-00-15 01:02:03.000004", "Null", "Null"],
            &[
                "Integer 3",
                "Date 9999-12-31",
                "Time 24:00:00",
                "Timestamp 2024-01-01 00:00:00",
                "TimestampTz 2024-01-01 05:00:00+00",
                "Timestamp 2024-01-01 00:00:00",
            ],
        ],
    ),
    // Texts of other character sets come as UTF-8, JSON as it was written, bytes with their padding.
    (
        "mariadb",
        &[
            "CREATE TABLE peculiar (n INT PRIMARY KEY, old TEXT CHARACTER SET latin1, wide TEXT CHARACTER SET utf16,
               fixed CHAR(5), raw BINARY(3), doc JSON, place POINT, nothing TEXT COLLATE utf8mb4_general_ci)",
            "INSERT INTO peculiar VALUES (1, '\u{20ac}\u{e9}', '\u{1f600}', 'ab ', 'a', '{\"b\": 1,  \"b\": 1.0}', POINT(1, 2), '')",
        ],
        &[&[
            "Integer 1",
            "Text \u{20ac}\u{e9}",
            "Text \u{1f600}",
            "Text ab",
            "Bytes \\x610000",
            "Json {\"b\": 1,  \"b\": 1.0}",
            "Opaque \\x000000000101000000000000000000f03f0000000000000040",
            "Text ",
        ]],
    ),
];

pub(super) async fn values_that_one_engine_has_are_read(place: &Place) {
    for (_, statements, expected) in ALL.iter().filter(|(id, ..)| *id == place.engine.id()) {
        let mut session = place.open().await;
        for statement in *statements {
            session.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        let table = session.introspect().await.unwrap().tables.remove(&"peculiar".parse().unwrap()).unwrap();
        assert_eq!(rows::scan(session.as_mut(), &table).await, *expected);
        session.close().await.unwrap();
    }
}
