//! Several tables become one, every row is accounted for, and the server knows how many there are.

use super::*;

const SOURCE: &str = "
    CREATE TABLE staff (id integer PRIMARY KEY, name varchar(20), age integer);
    CREATE TABLE guests (number integer PRIMARY KEY, name varchar(20), invited integer);
    CREATE TABLE callers (phone varchar(20) PRIMARY KEY, name varchar(20), called integer);
    INSERT INTO staff VALUES (1, 'Ann', 30), (2, 'Bo', 31), (3, 'Cy', NULL);
    INSERT INTO guests VALUES (1, 'Di', 1), (2, 'Ed', 0), (3, 'Flo', 1);
    INSERT INTO callers VALUES ('17', 'Gil', 2), ('18', 'Hal', 1);";

const TARGET: &str = "CREATE TABLE people (id varchar(20) PRIMARY KEY, name varchar(20) NOT NULL, age integer, came_as varchar(10) NOT NULL);";

const MAPPING: &str = r#"
format_version = 1

[[copy]]
source = "staff"
target = "people"
target_where = "came_as = 'staff'"
columns.key = { target = "id", source_sql = "'s' || id" }
columns.id = { dropped = "in the key" }
constants.came_as = "staff"

[[copy]]
source = "guests"
target = "people"
target_where = "came_as = 'guest'"
source_where = "invited = 1"
skipped = "never invited"
columns.key = { target = "id", source_sql = "'g' || number" }
columns.number = { dropped = "in the key" }
columns.invited = { dropped = "all of them are" }
constants.came_as = "guest"
defaults.age = "nobody asked"

[[copy]]
source = "callers"
target = "people"
target_where = "came_as = 'caller'"
columns.phone = { target = "id" }
columns.called = { dropped = "of no use" }
constants.came_as = "caller"
defaults.age = "nobody asked"
"#;

pub(super) async fn several_tables_become_one_and_every_row_is_accounted_for(places: &Places) {
    for engine in places.engines() {
        let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
        execute(&addresses.source, SOURCE).await;
        execute(&addresses.target, TARGET).await;
        let case = Case::new(places, addresses, MAPPING, json!({}));
        let (empty, target) = (case.state(Side::Target).await, &case.task.addresses.target);
        let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
        // One guest was never invited.
        assert_eq!(done.rows, 3 + 2 + 2, "{engine}");
        for (kind, rows) in [("staff", 3), ("guest", 2), ("caller", 2)] {
            assert_eq!(case.count(&format!("people WHERE came_as = '{kind}'")).await, rows, "{engine}: {kind}");
        }
        assert_eq!(case.said().await, Vec::<String>::new(), "{engine}");
        if engine == "postgres" {
            let known = "SELECT reltuples::bigint FROM pg_class WHERE relname = 'people'";
            assert_eq!(ask(target, known).await[0][0].as_deref(), Some("7"), "statistics");
            let columns = "SELECT count(*) FROM pg_stats WHERE tablename = 'people'";
            assert_eq!(ask(target, columns).await[0][0].as_deref(), Some("4"), "statistics");
        }
        // One that is nowhere, and one that is there twice.
        for (change, back) in [
            ("DELETE FROM people WHERE id = 'g3'", "INSERT INTO people VALUES ('g3', 'Flo', NULL, 'guest')"),
            ("INSERT INTO people VALUES ('c17', 'Gil', NULL, 'caller')", "DELETE FROM people WHERE id = 'c17'"),
        ] {
            execute(target, change).await;
            assert!(is_told(&case.said().await), "{engine}: {change}");
            execute(target, back).await;
            assert_eq!(case.said().await, Vec::<String>::new(), "{engine}: {back}");
        }
        case.back().await.unwrap();
        assert_eq!(case.state(Side::Target).await, empty, "{engine}");
    }
}

/// Whether the rows do not add up, by one.
fn is_told(said: &[String]) -> bool {
    said.iter().any(|line| line.starts_with("accounted count_differs target people ") && line.contains("total: 1,"))
}
