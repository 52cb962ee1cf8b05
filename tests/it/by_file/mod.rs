//! The step `files`, file by file: what cannot be taken is left out whole, named, and taken by a later step.

mod killed;
mod whole;

use std::{fs, path::PathBuf};

use rehearse::{
    migrate::StepDone,
    model::{Address, Endpoint, EngineId, Side, Sides, chain},
};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox,
    server::{Started, ask, execute},
    steps::{Step, assert_no_trace, state},
};

/// `shelf` has no key, so that a file that is taken twice shows.
const TABLES: &str = "CREATE TABLE books (id INTEGER PRIMARY KEY, name VARCHAR(9) NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, book_id INTEGER NOT NULL REFERENCES books (id),
                        stars INTEGER CHECK (stars > 0));
    CREATE TABLE shelf (name VARCHAR(9));
    INSERT INTO books VALUES (1, 'Trial')";

/// A file of the user's: name, table, text.
type Given = (&'static str, &'static str, &'static str);

/// Children stand before their parents, and every way to fail is there once.
const GIVEN: &[Given] = &[
    ("notes.csv", "notes", "id,book_id,stars\n1,2,5\n2,3,1\n"),
    ("of-malformed.csv", "notes", "id,book_id,stars\n3,20,5\n"),
    ("refused.csv", "notes", "id,book_id,stars\n4,2,5\n5,2,0\n"),
    ("books.csv", "books", "id,name\n2,Two\n3,Three\n"),
    ("malformed.csv", "books", "id,name\n20,Twenty\n21,\"Open\n"),
    ("gone.csv", "books", ""),
    ("there.csv", "books", "id,name\n30,Thirty\n1,New\n"),
    ("other.csv", "books", "id,title\n40,Forty\n"),
    ("long.csv", "books", "id,name\n50,Fifty\n51,Much too long\n"),
    ("shelf.csv", "shelf", "name\nleft\nleft\n"),
];

/// What is right of those that fail.
const MENDED: &[Given] = &[
    ("refused.csv", "notes", "id,book_id,stars\n4,2,5\n5,30,1\n"),
    ("malformed.csv", "books", "id,name\n20,Twenty\n21,Open\n"),
    ("gone.csv", "books", "id,name\n60,Sixty\n"),
    ("other.csv", "books", "id,name\n40,Forty\n"),
    ("long.csv", "books", "id,name\n50,Fifty\n51,Short\n"),
];

/// Those that fail, and what is told of each. A child whose parent was left out fails with it.
const FAILED: &[(&str, &str)] = &[
    ("malformed.csv", ":3:4: a quote is opened here and never closed"),
    ("gone.csv", ":1:1: cannot be read: No such file or directory"),
    ("other.csv", "books has no column `title`"),
    ("long.csv", ":3:4: column `name` holds 13 characters, and the target takes 9"),
    ("there.csv", "refused"),
    ("of-malformed.csv", "refused"),
    ("refused.csv", "refused"),
];

struct Bench {
    addresses: Sides<Address>,
    sandbox: Sandbox,
    _server: Option<Started>,
}

impl Bench {
    async fn sqlite() -> Self {
        let sandbox = Sandbox::new();
        let target = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(sandbox.path("target.db")) };
        Self::of(target, sandbox, None).await
    }

    /// `None`, and said so, where there is no PostgreSQL.
    async fn postgres(test: &str) -> Option<Self> {
        let started = Started::local(test).await?;
        started.execute("CREATE DATABASE one").await;
        let target = started.server.admin.with_database("one");
        Some(Self::of(target, Sandbox::new(), Some(started)).await)
    }

    async fn of(target: Address, sandbox: Sandbox, server: Option<Started>) -> Self {
        let source = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(sandbox.path("source.db")) };
        execute(&source, "SELECT 1").await;
        execute(&target, TABLES).await;
        Self { addresses: Sides::new(source, target), sandbox, _server: server }
    }

    fn target(&self) -> &Address {
        &self.addresses.target
    }

    fn step(&self, name: &str, more: &Json) -> Step {
        let written = json!({
            "form": "csv", "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8"
        });
        let mut settings = json!({
            "act": "import", "side": "target", "tables": [], "written": written, "conflicts": "refuse", "from": null,
            "files": []
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Step::new(&self.sandbox, "files", name, &self.addresses, settings)
    }

    /// An import that leaves out what cannot be taken.
    fn leave(&self, given: &[Given], conflicts: &str) -> Step {
        let file = |(name, table, text): &Given| {
            let path = self.sandbox.write(name, text);
            if text.is_empty() {
                fs::remove_file(&path).unwrap();
            }
            json!({ "path": path, "table": table, "columns": [] })
        };
        let files: Vec<Json> = given.iter().map(file).collect();
        self.step("in", &json!({ "files": files, "failed_files": "leave", "conflicts": conflicts }))
    }

    fn retry(&self, conflicts: &str) -> Step {
        self.step("again", &json!({ "retry": "in", "conflicts": conflicts }))
    }

    fn mend(&self, given: &[Given]) {
        given.iter().for_each(|(name, _, text)| _ = self.sandbox.write(name, text));
    }

    fn list(&self) -> PathBuf {
        self.sandbox.path("steps/in/failed-files.json")
    }

    /// The rows of a table, each as one text, in order.
    async fn rows(&self, table: &str) -> Vec<String> {
        let rows = ask(self.target(), &format!("SELECT * FROM {table} ORDER BY 1")).await;
        rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect()
    }
}

/// The figure of this name.
#[track_caller]
fn figure(done: &StepDone, name: &str) -> f64 {
    done.figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| panic!("no {name} in {done:?}")).value
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_taken_are_left_out_whole_and_taken_later() {
    let mut benches = vec![Bench::sqlite().await];
    benches.extend(Bench::postgres("files_that_cannot_be_taken_are_left_out_whole_and_taken_later").await);
    for bench in &benches {
        let engine = bench.target().engine.to_string();
        let before = state(bench.target()).await;
        let mut leave = bench.leave(GIVEN, "refuse");
        let done = leave.forward().await.unwrap_or_else(|error| panic!("{engine}: {}", chain(&error)));
        assert_eq!(bench.rows("books").await, ["1 Trial", "2 Two", "3 Three"], "{engine}");
        assert_eq!(bench.rows("notes").await, ["1 2 5", "2 3 1"], "{engine}");
        assert_eq!(bench.rows("shelf").await, ["left", "left"], "{engine}");
        assert_eq!((figure(&done, "files_taken"), figure(&done, "files_failed")), (3.0, 7.0), "{engine}");
        assert_eq!((figure(&done, "rows_read"), figure(&done, "rows_inserted"), done.rows), (6.0, 6.0, 6), "{engine}");
        // In the step's folder, in its notes, and for those who look at the result.
        let list: Json = serde_json::from_slice(&fs::read(bench.list()).unwrap()).unwrap();
        let note = done.notes.join("\n");
        assert!(note.starts_with("`in` left out 7 of 10 files:\n"), "{engine}: {note}");
        assert_eq!((list["files"].as_array().unwrap().len(), done.left_out.len()), (FAILED.len(), FAILED.len()));
        for ((name, why), (listed, left)) in
            FAILED.iter().zip(list["files"].as_array().unwrap().iter().zip(&done.left_out))
        {
            let (file, reason) = (listed["file"].as_str().unwrap(), listed["reason"].as_str().unwrap());
            assert!(file.ends_with(&format!("/{name}")) && reason.contains(why), "{engine}: {name} {why}\n{listed}");
            assert_eq!((left.file.as_str(), left.reason.as_str(), left.side), (*name, reason, Side::Target));
            assert!(note.contains(&format!("`{name}`: {reason}")), "{engine}: {note}");
            for value in ["Fifty", "Much", "Thirty", "Forty", "Open"] {
                assert!(!reason.contains(value), "{engine}: {reason}");
            }
        }
        let left = state(bench.target()).await;

        // A file that fails again is refused by its name, and nothing of any file stays.
        bench.mend(&MENDED[1..]);
        let mut retry = bench.retry("overwrite");
        let error = chain(&retry.forward().await.unwrap_err());
        assert!(
            error.starts_with("one file that step `in` left out cannot be taken again:\n`refused.csv`: "),
            "{error}"
        );
        assert_no_trace(&left, &state(bench.target()).await, &engine);
        assert!(bench.list().exists());

        bench.mend(MENDED);
        let done = retry.forward().await.unwrap_or_else(|error| panic!("{engine}: {}", chain(&error)));
        assert_eq!((figure(&done, "files_taken"), figure(&done, "files_failed")), (7.0, 0.0), "{engine}");
        assert_eq!((figure(&done, "rows_inserted"), figure(&done, "rows_overwritten")), (10.0, 1.0), "{engine}");
        assert_eq!((done.retried.as_deref(), done.left_out.len()), (Some("in"), 0), "{engine}");
        let books = ["1 New", "2 Two", "3 Three", "20 Twenty", "21 Open", "30 Thirty"];
        assert_eq!(bench.rows("books").await[..6], books, "{engine}");
        assert_eq!(bench.rows("books").await[6..], ["40 Forty", "50 Fifty", "51 Short", "60 Sixty"], "{engine}");
        assert_eq!(bench.rows("notes").await, ["1 2 5", "2 3 1", "3 20 5", "4 2 5", "5 30 1"], "{engine}");
        // What was taken at first is not taken again.
        assert_eq!(bench.rows("shelf").await, ["left", "left"], "{engine}");
        retry.back().await.unwrap_or_else(|error| panic!("{engine}: {}", chain(&error)));
        assert_no_trace(&left, &state(bench.target()).await, &engine);
        leave.back().await.unwrap_or_else(|error| panic!("{engine}: {}", chain(&error)));
        assert_no_trace(&before, &state(bench.target()).await, &engine);
        assert!(!bench.list().exists());
    }
}

/// A key that is there is no failure where the scenario says what becomes of it; what is put aside for that is gone in
/// the end.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_or_overwritten_is_not_left_out() {
    for (conflicts, name) in [("skip", "1 Trial"), ("overwrite", "1 New")] {
        let bench = Bench::sqlite().await;
        let before = state(bench.target()).await;
        let twice = ("twice.csv", "books", "id,name\n70,a\n70,b\n");
        let given = [&GIVEN[2..4], &GIVEN[6..7], &[twice]].concat();
        let mut leave = bench.leave(&given, conflicts);
        let done = leave.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
        let failed: Vec<&str> = done.left_out.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(failed, ["twice.csv", "refused.csv"], "{conflicts}");
        assert!(done.left_out[0].reason.contains("have a key that another row of the file has"), "{done:?}");
        assert_eq!(bench.rows("books").await, [name, "2 Two", "3 Three", "30 Thirty"], "{conflicts}");
        let tables = ask(bench.target(), "SELECT name FROM sqlite_schema WHERE type = 'table'").await;
        assert_eq!(tables.len(), 3, "{tables:?}");
        leave.back().await.unwrap();
        assert_no_trace(&before, &state(bench.target()).await, conflicts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_nothing_to_retry_does_nothing_and_says_so() {
    let bench = Bench::sqlite().await;
    // The step that it names has to have run.
    let error = chain(&bench.retry("refuse").forward().await.unwrap_err());
    assert!(error.starts_with("failed to read what step `in` left out"), "{error}");
    let mut leave = bench.leave(&GIVEN[3..4], "refuse");
    let done = leave.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!((figure(&done, "files_failed"), done.left_out.len(), done.notes.len()), (0.0, 0, 0));
    let before = state(bench.target()).await;
    let mut retry = bench.retry("refuse");
    let done = retry.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(done.notes, ["`again`: step `in` left no file out, so that there is nothing to retry"]);
    assert!(retry.task.marks.is_empty() && done.rows == 0);
    retry.back().await.unwrap();
    assert_no_trace(&before, &state(bench.target()).await, "nothing to retry");
}

/// Of what a step exported, a workbook with all its sheets is one file: one wrong sheet leaves it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_is_taken_with_all_its_sheets_or_not_at_all() {
    let bench = Bench::sqlite().await;
    let target = bench.target();
    execute(&bench.addresses.source, TABLES).await;
    execute(
        &bench.addresses.source,
        "INSERT INTO books VALUES (2, 'Two'), (3, 'Three'), (4, 'Four'), (5, 'Five');
         INSERT INTO notes VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5)",
    )
    .await;
    // The note of the fourth book has a key that is there; the book stands before it in its workbook.
    execute(target, "INSERT INTO notes VALUES (4, 1, 9)").await;
    let written = json!({
        "form": "xlsx", "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8"
    });
    let tables = json!(["notes", "books"]);
    let out = json!({
        "act": "export", "side": "source", "one_file_per": "books", "tables": tables, "written": written
    });
    bench.step("out", &out).forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let folder = bench.sandbox.path("steps/out/files");
    let (changed, gone) = (folder.join("002-books-2.xlsx"), folder.join("003-books-3.xlsx"));
    let (whole, kept) = (fs::read(&changed).unwrap(), fs::read(&gone).unwrap());
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&changed, damaged).unwrap();
    fs::remove_file(&gone).unwrap();
    let before = state(target).await;
    let mut leave = bench.step("in", &json!({ "from": "out", "failed_files": "leave" }));
    let done = leave.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let told: Vec<&str> = done.left_out.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(told, ["002-books-2.xlsx", "003-books-3.xlsx", "001-books-1.xlsx", "004-books-4.xlsx"]);
    assert!(done.left_out[0].reason.contains("is damaged: its SHA-256 is"), "{done:?}");
    assert!(done.left_out[1].reason.ends_with("003-books-3.xlsx` is not there"), "{done:?}");
    assert_eq!(bench.rows("books").await, ["1 Trial", "5 Five"]);
    assert_eq!(bench.rows("notes").await, ["4 1 9", "5 5 5"]);
    let mut retry = bench.retry("overwrite");
    let error = chain(&retry.forward().await.unwrap_err());
    assert!(
        error.starts_with("2 files that step `in` left out cannot be taken again:\n`002-books-2.xlsx`: "),
        "{error}"
    );
    fs::write(&changed, whole).unwrap();
    fs::write(&gone, kept).unwrap();
    let done = retry.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!((figure(&done, "rows_inserted"), figure(&done, "rows_overwritten")), (6.0, 2.0));
    assert_eq!(bench.rows("notes").await, ["1 1 1", "2 2 2", "3 3 3", "4 4 4", "5 5 5"]);
    retry.back().await.unwrap();
    leave.back().await.unwrap();
    assert_no_trace(&before, &state(target).await, "workbooks");
}
