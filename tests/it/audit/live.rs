//! Audits of servers that others work on: nothing is written, bounds hold, and rows that move are told apart.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::{Audit, errors, pair};
use crate::checks::bench::{AUDITOR, Bench, Pair};

/// Tuples written in the target's database, as its server counts them.
const WRITTEN: &str = "SELECT pg_stat_force_next_flush(), pg_sleep(0)";
const TUPLES: &str = "SELECT (tup_inserted + tup_updated + tup_deleted)::text FROM pg_stat_database \
                      WHERE datname = current_database()";

#[test]
fn an_audit_writes_nothing() {
    let Some(bench) = Bench::take("an_audit_writes_nothing") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    let has_flush = pair.ask("SELECT count(*)::text FROM pg_proc WHERE proname = 'pg_stat_force_next_flush'");
    let tuples = || {
        if has_flush.as_deref() == Some("1") {
            pair.ask(WRITTEN);
        }
        pair.ask(TUPLES)
    };
    let (before, written) = (pair.state(), tuples());
    let hash = std::fs::read(pair.file()).unwrap();
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.target_url());
    let ended = audit.call_with(&["--source", &source, "--target", "env:AUDITED"], &[("AUDITED", &url)]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((pair.state(), tuples()), (before, written));
    assert_eq!(std::fs::read(pair.file()).unwrap(), hash);
}

#[test]
fn a_session_of_an_audit_cannot_write() {
    let Some(bench) = Bench::take("a_session_of_an_audit_cannot_write") else { return };
    let pair = pair(&bench);
    for sql in ["DELETE FROM posts", "CREATE TABLE more (x int)", "SELECT nextval('users_id_seq')"] {
        // SQLSTATE read_only_sql_transaction.
        assert_eq!(pair.refusals(sql), [Some("25006".to_owned()), Some("25006".to_owned())], "{sql}");
    }
}

#[test]
fn a_role_is_told_by_what_it_could_write() {
    let Some(bench) = Bench::take("a_role_is_told_by_what_it_could_write") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    pair.target(&format!(
        "GRANT USAGE ON SCHEMA public TO {AUDITOR}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {AUDITOR}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {AUDITOR}"
    ));
    let source = pair.file().to_str().unwrap().to_owned();
    let flags = ["--source", &source, "--target", "env:AUDITED", "--require-readonly-role"];
    let (as_owner, as_reader) = (pair.target_url(), pair.url_as(AUDITOR, AUDITOR));
    let ended = audit.call_with(&flags, &[("AUDITED", &as_owner)]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("the role of the target could write (DELETE on "), "{}", ended.stderr);
    let ended = audit.call_with(&flags, &[("AUDITED", &as_reader)]);
    let notes = audit.report().run.notes;
    assert!(notes.iter().any(|note| note.starts_with("the target was read in one snapshot, taken at 20")), "{notes:?}");
    assert!(!notes.iter().any(|note| note.contains("could write")), "{notes:?}");
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Audits while a writer is at work: in the pause between the two reads `mend` is run, and one row is never at rest.
fn audited_live(pair: &Pair<'_>, audit: &Audit, mend: &str) -> i32 {
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.target_url());
    let arguments = ["audit", "--source", &source, "--target", "env:AUDITED", "--settle", "3"];
    let mut command = audit.sandbox.rehearsal(&arguments);
    let mut child = command.env("AUDITED", &url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                pair.target("UPDATE posts SET title = title || '.' WHERE id = 1");
                thread::sleep(Duration::from_millis(50));
            }
        });
        // Its session has been idle for a while with its transaction open: it waits for rows to settle.
        let waits = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                     AND state = 'idle in transaction' AND clock_timestamp() - state_change > interval '700 ms'";
        while pair.ask(waits).as_deref() != Some("1") {
            assert!(child.try_wait().unwrap().is_none(), "it ended before anybody mended a row");
            thread::sleep(Duration::from_millis(50));
        }
        pair.target(mend);
        let code = child.wait().unwrap().code().unwrap();
        is_over.store(true, Ordering::Relaxed);
        code
    })
}

#[test]
fn rows_that_differ_are_read_again_and_told_apart() {
    let Some(bench) = Bench::take("rows_that_differ_are_read_again_and_told_apart") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    // Row 1 is never at rest, row 2 comes late, row 3 differs for good.
    pair.target("UPDATE posts SET title = 'x' WHERE id IN (1, 3); DELETE FROM posts WHERE id = 2");
    let mend = "INSERT INTO posts (id, author, editor, title) VALUES (2, 2, NULL, 'A compiler')";
    assert_eq!(audited_live(&pair, &audit, mend), 1);
    assert_eq!(errors(&audit.report()), ["checksum rows_different target posts 1"]);
    let report = audit.report();
    let told: Vec<String> = report
        .findings()
        .filter(|(_, finding)| finding.kind.to_string().starts_with("rows_"))
        .map(|(_, finding)| format!("{} {} {}", finding.severity, finding.kind, finding.total))
        .collect();
    assert_eq!(told, ["error rows_different 1", "warning rows_moving 1", "note rows_settled 1"]);

    // Without the one that differs for good nothing is wrong, and not everything could be compared.
    pair.target("UPDATE posts SET title = 'Nanoseconds' WHERE id = 3; DELETE FROM posts WHERE id = 2");
    assert_eq!(audited_live(&pair, &audit, mend), 3);
    let report = audit.report();
    assert_eq!(errors(&report), Vec::<String>::new());
    assert_eq!(report.scenarios[0].unchecked[0].subject, "1 rows of posts");
}

#[test]
fn a_pace_changes_nothing_but_the_time() {
    let audit = Audit::new();
    let (source, target) = (audit.file("old.db", super::TINY), audit.file("new.db", super::TINY));
    let ended = audit.call(&["--source", &source, "--target", &target, "--throttle", "500"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(audit.report().coverage.rows.checked, 10);
}
