//! A table of both keys, for whoever cannot derive a UUID: a `[[copy]]` of its own out of the same table, with everything that
//! copies have.

use super::*;

const SOURCE: &str = "CREATE TABLE users (user_id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 40) SELECT v, 'name ' || v FROM n;
    UPDATE users SET name = NULL WHERE user_id IN (8, 33);";

const TARGET: &str = "CREATE TABLE users (id uuid PRIMARY KEY, name varchar(20) NOT NULL);
    CREATE TABLE legacy_keys (legacy_table varchar(20) NOT NULL, legacy_key bigint NOT NULL, new_id uuid NOT NULL UNIQUE REFERENCES users (id),
        PRIMARY KEY (legacy_table, legacy_key));";

const MAPPING: &str = r#"
format_version = 1
system = "school"

[[copy]]
source = "users"
target = "users"
rejects = "keep"
columns.user_id = { target = "id", uuid = "users" }

[[copy]]
source = "users"
target = "legacy_keys"
rejects = "keep"
orphans = "reject"
columns.user_id = { target = "new_id", uuid = "users" }
columns.key = { target = "legacy_key", source_sql = "user_id" }
constants.legacy_table = "users"
"#;

pub(super) async fn a_table_of_both_keys_is_a_copy_of_its_own(places: &Places) {
    for engine in places.engines().into_iter().filter(|engine| *engine != "sqlite") {
        for killed in [None, Some(3), Some(9), Some(14)] {
            let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
            execute(&addresses.source, SOURCE).await;
            execute(&addresses.target, TARGET).await;
            let case = Case::new(places, addresses, MAPPING, json!({}));
            let (empty, target) = (case.state(Side::Target).await, &case.task.addresses.target);
            if killed.is_some() {
                assert!(case.play(Direction::Forward, killed).await.is_none(), "{engine} {killed:?}");
            }
            let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
            assert_eq!(done.rows, 38 + 38, "{engine} {killed:?}");
            // Whoever has the old key finds the new one, and no line is of a row that did not go over.
            let found = "SELECT legacy_key FROM legacy_keys k JOIN users u ON u.id = k.new_id WHERE legacy_table = 'users' AND \
                 u.name = 'name 17'";
            assert_eq!(ask(target, found).await, [[Some("17".to_owned())]], "{engine} {killed:?}");
            assert_eq!(case.count("legacy_keys WHERE legacy_key IN (8, 33)").await, 0, "{engine} {killed:?}");
            // Nothing but the rows that were rejected, which only a rehearsal sets aside, is told.
            let said = case.said().await;
            let is_missing = |line: &String| line.contains("count_differs") || line.contains("missing_row");
            assert!(said.iter().all(is_missing), "{engine} {killed:?}: {said:?}");
            if killed.is_none() {
                execute(target, "UPDATE legacy_keys SET legacy_key = 41 WHERE legacy_key = 17").await;
                let said = case.said().await;
                assert!(
                    said.iter().any(|line| line.starts_with("checksum changed_row target legacy_keys")),
                    "{engine}: {said:?}"
                );
            }
            case.back().await.unwrap();
            assert_eq!(case.state(Side::Target).await, empty, "{engine} {killed:?}");
        }
    }
}
