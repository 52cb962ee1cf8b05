//! Whole runs: the same seed twice, a user's file that stays as it was, and failures of Rehearse itself.

use std::{io, sync::Arc};

use rehearse::{
    check::Resources,
    model::{Address, Event, EventKind, RunId},
    provision::UrlSource,
    run::{self, EventSink, Job, Limits, Options, Stop, Subject, registry::Registry},
    scenario,
};
use rusqlite::Connection;

use super::*;
use crate::small_disk::SmallDisk;

/// Takes out what differs between two runs by its nature: times, ids, places, and figures of speed.
fn timeless(report: &mut Json) {
    match report {
        Json::Object(fields) => {
            for gone in ["id", "started_at", "duration_ms", "command", "repeat", "figures"] {
                if gone != "id" || fields.contains_key("root_seed") {
                    fields.remove(gone);
                }
            }
            fields.values_mut().for_each(timeless);
        }
        Json::Array(list) => list.iter_mut().for_each(timeless),
        _ => {}
    }
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let report = || {
        let place = Place::new("the_same_seed_gives_the_same_report", "local")?;
        assert_eq!(place.start(&["--show-values"]).exit_code(), 0);
        place.assert_ended();
        let mut report = place.report();
        timeless(&mut report);
        Some(report)
    };
    let Some(first) = report() else { return };
    assert!(first["scenarios"][0]["fingerprints"][0]["tables"][0]["fingerprint"].is_string(), "{first:#}");
    assert_eq!(first, report().unwrap());
}

fn sha256(path: &std::path::Path) -> String {
    rehearse::canon::sha256(fs::File::open(path).unwrap()).unwrap()
}

#[test]
fn a_snapshot_with_a_log_stays_as_it_was() {
    let Some(place) = Place::new("a_snapshot_with_a_log_stays_as_it_was", "local") else { return };
    let file = place.sandbox.path("user.db");
    let writer = Connection::open(&file).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    writer.execute_batch(FILES[2].1).unwrap();
    writer
        .execute_batch("INSERT INTO parents VALUES (1, 'only in the log'); INSERT INTO children VALUES (1, 1, 'x')")
        .unwrap();
    let log = place.sandbox.path("user.db-wal");
    let before = (sha256(&file), sha256(&log));
    assert!(fs::metadata(&log).unwrap().len() > 0);

    let output = place.start(&["--snapshot", file.to_str().unwrap()]).output();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((sha256(&file), sha256(&log)), before);
    place.assert_ended();
    let report = place.report();
    let files = report["scenarios"][0]["files"].as_array().unwrap();
    for (path, sha256) in [(&file, &before.0), (&log, &before.1)] {
        let witness = files.iter().find(|witness| witness["path"] == path.to_str().unwrap()).unwrap();
        assert_eq!((&witness["sha256_before"], &witness["sha256_after"]), (&sha256[..].into(), &sha256[..].into()));
    }
    let rows =
        &report["scenarios"][0]["steps"].as_array().unwrap().iter().find(|step| step["id"] == "migrate/transfer");
    assert_eq!(rows.unwrap()["rows"], 2, "rows that only the log holds are carried, too");
}

#[test]
fn a_locked_snapshot_is_told_and_nothing_is_left() {
    let Some(place) = Place::new("a_locked_snapshot_is_told_and_nothing_is_left", "local") else { return };
    let file = place.sandbox.path("user.db");
    let writer = Connection::open(&file).unwrap();
    writer.execute_batch(FILES[2].1).unwrap();
    writer.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let output = place.start(&["--snapshot", file.to_str().unwrap()]).output();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("user.db` is locked by another process"), "{said}");
    place.assert_ended();
}

#[test]
fn a_target_that_is_not_empty_is_a_wrong_call() {
    let Some(place) = Place::new("a_target_that_is_not_empty_is_a_wrong_call", "local") else { return };
    place.sandbox.write("slow/target.sql", format!("{}; INSERT INTO parents VALUES (1000, 'precious')", FILES[3].1));
    let output = place.start(&[]).output();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the target is not empty: `parents` holds 1 rows"), "{said}");
    place.assert_ended();
    assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
    assert_eq!(place.count(|event| event["event"] == "step_mark"), 0, "nothing was about to be written");
}

#[test]
fn rows_that_the_target_cannot_hold_are_a_finding() {
    let Some(place) = Place::new("rows_that_the_target_cannot_hold_are_a_finding", "local") else { return };
    let file = place.sandbox.path("user.db");
    let writer = Connection::open(&file).unwrap();
    writer.execute_batch(FILES[2].1).unwrap();
    writer.execute_batch("INSERT INTO parents VALUES (1, 'a' || char(0) || 'b')").unwrap();
    drop(writer);
    let output = place.start(&["--snapshot", file.to_str().unwrap()]).output();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("row 1 of `parents`: `name` holds text with a NUL character"), "{said}");
    place.assert_ended();
    assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
}

struct NoUrls;

impl UrlSource for NoUrls {
    fn url(&self, _: &str) -> Option<Address> {
        None
    }
}

/// A watcher that panics, or whose output is closed.
struct Watcher(fn(&EventKind) -> io::Result<()>);

impl EventSink for Watcher {
    fn name(&self) -> &'static str {
        "watcher"
    }

    fn accept(&mut self, event: &Event) -> io::Result<()> {
        (self.0)(&event.kind)
    }
}

/// Plays the slow scenario inside this process with a watcher.
async fn play(place: &Place, watcher: fn(&EventKind) -> io::Result<()>) -> Result<run::Finished, run::RunError> {
    let folder = place.sandbox.path("slow");
    let (_switch, stop) = Stop::new();
    let options = Options {
        subject: Subject::Scenario { folder: folder.clone() },
        snapshot: None,
        versions: vec!["15".to_owned()],
        provider: Some("local".to_owned()),
        image: None,
        scale: 1.0,
        until: None,
        phase: None,
        rows: None,
        root_seed: 7,
        keep: false,
        show_values: false,
        only_runnable: false,
        require_coverage: 100.0,
        despite: Vec::new(),
        limits: Limits::default(),
        target_reference: None,
        disposable: false,
        work_root: place.sandbox.work(),
        resources: Resources::usual(place.sandbox.work()),
        program: PathBuf::from(env!("CARGO_BIN_EXE_rehearse")),
    };
    let job = Job {
        id: RunId("20260101t000000-test".to_owned()),
        options,
        scenario: scenario::read(&folder).unwrap(),
        out: place.sandbox.out(),
        registry: Registry::new(place.sandbox.path("state")),
        command: Vec::new(),
        repeat: String::new(),
        external: None,
        urls: Arc::new(NoUrls),
        sinks: vec![Box::new(Watcher(watcher))],
        stop,
    };
    run::execute(job).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_leaves_nothing_and_is_told() {
    let Some(place) = Place::new("a_panic_leaves_nothing_and_is_told", "local") else { return };
    let finished = play(&place, |event| match event {
        // Every one from here on: the end of the run must not be disturbed by more of them.
        EventKind::StepMark { .. } | EventKind::LeaseReleased { .. } | EventKind::RunFinished { .. } => panic!("boom"),
        _ => Ok(()),
    });
    let finished = finished.await.unwrap();
    assert_eq!(finished.panicked.as_deref(), Some("boom"));
    assert_eq!(place.report()["verdict"], "inconclusive");
    assert!(place.report()["run"]["notes"].to_string().contains("rehearse itself failed: boom"));
    place.assert_ended();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_fails_is_named_and_the_run_goes_on() {
    let Some(place) = Place::new("a_watcher_that_fails_is_named_and_the_run_goes_on", "local") else { return };
    let finished = play(&place, |_| Err(io::Error::other("closed"))).await.unwrap();
    assert_eq!(finished.panicked, None);
    assert_eq!(place.report()["verdict"], "pass");
    assert!(place.report()["run"]["notes"].to_string().contains("watcher stopped: closed"));
    place.assert_ended();
}

/// Nobody reads what the program says: that is no reason to leave a server standing.
#[test]
fn closed_output_is_no_hindrance() {
    let Some(place) = Place::new("closed_output_is_no_hindrance", "local") else { return };
    let mut playing = place.start(&[]);
    drop((playing.child.stdout.take(), playing.child.stderr.take()));
    assert_eq!(playing.exit_code(), 0);
    place.assert_ended();
}

/// The disk of journal and reports is full: everything is given back all the same.
#[test]
fn a_journal_that_cannot_be_written_leaves_nothing() {
    const TEST: &str = "a_journal_that_cannot_be_written_leaves_nothing";
    let Some(place) = Place::new(TEST, "local") else { return };
    let Some(_disk) = SmallDisk::mount(place.sandbox.out(), "24k") else {
        return skipped(TEST, "root", "a small disk cannot be mounted here");
    };
    let output = place.start(&[]).output();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(fs::read_dir(place.sandbox.work()).unwrap().count(), 0, "{said}");
    assert_eq!(processes(&place.sandbox.work().display().to_string()), Vec::new());
}
