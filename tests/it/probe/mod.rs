//! `[[probe]]`: what scenarios ask before and after, and what becomes of answers that do not hold.

mod http;

use rehearse::model::{FindingKind, Outcome, Report, Side, Stage, Verdict};

use crate::support::{Ended, Sandbox};

const SCENARIO: &str = "\
format_version = 1
title = \"Probes\"

[source]
engine = \"sqlite\"
schema = \"source.sql\"
rows = \"rows.sql\"

[target]
engine = \"sqlite\"
schema = \"target.sql\"

[[step]]
kind = \"copy\"
";

const SOURCE: &str = "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, city text);
CREATE INDEX users_city ON users (city);
CREATE VIEW in_graz AS SELECT id FROM users WHERE city = 'Graz';";

/// Every table gets rows that nobody stated; here they would be in the way.
const ROWS: &str =
    "DELETE FROM users; INSERT INTO users VALUES (1, 'Anna', 'Graz'), (2, 'Ben', 'Linz'), (3, 'Cleo', 'Graz');";

/// Rehearses a scenario whose probes these are; the target has the source's schema, or this one.
fn rehearse(probes: &str, target: Option<&str>) -> (Ended, Option<Report>) {
    let sandbox = Sandbox::new();
    let folder = sandbox.write("asked/scenario.toml", format!("{SCENARIO}\n{probes}"));
    sandbox.write("asked/source.sql", SOURCE);
    sandbox.write("asked/rows.sql", ROWS);
    sandbox.write("asked/target.sql", target.unwrap_or(SOURCE));
    let ended = sandbox.rehearse(&["run", &folder.parent().unwrap().display().to_string(), "--seed", "1"]);
    sandbox.assert_released();
    let report = sandbox.out().exists().then(|| sandbox.report("asked"));
    (ended, report)
}

/// What the check found at a stage: kind, side and the text of what was expected and what came.
fn found(report: &Report, stage: Stage) -> Vec<(FindingKind, Option<Side>, String)> {
    let checks = &report.scenarios[0].checks;
    let Some(check) = checks.iter().find(|check| (check.id.as_str(), check.stage) == ("probe", stage)) else {
        return Vec::new();
    };
    let told = |one: &rehearse::model::Finding| format!("{:?} -> {:?}", one.expected, one.found);
    check.findings.iter().map(|one| (one.kind, one.subject.side, told(one))).collect()
}

#[test]
fn probes_are_asked_of_the_side_that_is_in_use() {
    let (ended, report) = rehearse(
        "[[probe]]\nname = \"of Graz\"\nsql = \"SELECT name FROM users WHERE city = 'Graz' ORDER BY id\"\nslower = 50.0\nruns = 3\n\n\
         [[probe]]\nname = \"how many\"\nsource_sql = \"SELECT count(*) FROM users\"\n\
         target_sql = \"SELECT count(id) FROM users\"\nvalue = \"3\"\n\n\
         [[probe]]\nname = \"the new side\"\nwhen = \"after\"\nsql = \"SELECT 1\"\nrows = 1\n",
        None,
    );
    let report = report.unwrap();
    assert_eq!((ended.code, report.verdict), (0, Verdict::Pass), "{ended:?}");
    let seen = |name: &str| -> Vec<(Stage, Side)> {
        let of = report.scenarios[0].probed.iter().filter(|probed| probed.name == name);
        of.map(|probed| (probed.stage, probed.side)).collect()
    };
    let all = [
        (Stage::Baseline, Side::Source),
        (Stage::Migrated, Side::Target),
        (Stage::RolledBack, Side::Source),
        (Stage::Reapplied, Side::Target),
    ];
    assert_eq!(seen("of Graz"), all);
    assert_eq!(seen("how many"), all);
    assert_eq!(seen("the new side"), [all[1], all[3]]);
    let timed: Vec<_> = report.scenarios[0].probed.iter().filter(|probed| probed.name == "of Graz").collect();
    assert!(timed.iter().all(|probed| probed.times_ms.len() == 3 && probed.told == "2 rows"), "{timed:?}");
    assert!(timed.iter().all(|probed| probed.plan.as_deref().unwrap().contains("users_city")), "{timed:?}");
    // No value of a row is told.
    assert!(ended.stdout.contains("of Graz") && !ended.stdout.contains("Anna"), "{}", ended.stdout);
}

#[test]
fn an_answer_that_is_not_the_one_from_before_is_a_finding() {
    let target = SOURCE.replace("city = 'Graz'", "city = 'Linz'");
    let (ended, report) = rehearse("[[probe]]\nname = \"in Graz\"\nsql = \"SELECT id FROM in_graz\"\n", Some(&target));
    let report = report.unwrap();
    assert_eq!((ended.code, report.verdict), (1, Verdict::Fail), "{ended:?}");
    let told = "Some(\"2 rows, as before the migration\") -> Some(\"1 row\")".to_owned();
    for stage in [Stage::Migrated, Stage::Reapplied] {
        assert_eq!(found(&report, stage), [(FindingKind::ProbeOtherwise, Some(Side::Target), told.clone())]);
    }
    assert_eq!(found(&report, Stage::RolledBack), []);
}

#[test]
fn as_many_rows_are_not_the_same_rows() {
    let target = SOURCE.replace("SELECT id FROM users", "SELECT id + 1 AS id FROM users");
    let (ended, report) = rehearse("[[probe]]\nname = \"in Graz\"\nsql = \"SELECT id FROM in_graz\"\n", Some(&target));
    let told = "Some(\"2 rows, as before the migration\") -> Some(\"2 rows, others\")".to_owned();
    assert_eq!(
        found(&report.unwrap(), Stage::Migrated),
        [(FindingKind::ProbeOtherwise, Some(Side::Target), told)],
        "{ended:?}"
    );
}

#[test]
fn a_system_that_does_not_answer_before_is_not_migrated() {
    let (ended, report) = rehearse(
        "[[probe]]\nname = \"four\"\nsql = \"SELECT count(*) FROM users\"\nvalue = \"4\"\nretry_s = 1.0\n",
        None,
    );
    let report = report.unwrap();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        found(&report, Stage::Baseline),
        [(FindingKind::ProbeOtherwise, Some(Side::Source), "Some(\"one row: 4\") -> Some(\"1 row\")".to_owned())]
    );
    assert!(report.scenarios[0].probed[0].attempts > 1, "{:?}", report.scenarios[0].probed);
    assert!(report.scenarios[0].steps.iter().all(|step| !step.id.starts_with("migrate/")), "{ended:?}");
    assert!(ended.stdout.contains("no-go: `probe` failed"), "{}", ended.stdout);
}

#[test]
fn what_the_target_cannot_answer_is_a_finding_and_the_rest_is_asked() {
    let (ended, report) = rehearse(
        "[[probe]]\nname = \"nobody there\"\nsource_sql = \"SELECT 1\"\ntarget_sql = \"SELECT name FROM nowhere\"\n\n\
         [[probe]]\nname = \"how many\"\nsql = \"SELECT count(*) FROM users\"\n",
        None,
    );
    let report = report.unwrap();
    assert_eq!(ended.code, 1, "{ended:?}");
    let [(FindingKind::ProbeUnanswered, Some(Side::Target), told)] = &found(&report, Stage::Migrated)[..] else {
        panic!("{:?}", found(&report, Stage::Migrated))
    };
    assert!(told.contains("no such table: nowhere"), "{told}");
    let asked = report.scenarios[0].probed.iter().filter(|probed| probed.stage == Stage::Migrated);
    assert_eq!(asked.map(|probed| probed.told.as_str()).next_back(), Some("1 row"));
}

#[test]
fn a_median_beyond_its_limit_is_told_with_the_plan() {
    let target = SOURCE.replace("CREATE INDEX users_city ON users (city);", "");
    let (ended, report) = rehearse(
        "[[probe]]\nname = \"of Graz\"\nsql = \"SELECT id FROM users WHERE city = 'Graz' ORDER BY id\"\nlimit_ms = 0.000001\n",
        Some(&target),
    );
    let report = report.unwrap();
    assert_eq!(ended.code, 1, "{ended:?}");
    let [(FindingKind::ProbeSlow, Some(Side::Target), told)] = &found(&report, Stage::Migrated)[..] else {
        panic!("{:?}", found(&report, Stage::Migrated))
    };
    assert!(told.contains("SCAN users"), "{told}");
    // It was as slow before: that is worth knowing, and no reason not to begin.
    let before = report.scenarios[0].checks.iter().find(|check| check.id == "probe").unwrap();
    assert_eq!((&before.outcome, before.findings.len()), (&Outcome::Passed, 1), "{before:?}");
    assert!(ended.stdout.contains("another plan"), "{}", ended.stdout);
}

#[test]
fn probes_that_say_nothing_or_too_much_are_refused_with_their_line() {
    for (probe, problem) in [
        ("name = \"one\"", "scenario.toml:16: probe[0]: asks nothing; expected one of `sql`, "),
        ("sql = \"SELECT 1\"", "probe[0].name: missing; expected text"),
        ("name = \"one\"\nsql = \"SELECT 1\"\ntarget_sql = \"SELECT 1\"", "`sql` is the query of both sides"),
        ("name = \"one\"\nsql = \"SELECT 1\"\nrows = 1\nvalue = \"1\"", "`rows` and `value` both say what comes out"),
        ("name = \"one\"\nsql = \"SELECT 1\"\nruns = 0", "`0` is no number of runs; expected 1 to 10000"),
        ("name = \"one\"\nsql = \"SELECT 1\"\nslower = 0.5", "`0.5` is no such number; expected a number above 1"),
        (
            "name = \"one\"\nsql = \"SELECT 1\"\nstep = \"copi\"",
            "unknown step `copi`; expected `copy`; did you mean `copy`?",
        ),
        ("name = \"one\"\nsql = \"SELECT 1\"\nlimit = 5", "unknown key `limit`"),
        ("name = \"one\"\nsql = \"SELECT 1\"\nwhen = \"never\"", "unknown time `never`"),
        (
            "name = \"one\"\nsql = \"SELECT 1\"\n[[probe]]\nname = \"one\"\nsql = \"SELECT 2\"",
            "a second probe is called `one`",
        ),
    ] {
        let (ended, report) = rehearse(&format!("[[probe]]\n{probe}\n"), None);
        assert_eq!((ended.code, report), (2, None), "{probe}: {ended:?}");
        assert!(ended.stderr.contains(problem), "{probe}: {}", ended.stderr);
    }
}
