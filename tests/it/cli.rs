//! The door: help, lists, plans, stored reports, errors, exit codes, and what must never be told.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use rehearse::{check, engine, migrate, provision, report};

use crate::support::{Ended, Sandbox, ended, files, root, skipped};

const VERBS: [&str; 10] =
    ["run", "audit", "plan", "resume", "rollback", "status", "clean", "report", "list", "explain"];

/// A scenario from a file into a file, which needs no server.
const SHOP: &str = "fixtures/shop";

fn call(arguments: &[&str]) -> Ended {
    Sandbox::new().call(arguments)
}

/// A failed call says what failed in a lower-case fragment, and nothing on stdout.
#[track_caller]
fn assert_fails(ended: &Ended, code: i32, part: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains(part), "{}", ended.stderr);
    let said = ended.stderr.strip_prefix("error: ").unwrap_or_else(|| panic!("{}", ended.stderr));
    let first = said.lines().next().unwrap();
    assert!(!first.ends_with('.') && !first.starts_with(|c: char| c.is_ascii_uppercase()), "{first}");
}

#[test]
fn help_tells_every_verb_and_every_exit_code() {
    let help = call(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for verb in VERBS {
        assert!(help.stdout.contains(&format!("\n  {verb} ")), "{verb}");
        let of_verb = call(&[verb, "--help"]);
        assert_eq!((of_verb.code, of_verb.stderr.as_str()), (0, ""), "{verb}");
        assert!(of_verb.stdout.contains("Usage: rehearse "), "{verb}");
    }
    assert!(!help.stdout.contains("\n  step "), "the inner verb is nobody's business");
    for help in [help, call(&["run", "--help"])] {
        let codes = help.stdout.split_once("Exit codes:\n").unwrap().1;
        for code in ["0   pass", "1   findings", "2   wrong call", "3   inconclusive", "4   nothing", "70  internal"] {
            assert!(codes.contains(&format!("  {code}")), "{code}: {codes}");
        }
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
    }
}

#[test]
fn the_help_of_run_is_sorted_and_has_examples_that_are_valid_calls() {
    let help = call(&["run", "--help"]).stdout;
    let headings = ["What is rehearsed:", "Servers:", "Verdict and reports:", "Limits:", "Places:", "Examples:"];
    let places: Vec<usize> = headings.iter().map(|heading| help.find(&format!("\n{heading}\n")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  rehearse ")).collect();
    assert!(examples.len() >= 5);
    for example in examples {
        let words: Vec<&str> = example.split("  ").next().unwrap().split_whitespace().collect();
        // A file or variable of the reader's is not here; anything that clap does not know would be a usage error.
        let stderr = call(&[&["plan"], &words[1..]].concat()).stderr;
        assert!(!stderr.contains("Usage:"), "{example}: {stderr}");
    }
}

#[test]
fn lists_have_a_line_for_everything_that_is_registered() {
    let ids = |what: &str| -> Vec<String> {
        let list = call(&["list", what]);
        assert_eq!((list.code, list.stderr.as_str()), (0, ""));
        list.stdout
            .lines()
            .map(|line| line.split_once("  ").expect("an id and what it is").0.trim().to_owned())
            .collect()
    };
    let listed = |what: &str, known: Vec<&str>| assert_eq!(ids(what), known, "{what}");
    listed("checks", check::every().map(|one| one.meta().id).collect());
    listed("engines", engine::ALL.iter().map(|one| one.id()).collect());
    listed("providers", provision::ALL.iter().map(|one| one.id()).collect());
    listed("formats", report::ALL.iter().map(|one| one.id()).collect());
    listed("steps", migrate::ALL.iter().map(|one| one.id()).collect());
    assert!(ids("scenarios").contains(&"pfa-vanguard".to_owned()));
}

#[test]
fn every_check_is_explained() {
    for check in check::every() {
        let meta = check.meta();
        let told = call(&["explain", meta.id]);
        assert_eq!((told.code, told.stderr.as_str()), (0, ""));
        for (label, text) in
            [("asserts", meta.asserts), ("why", meta.why), ("trips on", meta.example), ("what to do", meta.remedy)]
        {
            assert!(text.len() > 15, "{}: {label} says too little", meta.id);
            assert!(told.stdout.contains(&format!("  {label:<11} {text}\n")), "{}: {label}", meta.id);
        }
        assert!(told.stdout.contains("  stages      "));
    }
}

#[test]
fn names_that_are_not_known_come_with_the_nearest() {
    assert_fails(&call(&["explain", "checksun"]), 2, "no check is called `checksun`\nhint: did you mean `checksum`?\n");
    assert_fails(
        &call(&["explain", "zebra"]),
        2,
        "\nhint: there are: access, encoding, tools, backup, room, target_empty, source_data, schema, row_count, ",
    );
    assert_fails(&call(&["run", "pfa-vangard"]), 2, "`pfa-vangard`\nhint: did you mean `pfa-vanguard`?\n");
    assert_fails(&call(&["run", "zebra"]), 2, "no scenario is called `zebra`\nhint: there are: ");
    assert_fails(
        &call(&["run", "--from", "x.db", "--to", "postgre"]),
        2,
        "`postgre`\nhint: did you mean `postgres`?\n",
    );
    assert_fails(&call(&["report", "latest", "--format", "htm"]), 2, "`htm`\nhint: did you mean `html`?\n");
    let sandbox = Sandbox::new();
    let unknown = sandbox.call(&["report", "20200101t000000-none", "--out", sandbox.out().to_str().unwrap()]);
    assert_fails(&unknown, 2, "no run is called `20200101t000000-none`\nhint: runs are looked for below ");
    for (verb, nearest) in [("rum", "run"), ("explian", "explain")] {
        let ended = call(&[verb]);
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(&format!("'{nearest}'")), "{}", ended.stderr);
    }
}

#[test]
fn a_plan_prints_every_act_and_touches_nothing() {
    let sandbox = Sandbox::new();
    let arguments = ["plan", "pfa-vanguard", SHOP, "--seed", "7", "--target-version", "15"];
    let plan = sandbox.rehearse(&arguments);
    assert_eq!((plan.code, plan.stderr.as_str()), (0, ""));
    for act in [
        "provision/source",
        "provision/target",
        "schema/source",
        "populate",
        "record/baseline",
        "migrate/transfer",
        "check/migrated/checksum",
        "rollback/transfer",
        "check/rolled-back/no_trace",
        "reapply/transfer",
        "check/reapplied/reapply",
        "release",
    ] {
        assert_eq!(plan.stdout.matches(&format!(". {act}\n")).count(), 2, "{act}: {}", plan.stdout);
    }
    for line in ["a postgres 15 database", "fill the source from seed 7", "import: empty target, dependency order"] {
        assert!(plan.stdout.contains(line), "{line}: {}", plan.stdout);
    }
    assert_eq!(plan.stdout, sandbox.rehearse(&arguments).stdout, "the same call gives the same plan");
    sandbox.assert_untouched();
}

#[test]
fn nothing_selected_has_its_own_exit_code() {
    let sandbox = Sandbox::new();
    let empty = sandbox.path("none");
    fs::create_dir(&empty).unwrap();
    for verb in ["run", "plan"] {
        let ended = sandbox.rehearse(&[verb, "--scenarios-dir", empty.to_str().unwrap()]);
        assert_fails(&ended, 4, "holds no scenario");
        let ended = sandbox.rehearse(&[verb, "--scenarios-dir", "no/such/folder"]);
        assert_fails(&ended, 4, "failed to look for scenarios in `no/such/folder`: ");
        assert!(ended.stderr.contains("\nhint: give --scenarios-dir, or `--from FILE.db --to postgres`"));
    }
    sandbox.assert_untouched();
}

#[test]
fn flags_that_exclude_each_other_are_refused_before_anything_starts() {
    let sandbox = Sandbox::new();
    let url = "postgres://me@127.0.0.1:1/x";
    for arguments in [
        &["--from", "x.db"][..],
        &["--to", "postgres"],
        &["--from", "x.db", "--to", "postgres", "pfa-vanguard"],
        &["--from", "x.db", "--to", "postgres", "--snapshot", "y.db"],
        &["--from", "x.db", "--to", "postgres", "--rows", "10"],
        &["pfa-vanguard", "--snapshot", "y.db", "--scale", "2"],
        &["pfa-vanguard", SHOP, "--snapshot", "Cargo.toml"],
        &["pfa-vanguard", "--disposable"],
        &["pfa-vanguard", "--provider", "external"],
        &["pfa-vanguard", "--provider", "podman"],
        &["pfa-vanguard", "--provider", "local", "--target-url", url],
        &["pfa-vanguard", "--provider", "auto", "--target-url", url],
        &["pfa-vanguard", "--target-version", "../17"],
        &["pfa-vanguard", "--scale", "-1"],
        &["pfa-vanguard", "--scale", "NaN"],
        &["pfa-vanguard", "--seed", "9007199254740992"],
        &["pfa-vanguard", "--port", "0"],
        &["pfa-vanguard", "--port", "65536"],
        &["pfa-vanguard", "--deadline", "0"],
        &["pfa-vanguard", "--target-url", "not a url"],
        &["pfa-vanguard", "--target-url", "postgres://127.0.0.1/x"],
        &["pfa-vanguard", "--target-url", "postgres://me@127.0.0.1/x?sslmod=require"],
        &["pfa-vanguard", "--target-url", "postgres://me@127.0.0.1/x?sslmode=verify-ca"],
        &["pfa-vanguard", "--target-url", "env:NO_SUCH_VARIABLE"],
        &["pfa-vanguard", "--target-url", "@no/such/file"],
        // The second of two has several versions, and is looked at before the first is begun.
        &[SHOP, "pfa-vanguard", "--keep"],
    ] {
        let ended = sandbox.rehearse(&[&["run"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    sandbox.assert_untouched();
}

#[test]
fn a_variable_with_a_url_does_not_stand_in_the_way_of_another_provider() {
    let sandbox = Sandbox::new();
    let plan = ended(
        sandbox
            .rehearsal(&["plan", "pfa-vanguard", "--provider", "local"])
            .env("REHEARSE_TARGET_URL", "postgres://me@127.0.0.1:1/x"),
    );
    assert_eq!(plan.code, 0, "{plan:?}");
}

#[test]
fn errors_tell_their_causes() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    let ended = ended(sandbox.command(&["run", SHOP, "--out"]).arg(file.join("x")));
    assert_fails(&ended, 3, "failed to write `");
    assert!(ended.stderr.contains("\n  caused by: Not a directory"), "{}", ended.stderr);
}

#[test]
fn a_whole_rehearsal_of_files_leaves_reports_that_can_be_told_again() {
    let sandbox = Sandbox::new();
    let run = sandbox.rehearse(&["run", SHOP, "--seed", "7"]);
    assert_eq!(run.code, 0, "{run:?}");
    sandbox.assert_released();
    let directory = sandbox.run_directory();
    let id = fs::canonicalize(&directory).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let out = sandbox.out();
    let out = out.to_str().unwrap();
    for format in report::ALL {
        let stored = fs::read_to_string(directory.join(format.file_name())).unwrap();
        for name in ["latest", id.as_str(), directory.to_str().unwrap()] {
            let again = sandbox.call(&["report", name, "--format", format.id(), "--out", out]);
            assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{name}");
            assert_eq!(again.stdout, stored, "{name} as {}", format.id());
        }
        let file = sandbox.path("again");
        let again =
            ended(sandbox.command(&["report", "latest", "--format", format.id(), "--out", out, "--to"]).arg(&file));
        assert_eq!((again.code, again.stdout.as_str()), (0, ""));
        assert_eq!(fs::read_to_string(file).unwrap(), stored);
    }
    // stdout is the summary and nothing else, stderr is talk.
    assert_eq!(run.stdout, fs::read_to_string(directory.join("report.txt")).unwrap());
    assert!(run.stderr.starts_with(&format!("run {id} · root seed 7 · ")), "{}", run.stderr);
    assert!(run.stderr.ends_with(&format!("reports: {}\n", out_of(&directory, &id))), "{}", run.stderr);
    let status = sandbox.call(&["status", "latest", "--out", out]);
    assert!(status.stdout.starts_with(&format!("{id}: finished\n")), "{}", status.stdout);
}

/// The run's own directory, beside the link `latest`.
fn out_of(latest: &Path, id: &str) -> String {
    latest.parent().unwrap().join(id).display().to_string()
}

#[test]
fn the_same_seed_gives_the_same_fingerprints_and_another_one_others() {
    let fingerprints = |seed: &str| {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.rehearse(&["run", SHOP, "--seed", seed]).code, 0);
        let text = fs::read_to_string(sandbox.run_directory().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        report["scenarios"][0]["fingerprints"].clone()
    };
    let first = fingerprints("7");
    assert!(first.as_array().is_some_and(|stages| stages.len() == 8), "{first}");
    assert_eq!(first, fingerprints("7"));
    assert_ne!(first, fingerprints("8"));
}

#[test]
fn the_command_that_repeats_a_run_is_one() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.rehearse(&["run", SHOP]).code, 0);
    let text = fs::read_to_string(sandbox.run_directory().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let repeat = report["run"]["repeat"].as_str().unwrap().to_owned();
    let words: Vec<&str> = repeat.split_whitespace().collect();
    let again = sandbox.call(&words[1..]);
    assert_eq!((words[0], again.code), ("rehearse", 0), "{repeat}: {again:?}");
    assert!(again.stderr.contains(&format!("root seed {} ", report["run"]["root_seed"])), "{}", again.stderr);
}

/// A run's directory with a journal of the test's own.
fn stored(sandbox: &Sandbox, journal: impl AsRef<[u8]>) -> String {
    let path = sandbox.write("out/shop/20260314t092653-kqvz/events.jsonl", journal);
    path.parent().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_journal_that_was_cut_is_told_as_such() {
    let whole = fs::read_to_string(root().join("fixtures/runs/pass.jsonl")).unwrap();
    // Cut at the end of a line, and anywhere in the last line.
    let cuts = [whole.len() / 2, whole[..whole.len() / 2].rfind('\n').unwrap() + 1, whole.find('\n').unwrap() + 1];
    for cut in cuts {
        let sandbox = Sandbox::new();
        let cut = (0..=cut).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        let told = sandbox.call(&["report", &stored(&sandbox, &whole[..cut]), "--format", "json"]);
        assert_eq!(told.code, 0, "{told:?}");
        let report: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!((&report["verdict"], &report["run"]["finished"]), (&"inconclusive".into(), &false.into()));
        assert!(told.stdout.contains("the journal ends before the run did"));
    }
}

#[test]
fn journals_that_cannot_be_told_are_refused_with_the_reason() {
    let whole = fs::read_to_string(root().join("fixtures/runs/pass.jsonl")).unwrap();
    let other = whole.replacen("\"journal_version\":1,", "\"journal_version\":99,", 1);
    let (first, rest) = whole.split_once('\n').unwrap();
    let damaged = format!("{first}\n{{\"seq\": zebra}}\n{rest}");
    for (journal, part) in [
        (other.as_str(), "events.jsonl` is of version 99, and this is rehearse "),
        (damaged.as_str(), "events.jsonl` line 2: "),
        ("", "names no run"),
        (rest, "names no run"),
    ] {
        let sandbox = Sandbox::new();
        let directory = stored(&sandbox, journal);
        for arguments in [&["report", directory.as_str()][..], &["status", directory.as_str()]] {
            let ended = sandbox.call(arguments);
            assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
            if arguments[0] == "report" {
                assert_fails(&ended, 2, part);
            }
        }
    }
}

#[test]
fn a_pipe_gets_no_colours_and_no_cursor() {
    let sandbox = Sandbox::new();
    for arguments in [&["run", SHOP][..], &["plan", SHOP], &["run", "zebra"], &["--help"], &["run", "--nonsense"]] {
        let is_rehearsal = arguments.len() > 1 && arguments[1] == SHOP;
        let ended = if is_rehearsal { sandbox.rehearse(arguments) } else { sandbox.call(arguments) };
        assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_terminal_gets_colours_unless_it_says_no() {
    let test = "a_terminal_gets_colours_unless_it_says_no";
    if !Path::new("/usr/bin/script").exists() {
        return skipped(test, "terminal", "`script` is not installed, which makes a terminal");
    }
    let summary = |no_colour: Option<&str>| {
        let sandbox = Sandbox::new();
        let (out, work) = (sandbox.out(), sandbox.work());
        let line = format!(
            "{} run {SHOP} --out {} --work-dir {} 2>/dev/null",
            env!("CARGO_BIN_EXE_rehearse"),
            out.display(),
            work.display()
        );
        let mut command = Command::new("/usr/bin/script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(root()).stdin(std::process::Stdio::null());
        command.env("REHEARSE_STATE_DIR", sandbox.path("state")).env("TERM", "xterm").env_remove("NO_COLOR");
        if let Some(value) = no_colour {
            command.env("NO_COLOR", value);
        }
        let ended = ended(&mut command);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout
    };
    assert!(summary(None).contains("\x1b["));
    assert!(!summary(Some("1")).contains('\x1b'));
    assert!(summary(Some("")).contains("\x1b["), "an empty NO_COLOR says nothing (no-color.org)");
}

#[test]
fn passwords_are_nowhere() {
    let sandbox = Sandbox::new();
    const SECRET: &str = "hunter2hunter2";
    let url = format!("postgres://me:{SECRET}@127.0.0.1:1/shop");
    let file = sandbox.write("url", &url);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (typed, read) = (format!("--target-url={url}"), format!("@{}", file.display()));
    let wrong = [format!("postgres://me:{SECRET}@:x/shop"), format!("postgres://me@h/shop?password={SECRET}")];
    let socket = format!("postgres://me:{SECRET}@/shop?host=/nonexistent");
    let calls: [&[&str]; 7] = [
        &["--target-url", &socket],
        &["--target-url", &url],
        &[&typed],
        &["--target-url", "env:SHOP_URL"],
        &["--target-url", &read],
        &["--target-url", &wrong[0]],
        &["--target-url", &wrong[1]],
    ];
    for arguments in calls {
        let arguments = [&["run", "fixtures/shop-postgres", "--disposable"], arguments].concat();
        let ended = ended(sandbox.rehearsal(&arguments).env("SHOP_URL", &url));
        assert!([2, 3].contains(&ended.code), "{ended:?}");
        assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET), "{ended:?}");
    }
    let artefacts = sandbox.artefacts();
    let journals = artefacts.iter().filter(|(path, _)| path.ends_with("events.jsonl")).count();
    assert!(journals >= 5, "the first five calls ran: {:?}", files(&sandbox.out()));
    for (path, text) in artefacts {
        assert!(!text.contains(SECRET), "{}", path.display());
    }
    let help = ended(sandbox.command(&["run", "--help"]).env("REHEARSE_TARGET_URL", &url));
    assert!(!help.stdout.contains(SECRET), "the help shows no value of the variable");
}
