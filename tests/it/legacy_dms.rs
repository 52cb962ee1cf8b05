//! What can go wrong between the old system on MariaDB and Q-Docs, and how each of that then ends.

use std::{
    collections::BTreeSet,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use rehearse::model::{Finding, Report, Severity, Stage, Verdict};

use crate::support::{
    ended, mariadb,
    scenarios::{Scenarios, assert_nothing_left, failed, why},
    server::wait,
};

const NAME: &str = "qdocs-legacy-dms";
const SCENARIO: &str = "qdocs-legacy-dms/scenario.toml";
const LEGACY: &str = "qdocs-legacy-dms/schema/legacy.sql";
const DOCUMENTS: &str = "qdocs-legacy-dms/import/documents.sql";

/// How long a run may take to get anywhere.
const PATIENCE: Duration = Duration::from_secs(300);

/// The scenario in a place where it can be changed; `None`, and said so, where there is no MariaDB or no PostgreSQL.
fn bench(test: &'static str) -> Option<Scenarios> {
    if !wait(mariadb::has(test, "11.8")) {
        return None;
    }
    let bench = Scenarios::new(test, &["qdocs-fresh", NAME])?;
    // The server that is installed here is there sooner than a container.
    bench.change(
        SCENARIO,
        "[target]\nengine = \"postgres\"\n",
        "[target]\nengine = \"postgres\"\nprovider = \"local\"\n",
    );
    Some(bench)
}

/// The errors of the migrated stage: table, kind and number. What is read by queries is called documents.
fn errors(report: &Report) -> BTreeSet<String> {
    let checks = report.scenarios[0].checks.iter().filter(|check| check.stage == Stage::Migrated);
    let all = checks.flat_map(|check| &check.findings).filter(|finding| finding.severity == Severity::Error);
    let told = |finding: &Finding| {
        let table = finding.subject.table.as_ref().map(|table| table.name.as_str()).unwrap_or_default();
        let table = if table.starts_with("query of ") { "documents" } else { table };
        format!("{table} {:?} {}", finding.kind, finding.total)
    };
    all.map(told).collect()
}

fn set(told: &[&str]) -> BTreeSet<String> {
    told.iter().map(|one| (*one).to_owned()).collect()
}

/// An import that takes what it should reject, and keeps quiet about what it guessed.
#[test]
fn an_import_that_guesses_or_keeps_quiet_is_told() {
    let Some(bench) = bench("an_import_that_guesses_or_keeps_quiet_is_told") else { return };
    // A title of blanks, an owner who is nobody, a status that nobody knows, and text that was encoded twice.
    bench.change(DOCUMENTS, "WHEN coalesce(btrim(l.doc_title), '') = ''", "WHEN l.doc_title IS NULL");
    bench.change(DOCUMENTS, "SELECT l.*, o.id AS owner_id", "SELECT l.*, coalesce(o.id, 1) AS owner_id");
    bench.change(DOCUMENTS, "WHEN o.id IS NULL THEN", "WHEN false THEN");
    bench.change(DOCUMENTS, "FROM taken WHERE status IS NULL", "FROM taken WHERE false");
    bench.change(DOCUMENTS, "        WHEN concat_ws(", "        WHEN false AND concat_ws(");
    let (output, report) = bench.run_anywhere(NAME, &[]);
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["row_count", "checksum"], "{output:?}");
    // Of the eight that are to be rejected six were taken: a blank title, two of nobody, three that were encoded twice.
    let expected = set(&[
        "documents CountDiffers 6",
        "documents ExtraneousRow 6",
        "legacy_import_rejects CountDiffers 6",
        "legacy_import_rejects MissingRow 6",
        "legacy_import_notes CountDiffers 2",
        "legacy_import_notes MissingRow 2",
        "legacy_import_runs ChangedRow 2",
        "legacy_import_runs ChangedValue 1",
        "legacy_import_runs ChangedValue 2",
    ]);
    assert_eq!(errors(&report), expected, "{output:?}");
    assert_nothing_left(&report);
}

/// Text of Windows-1252 that is carried by its bytes, as if it were Latin-1.
#[test]
fn text_of_windows_1252_that_is_read_as_latin_1_is_told() {
    let Some(bench) = bench("text_of_windows_1252_that_is_read_as_latin_1_is_told") else { return };
    bench.change(
        DOCUMENTS,
        "SELECT id, doc_id, doc_title, doc_desc,",
        "SELECT id, doc_id, doc_title, translate(doc_desc, '€™Œ', E'\\u0080\\u0099\\u008C'),",
    );
    let (output, report) = bench.run_anywhere(NAME, &[]);
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["checksum"], "{output:?}");
    assert_eq!(errors(&report), set(&["documents ChangedRow 1", "documents ChangedValue 1"]), "{output:?}");
    assert_nothing_left(&report);
}

/// One document that the target refuses keeps all of them out.
#[test]
fn a_target_that_refuses_a_document_takes_none() {
    let Some(bench) = bench("a_target_that_refuses_a_document_takes_none") else { return };
    // Nobody looks whether a number is there already, and the target's key does.
    let is_there = "AND NOT EXISTS (SELECT FROM documents d WHERE d.document_number = t.doc_id)";
    bench.change(DOCUMENTS, is_there, "");
    let (output, report) = bench.run_anywhere(NAME, &[]);
    assert_ne!(output.code, 0, "{output:?}");
    let told = why(&report, "migrate/import");
    assert!(told.contains("documents_document_number_key"), "{told}");
    assert_nothing_left(&report);

    // A title that has room in the old system and none in Q-Docs: the preflight warns of it, and no document lands.
    bench.change(DOCUMENTS, "WHERE reason IS NULL\n", &format!("WHERE reason IS NULL\n    {is_there}\n"));
    bench.change(LEGACY, "doc_title varchar(500)", "doc_title varchar(600)");
    bench.change(LEGACY, "'Locked, once more'", "REPEAT('x', 501)");
    let (output, report) = bench.run_anywhere(NAME, &[]);
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert!(
        output.stdout.contains("source_data@baseline: source dms_documents.doc_title: values do not"),
        "{output:?}"
    );
    let told = why(&report, "migrate/land");
    let expected = "row 9 of part 1 of `dms_documents`: `doc_title` holds 501 characters, and the target takes 500";
    assert!(told.contains(expected), "{told}");
    assert_nothing_left(&report);
}

/// A moment that no calendar has, and a character that PostgreSQL's text has no place for.
#[test]
fn values_of_the_source_that_the_target_cannot_hold_are_named() {
    let Some(bench) = bench("values_of_the_source_that_the_target_cannot_hold_are_named") else { return };
    let content = |behind: &str| format!("'Ελληνικά, עברית', 'Legal', 'u004', {behind}");
    let (moment, zero) = (content("'2021-02-03 04:05:06'"), content("'0000-00-00 00:00:00'"));
    let land = |ends: (i32, Verdict), expected: &str| {
        let (output, report) = bench.run_anywhere(NAME, &["--despite", "source_data"]);
        assert_eq!((output.code, report.verdict), ends, "{output:?}");
        let told = why(&report, "migrate/land");
        assert!(told.contains(expected), "{told}");
        assert_nothing_left(&report);
    };
    bench.change(LEGACY, &moment, &zero);
    let expected = "row 12 of part 1 of `dms_documents`: `created_date` holds a text, which is no timestamp";
    land((1, Verdict::Fail), expected);
    bench.change(LEGACY, &zero, &moment);
    bench.change(LEGACY, "'naïve façade'", "CONCAT('cut', CHAR(0))");
    // That one the driver finds while it writes: the step breaks, and takes back what it had written.
    let expected = "a value for column `doc_content` has a NUL character, which PostgreSQL cannot store in text";
    land((3, Verdict::Inconclusive), expected);
}

/// Killed where documents land, and where they become Q-Docs' own: from there it goes on, and back.
#[test]
fn a_killed_import_is_gone_on_with_and_taken_back() {
    let test = "a_killed_import_is_gone_on_with_and_taken_back";
    for (act, verb, code) in
        [("migrate/import", "resume", 0), ("migrate/import", "rollback", 3), ("migrate/land", "rollback", 3)]
    {
        let Some(bench) = bench(test) else { return };
        // The documents are in Q-Docs for a while, and nothing is committed.
        let versions = "INSERT INTO document_versions (id,";
        bench.change(DOCUMENTS, versions, &format!("SELECT pg_sleep(3);\n\n{versions}"));
        let folder = bench.sandbox.path(NAME).display().to_string();
        let mut command = bench.sandbox.rehearsal(&["run", &folder, "--seed", "1"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let since = Instant::now();
        let id = loop {
            if let Some(id) = marked(&bench, act) {
                break id;
            }
            assert!(since.elapsed() < PATIENCE && child.try_wait().unwrap().is_none(), "{act} is not begun");
            std::thread::sleep(Duration::from_millis(5));
        };
        if act == "migrate/import" {
            std::thread::sleep(Duration::from_secs(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let told = ended(&mut bench.sandbox.command(&[verb, &id]));
        assert_eq!(told.code, code, "{act} {verb}: {told:?}");
        assert_nothing_left(&bench.sandbox.report(NAME));
        bench.sandbox.assert_released();
    }
}

/// The run, once a step of it has made a mark.
fn marked(bench: &Scenarios, act: &str) -> Option<String> {
    let runs = fs::read_dir(bench.sandbox.out().join(NAME)).ok()?;
    let run = runs.map(|entry| entry.unwrap().path()).find(|path| path.join("events.jsonl").exists())?;
    let step = format!("\"step\":\"{act}\"");
    let text = fs::read_to_string(run.join("events.jsonl")).ok()?;
    let is_marked = text.lines().any(|line| line.contains("\"step_mark\"") && line.contains(&step));
    is_marked.then(|| run.file_name().unwrap().to_str().unwrap().to_owned())
}
