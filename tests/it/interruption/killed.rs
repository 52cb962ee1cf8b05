//! After a `SIGKILL`: status, clean, resume, rollback.

use super::*;

/// Kills a run in the middle of its import; its step process ends by itself.
fn kill_in_import(place: &Place, act: &str) -> String {
    let mut playing = place.start(&[]);
    playing.until_import(act);
    let run = playing.child.id();
    let steps: Vec<u32> = processes(" step").into_iter().map(|(pid, _)| pid).collect();
    let steps: Vec<u32> = children(run).into_iter().filter(|pid| steps.contains(pid)).collect();
    assert_eq!(steps.len(), 1, "the step has a process of its own");
    let id = playing.kill();
    let since = Instant::now();
    while processes(" step").iter().any(|(pid, _)| *pid == steps[0]) {
        assert!(since.elapsed() < Duration::from_secs(10), "the step's process outlives its run");
        std::thread::sleep(Duration::from_millis(20));
    }
    id
}

fn clean(provider: &'static str, test: &str) {
    let Some(place) = Place::new(test, provider) else { return };
    let id = kill_in_import(&place, "migrate/transfer");
    let status = place.verb("status", &id);
    assert_eq!(status.code, 0, "{}", status.stderr);
    for part in ["interrupted", "in the middle of: migrate/transfer", "record/baseline", "rehearse resume", "rollback"]
    {
        assert!(status.stdout.contains(part), "{part}: {}", status.stdout);
    }
    let cleaned = place.sandbox.call(&["clean"]);
    assert_eq!(cleaned.code, 0, "{}", cleaned.stderr);
    assert!(cleaned.stdout.contains(&id) && cleaned.stdout.contains("directory-work"), "{}", cleaned.stdout);
    place.assert_nothing_left();
    assert!(place.sandbox.call(&["clean"]).stdout.contains("nothing to clean"));
    let resumed = place.verb("resume", &place.run_directory().unwrap().display().to_string());
    assert_eq!(resumed.code, 2);
    assert!(resumed.stderr.contains("holds nothing any more"), "{}", resumed.stderr);
}

#[test]
fn clean_leaves_nothing_of_a_local_run() {
    clean("local", "clean_leaves_nothing_of_a_local_run");
}

#[test]
fn clean_leaves_nothing_of_a_run_in_a_container() {
    clean("container", "clean_leaves_nothing_of_a_run_in_a_container");
}

fn resume(provider: &'static str, test: &str, act: &str) {
    let Some(place) = Place::new(test, provider) else { return };
    let id = kill_in_import(&place, act);
    let resumed = place.verb("resume", &id);
    assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
    place.assert_ended();
    let report = place.report();
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["coverage"]["downs"], serde_json::json!({ "checked": 1, "total": 1 }));
    // Each table was announced once: what was committed before the kill was not imported again.
    let announced = |table: &str| {
        place.count(|event| {
            event["step"] == act && event["mark"]["import"] == "committing" && event["mark"]["table"] == table
        })
    };
    assert_eq!((announced("parents"), announced("children")), (1, 1));
    let baseline = |event: &Json| step_finished("record/baseline")(event);
    assert_eq!(place.count(baseline), 1, "what was done before the kill is not done again");
    let seqs: Vec<u64> = fs::read_to_string(place.run_directory().unwrap().join("events.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.iter().copied().eq(0..seqs.len() as u64), "the journal has holes: {seqs:?}");
}

#[test]
fn resume_goes_on_with_a_local_run() {
    resume("local", "resume_goes_on_with_a_local_run", "migrate/transfer");
}

#[test]
fn resume_goes_on_with_a_run_in_a_container() {
    resume("container", "resume_goes_on_with_a_run_in_a_container", "migrate/transfer");
}

#[test]
fn resume_goes_on_with_the_second_migration() {
    resume("local", "resume_goes_on_with_the_second_migration", "reapply/transfer");
}

fn rollback(provider: &'static str, test: &str, act: &str) {
    let Some(place) = Place::new(test, provider) else { return };
    let id = kill_in_import(&place, act);
    let rolled_back = place.verb("rollback", &id);
    // An interruption from which the run was brought back clean.
    assert_eq!(rolled_back.code, 3, "{}\n{}", rolled_back.stdout, rolled_back.stderr);
    place.assert_ended();
    assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
    let taken_back = |event: &Json| event["step"] == "rollback/transfer" && event["mark"]["import"] == "taken_back";
    let earlier = usize::from(act == "reapply/transfer");
    assert_eq!(place.count(taken_back), earlier + 1, "the interrupted import itself is taken back");
    assert_eq!(place.count(step_started(act)), 1, "nothing goes forward any more");
}

#[test]
fn rollback_proves_no_trace_of_a_local_run() {
    rollback("local", "rollback_proves_no_trace_of_a_local_run", "migrate/transfer");
}

#[test]
fn rollback_proves_no_trace_of_a_run_in_a_container() {
    rollback("container", "rollback_proves_no_trace_of_a_run_in_a_container", "migrate/transfer");
}

#[test]
fn rollback_takes_the_second_migration_back() {
    rollback("local", "rollback_takes_the_second_migration_back", "reapply/transfer");
}

/// A line that was being written when the kill came is no hindrance.
#[test]
fn a_cut_journal_is_gone_on_with() {
    let Some(place) = Place::new("a_cut_journal_is_gone_on_with", "local") else { return };
    let id = kill_in_import(&place, "migrate/transfer");
    let journal = place.run_directory().unwrap().join("events.jsonl");
    let mut text = fs::read(&journal).unwrap();
    text.extend_from_slice(
        "{\"seq\":99,\"at\":\"2026-01-01T00:00:00Z\",\"elapsed_ms\":1,\"kind\":{\"text\":\"Gr\u{f6}".as_bytes(),
    );
    text.pop();
    fs::write(&journal, text).unwrap();
    assert!(place.verb("status", &id).stdout.contains("interrupted"));
    let resumed = place.verb("resume", &id);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    place.assert_ended();
}
