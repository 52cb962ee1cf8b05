//! Keys that are no texts.

use super::*;

on_each!(other_kinds_go_there_and_back);

/// Name, the key's type, the reference's, a value by a number, what else is said of the table, and the seventh key's UUID.
const KINDS: &[(&str, &str, &str, &str, &str, &str)] = &[
    (
        "bytes",
        "binary(16)",
        "binary(16) NOT NULL",
        "UNHEX(INSERT(MD5(seq), 17, 1, 'a'))",
        "",
        "8f14e45f-ceea-167a-aa36-dedd4bea2543",
    ),
    (
        "blobs",
        "varbinary(20)",
        "varbinary(20)",
        "UNHEX(INSERT(MD5(seq), 17, 1, 'a'))",
        "",
        "8f14e45f-ceea-167a-aa36-dedd4bea2543",
    ),
    (
        "padded",
        "char(36) CHARACTER SET ascii",
        "char(36) CHARACTER SET ascii",
        "INSERT(MD5(seq), 17, 1, 'a')",
        "",
        "8f14e45f-ceea-167a-aa36-dedd4bea2543",
    ),
    (
        "binary_texts",
        "varchar(36) COLLATE utf8mb4_bin",
        "varchar(36) COLLATE utf8mb4_bin",
        "CAST(CAST(INSERT(MD5(seq), 17, 1, 'a') AS uuid) AS char)",
        "",
        "8f14e45f-ceea-167a-aa36-dedd4bea2543",
    ),
    ("counted", "bigint AUTO_INCREMENT", "bigint NOT NULL", "seq", "AUTO_INCREMENT = 4711", ""),
    ("large", "bigint unsigned", "bigint unsigned", "seq + 18446744073709551000", "", "18446744073709551007"),
    ("filled", "int(6) unsigned zerofill", "int(6) unsigned zerofill NOT NULL", "seq", "", ""),
];

async fn other_kinds_go_there_and_back(home: &Home) {
    for (name, key, reference, value, option, seventh) in KINDS {
        let address = home
            .database(
                name,
                &format!(
                    "CREATE TABLE users (id {key} PRIMARY KEY, name int) {option};
                     CREATE TABLE notes (id int PRIMARY KEY, user_id {reference}, FOREIGN KEY (user_id) REFERENCES users (id));
                     INSERT INTO users SELECT {value}, seq FROM seq_1_to_20;
                     INSERT INTO notes SELECT seq + 100, (SELECT id FROM users WHERE name = seq % 20 + 1) FROM seq_1_to_40"
                ),
            )
            .await;
        let before = state(&address).await;
        perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
        assert_eq!(native(&address).await, ["notes.user_id", "users.id"], "{name}");
        let id = ask(&address, "SELECT id FROM users WHERE name = 7").await.remove(0).remove(0).unwrap();
        let expected = match (*name, *seventh) {
            ("counted" | "filled", _) => super::super::kinds::derived("users.id:7"),
            ("large", seventh) => super::super::kinds::derived(&format!("users.id:{seventh}")),
            (_, seventh) => seventh.to_owned(),
        };
        assert_eq!(id, expected, "{name}");
        let orphans = "SELECT COUNT(*) FROM notes WHERE user_id NOT IN (SELECT id FROM users)";
        assert_eq!(ask(&address, orphans).await, [[Some("0".to_owned())]], "{name}");
        perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
        same(&before, &state(&address).await, name);
        if *name == "counted" {
            execute(&address, "INSERT INTO users (name) VALUES (21)").await;
            assert_eq!(ask(&address, "SELECT id FROM users WHERE name = 21").await, [[Some("4711".to_owned())]]);
        }
        perform_whole(&address, &online(), Operation::FullMigration).await.unwrap();
        if matches!(*name, "counted" | "large") {
            execute(&address, "INSERT INTO users (id, name) VALUES ('0190163d-8694-739b-aea5-966c26f8ad91', 99)").await;
            let told = message(&address, &settings(), Operation::Rollback).await;
            assert!(told.contains("1 rows of users.id were written since and have no integer"), "{told}");
        }
    }
    let schema = "CREATE TABLE users (id varbinary(20) PRIMARY KEY); INSERT INTO users VALUES ('short')";
    let told = message(&home.database("short", schema).await, &settings(), Operation::FullMigration).await;
    assert!(told.contains("1 values of users.id are not 16 bytes long"), "{told}");
    // The server takes no UUID of a variant that it does not know, if its version begins with a one.
    let schema =
        "CREATE TABLE users (id binary(16) PRIMARY KEY); INSERT INTO users SELECT UNHEX(MD5(seq)) FROM seq_1_to_3";
    let told = message(&home.database("variant", schema).await, &settings(), Operation::FullMigration).await;
    assert!(told.contains("1 values of users.id are no UUIDs"), "{told}");
    // Without a key, rows are found again by their UUID.
    let schema = "CREATE TABLE users (id varchar(36) UNIQUE); CREATE TABLE notes (user_id varchar(36) REFERENCES users (id));
        INSERT INTO users SELECT INSERT(MD5(seq), 17, 1, 'a') FROM seq_1_to_30; INSERT INTO notes SELECT INSERT(MD5(seq % 30 + 1), 17, 1, 'a') FROM seq_1_to_60";
    let address = home.database("keyless", schema).await;
    let before = state(&address).await;
    perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    same(&before, &state(&address).await, "keyless");
}
