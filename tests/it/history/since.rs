//! What a revision of the folder's repository tells: migrations that come late, and those that were changed after it.

use std::process::Command;

use rehearse::model::{DisorderKind, Severity};

use super::{Past, came_to};

/// Three migrations under `main`.
fn three() -> Past {
    let past = Past::sqlite();
    past.pairs(&[
        ("1_a", "CREATE TABLE a (id INTEGER PRIMARY KEY);", "DROP TABLE a;"),
        ("3_c", "CREATE TABLE c (id INTEGER PRIMARY KEY);", "DROP TABLE c;"),
        ("5_e", "CREATE TABLE e (id INTEGER PRIMARY KEY);", "DROP TABLE e;"),
    ]);
    git(&past, &["init", "-q", "-b", "main"]);
    commit(&past, "three");
    git(&past, &["checkout", "-q", "-b", "more"]);
    past
}

fn git(past: &Past, arguments: &[&str]) {
    let mut git = Command::new("git");
    let who = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let output = git.arg("-C").arg(past.sandbox.path("m")).args(who).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn commit(past: &Past, message: &str) {
    git(past, &["add", "."]);
    git(past, &["commit", "-q", "-m", message]);
}

fn away(past: &Past, name: &str) {
    for way in ["up", "down"] {
        std::fs::remove_file(past.sandbox.path(&format!("m/{name}.{way}.sql"))).unwrap();
    }
}

/// Each disorder as `migration kind severity told`.
fn told(past: &Past) -> Vec<String> {
    let line = |one: &rehearse::model::Disorder| {
        format!("{} {} {:?} {}", one.migration, one.kind.word(), one.severity, one.told)
    };
    past.history().disorder.iter().map(line).collect()
}

#[test]
fn a_migration_before_others_that_were_there_is_told() {
    for (layout, severity, late, code) in [
        ("golang-migrate", "Error", "never runs it: its tool keeps only where it stands", 1),
        ("sqlx", "Warning", "has to run it late, if its tool does so at all", 0),
    ] {
        let past = three();
        past.pairs(&[
            ("2_b", "CREATE TABLE b (id INTEGER PRIMARY KEY);", "DROP TABLE b;"),
            ("6_f", "CREATE TABLE f (id INTEGER PRIMARY KEY);", "DROP TABLE f;"),
        ]);
        let ended = past.run(&["--layout", layout, "--changed-since", "main"]);
        assert_eq!(ended.code, code, "{layout}: {ended:?}");
        assert_eq!(came_to(&past.history()), ["2_b restores", "6_f restores"]);
        let reason =
            format!("is out of order: it comes before `5_e`, which main had, and a database that is past that {late}");
        assert_eq!(told(&past), [format!("2_b out_of_order {severity} {reason}")]);
        let said = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("2_b since main: is out of order"), "{said}");
    }
}

#[test]
fn what_was_changed_after_it_may_have_been_applied_is_a_finding() {
    let past = three();
    past.file("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY, more TEXT);");
    past.file("3_c.down.sql", "DROP TABLE c; -- what databases have run is not concerned");
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!(ended.code, 1, "nothing was added, and all the same: {ended:?}");
    let changed = "was changed after main: a database that applied it does not see the change";
    assert_eq!(told(&past), [format!("1_a changed_after Error {changed}")]);
    assert_eq!(past.history().disorder[0].file.to_str(), Some("1_a.up.sql"));
    for file in ["report.md", "report.html", "junit.xml"] {
        let text = std::fs::read_to_string(past.sandbox.run_directory().join(file)).unwrap();
        assert!(text.contains("was changed after main"), "{file}");
    }
    past.sandbox.assert_released();

    // Also when it is committed, renamed or taken away.
    past.file("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);");
    away(&past, "5_e");
    away(&past, "3_c");
    past.pairs(&[("4_c", "CREATE TABLE c (id INTEGER PRIMARY KEY);", "DROP TABLE c;")]);
    commit(&past, "others");
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = [
        "3_c changed_after Error is called `4_c` since main: a database that applied it runs it once more",
        "5_e changed_after Error is gone since main: a database that applied it keeps what it did",
    ];
    assert_eq!(told(&past), expected);
    let plan = past.sandbox.rehearse(&[
        "plan",
        "--migrations",
        &past.folder(),
        "--engine",
        "sqlite",
        "--changed-since",
        "main",
    ]);
    assert!(plan.stdout.contains("`5_e` is gone since main"), "{plan:?}");
    assert!(past.run(&["--changed-since", "more"]).code == 4, "nothing since then");
}

#[test]
fn what_is_known_of_it_is_accepted() {
    let past = three();
    past.file("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY, more TEXT);");
    past.pairs(&[("2_b", "CREATE TABLE b (id INTEGER PRIMARY KEY);", "DROP TABLE b;")]);
    let accept = |migration: &str, class: &str| {
        let text = format!("[[accept]]\nmigration = '{migration}'\nclass = '{class}'\nwhy = 'nobody has run it'\n");
        past.sandbox.write("accept.toml", text).display().to_string()
    };
    let file = accept("1_a", "changed_after");
    let ended = past.run(&["--layout", "sqlx", "--changed-since", "main", "--accept", &file]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let disorder = past.history().disorder;
    let of = |kind: DisorderKind| disorder.iter().find(|one| one.kind == kind).unwrap().severity();
    assert_eq!((of(DisorderKind::ChangedAfter), of(DisorderKind::OutOfOrder)), (Severity::Note, Severity::Warning));
    assert!(ended.stdout.contains("accepted: nobody has run it"), "{}", ended.stdout);
    // With nothing that was added there is nothing to rehearse, and nothing to call passed.
    away(&past, "2_b");
    let ended = past.run(&["--layout", "sqlx", "--changed-since", "main", "--accept", &file]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{ended:?}");
    assert!(ended.stderr.contains("accepted: `1_a` was changed after main"), "{ended:?}");
    past.pairs(&[("2_b", "CREATE TABLE b (id INTEGER PRIMARY KEY);", "DROP TABLE b;")]);
    // Accepted in vain, where it is compared; nothing is known where it is not.
    let file = accept("3_c", "out_of_order");
    let ended = past.run(&["--layout", "sqlx", "--only", "3_c", "--accept", &file]);
    assert_eq!(ended.code, 0, "{ended:?}");
    past.run(&["--layout", "sqlx", "--changed-since", "main", "--accept", &file]);
    let stale: Vec<String> = past.history().stale.iter().map(|one| one.problem.clone()).collect();
    assert_eq!(stale, ["nothing of the kind happened since main"]);
}

/// What others brought to the revision meanwhile is not gone here, and stands before what is added here.
#[test]
fn a_branch_is_compared_with_what_it_has_in_common() {
    for (layout, code, disorder) in [
        (
            "golang-migrate",
            1,
            "Error is out of order: it comes before `7_g`, which main had, and a database that is past that never",
        ),
        (
            "sqlx",
            0,
            "Warning is out of order: it comes before `7_g`, which main had, and a database that is past that has to run",
        ),
    ] {
        let past = three();
        past.pairs(&[("6_f", "CREATE TABLE f (id INTEGER PRIMARY KEY);", "DROP TABLE f;")]);
        commit(&past, "six");
        git(&past, &["checkout", "-q", "main"]);
        past.pairs(&[("7_g", "CREATE TABLE g (id INTEGER PRIMARY KEY);", "DROP TABLE g;")]);
        commit(&past, "seven");
        git(&past, &["checkout", "-q", "more"]);
        past.pairs(&[("8_h", "CREATE TABLE h (id INTEGER PRIMARY KEY);", "DROP TABLE h;")]);
        let ended = past.run(&["--layout", layout, "--changed-since", "main"]);
        assert_eq!(ended.code, code, "{layout}: {ended:?}");
        assert_eq!(came_to(&past.history()), ["6_f restores", "8_h restores"], "{layout}");
        let told = told(&past);
        assert!(told.len() == 1 && told[0].starts_with(&format!("6_f out_of_order {disorder}")), "{layout}: {told:?}");

        // Two that took one version on two branches only meet when they are merged.
        git(&past, &["checkout", "-q", "main"]);
        past.pairs(&[("06_other", "CREATE TABLE o (id INTEGER PRIMARY KEY);", "DROP TABLE o;")]);
        git(&past, &["add", "06_other.up.sql", "06_other.down.sql"]);
        git(&past, &["commit", "-q", "-m", "six, too"]);
        git(&past, &["checkout", "-q", "more"]);
        let ended = past.run(&["--layout", layout, "--changed-since", "main"]);
        assert_eq!(ended.code, 3, "{layout}: {ended:?}");
        let unchecked = &past.report().scenarios[0].unchecked;
        let reason = "together with what main has by now: `06_other.up.sql` and `6_f.up.sql` have one version";
        assert!(unchecked.len() == 1 && unchecked[0].reason.starts_with(reason), "{layout}: {unchecked:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_not_checked() {
    let past = three();
    git(&past, &["checkout", "-q", "main"]);
    past.file("03_twin.up.sql", "SELECT 1;");
    commit(&past, "a twin");
    git(&past, &["checkout", "-q", "-b", "mended"]);
    std::fs::remove_file(past.sandbox.path("m/03_twin.up.sql")).unwrap();
    past.pairs(&[("6_f", "CREATE TABLE f (id INTEGER PRIMARY KEY);", "DROP TABLE f;")]);
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!(came_to(&past.history()), ["6_f restores"]);
    let needle = "of order since main";
    for file in ["report.txt", "report.md", "report.html", "junit.xml", "report.json"] {
        let text = std::fs::read_to_string(past.sandbox.run_directory().join(file)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(needle) && text.contains("have one version"), "{file}: {text}");
    }
    assert_eq!(past.run(&["--changed-since", "main", "--require-coverage", "0"]).code, 0);
    // With nothing that was added, too: nobody knows whether there is nothing to tell.
    away(&past, "6_f");
    assert_eq!(past.run(&["--changed-since", "main"]).code, 3);
    let plan = ["plan", "--migrations", &past.folder(), "--engine", "sqlite", "--changed-since", "main"];
    let plan = past.sandbox.rehearse(&plan);
    assert!(plan.stdout.contains("not checked: check of order since main: "), "{plan:?}");
}

#[test]
fn a_folder_that_held_nothing_yet_is_a_beginning() {
    let past = Past::sqlite();
    past.file("README", "to come");
    git(&past, &["init", "-q", "-b", "main"]);
    commit(&past, "nothing yet");
    past.pairs(&[("1_a", "CREATE TABLE a (id INTEGER PRIMARY KEY);", "DROP TABLE a;")]);
    let ended = past.run(&["--changed-since", "main"]);
    assert_eq!((ended.code, came_to(&past.history())), (0, vec!["1_a restores".to_owned()]), "{ended:?}");
}

#[test]
fn a_clone_that_is_too_shallow_says_how_to_deepen_it() {
    let past = three();
    past.pairs(&[("6_f", "CREATE TABLE f (id INTEGER PRIMARY KEY);", "DROP TABLE f;")]);
    commit(&past, "six");
    git(&past, &["checkout", "-q", "main"]);
    past.pairs(&[("7_g", "CREATE TABLE g (id INTEGER PRIMARY KEY);", "DROP TABLE g;")]);
    commit(&past, "seven");
    let from = format!("file://{}", past.folder());
    let to = past.sandbox.path("shallow").display().to_string();
    git(&past, &["clone", "-q", "--depth", "1", "--no-single-branch", "-b", "more", &from, &to]);
    let asked = |revision: &str| {
        let ended =
            past.sandbox.rehearse(&["run", "--migrations", &to, "--engine", "sqlite", "--changed-since", revision]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        ended.stderr
    };
    let told = asked("origin/main");
    let why = "git cannot tell what was added since `origin/main`: it knows no commit that `origin/main` and what is checked out";
    assert!(told.contains(why) && told.contains("hint: the clone is shallow: `git fetch --unshallow`"), "{told}");
    assert!(asked("nowhere").contains("hint: the clone is shallow"));
    // Where it is whole, it is not the clone.
    git(&past, &["checkout", "-q", "--orphan", "other"]);
    commit(&past, "another beginning");
    let ended = past.run(&["--changed-since", "main"]);
    assert!(
        ended.code == 2 && ended.stderr.contains("it knows no commit") && !ended.stderr.contains("shallow"),
        "{ended:?}"
    );
}

/// In a folder below others of its repository, which has settings of its own and an index that nobody may touch.
#[test]
fn the_users_repository_is_left_as_it_was() {
    let past = Past::sqlite();
    past.sandbox.write("r/other.txt", "x");
    past.sandbox.write(
        "r/db/migrations/1_a.sql",
        "-- +goose Up\nCREATE TABLE a (id INTEGER PRIMARY KEY);\n-- +goose Down\nDROP TABLE a;\n",
    );
    let root = past.sandbox.path("r");
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let output = Command::new("git").arg("-C").arg(&root).args(who).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "one"]);
    past.sandbox.write(
        "r/db/migrations/1_a.sql",
        "-- +goose Up\nCREATE TABLE b (id INTEGER PRIMARY KEY);\n-- +goose Down\nDROP TABLE b;\n",
    );
    git(&["rm", "-q", "--cached", "other.txt"]);
    let (status, index) = (git(&["status", "--porcelain"]), std::fs::read(root.join(".git/index")).unwrap());
    let folder = root.join("db/migrations").display().to_string();
    let ended =
        past.sandbox.rehearse(&["run", "--migrations", &folder, "--engine", "sqlite", "--changed-since", "main"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(told(&past).len(), 1);
    assert_eq!(std::fs::read(root.join(".git/index")).unwrap(), index);
    assert_eq!(git(&["status", "--porcelain"]), status);
    past.sandbox.assert_released();
}
