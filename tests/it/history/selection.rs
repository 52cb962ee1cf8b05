//! Which migrations are rehearsed, and what is accepted of them.

use std::process::Command;

use rehearse::model::Verdict;

use super::{Past, came_to, one};

/// Four migrations, the third of which loses values.
fn four() -> Past {
    let past = Past::sqlite();
    past.pairs(&[
        ("1_a", "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);", "DROP TABLE a;"),
        ("2_b", "CREATE TABLE b (id INTEGER PRIMARY KEY);", "DROP TABLE b;"),
        ("3_c", "ALTER TABLE a DROP COLUMN n;", "ALTER TABLE a ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"),
        ("4_d", "CREATE INDEX b_id ON b (id);", "DROP INDEX b_id;"),
    ]);
    past
}

#[test]
fn a_part_of_a_history_is_rehearsed_on_what_the_rest_made() {
    let past = four();
    for (flags, expected) in [
        (&["--only", "2"][..], &["2_b restores"][..]),
        (&["--only", "4_d", "--only", "2_b"], &["2_b restores", "4_d restores"]),
        (&["--from", "4"], &["4_d restores"]),
        (&["--to", "2_b"], &["1_a restores", "2_b restores"]),
        (&["--from", "3", "--to", "3"], &["3_c loses_rows"]),
    ] {
        let ended = past.run(flags);
        assert_eq!(came_to(&past.history()), expected, "{flags:?} {ended:?}");
        assert_eq!(ended.code, i32::from(expected[0].ends_with("loses_rows")), "{flags:?} {ended:?}");
    }
    past.sandbox.assert_released();
    // What is not run is not looked at.
    past.pairs(&[("5_e", "SELECT 'cut off", "SELECT 1;")]);
    assert_eq!(past.run(&["--to", "2_b"]).code, 0);
    past.file("2_b.down.sql", "SELECT 'cut off");
    assert_eq!(past.run(&["--only", "4_d"]).code, 0);
    let refused = past.run(&["--to", "4_d"]);
    assert!(refused.code == 2 && refused.stderr.contains("2_b.down.sql:1: "), "{refused:?}");
    assert!(!refused.stderr.contains("5_e.up.sql"), "{refused:?}");
}

#[test]
fn what_a_pull_request_adds_is_rehearsed_alone() {
    let past = four();
    let folder = past.sandbox.path("m");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&folder).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "four"]);
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{ended:?}");
    past.pairs(&[("5_e", "CREATE TABLE e (id INTEGER PRIMARY KEY);", "DROP TABLE e;")]);
    git(&["checkout", "-q", "-b", "more"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "five"]);
    past.pairs(&[("6_f", "CREATE TABLE f (id INTEGER PRIMARY KEY);", "DROP TABLE f;")]);
    past.file("1_a.down.sql", "DROP TABLE a; -- changed, not added");
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(came_to(&past.history()), ["5_e restores", "6_f restores"]);
    for revision in ["--output=/tmp/x", "nowhere"] {
        let flag = format!("--changed-since={revision}");
        let ended = past.run(&[&flag]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(&format!("git cannot tell what was added since `{revision}`")), "{ended:?}");
    }
}

#[test]
fn what_is_accepted_is_shown_and_does_not_fail() {
    let past = four();
    let accept = |text: &str| past.sandbox.write("accept.toml", text).display().to_string();
    let file =
        accept("[[accept]]\nmigration = '3'\nclass = 'loses_rows'\nwhy = 'n was never used'\nuntil = 2999-01-31\n");
    let ended = past.run(&["--accept", &file]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let history = past.history();
    assert_eq!(one(&history, "3_c").accepted.as_ref().expect("it is accepted").why, "n was never used");
    assert!(ended.stdout.contains("accepted: n was never used (until 2999-01-31)"), "{}", ended.stdout);
}

#[test]
fn an_acceptance_that_accepts_nothing_is_a_finding() {
    let past = four();
    let accept = |text: &str| past.sandbox.write("accept.toml", text).display().to_string();
    let loses = "[[accept]]\nmigration = '3_c'\nclass = 'loses_rows'\nwhy = 'x'\n";
    for (text, problem) in [
        (format!("{loses}until = '2020-01-31'\n"), "expired on 2020-01-31"),
        (format!("{loses}\n[[accept]]\nmigration = '1_a'\nclass = 'differs'\nwhy = 'x'\n"), "it restores"),
        (
            format!("{loses}\n[[accept]]\nmigration = '9_x'\nclass = 'differs'\nwhy = 'x'\n"),
            "there is no such migration",
        ),
    ] {
        let ended = past.run(&["--accept", &accept(&text)]);
        assert_eq!(ended.code, 1, "{ended:?}");
        let history = past.history();
        assert_eq!(history.stale.iter().map(|one| one.problem.as_str()).collect::<Vec<_>>(), [problem]);
        let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(problem), "{told}");
    }
    // Of what was not asked for nothing is known.
    let file = accept(&format!("{loses}\n[[accept]]\nmigration = '1_a'\nclass = 'differs'\nwhy = 'x'\n"));
    let ended = past.run(&["--only", "3_c", "--accept", &file]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(past.report().verdict, Verdict::Pass);
}
