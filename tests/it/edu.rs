//! The scenario `edu-v2`: its phases, what is rejected, and what ends it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rehearse::model::{Outcome, Report, Severity, Side, Sides, Stage, Verdict};
use serde_json::json;

use crate::support::{
    Ended, Sandbox, ended, files, root,
    server::{Started, ask, execute, offered, request, wait, work},
    steps::{Step, assert_no_trace, state},
};

const SEED: &str = "7";

/// Whether a server of this machine can be had; where not, that was said.
fn can(test: &str) -> bool {
    let work = work();
    let request = request(work.path());
    let test = test.to_owned();
    wait(async move { offered(&test, "local", &request).await.is_some() })
}

/// A copy of the scenario with some of its files changed.
fn changed(sandbox: &Sandbox, changes: &[(&str, &str, &str)]) -> String {
    let folder = root().join("scenarios/edu-v2");
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        let mut text = fs::read_to_string(&file).unwrap();
        for (_, from, to) in changes.iter().filter(|(changed, ..)| *changed == name) {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replacen(from, to, 1);
        }
        sandbox.write(&format!("edu-v2/{name}"), text);
    }
    sandbox.path("edu-v2").to_str().unwrap().to_owned()
}

fn run(sandbox: &Sandbox, scenario: &str, more: &[&str]) -> Ended {
    let arguments = ["run", scenario, "--provider", "local", "--target-version", "15", "--seed", SEED];
    ended(&mut sandbox.rehearsal(&[&arguments, more].concat()))
}

/// What a stage's recorded states are, by table.
fn recorded(report: &Report, stage: Stage, side: Side) -> BTreeMap<String, String> {
    let taken = report.scenarios[0].fingerprints.iter().find(|taken| taken.stage == stage && taken.side == side);
    let taken = taken.unwrap_or_else(|| panic!("{side} was not recorded at {stage}"));
    taken.tables.iter().map(|one| (one.table.to_string(), format!("{:?}", one.fingerprint))).collect()
}

/// Each phase can be rehearsed alone, on what those before it left: its rows are compared, it is taken back, nothing is left of
/// it, and all of what was there before is.
#[test]
fn phases_are_rehearsed_one_by_one() {
    if !can("phases_are_rehearsed_one_by_one") {
        return;
    }
    let mut left = BTreeMap::new();
    for (last, filled, not_yet) in [
        ("people", &["users", "persons"][..], "students"),
        ("students-and-staff", &["students", "staff_members"], "organization_units"),
        ("organizations", &["organization_units", "student_programs"], "academic_terms"),
        ("terms", &["academic_terms"], "courses"),
        // The program of each student, in the rows of another phase.
        ("programs", &["students"], "courses"),
        ("courses", &["courses", "course_offerings"], "course_enrollments"),
        ("grades", &["assessments", "course_enrollments", "grades"], "audit_log"),
    ] {
        let sandbox = Sandbox::new();
        let told = run(&sandbox, "edu-v2", &["--phase", last]);
        assert_eq!(told.code, 0, "{last}: {told:?}");
        let report = sandbox.report("edu-v2");
        assert_eq!(report.verdict, Verdict::Pass, "{last}");
        for side in Side::BOTH {
            let at = |stage| recorded(&report, stage, side);
            assert_eq!(at(Stage::Baseline), at(Stage::RolledBack), "{last}: {side}");
            assert_eq!(at(Stage::Migrated), at(Stage::Reapplied), "{last}: {side}");
        }
        assert_eq!(recorded(&report, Stage::Baseline, Side::Source).len(), 355);
        let (before, after) =
            (recorded(&report, Stage::Baseline, Side::Target), recorded(&report, Stage::Migrated, Side::Target));
        for table in filled {
            assert_ne!(before[*table], after[*table], "{last}: {table} got no rows");
        }
        assert_eq!(before[not_yet], after[not_yet], "{last}");
        let played = report.scenarios[0].steps.iter().map(|step| step.id.as_str());
        let played: Vec<&str> = played.filter(|id| id.starts_with("migrate/") || id.starts_with("rollback/")).collect();
        assert_eq!(played, [format!("migrate/{last}"), format!("rollback/{last}")]);
        // It began with what the phase before it left.
        if !left.is_empty() {
            assert_eq!(before, left, "{last}");
        }
        left = after;
        sandbox.assert_released();
    }
    let sandbox = Sandbox::new();
    let told = run(&sandbox, "edu-v2", &["--until", "coruses"]);
    assert!(told.code == 2 && told.stderr.contains("did you mean `courses`?"), "{told:?}");
}

/// Whatever is wrong in the rows is repaired by its rule or rejected by name, in the numbers that the scenario states; and
/// whatever is wrong with the tree, the row security or the trail ends `verify`.
#[test]
fn what_is_wrong_with_the_rows_is_repaired_or_rejected_by_name() {
    if !can("what_is_wrong_with_the_rows_is_repaired_or_rejected_by_name") {
        return;
    }
    let sandbox = Sandbox::new();
    // The tables of rejected rows are looked at by a step of the test's own, which also plants what `verify` has to find.
    let folder = changed(&sandbox, &[("scenario.toml", "[[step]]\nname = \"switch\"", COUNT)]);
    let verify = fs::read_to_string(root().join("scenarios/edu-v2/steps/verify.sql")).unwrap();
    let planted = include_str!("edu/planted.sql").replace("{verify}", &verify);
    let counted = |lines: &str| COUNTED.replace("{lines}", lines);
    sandbox.write("edu-v2/steps/count-source.sql", counted(include_str!("edu/of_source.sql")));
    let of_target = counted(include_str!("edu/of_target.sql"));
    sandbox.write("edu-v2/steps/count.sql", format!("{of_target}{planted}"));
    let told = run(&sandbox, &folder, &[]);
    assert_eq!(told.code, 0, "{told:?}");
    let report = sandbox.report("edu-v2");
    assert_eq!(report.verdict, Verdict::Pass);
    let rejected = |step: &str| -> f64 {
        let step = report.scenarios[0].steps.iter().find(|one| one.id == format!("migrate/{step}")).unwrap();
        step.figures.iter().filter(|figure| figure.name == "rejected").map(|figure| figure.value).sum()
    };
    let steps = ["people", "students-and-staff", "organizations", "courses", "grades"];
    assert_eq!(steps.map(rejected), [3.0, 4.0, 0.0, 0.0, 32.0]);
}

const COUNT: &str = "[[step]]\nname = \"count-source\"\nkind = \"sql\"\nside = \"source\"\n\
    up = \"steps/count-source.sql\"\ndown = \"steps/nothing.sql\"\n\n\
    [[step]]\nname = \"count\"\nkind = \"sql\"\nup = \"steps/count.sql\"\ndown = \"steps/nothing.sql\"\n\n\
    [[step]]\nname = \"switch\"";

/// Ends the step where a number is another one; `{lines}` are the numbers, each with what is counted.
const COUNTED: &str = r#"
DO $$
DECLARE
    line record;
    found bigint;
BEGIN
    FOR line IN SELECT * FROM (VALUES
{lines}) AS lines (expected, place)
    LOOP
        EXECUTE 'SELECT count(*) FROM ' || line.place INTO found;
        IF found <> line.expected THEN
            RAISE EXCEPTION '% in place of %: %', found, line.expected, line.place;
        END IF;
    END LOOP;
END $$;
"#;

/// A fault of the migration ends it where it is, and everything before it is taken back.
#[test]
fn a_phase_that_fails_is_named_and_everything_is_taken_back() {
    if !can("a_phase_that_fails_is_named_and_everything_is_taken_back") {
        return;
    }
    for (step, file, from, to, told) in [
        // Nobody says what becomes of a second user of a name.
        ("people", "mapping/1-people.toml", "WHERE o.n > 1", "WHERE o.n > 9", "users_username_key"),
        // The first row that cannot be carried ends the phase.
        (
            "students-and-staff",
            "mapping/2-students-and-staff.toml",
            "target = \"students\"\nrejects = \"keep\"",
            "target = \"students\"",
            "`a_user` holds NULL",
        ),
        (
            "organizations",
            "mapping/3-organizations.toml",
            "4 = \"program\"",
            "5 = \"program\"",
            "`type` holds a value that its map",
        ),
        // A term that ends before it begins.
        ("terms", "steps/terms.sql", "'2025-06-20'", "'2025-01-20'", "academic_terms_check"),
        // Students at units that are none.
        (
            "programs",
            "steps/programs.sql",
            "SET program_id = link.program_id",
            "SET program_id = link.student_id",
            "students_program_id_fkey",
        ),
        // Terms that nobody made.
        ("courses", "mapping/4-courses.toml", "'-fall'", "'-autumn'", "course_offerings_academic_term_id_fkey"),
        (
            "grades",
            "mapping/5-grades.toml",
            "target = \"grades\"\nrejects = \"keep\"\norphans = \"reject\"",
            "target = \"grades\"",
            "holds NULL",
        ),
        // The teachers may see everybody.
        (
            "verify",
            "schema/target.sql",
            "(id IN (SELECT e.student_id FROM course_enrollments e))",
            "(true)",
            "a teacher has ",
        ),
    ] {
        let sandbox = Sandbox::new();
        let folder = changed(&sandbox, &[(file, from, to)]);
        let ended = run(&sandbox, &folder, &[]);
        assert!(ended.code != 0 && ended.stdout.contains(told), "{step}: {told}\n{ended:?}");
        let report = sandbox.report("edu-v2");
        let steps = &report.scenarios[0].steps;
        let failed: Vec<&str> =
            steps.iter().filter(|one| one.outcome != Outcome::Passed).map(|one| one.id.as_str()).collect();
        assert_eq!(failed, [format!("migrate/{step}")]);
        let no_trace = report.scenarios[0].checks.iter().find(|check| check.id == "no_trace").unwrap();
        assert_eq!(no_trace.outcome, Outcome::Passed, "{step}");
        sandbox.assert_released();
    }
}

/// An expression that gives a row another's parent is found, though copy and comparison read the same one: whose rows are is
/// compared by names and codes as well.
#[test]
fn a_link_that_the_mapping_itself_makes_wrong_is_found() {
    if !can("a_link_that_the_mapping_itself_makes_wrong_is_found") {
        return;
    }
    let sandbox = Sandbox::new();
    let folder = changed(
        &sandbox,
        &[
            (
                "mapping/2-students-and-staff.toml",
                "WHERE p.id = person_id)",
                "WHERE p.id = CASE person_id WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE person_id END)",
            ),
            ("mapping/3-organizations.toml", "THEN NULL WHEN parent_id", "THEN NULL WHEN id = 4 THEN 2 WHEN parent_id"),
            (
                "mapping/4-courses.toml",
                "WHERE t.id = teacher_id)",
                "WHERE t.id = CASE teacher_id WHEN 1 THEN 2 ELSE teacher_id END)",
            ),
        ],
    );
    let told = run(&sandbox, &folder, &["--until", "courses"]);
    assert_eq!(told.code, 1, "{told:?}");
    let report = sandbox.report("edu-v2");
    let errors = report.scenarios[0].checks.iter().flat_map(|check| &check.findings);
    let errors = errors.filter(|finding| finding.severity == Severity::Error);
    let named: BTreeSet<String> =
        errors.filter_map(|finding| Some(finding.subject.table.as_ref()?.name.clone())).collect();
    let queries = ["2-students-and-staff", "3-organizations", "4-courses"];
    assert_eq!(named.len(), queries.len(), "{named:?}");
    for (name, query) in named.iter().zip(queries) {
        assert!(name.starts_with(&format!("query of {query}:")), "{named:?}");
    }
}

/// The fence keeps everybody out, whatever the session says, and goes without a trace.
#[tokio::test(flavor = "multi_thread")]
async fn the_fence_is_one() {
    let Some(server) = Started::local("the_fence_is_one").await else { return };
    let admin = &server.server.admin.clone();
    let script = |name: &str| fs::read_to_string(Path::new(root()).join("scenarios/edu-v2").join(name)).unwrap();
    execute(admin, &script("schema/source.sql")).await;
    assert_eq!(
        ask(admin, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await[0][0].as_deref(),
        Some("355")
    );
    let before = state(admin).await;
    let addresses = Sides::new(admin.clone(), admin.clone());
    let config = json!({ "side": "source", "lock_timeout_ms": 5000 });
    let mut fence = Step::new(&server.sandbox, "fence", "fence", &addresses, config);
    let done = fence.forward().await.unwrap();
    assert_eq!(done.figures[0].value, 355.0);
    // Each answers whether it was let through.
    let tried = "CREATE FUNCTION is_let(statement text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement;
        RETURN true; EXCEPTION WHEN read_only_sql_transaction THEN RETURN false; END $$";
    execute(admin, tried).await;
    let lets = "SELECT bool_or(is_let(format(s, t.tablename)))::text FROM pg_tables t,
        unnest(ARRAY['DELETE FROM %I', 'TRUNCATE %I', 'INSERT INTO %1$I SELECT * FROM %1$I', 'UPDATE %I SET id = id']) s
        WHERE schemaname = 'public' AND tablename NOT IN ('sys_settings', 'ref_grade_scale')";
    assert_eq!(ask(admin, lets).await[0][0].as_deref(), Some("false"));
    execute(admin, "ALTER ROLE CURRENT_USER SET session_replication_role = 'replica'").await;
    assert_eq!(ask(admin, lets).await[0][0].as_deref(), Some("false"), "as a replica");
    execute(admin, "ALTER ROLE CURRENT_USER RESET session_replication_role").await;
    execute(admin, "DROP FUNCTION is_let").await;
    fence.back().await.unwrap();
    assert_no_trace(&before, &state(admin).await, "the fence");
    server.leases.release(&Default::default()).await;
}

/// Somebody changes the legacy database behind the fence: the backup that was taken before brings it back.
#[test]
fn a_source_that_was_changed_is_brought_back_from_its_backup() {
    if !can("a_source_that_was_changed_is_brought_back_from_its_backup") {
        return;
    }
    let sandbox = Sandbox::new();
    let folder = changed(&sandbox, &[("scenario.toml", "[[step]]\nname = \"students-and-staff\"", CHANGED)]);
    // Whoever owns the tables can take the fence away.
    let behind = "ALTER TABLE users DISABLE TRIGGER rehearse_fence;\nUPDATE users SET kind = lower(kind);\n\
                  CREATE TABLE left_here (id integer);\nDROP TABLE ref_countries;\n";
    sandbox.write("edu-v2/steps/behind.sql", behind);
    let told = run(&sandbox, &folder, &["--until", "brought-back"]);
    assert_eq!(told.code, 0, "{told:?}");
    let report = sandbox.report("edu-v2");
    let at = |stage| recorded(&report, stage, Side::Source);
    let baseline = at(Stage::Baseline);
    assert_eq!(baseline.len(), 355);
    for stage in [Stage::Migrated, Stage::RolledBack, Stage::Reapplied] {
        assert_eq!(at(stage), baseline, "{stage}");
    }
    sandbox.assert_released();
}

const CHANGED: &str = "[[step]]\nname = \"behind\"\nkind = \"sql\"\nside = \"source\"\nup = \"steps/behind.sql\"\n\
    rollback = { kind = \"restore\", side = \"source\", from = \"source-kept\" }\n\n\
    [[step]]\nname = \"brought-back\"\nkind = \"restore\"\nside = \"source\"\nfrom = \"source-kept\"\n\
    when_not_empty = \"replace\"\n\n[[step]]\nname = \"students-and-staff\"";
