//! Steps of commands, by the program as a user runs it: what they are told, what becomes of what they print and start, and
//! what the report says when they do not do what they should.

use std::{fs, process::Command};

mod container;

use rehearse::model::{Outcome, Report, Verdict};

use crate::support::{Ended, Sandbox, files, skipped};

/// Makes the target's tables version by version, as a tool of somebody's would.
const MIGRATE: &str = r#"
set -eu
run() { psql -X -q -v ON_ERROR_STOP=1 "$TARGET_URL" -c "$1"; }
echo "$STEP_NAME: $1 $MIGRATION_VERSION behind ${MIGRATION_PREVIOUS:-nothing}"
case "$1 $2" in
  "up 001") run "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL)" ;;
  "up 002") run "ALTER TABLE people ADD note text" ;;
  "down 002") run "ALTER TABLE people DROP note" ;;
  "down 001") run "DROP TABLE people" ;;
  *) echo "no such way: $*" >&2; exit 64 ;;
esac
"#;

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT);";
const VERSIONED: &str = "up = [\"sh\", \"migrate.sh\", \"up\", \"{version}\"]\n\
    down = [\"sh\", \"migrate.sh\", \"down\", \"{version}\"]\nlist = [\"sh\", \"-c\", \"echo 001 first; echo; echo 002 second\"]\n";

/// A scenario that makes its tables with a step of commands and fills them with a transfer.
struct Bench {
    sandbox: Sandbox,
}

impl Bench {
    /// `None`, and said so, where there is no PostgreSQL.
    fn new(test: &str, step: &str) -> Option<Self> {
        let has =
            |what: &str| Command::new("sh").args(["-c", what]).output().is_ok_and(|output| output.status.success());
        if !has("command -v psql && ls /usr/lib/postgresql/*/bin/initdb") {
            skipped(test, "local", "no PostgreSQL with its client is installed");
            return None;
        }
        Some(Self::written(step))
    }

    fn written(step: &str) -> Self {
        let sandbox = Sandbox::new();
        let head = "format_version = 1\ntitle = \"By commands\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
                    dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\n[[step]]\nname = \"tables\"\nkind = \"command\"\n";
        let scenario = format!("{head}{step}\n[[step]]\nname = \"rows\"\nkind = \"transfer\"\n");
        sandbox.write("by/scenario.toml", scenario);
        sandbox.write("by/source.sql", SOURCE);
        sandbox.write("by/dataset.toml", "format_version = 1\n[table.people]\nrows = 20\n");
        sandbox.write("by/migrate.sh", MIGRATE);
        Self { sandbox }
    }

    fn run(&self) -> Ended {
        self.run_by("local")
    }

    fn run_by(&self, provider: &str) -> Ended {
        let scenario = self.sandbox.path("by").display().to_string();
        self.sandbox.rehearse(&["run", &scenario, "--provider", provider, "--seed", "1"])
    }

    fn report(&self) -> Report {
        self.sandbox.report("by")
    }

    /// What was kept of an act.
    fn kept(&self, act: &str) -> String {
        let path = self.sandbox.out().join("by/latest/commands").join(format!("{act}.log"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[track_caller]
fn outcome(report: &Report, act: &str) -> Outcome {
    let steps = &report.scenarios[0].steps;
    steps.iter().find(|step| step.id == act).unwrap_or_else(|| panic!("no {act} in {steps:?}")).outcome.clone()
}

#[track_caller]
fn error(report: &Report, act: &str) -> String {
    outcome(report, act).reason().unwrap_or_else(|| panic!("{act} did not fail")).to_owned()
}

/// A script that ends well and says so, for ways that are not what a test is about.
fn well(way: &str) -> String {
    format!("{way} = [\"sh\", \"-c\", \"echo well\"]\n")
}

#[test]
fn versions_go_up_in_their_order_and_down_in_the_other() {
    let step = format!("{VERSIONED}first = \"zero\"\nstatus = [\"sh\", \"-c\", \"test -d $WORK_FOLDER\"]\n");
    let Some(bench) = Bench::new("versions_go_up_in_their_order_and_down_in_the_other", &step) else { return };
    let ended = bench.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(bench.report().verdict, Verdict::Pass);
    let said = |act: &str| {
        let kept = bench.kept(act);
        kept.lines().filter(|line| line.starts_with("tables: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let up = ["tables: up 001 behind zero", "tables: up 002 behind 001"];
    assert_eq!(said("migrate-tables"), up);
    assert_eq!(said("reapply-tables"), up);
    assert_eq!(said("rollback-tables"), ["tables: down 002 behind 001", "tables: down 001 behind zero"]);
    assert!(bench.kept("migrate-tables").contains("$ sh migrate.sh up 001\n"), "{}", bench.kept("migrate-tables"));
    bench.sandbox.assert_released();
}

#[test]
fn a_version_that_fails_is_told_and_what_was_done_is_taken_back() {
    let step = VERSIONED.replace("echo 002 second", "echo 002; echo 003");
    let Some(bench) = Bench::new("a_version_that_fails_is_told", &step) else { return };
    let ended = bench.run();
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = bench.report();
    let told = error(&report, "migrate/tables");
    assert!(told.contains("`sh migrate.sh up 003` ended with exit code 64"), "{told}");
    assert!(told.contains("no such way: up 003"), "{told}");
    assert_eq!(outcome(&report, "rollback/tables"), Outcome::Passed);
    let no_trace = report.scenarios[0].checks.iter().find(|check| check.id == "no_trace").unwrap();
    assert_eq!(no_trace.outcome, Outcome::Passed, "{no_trace:?}");
}

#[test]
fn without_a_way_down_nothing_behind_the_migration_is_called_passed() {
    let step = VERSIONED.replace("down = ", "status = ").replace("\"down\", \"{version}\"", "\"up\", \"none\"");
    let step = step.replace("\"sh\", \"migrate.sh\", \"up\", \"none\"", "\"true\"");
    let Some(bench) = Bench::new("without_a_way_down", &step) else { return };
    let ended = bench.run();
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = bench.report();
    assert!(report.scenarios[0].steps.iter().all(|step| !step.id.starts_with("rollback/")));
    for id in ["no_trace", "reapply"] {
        let check = report.scenarios[0].checks.iter().find(|check| check.id == id).unwrap();
        let reason = "step `tables` has no way down, so that there is nothing to go back to";
        assert_eq!(check.outcome.reason(), Some(reason), "{id}");
    }
    assert_eq!(report.scenarios[0].coverage.downs.checked, 0);
    assert_eq!(report.scenarios[0].coverage.downs.total, 2);
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    // It hears no `SIGTERM`, and neither do its children, one of which has a session of its own.
    let hang = "trap '' TERM; setsid sleep 61234 & sleep 61235 & sleep 61236";
    let step = format!("up = [\"sh\", \"-c\", {hang:?}]\n{}deadline = \"300ms\"\n", well("down"));
    let Some(bench) = Bench::new("a_command_that_hangs_is_ended", &step) else { return };
    let ended = bench.run();
    assert_eq!(ended.code, 3, "{ended:?}");
    let told = error(&bench.report(), "migrate/tables");
    assert!(told.contains("did not end within 300 ms, and was ended"), "{told}");
    for number in ["61234", "61235", "61236"] {
        assert_eq!(crate::interruption::processes(&format!("sleep {number}")), Vec::new());
    }
    bench.sandbox.assert_quiet();
}

#[test]
fn processes_that_are_left_behind_are_ended_and_named() {
    // It is gone when what it leaves has become a `sleep`, which is no more its child nor of its group.
    let leave = "setsid env -i sleep 61237 </dev/null >/dev/null 2>&1 & p=$!; \
                 until read -r name < /proc/$p/comm && [ \"$name\" = sleep ]; do :; done; echo gone";
    let step = format!("up = [\"sh\", \"-c\", {leave:?}]\n{}", well("down"));
    let Some(bench) = Bench::new("processes_that_are_left_behind", &step) else { return };
    bench.run();
    let report = bench.report();
    assert_eq!(outcome(&report, "migrate/tables"), Outcome::Passed);
    let is_told = |note: &String| note.contains("left processes behind, which were ended: sleep (");
    assert!(report.run.notes.iter().any(is_told), "{:?}", report.run.notes);
    assert!(bench.kept("migrate-tables").contains("[left behind and ended: sleep ("));
    assert_eq!(crate::interruption::processes("sleep 61237"), Vec::new());
}

#[test]
fn a_gigabyte_is_not_kept_and_what_is_left_out_is_counted() {
    let print = "echo the beginning; head -c 1000000000 /dev/zero | tr '\\\\0' 'y'; echo; echo the end";
    let step = format!("up = [\"sh\", \"-c\", \"{print}\"]\n{}", well("down"));
    let Some(bench) = Bench::new("a_gigabyte_is_not_kept", &step) else { return };
    bench.run();
    assert_eq!(outcome(&bench.report(), "migrate/tables"), Outcome::Passed);
    let kept = bench.kept("migrate-tables");
    assert!(kept.len() < 600_000, "{}", kept.len());
    assert!(kept.contains("the beginning\nyyy") && kept.contains("yyy\nthe end\n"));
    assert!(kept.contains("[999475735 of 1000000023 bytes are left out here]"), "{}", kept.replace('y', ""));
}

#[test]
fn a_password_reaches_the_command_and_nothing_else() {
    let tell =
        "echo \"$TARGET_URL\"; echo \"pw=$TARGET_PASSWORD\" >&2; printf %s \"$TARGET_PASSWORD\" > secret; exit 7";
    let step = format!("up = [\"sh\", \"-c\", {tell:?}]\n{}", well("down"));
    let Some(bench) = Bench::new("a_password_reaches_the_command", &step) else { return };
    let ended = bench.run();
    assert_eq!(ended.code, 3, "{ended:?}");
    let secret = fs::read_to_string(bench.sandbox.path("by/secret")).unwrap();
    assert!(secret.len() > 8, "{secret}");
    let kept = bench.kept("migrate-tables");
    assert!(kept.contains("postgresql://postgres:***@localhost/") && kept.contains("pw=***"), "{kept}");
    assert!(error(&bench.report(), "migrate/tables").contains("pw=***"));
    for (path, text) in bench.sandbox.artefacts() {
        assert!(!text.contains(&secret), "{}", path.display());
    }
    assert!(!ended.stderr.contains(&secret) && !ended.stdout.contains(&secret));
}

#[test]
fn a_folder_and_variables_of_the_users_own_are_taken() {
    let step = format!(
        "up = [\"./tool\", \"{{step}}\"]\n{}folder = \"tools\"\nurl_scheme = \"postgresql+psycopg\"\n\
         [step.environment]\nDATABASE_URL = \"{{target_url}}\"\nWHO = \"{{target_user}} of {{target_database}}\"\n",
        well("down")
    );
    let Some(bench) = Bench::new("a_folder_and_variables", &step.replace("./tool", "./no-tool")) else { return };
    let tool = bench.sandbox.write("by/tools/tool", "#!/bin/sh\necho \"$1: $DATABASE_URL, $WHO\"; pwd\n");
    Command::new("chmod").arg("+x").arg(&tool).status().unwrap();
    let refused = bench.run();
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("scenario.toml:12: step[0].up[0]: there is no `"), "{}", refused.stderr);
    bench.sandbox.assert_untouched();

    let path = bench.sandbox.path("by/scenario.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("./no-tool", "./tool")).unwrap();
    bench.run();
    let kept = bench.kept("migrate-tables");
    assert!(kept.contains("tables: postgresql+psycopg://postgres:***@localhost/rehearse_"), "{kept}");
    assert!(kept.contains(", postgres of rehearse_") && kept.contains("/by/tools\n"), "{kept}");
}

#[test]
fn lists_that_are_none_are_told() {
    for (list, expected) in [
        ("echo 1; echo 1", "version `1` comes twice"),
        ("true", "no version was printed"),
        ("echo --force", "`--force` is no version"),
        ("head -c 3000000 /dev/zero", "which is no list"),
        ("exit 5", "ended with exit code 5"),
    ] {
        let step = format!("{}{}list = [\"sh\", \"-c\", {list:?}]\n", well("up"), well("down"));
        let Some(bench) = Bench::new("lists_that_are_none_are_told", &step) else { return };
        bench.run();
        let told = error(&bench.report(), "migrate/tables");
        assert!(told.contains(expected), "{list}: {told}");
        assert!(files(&bench.sandbox.work()).is_empty());
    }
}

#[test]
fn a_command_finds_the_source_as_well() {
    let tell = "echo \"$SOURCE_URL is $SOURCE_DATABASE\"; head -c 15 \"$SOURCE_DATABASE\"; echo; \
                test \"sqlite://$SOURCE_DATABASE\" = \"$SOURCE_URL\"";
    let step = format!(
        "up = [\"sh\", \"-c\", {tell:?}]\ndown = [\"sh\", \"-c\", \"echo as $OLD_URL\"]\n\
         [step.environment]\nOLD_URL = \"{{source_url}}\"\n"
    );
    let Some(bench) = Bench::new("a_command_finds_the_source_as_well", &step) else { return };
    bench.run();
    assert_eq!(outcome(&bench.report(), "migrate/tables"), Outcome::Passed);
    let kept = bench.kept("migrate-tables");
    // The file that holds the rows, and no other.
    assert!(kept.contains("SQLite format 3\n"), "{kept}");
    let url = kept.lines().find_map(|line| line.strip_prefix("sqlite://")?.split_once(" is ")).unwrap().1.to_owned();
    assert!(url.starts_with(&bench.sandbox.work().display().to_string()), "{kept}");
    let back = bench.kept("rollback-tables");
    assert!(back.contains(&format!("\nas sqlite://{url}\n")), "{back}");
}
