//! Runs that stand: kept ones, living ones, and those that died at odd moments.

use super::*;

#[test]
fn a_kept_run_stands_until_somebody_ends_it() {
    for verb in ["rollback", "clean"] {
        let Some(place) = Place::new("a_kept_run_stands_until_somebody_ends_it", "local") else { return };
        let output = place.start(&["--keep"]).output();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let id = place.id();
        let status = place.verb("status", &id);
        assert!(status.stdout.contains("finished, and kept"), "{}", status.stdout);
        assert_eq!(place.verb("resume", &id).code, 2, "there is nothing to resume");
        assert_eq!(rows_in_target(&place), "200");

        let cleaned = place.sandbox.call(&["clean"]);
        assert!(cleaned.stdout.contains("left alone, it was kept"), "{}", cleaned.stdout);
        assert_eq!(rows_in_target(&place), "200");

        let ended = place.verb(verb, &id);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        if verb == "rollback" {
            place.assert_ended();
            let report = place.report();
            assert_eq!((no_trace(&report), &report["verdict"]), (&"passed".into(), &"pass".into()));
            assert_eq!(report["coverage"]["downs"], serde_json::json!({ "checked": 1, "total": 1 }));
            assert_eq!(place.count(step_finished("rollback/transfer")), 2);
        }
        place.assert_nothing_left();
    }
}

/// Asks the kept server itself, with the password that lies beside it.
fn rows_in_target(place: &Place) -> String {
    let id = place.id();
    let cluster = place.sandbox.work().join(format!("rehearse-{id}/r0/cluster-target"));
    let database = format!("rehearse_{}_target", id.replace('-', "_"));
    let output = Command::new("psql")
        .args(["-XAt", "-U", "postgres", "-d", &database, "-c", "SELECT count(*) FROM children", "-h"])
        .arg(cluster.join("socket"))
        .env("PGPASSWORD", fs::read_to_string(cluster.join("password")).unwrap())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_living_run_is_left_alone() {
    let Some(place) = Place::new("a_living_run_is_left_alone", "local") else { return };
    let mut playing = place.start(&[]);
    playing.until_import("migrate/transfer");
    let id = place.id();
    assert!(place.verb("status", &id).stdout.contains("running as process"));
    for arguments in [&["clean"][..], &["clean", &id]] {
        let cleaned = place.sandbox.call(arguments);
        assert!(cleaned.stdout.contains("left alone, process"), "{}", cleaned.stdout);
    }
    for verb in ["resume", "rollback"] {
        let refused = place.verb(verb, &id);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("is being played by process"), "{}", refused.stderr);
    }
    assert_eq!(playing.exit_code(), 0);
    place.assert_ended();
}

#[test]
fn a_run_without_a_baseline_can_only_be_cleaned_away() {
    let Some(place) = Place::new("a_run_without_a_baseline_can_only_be_cleaned_away", "local") else { return };
    let mut playing = place.start(&[]);
    playing.until("the server's start", step_started("provision/target"));
    std::thread::sleep(Duration::from_millis(300));
    let id = playing.kill();
    for verb in ["resume", "rollback"] {
        let refused = place.verb(verb, &id);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("before its baseline was recorded"), "{}", refused.stderr);
    }
    assert_eq!(place.sandbox.call(&["clean"]).code, 0);
    place.assert_nothing_left();
}

/// Killed while it gave things back: there is nothing to play any more, only to give back and to tell.
#[test]
fn a_run_killed_at_its_end_is_ended() {
    for verb in ["resume", "rollback"] {
        let Some(place) = Place::new("a_run_killed_at_its_end_is_ended", "local") else { return };
        let mut playing = place.start(&[]);
        playing.until("the end of the rehearsal", |event| event["event"] == "scenario_finished");
        let id = playing.kill();
        let ended = place.verb(verb, &id);
        assert_eq!(ended.code, 0, "{verb}: {}\n{}", ended.stdout, ended.stderr);
        assert_eq!(place.report()["verdict"], "pass");
        place.assert_ended();
    }
}

/// Killed between the rehearsals of two versions: the second one is still played.
#[test]
fn a_run_killed_between_two_versions_goes_on_with_the_second() {
    const TEST: &str = "a_run_killed_between_two_versions_goes_on_with_the_second";
    let Some(place) = Place::new(TEST, "container") else { return };
    let mut playing = place.start(&["--target-version", "15", "--target-version", "17"]);
    playing.until("the end of the first rehearsal", |event| event["event"] == "scenario_finished");
    let id = playing.kill();
    let ended = place.verb("resume", &id);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report = place.report();
    let versions = report["scenarios"].as_array().unwrap().iter().map(|one| one["target"]["version"].as_str().unwrap());
    let majors: Vec<_> = versions.map(|version| version.split('.').next().unwrap().to_owned()).collect();
    assert_eq!((majors, &report["verdict"]), (vec!["15".to_owned(), "17".to_owned()], &"pass".into()));
    place.assert_ended();
}

/// A server that dies in the import and never returns: nothing could be taken back, which is said; the rollback of the
/// kept run starts it again and ends it.
#[test]
fn a_server_that_never_returns_is_rolled_back_later() {
    let Some(place) = Place::new("a_server_that_never_returns_is_rolled_back_later", "local") else { return };
    let mut playing = place.start(&["--keep", "--reconnect", "1"]);
    playing.until_import("migrate/transfer");
    let id = place.id();
    let data = place.sandbox.work().join(format!("rehearse-{id}/r0/cluster-target/data"));
    let pid = fs::read_to_string(data.join("postmaster.pid")).unwrap().lines().next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-QUIT", &pid]).status().unwrap().success());
    let output = playing.output();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let report = place.report();
    assert_eq!(report["verdict"], "inconclusive");
    let steps = report["scenarios"][0]["steps"].to_string();
    assert!(steps.contains("what was already written could not be taken back"), "{steps}");

    let ended = place.verb("rollback", &id);
    assert_eq!(ended.code, 3, "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
    place.assert_ended();
}

/// The same without `--keep`: the server is the run's own, and goes as a whole.
#[test]
fn a_server_that_never_returns_is_given_back() {
    let Some(place) = Place::new("a_server_that_never_returns_is_given_back", "container") else { return };
    let mut playing = place.start(&["--reconnect", "1"]);
    playing.until_import("migrate/transfer");
    let name = format!("rehearse-{}-target", place.id());
    assert!(Command::new("docker").args(["kill", &name]).output().unwrap().status.success());
    assert_eq!(playing.exit_code(), 3);
    place.assert_ended();
}

/// Somebody removed the reports of a killed run, and its journal with them: that is said, and nothing is forgotten unasked.
#[test]
fn a_run_whose_journal_is_gone_is_not_forgotten_in_silence() {
    let sandbox = Sandbox::new();
    let (id, gone) = ("20260101t000000-gone", sandbox.path("out/slow/20260101t000000-gone"));
    let entry = serde_json::json!({ "id": id, "directory": gone });
    sandbox.write(&format!("state/{id}.json"), entry.to_string());
    let cleaned = sandbox.call(&["clean"]);
    assert_eq!(cleaned.code, 3, "{}", cleaned.stdout);
    assert!(cleaned.stderr.contains("is gone, so what it holds is not known"), "{}", cleaned.stderr);
    assert_eq!(sandbox.call(&["clean", id]).code, 0);
    sandbox.assert_released();
}
