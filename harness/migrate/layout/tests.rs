use std::{fs, path::Path};

use super::*;

/// A folder with these files, and what reading it as PostgreSQL's gives.
fn read_files(files: &[(&str, &str)], named: Option<&str>) -> Result<History, String> {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = root.path().to_str().unwrap().to_owned();
    read(root.path(), named, &EngineId::from("postgres")).map_err(|error| error.to_string().replace(&path, "DIR"))
}

fn history(files: &[(&str, &str)]) -> History {
    read_files(files, None).unwrap()
}

fn problem(files: &[(&str, &str)]) -> String {
    read_files(files, None).unwrap_err()
}

/// Layout, then each migration as `version name up|down`.
fn told(history: &History) -> Vec<String> {
    let line = |one: &Migration| {
        let text = |script: &Script| script.text.trim().to_owned();
        let down = one.down.as_ref().map_or("-".to_owned(), text);
        format!("{} {} {}|{down}", one.version, one.name, text(&one.up))
    };
    [history.layout.to_owned()].into_iter().chain(history.migrations.iter().map(line)).collect()
}

#[test]
fn goose_cuts_at_its_markers_and_orders_by_number() {
    let first = "-- +goose Up\ncreate table a ();\n-- +goose StatementBegin\nx;\ny;\n-- +goose StatementEnd\n-- +goose Down\ndrop table a;\n";
    let tenth = "-- +goose NO TRANSACTION\n--+goose up\nb\n";
    let history = history(&[("00010_b.sql", tenth), ("2_a.sql", first), ("notes.sql", "")]);
    assert_eq!(told(&history), ["goose", "2 2_a create table a ();\n\nx;\ny;|drop table a;", "10 00010_b b|-"]);
    let up = &history.migrations[0].up;
    assert_eq!((up.first_line, up.whole.as_slice()), (2, &[Whole { first: 3, last: 4 }][..]));
    assert_eq!(up.text.lines().nth(2), Some("x;"));
    assert_eq!(history.migrations[0].down.as_ref().unwrap().first_line, 8);
    assert_eq!((up.transaction, history.migrations[1].up.transaction), (Transaction::Around, Transaction::Nothing));
    assert_eq!(history.notes, ["`notes.sql` has no number in front, so that goose leaves it out"]);
}

#[test]
fn goose_says_what_is_wrong_on_which_line() {
    let problem = problem(&[
        ("1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nx;\n"),
        ("2_b.sql", "-- +goose Up\nx;\n-- +goose StatementEnd\n"),
        ("3_c.sql", "-- +goose Down\n"),
        ("4_d.go", ""),
        ("5_e.sql", "-- +goose ENVSUB ON\n-- +goose Up\n"),
        ("6_f.sql", "-- +goose Up\n-- +goose Up\n"),
    ]);
    assert_eq!(
        problem,
        "`4_d.go` is a migration in Go, which only its own program can run\n\
         1_a.sql: a statement that was begun has no end\n\
         2_b.sql:3: ends a statement that was not begun\n\
         `3_c.sql` has no line `-- +goose Up`\n\
         `5_e.sql` takes values from the environment (ENVSUB), which is not done here\n\
         6_f.sql:2: this way was begun before"
    );
}

#[test]
fn dbmate_and_plain_markers() {
    let dbmate = history(&[
        ("20240102_b.sql", "-- migrate:up transaction:false\nb\n-- migrate:down\n"),
        ("20240101_a.sql", "-- migrate:up\na\n-- migrate:down\nnot a\n"),
    ]);
    assert_eq!(told(&dbmate), ["dbmate", "20240101 20240101_a a|not a", "20240102 20240102_b b|"]);
    assert_eq!(dbmate.migrations[1].up.transaction, Transaction::OneMessage);
    let plain = history(&[("10.sql", "-- UP\nb"), ("9_a.sql", "-- up\na\n-- down\nnot a\n-- down with it\n")]);
    assert_eq!(told(&plain), ["up-down", "9 9_a a|not a\n-- down with it", "10 10 b|-"]);
}

#[test]
fn diesel_takes_dashes_out_of_versions() {
    let history = history(&[
        ("2019-02-26-002946_b/up.sql", "b"),
        ("2019-02-26-002946_b/down.sql", "not b"),
        ("20190227_c/up.sql", "c"),
        ("20190227_c/metadata.toml", "run_in_transaction = false\n"),
        ("00000000000000_a/up.sql", "a"),
    ]);
    assert_eq!(
        told(&history),
        [
            "diesel",
            "00000000000000 00000000000000_a a|-",
            "20190226002946 2019-02-26-002946_b b|not b",
            "20190227 20190227_c c|-",
        ]
    );
    assert_eq!(history.migrations[2].up.transaction, Transaction::OneMessage);
    assert_eq!(
        problem(&[("1_a/up.sql", ""), ("1_a/metadata.toml", "run_in_transaction = 1")]),
        "1_a/metadata.toml: run_in_transaction: expected true or false"
    );
}

#[test]
fn flyway_pairs_undo_scripts_and_puts_repeatable_ones_last() {
    let history = history(&[
        ("R__views.sql", "views"),
        ("V10__c.sql", "c"),
        ("V1.2__b.sql", "b"),
        ("V1_1__a.sql", "a"),
        ("U1.1__a.sql", "not a"),
        ("V10__c.sql.conf", "executeInTransaction = false"),
        ("V1.2_b.sql", ""),
    ]);
    assert_eq!(
        told(&history),
        ["flyway", "1.1 V1_1__a a|not a", "1.2 V1.2__b b|-", "10 V10__c c|-", "views R__views views|-"]
    );
    assert_eq!(history.migrations[2].up.transaction, Transaction::Nothing);
    assert!(history.migrations[3].is_repeatable);
    assert_eq!(history.notes, ["`V1.2_b.sql` is not named as Flyway's migrations are, so that it leaves it out"]);
    assert_eq!(problem(&[("V1__a.sql", ""), ("U2__b.sql", "")]), "`U2__b.sql` undoes version 2, which no file makes");
    assert_eq!(
        problem(&[("V1__a.sql", ""), ("V1.0__b.sql", "")]),
        "`V1__a.sql` and `V1.0__b.sql` have one version, 1.0"
    );
}

#[test]
fn a_rust_project_is_refinery_or_sqlx() {
    let refinery = history(&[("Cargo.toml", ""), ("V2__b.sql", "b"), ("V1__a.sql", "a")]);
    assert_eq!(told(&refinery), ["refinery", "1 V1__a a|-", "2 V2__b b|-"]);
    let pairs = history(&[
        ("Cargo.toml", ""),
        ("002_b.up.sql", "-- no-transaction\nb"),
        ("002_b.down.sql", "not b"),
        ("001_a.sql", "a"),
    ]);
    assert_eq!(told(&pairs), ["sqlx", "1 001_a a|-", "2 002_b -- no-transaction\nb|not b"]);
    assert_eq!(pairs.migrations[1].up.transaction, Transaction::OneMessage);
}

#[test]
fn flyway_finds_out_itself_what_no_transaction_holds() {
    let index = "CREATE INDEX CONCURRENTLY i ON t (n);\n";
    let mixed = format!("SET lock_timeout = '1s';\n{index}");
    let files = [
        ("R__r.sql", "VACUUM;"),
        ("V1__a.sql", index),
        ("V2__b.sql", mixed.as_str()),
        ("V3__c.sql", mixed.as_str()),
        ("V3__c.sql.conf", "executeInTransaction=false"),
        ("V4__d.sql", index),
        ("V4__d.sql.conf", "executeInTransaction=true"),
    ];
    let of = |history: &History| {
        let told =
            history.migrations.iter().map(|one| (one.up.transaction, one.up.refused.as_ref().map(|one| one.line)));
        told.collect::<Vec<_>>()
    };
    let (around, nothing) = (Transaction::Around, Transaction::Nothing);
    let found = of(&history(&files));
    assert_eq!(found, [(nothing, None), (around, Some(2)), (nothing, None), (around, None), (nothing, None)]);
    for settings in [("flyway.conf", "flyway.mixed = true"), ("flyway.toml", "[flyway]\nmixed = true")] {
        let found = of(&history(&[&files[..], &[settings]].concat()));
        assert_eq!(found[1], (nothing, None), "{settings:?}");
    }
    // Of other servers it says nothing.
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("V1__a.sql"), index).unwrap();
    let history = read(root.path(), Some("flyway"), &EngineId::from("mariadb")).unwrap();
    assert_eq!(of(&history), [(around, None)]);
}

#[test]
fn golang_migrate_and_plain_numbers() {
    let pairs = history(&[("10_b.up.sql", "b"), ("9_a.up.sql", "a"), ("9_title_of_its_own.down.sql", "not a")]);
    assert_eq!(told(&pairs), ["golang-migrate", "9 9_a a|not a", "10 10_b b|-"]);
    assert_eq!(pairs.migrations[0].up.transaction, Transaction::OneMessage);
    assert_eq!(told(&history(&[("2-b.sql", "b"), ("1.sql", "a")])), ["numbered", "1 1 a|-", "2 2-b b|-"]);
    assert_eq!(problem(&[("1_a.down.sql", "")]), "`1_a.down.sql` has no file for the way up beside it");
    assert_eq!(
        problem(&[("1_a.up.sql", ""), ("01_b.up.sql", "")]),
        "`01_b.up.sql` and `1_a.up.sql` have one version, 1"
    );
}

#[test]
fn pop_has_files_of_one_engine() {
    let history = history(&[
        ("1_a.up.sql", "any"),
        ("1_a.postgres.up.sql", "ours"),
        ("1_a.mysql.up.sql", "theirs"),
        ("1_a.down.sql", "not a"),
        ("2_b.sqlite3.up.sql", "not here"),
        ("20150100000001000000_c.postgres.autocommit.up.sql", "c"),
    ]);
    assert_eq!(told(&history), ["pop", "1 1_a ours|not a", "20150100000001000000 20150100000001000000_c c|-"]);
    let transactions = [0, 1].map(|at: usize| history.migrations[at].up.transaction);
    assert_eq!(transactions, [Transaction::Around, Transaction::Nothing]);
    assert_eq!(problem(&[("1_a.up.fizz", "")]), "`1_a.up.fizz` is in fizz, which only pop itself can run");
}

#[test]
fn folders_below_are_read_by_the_tools_that_read_them() {
    let flyway = history(&[
        ("V1__a.sql", "a"),
        ("2024/V10__c.sql", "c"),
        ("2024/05/20/more/V2__b.sql", "b"),
        ("2024/05/20/more/V2__b.sql.conf", "executeInTransaction=false"),
        ("undo/U2__b.sql", "not b"),
        ("views/R__v.sql", "v"),
        ("views/notes.sql", ""),
        (".old/V3__x.sql", "x"),
    ]);
    assert_eq!(told(&flyway), ["flyway", "1 V1__a a|-", "2 V2__b b|not b", "10 V10__c c|-", "v R__v v|-"]);
    let second = &flyway.migrations[1];
    assert_eq!(second.up.file, Path::new("2024/05/20/more/V2__b.sql"));
    assert_eq!(second.up.transaction, Transaction::Nothing);
    assert_eq!(flyway.notes, ["`views/notes.sql` is not named as Flyway's migrations are, so that it leaves it out"]);
    assert_eq!(
        problem(&[("a/V1__a.sql", ""), ("b/V1.0__a.sql", ""), ("a/R__v.sql", ""), ("b/R__v.sql", "")]),
        "`a/V1__a.sql` and `b/V1.0__a.sql` have one version, 1.0\n`a/R__v.sql` and `b/R__v.sql` have one title, v"
    );

    let refinery = history(&[("Cargo.toml", ""), ("b/c/V2__b.sql", "b"), ("a/V1__a.sql", "a"), ("a/x.sql", "")]);
    assert_eq!(told(&refinery), ["refinery", "1 V1__a a|-", "2 V2__b b|-"]);
    assert_eq!(refinery.notes, ["`a/x.sql` is not named as refinery's migrations are, so that it leaves it out"]);
    assert_eq!(
        problem(&[("Cargo.toml", ""), ("V1__a.sql", ""), ("a/V2__b.rs", ""), ("a/Views.rs", "")]),
        "`a/V2__b.rs` is a migration in Rust, which only its own program can run"
    );

    let pop = history(&[("b/2_b.up.sql", "b"), ("a/1_a.postgres.up.sql", "a"), ("c/1_a.postgres.down.sql", "not a")]);
    assert_eq!(told(&pop), ["pop", "1 1_a a|not a", "2 2_b b|-"]);
}

#[test]
fn sql_that_a_tool_does_not_look_for_below_its_folder_is_named() {
    let files = [("1_a.up.sql", "a"), ("old/0_x.up.sql", "x"), ("old/1_y.sql", ""), ("z/z.sql", ""), ("z/zz.sql", "")];
    let left_out = "`old/0_x.up.sql`, `old/1_y.sql`, `z/z.sql` and 1 more: not read, for migrations of the layout \
                    golang-migrate lie in the folder itself, not below it";
    let golang = history(&files);
    assert_eq!((told(&golang).len(), golang.notes.as_slice()), (2, &[left_out.to_owned()][..]));
    let problem = read_files(&files[1..], Some("golang-migrate")).unwrap_err();
    assert!(problem.starts_with("`DIR` holds no migration") && problem.ends_with(left_out), "{problem}");
    let goose = history(&[("1_a.sql", "-- +goose Up\na"), ("below/2_b.sql", "-- +goose Up\nb")]);
    assert!(goose.migrations.len() == 1 && goose.notes[0].starts_with("`below/2_b.sql`: not read"), "{goose:?}");
    // Where the tool has folders below by its nature, nothing is said.
    let diesel = history(&[("1_a/up.sql", "a"), ("1_a/more/notes.sql", "")]);
    assert_eq!(diesel.notes, Vec::<String>::new());
}

#[test]
fn a_folder_that_is_linked_into_itself_is_read_once() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["a", "b"] {
        fs::create_dir(root.path().join(folder)).unwrap();
        fs::write(root.path().join(format!("{folder}/V1__{folder}.sql")), "").unwrap();
    }
    for (to, link) in [("..", "a/up"), ("../b", "a/other"), ("../a", "b/other")] {
        std::os::unix::fs::symlink(to, root.path().join(link)).unwrap();
    }
    let folder = Folder::open(root.path()).unwrap();
    let files: Vec<&str> = folder.sql_files().collect();
    assert_eq!(files, ["a/V1__a.sql", "a/other/V1__b.sql", "b/V1__b.sql", "b/other/V1__a.sql"]);
}

#[test]
fn sqitch_follows_its_plan() {
    let plan = "%syntax-version=1.0.0\n%project=x\n\nroles 2024-01-01T00:00:00Z A <a@b> # first\ntables/users [roles] 2024-01-01T00:00:00Z A <a@b>\n\
                @v0 2024-01-02T00:00:00Z A <a@b>\n@v1 2024-01-02T00:00:00Z A <a@b>\ntables/users [tables/users@v1] 2024-01-03T00:00:00Z A <a@b>\n";
    let history = history(&[
        ("sqitch.plan", plan),
        ("deploy/roles.sql", "roles"),
        ("revert/roles.sql", "not roles"),
        ("verify/roles.sql", "roles?"),
        ("deploy/tables/users@v1.sql", "users"),
        ("deploy/tables/users.sql", "users anew"),
    ]);
    assert_eq!(
        told(&history),
        [
            "sqitch",
            "roles roles roles|not roles",
            "tables/users@v1 tables/users@v1 users|-",
            "tables/users tables/users users anew|-",
        ]
    );
    assert_eq!(history.migrations[0].verify.as_ref().unwrap().text, "roles?");
    assert_eq!(history.notes, Vec::<String>::new());
    let stamp = "2024-01-01T00:00:00Z A <a@b>";
    let plan = format!("%project=x\n\na {stamp}\n\nb {stamp} # none\na [y:z] {stamp}\n");
    assert_eq!(
        problem(&[("sqitch.plan", &plan), ("deploy/a.sql", "")]),
        "sqitch.plan:3: `a` comes again, and no `deploy/a@TAG.sql` is there\n\
         sqitch.plan:5: `b` has no script `deploy/b.sql`"
    );
}

#[test]
fn folders_that_give_nothing_say_why() {
    let unknown = problem(&[("readme.txt", "")]);
    assert!(
        unknown.starts_with(
            "`DIR` has no layout of migrations that is known here; looked for a file commands.toml that says"
        ),
        "{unknown}"
    );
    for layout in ALL {
        assert!(unknown.contains(&format!("{} ({})", layout.looks_for(), layout.id())), "{}", layout.id());
    }
    assert_eq!(
        read_files(&[("a.sql", "")], Some("goos")).unwrap_err(),
        "unknown layout `goos`; expected one of command, goose, dbmate, sqitch, diesel, flyway, refinery, sqlx, pop, golang-migrate, up-down, numbered"
    );
    assert_eq!(
        read_files(&[("a.sql", "")], Some("numbered")).unwrap_err(),
        "`DIR` holds no migration (numbered looks for files NUMBER_title.sql, or NUMBER_title.up.sql and NUMBER_title.down.sql)"
    );
    let gone = read(Path::new("/nowhere/at/all"), None, &EngineId::from("postgres")).unwrap_err().to_string();
    assert_eq!(gone, "failed to read `/nowhere/at/all`: No such file or directory (os error 2)");
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("1_a.sql"), b"select 1;\nselect '\xe9';\n").unwrap();
    let bad = read(root.path(), None, &EngineId::from("postgres")).unwrap_err().to_string();
    assert!(bad.ends_with("1_a.sql:2: is not UTF-8; save it as UTF-8"), "{bad}");
}
