//! A process that goes away between files or within one, and what takes it up.

use async_trait::async_trait;
use rehearse::migrate::{self, StepError, StepVoice};
use tokio::sync::Notify;

use super::*;

/// Keeps marks until one that holds a word: nobody hears that one, and nothing more is done.
struct Voice<'c> {
    marks: &'c mut Vec<Json>,
    goes_at: &'static str,
    /// Whether the mark is on disk when it goes.
    keeps: bool,
    gone: &'c Notify,
}

#[async_trait]
impl StepVoice for Voice<'_> {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        let goes = mark.to_string().contains(self.goes_at);
        if !goes || self.keeps {
            self.marks.push(mark);
        }
        if goes {
            self.gone.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// Goes forward until a mark that holds a word, and is gone then, as a killed process is.
async fn killed(step: &mut Step, goes_at: &'static str, keeps: bool) {
    let (gone, mut marks) = (Notify::new(), step.task.marks.clone());
    let mut voice = Voice { marks: &mut marks, goes_at, keeps, gone: &gone };
    let kind = migrate::by_id(&step.task.kind).unwrap();
    tokio::select! {
        ended = kind.forward(&step.task, &mut voice) => panic!("{goes_at}: {ended:?}"),
        () = gone.notified() => {}
    }
    step.task.marks = marks;
}

/// Marks of a kind.
fn marks(step: &Step, word: &str) -> usize {
    let begins = format!("\"{word}\"");
    step.task.marks.iter().filter(|mark| mark.to_string().trim_start_matches('{').starts_with(&begins)).count()
}

/// Wherever it went away, no row is there twice after the way on, and all is as before after the way back.
#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_process_is_killed_both_ways_lead_on_from_there() {
    // Anew from the beginning, where nobody knows of a file whether its transaction came to its end.
    for (word, keeps, is_anew) in [
        ("{\"importing\"", true, false),
        ("{\"left\"", false, false),
        ("{\"left\"", true, false),
        ("{\"taking\"", false, false),
        ("{\"taking\"", true, true),
        ("{\"taken\"", false, true),
        ("{\"taken\"", true, false),
        ("{\"imported\"", false, false),
        ("{\"imported\"", true, false),
    ] {
        for goes_on in [true, false] {
            let what = format!("{word} {keeps} {goes_on}");
            let bench = Bench::sqlite().await;
            let before = state(bench.target()).await;
            let mut leave = bench.leave(&[GIVEN[9], GIVEN[4], GIVEN[3], GIVEN[6], GIVEN[0]], "refuse");
            killed(&mut leave, word, keeps).await;
            if !goes_on {
                leave.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
                assert_no_trace(&before, &state(bench.target()).await, &what);
                assert!(!bench.list().exists(), "{what}");
                continue;
            }
            let done = leave.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
            assert_eq!(bench.rows("shelf").await, ["left", "left"], "{what}");
            assert_eq!(bench.rows("books").await, ["1 Trial", "2 Two", "3 Three"], "{what}");
            assert_eq!(bench.rows("notes").await, ["1 2 5", "2 3 1"], "{what}");
            let (taken, failed) = (figure(&done, "files_taken"), figure(&done, "files_failed"));
            assert_eq!((taken, failed, figure(&done, "rows_inserted")), (3.0, 2.0, 6.0), "{what}");
            assert_eq!(done.left_out.len(), 2, "{what}");
            assert_eq!(marks(&leave, "taken_back"), usize::from(is_anew), "{what}");
            assert_eq!(marks(&leave, "importing"), 1 + usize::from(is_anew), "{what}");
            let list: Json = serde_json::from_slice(&fs::read(bench.list()).unwrap()).unwrap();
            assert_eq!(list["files"].as_array().unwrap().len(), 2, "{what}");
            leave.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
            assert_no_trace(&before, &state(bench.target()).await, &what);
        }
    }
}

/// The same of a retry, which ends where the step that it names ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_retry_takes_no_file_twice() {
    for (word, keeps) in [("{\"taking\"", true), ("{\"taken\"", false), ("{\"taken\"", true), ("{\"imported\"", false)]
    {
        for goes_on in [true, false] {
            let what = format!("{word} {keeps} {goes_on}");
            let bench = Bench::sqlite().await;
            let broken: Given = ("shelf.csv", "shelf", "");
            let mut leave = bench.leave(&[broken, GIVEN[3], GIVEN[6]], "refuse");
            leave.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
            let left = state(bench.target()).await;
            bench.mend(&[("shelf.csv", "shelf", "name\nagain\n")]);
            // A table without a key takes rows, and no row's place.
            let mut retry = bench.retry("refuse");
            execute(bench.target(), "DELETE FROM books WHERE id = 1").await;
            let without = state(bench.target()).await;
            killed(&mut retry, word, keeps).await;
            if goes_on {
                let done = retry.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
                assert_eq!(figure(&done, "files_taken"), 2.0, "{what}");
                assert_eq!(bench.rows("shelf").await, ["again"], "{what}");
                assert_eq!(bench.rows("books").await, ["1 New", "2 Two", "3 Three", "30 Thirty"], "{what}");
            }
            retry.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
            assert_no_trace(&without, &state(bench.target()).await, &what);
            execute(bench.target(), "INSERT INTO books VALUES (1, 'Trial')").await;
            assert_no_trace(&left, &state(bench.target()).await, &what);
        }
    }
}

/// A process that goes away between its commit and the word of it: the rows are there, and do not come a second time. What keeps
/// nothing of before is asked of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_import_that_was_committed_is_not_done_again() {
    const TEST: &str = "a_whole_import_that_was_committed_is_not_done_again";
    for bench in [Some(Bench::sqlite().await), Bench::postgres(TEST).await].into_iter().flatten() {
        let shelf = bench.sandbox.write("shelf.csv", "name\nleft\nleft\n");
        let files = json!([{ "path": shelf, "table": "shelf", "columns": [] }]);
        let stated =
            json!({ "files": files, "rollback": { "kind": "truncate", "side": "target", "tables": ["shelf"] } });
        for (goes_at, keeps) in [("\"imported\"", false), ("\"importing\"", true), ("\"imported\"", true)] {
            execute(bench.target(), "DELETE FROM shelf").await;
            let mut step = bench.step("whole", &stated);
            killed(&mut step, goes_at, keeps).await;
            let (gone, mut marks) = (Notify::new(), step.task.marks.clone());
            let mut voice = Voice { marks: &mut marks, goes_at: "never", keeps: true, gone: &gone };
            migrate::by_id("files").unwrap().forward(&step.task, &mut voice).await.unwrap();
            let rows = ask(bench.target(), "SELECT CAST(count(*) AS VARCHAR(9)) FROM shelf").await;
            assert_eq!(rows[0][0].as_deref(), Some("2"), "{goes_at} {keeps}");
        }
    }
}
