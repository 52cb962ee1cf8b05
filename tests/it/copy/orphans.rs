//! Rows whose parent did not go over are rejected where a mapping says so, whatever the reason why it did not.

use rehearse::model::Verdict;

use super::*;
use crate::support::ended;

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body TEXT);
    INSERT INTO people WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 20)
        SELECT v, 'name ' || v FROM n;
    UPDATE people SET name = NULL WHERE id = 7;
    INSERT INTO notes WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 60)
        SELECT v, 1 + v % 20, 'note ' || v FROM n;
    UPDATE notes SET person = 99 WHERE id = 31;
    UPDATE notes SET person = NULL WHERE id = 32;";

const TARGET: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(20) NOT NULL);
    CREATE TABLE notes (id bigint PRIMARY KEY, person bigint REFERENCES people (id), body varchar(20));";

const MAPPING: &str = "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\nrejects = \"keep\"\n[[copy]]\nsource = \"notes\"\n\
     target = \"notes\"\nrejects = \"keep\"\norphans = \"reject\"\n";

/// Notes of the person who did not go over, and one of nobody's; not one that names nobody.
const ORPHANS: [&str; 4] = ["6", "26", "31", "46"];

pub(super) async fn rows_without_a_parent_are_rejected_where_that_is_wished(places: &Places) {
    for engine in places.engines() {
        // Keys that are derived, where the engine has a type for them.
        let derived = "format_version = 1\nsystem = \"s\"\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\nrejects = \"keep\"\n\
             columns.id = { uuid = \"people\" }\n[[copy]]\nsource = \"notes\"\ntarget = \"notes\"\nrejects = \"keep\"\n\
             orphans = \"reject\"\ncolumns.person = { uuid = \"people\" }\n";
        let uuids = TARGET.replace("people (id bigint", "people (id uuid").replace("person bigint", "person uuid");
        let mut cases = vec![(TARGET.to_owned(), MAPPING)];
        if engine != "sqlite" {
            cases.push((uuids, derived));
        }
        for (target, mapping) in cases {
            for jobs in [1, 3] {
                let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
                execute(&addresses.source, SOURCE).await;
                execute(&addresses.target, &target).await;
                let case = Case::new(places, addresses, mapping, json!({ "jobs": jobs }));
                let empty = case.state(Side::Target).await;
                // Taken up once on the way: what an earlier process loaded are parents as well.
                let at = if jobs == 1 { 5 } else { 2 };
                assert!(case.play(Direction::Forward, Some(at)).await.is_none(), "{engine} {jobs}");
                let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
                assert_eq!((done.rows, case.count("notes").await), (19 + 56, 56), "{engine} {jobs}");
                let sql = "SELECT source_key, source_column, reason FROM rehearse_rejects WHERE source_table = 'notes'";
                let mut kept: Vec<(u64, String)> = Vec::new();
                for row in ask(&case.task.addresses.target, sql).await {
                    let [key, column, reason] = row.try_into().unwrap();
                    let key: Json = serde_json::from_str(&key.unwrap()).unwrap();
                    let said = format!("{} {}", column.unwrap(), reason.unwrap());
                    kept.push((key["id"].as_str().unwrap().parse().unwrap(), said));
                }
                kept.sort();
                let expected = ORPHANS.map(|id| (id.parse().unwrap(), "person has no parent in `people`".to_owned()));
                assert_eq!(kept, expected, "{engine} {jobs}");
                case.back().await.unwrap();
                assert_eq!(case.state(Side::Target).await, empty, "{engine} {jobs}");
            }
        }
    }
}

/// A target, and what is said of it when its orphans are to be rejected.
const CANNOT: [(&str, &str); 4] = [
    (
        "CREATE TABLE people (id bigint PRIMARY KEY, name text); CREATE TABLE notes (id bigint PRIMARY KEY, person bigint, body text)",
        "mapping.toml:6: copy[1]: `notes` has no reference by which a row could be an orphan; expected a table with foreign keys",
    ),
    (
        "CREATE TABLE people (id bigint PRIMARY KEY, name text);
         CREATE TABLE notes (id bigint PRIMARY KEY, person bigint REFERENCES notes (id), body text)",
        "is to the table itself, whose rows come in any order; expected `source_sql` that gives NULL where there is no parent",
    ),
    (
        "CREATE TABLE people (id varchar(9) PRIMARY KEY, name text);
         CREATE TABLE notes (id bigint PRIMARY KEY, person varchar(9) REFERENCES people (id), body text)",
        "is of values that only the server can compare",
    ),
    (
        "CREATE TABLE people (id bigint, name varchar(9), PRIMARY KEY (id, name));
         CREATE TABLE notes (id bigint PRIMARY KEY, person bigint, body varchar(9),
            FOREIGN KEY (person, body) REFERENCES people (id, name))",
        "is of several columns",
    ),
];

pub(super) async fn orphans_that_cannot_be_told_are_refused(places: &Places) {
    for engine in places.engines() {
        for (target, says) in CANNOT {
            let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
            execute(&addresses.source, SOURCE).await;
            execute(&addresses.target, target).await;
            let case = Case::new(places, addresses, MAPPING, json!({}));
            let before = case.state(Side::Target).await;
            let error = rehearse::model::chain(&case.forward().await.unwrap_err());
            assert!(error.contains(says), "{engine}: {error}");
            assert_eq!(case.state(Side::Target).await, before, "{engine}");
        }
    }
}

/// The comparison sets aside what was rejected, and nothing more.
#[test]
fn a_rehearsal_sets_orphans_aside_and_finds_a_row_that_got_another_parent() {
    let sandbox = Sandbox::new();
    let (people, notes) = SOURCE.split_once("INSERT INTO people").unwrap();
    sandbox.write("orphans/source.sql", people);
    sandbox.write("orphans/rows.sql", format!("INSERT INTO people{notes}"));
    sandbox.write("orphans/target.sql", TARGET.replace("bigint", "INTEGER"));
    sandbox.write("orphans/mapping.toml", MAPPING);
    sandbox.write("orphans/dataset.toml", "format_version = 1\n[table.people]\nrows = 0\n[table.notes]\nrows = 0\n");
    let scenario = "format_version = 1\ntitle = \"Orphans\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\nrows = \"rows.sql\"\n[target]\nengine = \"sqlite\"\nschema = \"target.sql\"\n\
         [[step]]\nkind = \"copy\"\nmapping = \"mapping.toml\"\nbatch_rows = 7\n";
    sandbox.write("orphans/scenario.toml", scenario);
    let folder = sandbox.path("orphans");
    let whole = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((whole.code, sandbox.report("orphans").verdict), (0, Verdict::Pass), "{whole:?}");
    assert!(whole.stdout.contains("5 rows were rejected"), "{whole:?}");
    sandbox.write("orphans/more.sql", "UPDATE notes SET person = 8 WHERE id = 1;");
    sandbox.write("orphans/less.sql", "SELECT 1;");
    let step = "[[step]]\nkind = \"sql\"\nup = \"more.sql\"\ndown = \"less.sql\"\n";
    sandbox.write("orphans/scenario.toml", format!("{scenario}{step}"));
    let moved = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((moved.code, sandbox.report("orphans").verdict), (1, Verdict::Fail), "{moved:?}");
    assert!(moved.stdout.contains("checksum") && !moved.stdout.contains("row_count    fail"), "{moved:?}");
}
