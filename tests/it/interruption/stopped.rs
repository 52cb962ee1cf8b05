//! Ctrl-C and `SIGTERM`, in the middle of everything.

use super::*;

/// Starts a run, sends the signal at that moment, and looks at how it ends.
fn stop(test: &str, signal: &str, more: &[&str], moment: impl FnOnce(&mut Playing<'_>)) -> Option<Json> {
    let place = Place::new(test, "local")?;
    let mut playing = place.start(more);
    moment(&mut playing);
    playing.signal(signal);
    let since = Instant::now();
    let output = playing.output();
    assert!(since.elapsed() < Duration::from_secs(20), "it took {:?} to stop", since.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("stopping: taking back"), "{said}");
    place.assert_ended();
    let report = place.report();
    assert_eq!((&report["verdict"], &report["run"]["finished"]), (&"inconclusive".into(), &true.into()));
    Some(report)
}

fn step<'r>(report: &'r Json, act: &str) -> &'r Json {
    let steps = report["scenarios"][0]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["id"] == act).unwrap_or_else(|| panic!("no {act} in {steps:#?}"))
}

#[test]
fn while_the_server_starts() {
    let report = stop("while_the_server_starts", "-INT", &[], |playing| {
        playing.until("the server's start", step_started("provision/target"));
        std::thread::sleep(Duration::from_millis(200));
    });
    let Some(report) = report else { return };
    assert_eq!(step(&report, "provision/target")["error"], "interrupted");
}

#[test]
fn while_the_source_is_filled() {
    let report = stop("while_the_source_is_filled", "-TERM", &["--scale", "2000"], |playing| {
        playing.until("the source's rows", step_started("populate"));
        std::thread::sleep(Duration::from_millis(200));
    });
    let Some(report) = report else { return };
    let error = step(&report, "populate")["error"].as_str().unwrap();
    assert!(error == "interrupted" || error.contains("was asked to end"), "{error}");
}

#[test]
fn while_rows_are_imported() {
    for signal in ["-INT", "-TERM"] {
        let report = stop("while_rows_are_imported", signal, &[], |playing| playing.until_import("migrate/transfer"));
        let Some(report) = report else { return };
        assert_eq!(step(&report, "migrate/transfer")["error"], "interrupted", "the step has taken itself back");
    }
}

#[test]
fn while_a_check_runs() {
    let report = stop("while_a_check_runs", "-INT", &[], |playing| {
        playing.until("the first check", step_finished("record/migrated"));
    });
    let Some(report) = report else { return };
    let checks = report["scenarios"][0]["checks"].as_array().unwrap();
    let last = checks.iter().rfind(|check| check["stage"] == "migrated").unwrap();
    assert_ne!(last["outcome"], "passed", "{checks:#?}");
}

/// A step beyond its deadline is taken back; so is what went before it.
#[test]
fn a_step_beyond_its_deadline() {
    let Some(place) = Place::new("a_step_beyond_its_deadline", "local") else { return };
    let output = place.start(&["--deadline", "1"]).output();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    place.assert_ended();
    let report = place.report();
    assert_eq!(step(&report, "migrate/transfer")["error"], "no end within 1 s");
    assert_eq!(no_trace(&report), "passed", "{report:#}");
}
