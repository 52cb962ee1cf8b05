//! What an export says about itself, and what is told where files are no longer that: of every form.

use std::{fs, path::PathBuf};

use super::*;

/// Dictionaries with what hangs on them, as far as two steps away.
const HANGING: &str = "
    CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT);
    CREATE TABLE parts (id INTEGER PRIMARY KEY, book INTEGER REFERENCES books (id));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, part INTEGER REFERENCES parts (id), text TEXT);";

fn written(form: &str) -> Json {
    json!({ "form": form, "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8" })
}

/// The files of an export, without its manifest.
fn exported(bench: &Bench, step: &str) -> Vec<PathBuf> {
    let mut files = crate::support::files(&bench.sandbox.path(&format!("steps/{step}/files")));
    files.retain(|file| !file.ends_with("manifest.json"));
    files
}

/// Changes the last letter that a file has: the file can be read as well as before, or not at all.
fn change(file: &PathBuf) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.iter().rposition(u8::is_ascii_lowercase).unwrap();
    bytes[at] ^= 0x01;
    fs::write(file, bytes).unwrap();
}

async fn error_of(step: &mut Step) -> String {
    chain(&step.forward().await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_was_changed_since_the_export_is_found_before_anything_is_written() {
    let bench = Bench::new().await;
    execute(&bench.addresses.source, "INSERT INTO things (id, name) VALUES (1, 'Ann')").await;
    let before = state(&bench.addresses.target).await;
    for form in ["csv", "json", "ndjson", "xlsx"] {
        bench
            .step("out", json!({ "act": "export", "side": "source", "written": written(form) }))
            .forward()
            .await
            .unwrap();
        let [file] = exported(&bench, "out").try_into().unwrap();
        change(&file);
        let mut import = bench.step("in", json!({ "act": "import", "from": "out" }));
        let error = error_of(&mut import).await;
        assert!(error.contains(&format!("`{}` is damaged: its SHA-256 is ", file.display())), "{form}: {error}");
        assert!(import.task.marks.is_empty(), "{form}");
        // As it was, it is taken.
        change(&file);
        import.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        import.back().await.unwrap();
    }
    assert_no_trace(&before, &state(&bench.addresses.target).await, "damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_other_rows_than_an_earlier_one_is_no_export() {
    let bench = Bench::new().await;
    let source = &bench.addresses.source;
    execute(source, "INSERT INTO things (id, name) VALUES (1, 'Ann'), (2, NULL)").await;
    let export = |name: &str, more: Json| {
        let mut settings = json!({ "act": "export", "side": "source", "written": written("ndjson") });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.step(name, settings)
    };
    export("first", json!({})).forward().await.unwrap();
    // The order of rows, and the form, are no difference.
    execute(source, "DELETE FROM things; INSERT INTO things (id, name) VALUES (2, NULL), (1, 'Ann')").await;
    for form in ["ndjson", "json"] {
        let done = export("same", json!({ "same_as": "first", "written": written(form) })).forward().await;
        assert_eq!(done.unwrap_or_else(|error| panic!("{}", chain(&error))).rows, 2);
    }
    let told = "other rows than those of step `first` are in things";
    for change in
        ["UPDATE things SET name = '' WHERE id = 2", "UPDATE things SET name = NULL; DELETE FROM things WHERE id = 1"]
    {
        execute(source, change).await;
        let error = error_of(&mut export("other", json!({ "same_as": "first" }))).await;
        assert!(error.contains(told), "{change}: {error}");
        assert!(!bench.sandbox.path("steps/other/files/manifest.json").exists(), "{change}");
    }
    execute(source, "DELETE FROM things; INSERT INTO things (id, name) VALUES (1, 'Ann'), (2, NULL)").await;
    execute(source, "CREATE TABLE more (id INTEGER); INSERT INTO more VALUES (1)").await;
    let error = error_of(&mut export("more", json!({ "same_as": "first" }))).await;
    assert!(error.ends_with("are in more"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_tables_that_hang_on_nothing_are_told() {
    let bench = Bench::new().await;
    let source = &bench.addresses.source;
    execute(source, HANGING).await;
    execute(source, "INSERT INTO books VALUES (1, 'a'), (2, 'b'); INSERT INTO parts VALUES (1, 1), (2, 2), (3, NULL)")
        .await;
    execute(source, "INSERT INTO notes VALUES (1, 1, 'x'), (2, 3, 'y')").await;
    let export = |per: &str, tables: &[&str]| {
        bench.step("out", json!({ "act": "export", "side": "source", "one_file_per": per, "tables": tables }))
    };
    for (per, tables, told) in [
        ("books", &["books", "parts"][..], "parts has 3 rows, and 2 of them hang on books: the others are in no file"),
        ("books", &["books", "notes"], "notes has 2 rows, and 1 of them hang on books: the others are in no file"),
        ("books", &[], "loose does not hang on books; `tables` can leave it out"),
        ("parts", &["parts", "books"], "books does not hang on parts; `tables` can leave it out"),
        ("loose", &["loose"], "loose is not known by one column"),
    ] {
        execute(source, "CREATE TABLE IF NOT EXISTS loose (a TEXT, b TEXT, PRIMARY KEY (a, b))").await;
        let error = error_of(&mut export(per, tables)).await;
        assert!(error.contains(told), "{told}\n{error}");
        assert!(!bench.sandbox.path("steps/out/files/manifest.json").exists(), "{told}");
    }
    execute(source, "DELETE FROM notes WHERE id = 2; DELETE FROM parts WHERE id = 3").await;
    assert_eq!(export("books", &["books", "parts", "notes"]).forward().await.unwrap().rows, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_is_wrong_is_told_and_no_other() {
    let bench = Bench::new().await;
    let Sides { source, target } = &bench.addresses;
    for address in [source, target] {
        execute(address, HANGING).await;
    }
    let many = "WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 24) INSERT INTO books SELECT v, 'b' FROM n";
    execute(source, many).await;
    let before = state(target).await;
    let tables = json!(["books", "parts", "notes"]);
    let mut export =
        bench.step("out", json!({ "act": "export", "side": "source", "one_file_per": "books", "tables": tables }));
    export.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let files = exported(&bench, "out");
    assert_eq!(files.len(), 24);
    let mut import = bench.step("in", json!({ "act": "import", "from": "out" }));
    for (damaged, wrong, more) in [(1..3, 2, None), (1..23, 22, Some("and 2 more"))] {
        files[damaged.clone()].iter().for_each(change);
        let error = error_of(&mut import).await;
        files[damaged.clone()].iter().for_each(change);
        assert!(error.contains(&format!("{wrong} files or sheets are wrong:")), "{error}");
        let named: Vec<bool> = files.iter().map(|file| error.contains(&file.display().to_string())).collect();
        let expected: Vec<bool> = (0..24).map(|at| damaged.contains(&at) && at < 21).collect();
        assert_eq!(named, expected, "{error}");
        assert_eq!(more.is_some(), error.contains("\nand "), "{error}");
        assert!(more.is_none_or(|more| error.ends_with(more)), "{error}");
    }
    // Files of the user's likewise, each with its place.
    let (bad, worse) = ("id,name\n1,Ann\nx,Bo\n", "id,name\n1,\"Ann\n");
    let given: Vec<Json> = [("bad.csv", bad), ("right.csv", "id,name\n7,Cy\n"), ("worse.csv", worse)]
        .into_iter()
        .map(|(name, text)| json!({ "path": bench.sandbox.write(name, text), "table": "things", "columns": [] }))
        .collect();
    let mut import = bench.step("in", json!({ "act": "import", "files": given, "written": written("csv") }));
    let error = error_of(&mut import).await;
    assert!(error.contains("2 files or sheets are wrong:") && !error.contains("right.csv"), "{error}");
    assert!(error.contains("bad.csv:3:1: column `id`") && error.contains("worse.csv:2:"), "{error}");
    assert_no_trace(&before, &state(target).await, "wrong files");
}
