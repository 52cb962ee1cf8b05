//! What is wrong with an export, or with the rows in it, is found before the target is touched.

use super::*;

fn replace(path: PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Changes a table's file and writes its new SHA-256 into the manifest, as a careful forger would.
fn forge(folder: &Path, from: &str, to: &str) {
    let path = folder.join("children.json");
    let before = sha256(&path);
    replace(path.clone(), from, to);
    replace(folder.join("manifest.json"), &before, &sha256(&path));
}

type Damage = fn(&Path);

/// What is done to the export, and what the error has to say.
const DAMAGES: &[(&str, Damage, &str)] = &[
    (
        "one byte of a table's file",
        |folder| replace(folder.join("children.json"), "note 7", "note 8"),
        "`children.json` has SHA-256",
    ),
    (
        "one byte of the whole file",
        |folder| replace(folder.join("complete-export.json"), "note 7", "note 8"),
        "`complete-export.json` has SHA-256",
    ),
    (
        "one byte of the manifest",
        |folder| replace(folder.join("manifest.json"), "  ", " \t"),
        "`manifest.json` was changed after the export",
    ),
    (
        "a manifest that is none",
        |folder| replace(folder.join("manifest.json"), "{", "("),
        "`manifest.json` is not a manifest",
    ),
    ("no manifest", |folder| fs::remove_file(folder.join("manifest.json")).unwrap(), "no readable `manifest.json`"),
    ("a missing file", |folder| fs::remove_file(folder.join("parents.json")).unwrap(), "`parents.json` is missing"),
    (
        "the whole file missing",
        |folder| fs::remove_file(folder.join("complete-export.json")).unwrap(),
        "`complete-export.json` is missing",
    ),
    (
        "a wrong count",
        |folder| replace(folder.join("manifest.json"), "\"rows\": 60", "\"rows\": 59"),
        "`children.json` holds 60 rows, and the manifest says 59",
    ),
    (
        "a wrong count of the whole file",
        |folder| replace(folder.join("manifest.json"), "\"rows\": 63", "\"rows\": 62"),
        "`manifest.json` was changed after the export",
    ),
    (
        "another column of an empty table",
        |folder| replace(folder.join("manifest.json"), "\"label\"", "\"title\""),
        "`unused.json` does not have the columns",
    ),
    (
        "a missing column",
        |folder| forge(folder, ",\"amount\":10", ""),
        "row 1 of `children.json`: column `note` where `amount` was expected",
    ),
    (
        "an unknown column",
        |folder| forge(folder, "\"note\":\"note 1\"", "\"note\":\"note 1\",\"more\":1"),
        "row 1 of `children.json`: unknown column `more`",
    ),
    ("a cut file", |folder| forge(folder, "\n]\n", "\n"), "`children.json` ends before its closing bracket"),
    (
        "a row less",
        |folder| forge(folder, ",\n{\"id\":60,\"parent_id\":1,\"amount\":600,\"note\":\"note 60\"}", ""),
        "`children.json` holds 59 rows, and the manifest says 60",
    ),
    (
        "another type",
        |folder| forge(folder, "\"amount\":20", "\"amount\":\"abc\""),
        "row 2 of `children`: `amount` holds a text, which is no integer",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_the_export_is_found_before_the_import() {
    let Some(bench) = Bench::new("damage_to_the_export_is_found_before_the_import").await else { return };
    let case = bench.case("damaged", SOURCE, TARGET, json!({})).await;
    for (what, damage, says) in DAMAGES {
        let folder = case.task.folder.clone();
        let (error, marks) = case
            .fails(|doing, done| {
                if (doing, done) == ("verify", 0) {
                    damage(&folder)
                }
            })
            .await;
        assert!(matches!(error, StepError::Rejected { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains(says), "{what}: {error}");
        assert_eq!(marks, [json!(null); 0], "{what}: the target was about to be written to");
    }
    // The same export, left alone, is imported.
    case.forward(&mut Voice::silent()).await.unwrap();
    assert_eq!(case.count("children").await, 60);
}

/// What is done to the source, the step's settings, and what the error has to say.
const BAD_ROWS: &[(&str, &str, &str)] = &[
    (
        "text_in_integer",
        "UPDATE children SET amount = 'abc' WHERE id = 7",
        "row 7 of `children`: `amount` holds a text, which is no integer",
    ),
    (
        "too_large",
        "UPDATE children SET amount = 1 << 40 WHERE id = 7",
        "row 7 of `children`: `amount` holds an integer, which is no integer",
    ),
    (
        "too_long",
        "UPDATE children SET note = printf('%.21c', 'x') WHERE id = 7",
        "row 7 of `children`: `note` holds 21 characters, and the target takes 20",
    ),
    (
        "nul_in_text",
        "UPDATE children SET note = 'a' || char(0) || 'b' WHERE id = 7",
        "row 7 of `children`: `note` holds text with a NUL character",
    ),
    ("bytes_in_text", "UPDATE children SET note = x'c328' WHERE id = 7", "row 7 of `children`: `note` holds bytes"),
    (
        "no_utf8",
        "UPDATE children SET note = CAST(x'c328' AS TEXT) WHERE id = 7",
        "row 7 of `children`: `note` holds text that is no UTF-8",
    ),
    (
        "orphans",
        "PRAGMA foreign_keys = off; UPDATE children SET parent_id = 99 WHERE id IN (7, 8)",
        "2 rows of `children` have no parent",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_are_found_before_the_import() {
    let Some(bench) = Bench::new("rows_that_do_not_fit_are_found_before_the_import").await else { return };
    for (name, change, says) in BAD_ROWS {
        let case = bench.case(name, &format!("{SOURCE}; {change}"), TARGET, json!({})).await;
        let (error, marks) = case.fails(|_, _| {}).await;
        assert!(matches!(error, StepError::Rejected { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(says), "{name}: {error}");
        assert!(marks.is_empty(), "{name}: {marks:?}");
    }
    let source = SOURCE.replace("name TEXT NOT NULL", "name TEXT") + "; UPDATE parents SET name = NULL WHERE id = 2";
    let case = bench.case("null_in_not_null", &source, TARGET, json!({})).await;
    let (error, marks) = case.fails(|_, _| {}).await;
    assert!(
        error.to_string().contains("row 2 of `parents`: `name` is NULL, which the target does not take"),
        "{error}"
    );
    assert!(matches!(error, StepError::Rejected { .. }) && marks.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_carried_where_that_is_asked_for() {
    let Some(bench) = Bench::new("orphans_are_carried_where_that_is_asked_for").await else { return };
    let source = format!("{SOURCE}; PRAGMA foreign_keys = off; UPDATE children SET parent_id = 99 WHERE id = 7");
    let without_key = TARGET.replace("REFERENCES parents (id)", "");
    let case = bench.case("carried", &source, &without_key, json!({ "orphans": "carry" })).await;
    assert_eq!(case.forward(&mut Voice::silent()).await.unwrap().rows, 63);
    assert_eq!(case.count("children WHERE parent_id = 99").await, 1);
    // Where the target's own key forbids it, nothing stays.
    let case = bench.case("forbidden", &source, TARGET, json!({ "orphans": "carry" })).await;
    let (error, marks) = case.fails(|_, _| {}).await;
    assert!(
        matches!(&error, StepError::Engine(EngineError::Refused { code: Some(code), .. }) if code == "23503"),
        "{error:?}"
    );
    assert_eq!(marks.last().unwrap(), &json!({ "import": "taken_back" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_source_is_told_and_left_alone() {
    let Some(bench) = Bench::new("a_locked_source_is_told_and_left_alone").await else { return };
    let case = bench.case("locked", SOURCE, TARGET, json!({})).await;
    let Endpoint::File(file) = &case.task.addresses.source.endpoint else { unreachable!() };
    let lock = rusqlite::Connection::open(file).unwrap();
    lock.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let (error, marks) = case.fails(|_, _| {}).await;
    assert!(chain(&error).contains("is locked by another process"), "{error:?}");
    assert!(matches!(error, StepError::Engine(EngineError::Locked { .. })) && marks.is_empty());
    drop(lock);
    case.forward(&mut Voice::silent()).await.unwrap();
}
