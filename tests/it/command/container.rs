//! Commands that are containers of the user's own.

use rehearse::provision::Request;

use super::*;
use crate::support::{
    mariadb::docker,
    server::{offered, request, wait},
};

/// The image that has `psql`, and is there for the target.
const IMAGE: &str = "postgres:17";

/// Whether there are containers, for the target and for the commands.
fn can(test: &str) -> bool {
    let sandbox = Sandbox::new();
    let request = Request { version: Some("17".to_owned()), ..request(&sandbox.work()) };
    let test = test.to_owned();
    wait(async move { offered(&test, "container", &request).await.is_some() })
}

/// A name that no other container has.
fn name(what: &str) -> String {
    format!("rehearse-test-{what}-{}", std::process::id())
}

/// `docker run` with this script: the URL comes by the environment and stands in no argument, and what is told to end goes.
fn container(name: &str, script: &str) -> String {
    let words = ["docker", "run", "--rm", "--init", "--name", name, "--network", "host", "-e", "TARGET_URL", IMAGE];
    let words = words.into_iter().chain(["sh", "-c", script]).map(|word| format!("{word:?}"));
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

/// The containers of this name, running or not.
fn left(name: &str) -> String {
    docker(&["ps", "--all", "--quiet", "--filter", &format!("name={name}")])
}

#[test]
fn a_container_migrates_the_target_and_takes_it_back() {
    if !can("a_container_migrates_the_target_and_takes_it_back") {
        return;
    }
    let name = name("migrates");
    let run = |sql: &str| container(&name, &format!("psql -X -q -v ON_ERROR_STOP=1 -c '{sql}' \"$TARGET_URL\""));
    let up = run("CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, note text)");
    let bench = Bench::written(&format!("up = {up}\ndown = {}\n", run("DROP TABLE people")));
    let ended = bench.run_by("container");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(bench.report().verdict, Verdict::Pass);
    assert_eq!(left(&name), "");
    bench.sandbox.assert_released();
}

#[test]
fn a_container_that_hangs_is_ended_and_gone() {
    if !can("a_container_that_hangs_is_ended_and_gone") {
        return;
    }
    let name = name("hangs");
    // It has reached the target when it begins to hang.
    let hang = container(&name, "psql -X -q -c 'SELECT 4711 AS reached' \"$TARGET_URL\"; sleep 61238");
    let bench = Bench::written(&format!("up = {hang}\n{}deadline = \"20s\"\n", well("down")));
    let ended = bench.run_by("container");
    assert_eq!(ended.code, 3, "{ended:?}");
    let told = error(&bench.report(), "migrate/tables");
    assert!(told.contains("did not end within 20 s, and was ended"), "{told}");
    assert!(bench.kept("migrate-tables").contains("4711"), "{}", bench.kept("migrate-tables"));
    assert_eq!(left(&name), "");
    assert_eq!(crate::interruption::processes("sleep 61238"), Vec::new());
    bench.sandbox.assert_quiet();
}
