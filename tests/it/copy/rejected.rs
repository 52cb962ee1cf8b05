//! Rows that cannot be carried are kept where a mapping says so, and account for what is missing.

use rehearse::model::Verdict;

use super::*;
use crate::support::ended;

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, state TEXT);
    INSERT INTO people WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 30)
        SELECT v, 'name ' || v, v, 'A' FROM n;
    UPDATE people SET age = 'secret' WHERE id IN (3, 17);
    UPDATE people SET state = 'Q' WHERE id = 20;
    UPDATE people SET name = NULL WHERE id = 30;";

const TARGET: &str =
    "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(20) NOT NULL, age integer, state varchar(10));";

const MAPPING: &str = "format_version = 1\nrejects_table = \"left_behind\"\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\n\
    rejects = \"keep\"\ncolumns.state = { values = { A = \"active\" }, other_values = \"reject\" }\n";

pub(super) async fn rejected_rows_are_kept_with_their_reason_and_go_with_the_rollback(places: &Places) {
    for engine in places.engines() {
        // A column of SQLite holds anything: there only what must have a value and what the map does not name is rejected.
        let bad = if engine == "sqlite" { 2 } else { 4 };
        let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
        execute(&addresses.source, SOURCE).await;
        execute(&addresses.target, TARGET).await;
        let case = Case::new(places, addresses, MAPPING, json!({}));
        let empty = case.state(Side::Target).await;
        // Taken up once on the way, so that no row is kept twice.
        assert!(case.play(Direction::Forward, Some(5)).await.is_none(), "{engine}");
        let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
        assert_eq!((done.rows, case.count("people").await), (30 - bad, 30 - bad), "{engine}");
        assert!(done.notes[0].starts_with(&format!("{bad} rows were rejected: ")), "{engine}: {:?}", done.notes);
        let sql = "SELECT source_key, source_column, reason FROM left_behind ORDER BY part, source_column, source_key";
        let kept: Vec<String> = ask(&case.task.addresses.target, sql)
            .await
            .into_iter()
            .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "))
            .collect();
        let expected = [
            r#"{"id":"3"} age holds a text, which is no integer of 32 bits"#,
            r#"{"id":"17"} age holds a text, which is no integer of 32 bits"#,
            r#"{"id":"20"} state holds a value that its map does not name"#,
            r#"{"id":"30"} name holds NULL, and the target has to have a value"#,
        ];
        assert_eq!(kept, expected[4 - bad as usize..], "{engine}");
        let listed = fs::read_to_string(case.task.folder.join("rejects.ndjson")).unwrap();
        assert_eq!(listed.lines().count() as u64, bad, "{engine}");
        assert!(!listed.contains("secret"), "{engine}: {listed}");
        case.back().await.unwrap();
        assert_eq!(case.state(Side::Target).await, empty, "{engine}");
    }
}

/// What was rejected is named as left out and is no difference; what is missing besides, is one.
#[test]
fn a_rehearsal_sets_rejected_rows_aside_and_finds_what_is_missing_besides() {
    let sandbox = Sandbox::new();
    let (target, _) = SOURCE.split_once(';').unwrap();
    sandbox.write("rejects/source.sql", SOURCE);
    sandbox.write("rejects/target.sql", target);
    sandbox.write("rejects/mapping.toml", MAPPING);
    sandbox.write("rejects/dataset.toml", "format_version = 1\n[table.people]\nrows = 0\n");
    sandbox.write("rejects/more.sql", "DELETE FROM people WHERE id = 5;");
    sandbox.write("rejects/less.sql", "SELECT 1;");
    let scenario = "format_version = 1\ntitle = \"Rejects\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n\
         [target]\nengine = \"sqlite\"\nschema = \"target.sql\"\n[[step]]\nkind = \"copy\"\nmapping = \"mapping.toml\"\n\
         batch_rows = 7\n";
    sandbox.write("rejects/scenario.toml", scenario);
    let folder = sandbox.path("rejects");
    let whole = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((whole.code, sandbox.report("rejects").verdict), (0, Verdict::Pass), "{whole:?}");
    assert!(whole.stdout.contains("1 rows were rejected") && whole.stdout.contains("left_behind"), "{whole:?}");
    let step = "[[step]]\nkind = \"sql\"\nup = \"more.sql\"\ndown = \"less.sql\"\n";
    sandbox.write("rejects/scenario.toml", format!("{scenario}{step}"));
    let missing = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((missing.code, sandbox.report("rejects").verdict), (1, Verdict::Fail), "{missing:?}");
    assert!(missing.stdout.contains("row_count") && missing.stdout.contains("checksum"), "{missing:?}");
    // A rejection of which nobody knows any more: its row is nowhere.
    sandbox.write("rejects/more.sql", "DELETE FROM left_behind;");
    let unknown = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((unknown.code, sandbox.report("rejects").verdict), (1, Verdict::Fail), "{unknown:?}");
    let report = sandbox.report("rejects");
    let accounted = report.scenarios[0].checks.iter().find(|check| check.id == "accounted").unwrap();
    let told: Vec<(String, u64)> =
        accounted.findings.iter().map(|finding| (finding.subject.to_string(), finding.total)).collect();
    assert_eq!(told, [("target people".to_owned(), 1)]);
}
