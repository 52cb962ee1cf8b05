//! Histories that a tool of the user's runs: here a script, told by `commands.toml` what to run.

use std::{fs, process::Command};

use rehearse::model::{MigrationClass, Verdict};

use super::{Past, came_to, differs, one};

/// A tool that runs files of its folder and keeps in a table which.
const TOOL: &str = r#"
set -eu
sql() { psql -X -q -v ON_ERROR_STOP=1 "$TARGET_URL" "$@"; }
sql -c "CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())" 2>/dev/null
sql -1 -f "$2.$1"
case $1 in
  up) sql -c "INSERT INTO schema_migrations (version) VALUES ('$2')" ;;
  down) sql -c "DELETE FROM schema_migrations WHERE version = '$2'" ;;
esac
"#;

const COMMANDS: &str = "format_version = 1\nlist = [\"sh\", \"-c\", \"ls *.up | sed s/.up$//\"]\n\
    up = [\"sh\", \"tool.sh\", \"up\", \"{version}\"]\ndown = [\"sh\", \"tool.sh\", \"down\", \"{version}\"]\ndeadline = \"20s\"\n";

impl Past {
    /// A folder that a tool of the user's runs: version, way up, way down.
    fn of_tool(test: &str, commands: &str, files: &[(&str, &str, &str)]) -> Option<Self> {
        let past = Self::postgres(test)?;
        past.file("commands.toml", commands);
        past.file("tool.sh", TOOL);
        for (version, up, down) in files {
            past.file(&format!("{version}.up"), up);
            past.file(&format!("{version}.down"), down);
        }
        Some(past)
    }
}

const FILES: &[(&str, &str, &str)] = &[
    ("01", "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL);", "DROP TABLE t;"),
    ("02", "ALTER TABLE t ADD b int;", "ALTER TABLE t DROP b;"),
    ("03", "ALTER TABLE t DROP a;", "ALTER TABLE t ADD a text;"),
    ("04", "CREATE INDEX i ON t (b);", "SELECT 1;"),
    ("05", "SELECT 1;", "DROP TABLE nowhere;"),
    ("06", "ALTER TABLE t ADD c int NOT NULL;", "ALTER TABLE t DROP c;"),
];

#[test]
fn each_migration_of_a_tool_goes_up_down_and_up() {
    let Some(past) = Past::of_tool("each_migration_of_a_tool", COMMANDS, FILES) else { return };
    let ended = past.run(&[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let report = past.report();
    let history = past.history();
    assert_eq!(history.layout, "command");
    let expected =
        ["01 restores", "02 restores", "03 loses_rows", "04 differs", "05 down_fails", "06 fails_only_with_rows"];
    assert_eq!(came_to(&history), expected);
    assert_eq!(differs(one(&history, "04")), ["trace_left index:t.i"]);
    let error = one(&history, "05").error.as_ref().unwrap();
    assert!(error.contains("`sh tool.sh down 05` ended with exit code 3"), "{error}");
    assert!(error.contains("table \"nowhere\" does not exist"), "{error}");
    let footprint = one(&history, "02").footprint.as_ref().unwrap();
    assert!(footprint.locks_unknown.is_some() && footprint.bytes_before.is_some());
    unknown_locks_and_sizes_are_told(&past);
    assert!(report.run.notes.iter().any(|note| note == "`schema_migrations` is set aside: the tool keeps it itself"));
    let chain = history.chain.unwrap();
    assert_eq!((chain.downs, chain.stopped.unwrap().migration.as_str()), (1, "05"));
    let log = fs::read_to_string(past.sandbox.run_directory().join("commands/0002-02.log")).unwrap();
    assert!(log.contains("$ sh tool.sh up 02\n") && log.contains("$ sh tool.sh down 02\n"), "{log}");
    past.sandbox.assert_released();
}

/// Where nobody could look for locks, every report says so with the reason, and so it does of each size that changed.
fn unknown_locks_and_sizes_are_told(past: &Past) {
    let history = past.history();
    let footprints = || history.migrations.iter().filter_map(|one| one.footprint.as_ref());
    let reason = "a session of another program cannot be asked for its locks";
    assert!(footprints().all(|one| one.locks_unknown.as_deref() == Some(reason) && one.locks.is_empty()));
    let first = one(&history, "01").footprint.as_ref().unwrap();
    let (before, after) = (first.bytes_before.unwrap(), first.bytes_after.unwrap());
    let digits = rehearse::report::prose::count;
    assert!(before < after, "{first:?}");
    let size = format!("{} bytes before, {} after", digits(before), digits(after));
    let each = format!("{size}; locks not known: {reason}");
    let all = footprints().count();
    let together = format!("{all} of {all} ways up (01, 02, 03 and {} more): {reason}", all - 3);
    let table = format!("{size}; locks not known |");
    for (file, told) in [
        ("report.txt", &[&size, &together][..]),
        ("report.md", &[&table, &together]),
        ("report.html", &[&each]),
        ("junit.xml", &[&each]),
    ] {
        let text = fs::read_to_string(past.sandbox.run_directory().join(file)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for needle in told {
            assert!(text.contains(needle.as_str()), "{needle} is not in {file}: {text}");
        }
    }
}

#[test]
fn a_file_of_commands_can_be_named_and_its_versions_written() {
    let commands =
        COMMANDS.replace("list = [\"sh\", \"-c\", \"ls *.up | sed s/.up$//\"]", "versions = [\"02\", \"01\"]");
    let commands =
        commands.replace("\"up\", \"{version}\"", "\"up\", \"{version}\", \"{previous}\"") + "first = \"base\"\n";
    let files = [FILES[0], ("02", "SELECT 1;", "SELECT 1;")];
    let Some(past) = Past::of_tool("a_file_of_commands_can_be_named", &commands, &files) else { return };
    let file = past.sandbox.path("m/commands.toml").display().to_string();
    let named = ["--migrations", &file, "--engine", "postgres"];
    let ended = past.sandbox.rehearse(&[&["run", "--provider", "local", "--seed", "1"], &named[..]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let history = past.history();
    assert_eq!(came_to(&history), ["02 restores", "01 restores"]);
    let log = fs::read_to_string(past.sandbox.run_directory().join("commands/0001-02.log")).unwrap();
    assert!(log.contains("$ sh tool.sh up 02 base\n"), "{log}");

    let planned = past.sandbox.rehearse(&[&["plan"], &named[..]].concat());
    assert!(planned.stdout.contains("2. 01\n      up: commands.toml, and down"), "{planned:?}");
    let changed = past.sandbox.rehearse(&[&["run", "--changed-since", "HEAD"], &named[..]].concat());
    assert!(changed.code == 2 && changed.stderr.contains("hint: give --only or --from"), "{changed:?}");
}

#[test]
fn without_a_way_down_each_is_named_and_a_status_verifies() {
    let commands = COMMANDS.replace("down = ", "status = ").replace("\"down\", ", "\"status\", ");
    let files = [("01", "CREATE TABLE t (id int PRIMARY KEY);", ""), ("02", "SELECT 1;", "")];
    let Some(past) = Past::of_tool("without_a_way_down_each_is_named", &commands, &files) else { return };
    past.file("01.status", "SELECT * FROM t;");
    past.file("02.status", "SELECT * FROM u;");
    let ended = past.run(&[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(came_to(&history), ["01 no_down", "02 verify_fails"]);
    assert!(one(&history, "02").error.as_ref().unwrap().contains("relation \"u\" does not exist"));
}

#[test]
fn a_tool_that_hangs_is_ended() {
    let commands =
        COMMANDS.replace("20s", "6s").replace("\"sh\", \"tool.sh\", \"down\"", "\"sh\", \"-c\", \"exec sleep 61238\"");
    let Some(past) = Past::of_tool("a_tool_that_hangs_is_ended", &commands, &FILES[..1]) else { return };
    let ended = past.run(&[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(history.migrations[0].class, MigrationClass::DownFails);
    let error = history.migrations[0].error.as_ref().unwrap();
    assert!(error.contains("did not end within 6 s, and was ended"), "{error}");
    assert_eq!(crate::interruption::processes("sleep 61238"), Vec::new());
    assert_eq!(past.report().verdict, Verdict::Fail);
}

#[test]
fn a_tool_that_prints_very_much_is_not_kept_whole() {
    let past = Past::sqlite();
    let print = "echo the beginning; head -c 200000000 /dev/zero | tr '\\\\0' 'y'; echo; echo the end";
    let commands = format!(
        "format_version = 1\nversions = [\"01\"]\nup = [\"sh\", \"-c\", \"{print}\"]\n\
         down = [\"sh\", \"-c\", \"{print}; exit 9\"]\n"
    );
    past.file("commands.toml", &commands);
    let ended = past.run(&[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(came_to(&history), ["01 down_fails"]);
    let error = history.migrations[0].error.as_ref().unwrap();
    assert!(error.contains("ended with exit code 9") && error.contains("the end") && error.len() < 10_000, "{error}");
    // Of each of both calls the beginning and the end.
    let log = fs::read_to_string(past.sandbox.run_directory().join("commands/0001-01.log")).unwrap();
    assert!(log.len() < 2_000_000, "{}", log.len());
    assert_eq!(log.matches("the beginning\nyyy").count(), 2);
    assert_eq!(log.matches("of 200000023 bytes are left out here]").count(), 2, "{}", log.replace('y', ""));
    for (file, text) in past.sandbox.artefacts().iter().filter(|(file, _)| !file.ends_with("0001-01.log")) {
        assert!(text.len() < 1_000_000, "{}: {}", file.display(), text.len());
    }
    past.sandbox.assert_released();
}

#[test]
fn what_a_tool_leaves_running_is_ended_and_named() {
    // The shell is gone when what it leaves has become a `sleep`, which is no more its child nor of its group.
    let leave = "setsid env -i sleep 61241 </dev/null >/dev/null 2>&1 & p=$!; \
                 until read -r name < /proc/$p/comm && [ \"$name\" = sleep ]; do :; done";
    let past = Past::sqlite();
    let commands =
        format!("format_version = 1\nversions = [\"01\"]\nup = [\"sh\", \"-c\", {leave:?}]\ndown = [\"true\"]\n");
    past.file("commands.toml", &commands);
    let ended = past.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(came_to(&past.history()), ["01 restores"]);
    let notes = past.report().run.notes;
    let told: Vec<&String> = notes.iter().filter(|note| note.contains("left processes behind")).collect();
    // Up, and up again.
    assert_eq!(told.len(), 2, "{notes:?}");
    assert!(told.iter().all(|note| note.contains("`sh` left processes behind, which were ended: sleep (")), "{told:?}");
    assert_eq!(crate::interruption::processes("sleep 61241"), Vec::new());
    past.sandbox.assert_released();
    past.sandbox.assert_quiet();
}

#[test]
fn files_of_commands_are_read_strictly() {
    let past = Past::sqlite();
    let wrong = "format_version = 1\nup = \"alembic\"\ndwon = [\"x\"]\nstatus = [\"no-such-program-here\", \"{verson}\"]\n\
                 deadline = \"soon\"\nfolder = \".\"\nversions = [\"-1\"]\nlist = [\"sh\", \"{target_url}\"]\n";
    let path = past.sandbox.write("m/commands.toml", wrong).display().to_string();
    let ended = past.run(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    let told = ended.stderr.replace(&path, "FILE");
    for line in [
        "FILE:2: up: expected a list, found text",
        "FILE:3: dwon: unknown key `dwon`",
        "did you mean `down`?",
        "FILE:4: status[0]: no program `no-such-program-here` is on the search path; expected a program that is here",
        "FILE:4: status[1]: `{verson}` stands for nothing; did you mean `{version}`?",
        "FILE:5: deadline: `soon` is no length of time; expected one such as `90s`, `10m` or `1h 30m`",
        "FILE:7: versions[0]: `-1` is no version",
        "`list` and `versions` say the same in two ways; expected one of them",
        "FILE:8: list[1]: `{target_url}` may hold a password",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    past.sandbox.assert_untouched();
    past.file(
        "commands.toml",
        "format_version = 1\nup = [\"true\"]\nlist = [\"sh\", \"-c\", \"echo well >&2; exit 9\"]\n",
    );
    let ended = past.run(&[]);
    assert!(
        ended.code == 2 && ended.stderr.contains("list: `sh -c echo well >&2; exit 9` ended with exit code 9"),
        "{ended:?}"
    );
    past.sandbox.assert_untouched();
}

#[test]
fn a_run_that_is_interrupted_ends_its_tool() {
    let hang =
        COMMANDS.replace("\"sh\", \"tool.sh\", \"up\"", "\"sh\", \"-c\", \"setsid sleep 61239 & exec sleep 61240\"");
    let Some(past) = Past::of_tool("a_run_that_is_interrupted_ends_its_tool", &hang, &FILES[..1]) else { return };
    let folder = past.folder();
    let mut child = past
        .sandbox
        .rehearsal(&["run", "--migrations", &folder, "--engine", "postgres", "--provider", "local"])
        .spawn()
        .unwrap();
    let is_there = || !crate::interruption::processes("sleep 61239").is_empty();
    let since = std::time::Instant::now();
    while !is_there() {
        assert!(child.try_wait().unwrap().is_none() && since.elapsed().as_secs() < 60, "the tool did not begin");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    for number in ["61239", "61240"] {
        assert_eq!(crate::interruption::processes(&format!("sleep {number}")), Vec::new());
    }
    past.sandbox.assert_quiet();
}
