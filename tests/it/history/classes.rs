//! What each kind of migration comes to.

use rehearse::model::{MigrationClass, Verdict};

use super::{Past, came_to, differs, one};

#[test]
fn each_kind_of_migration_comes_to_its_class() {
    let Some(past) = Past::postgres("each_kind_of_migration_comes_to_its_class") else { return };
    past.pairs(&[
        (
            "01_users",
            "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, note text);",
            "DROP TABLE users;",
        ),
        ("02_columns", "ALTER TABLE users ADD a int, ADD b int;", "ALTER TABLE users DROP a, DROP b;"),
        (
            "03_order",
            "ALTER TABLE users ADD c int; UPDATE users SET c = a; ALTER TABLE users DROP a;",
            "ALTER TABLE users ADD a int; UPDATE users SET a = c; ALTER TABLE users DROP c;",
        ),
        ("04_loses", "ALTER TABLE users DROP email;", "ALTER TABLE users ADD email text NOT NULL DEFAULT '';"),
        ("05_blank", "CREATE INDEX users_note ON users (note);", "-- nothing\n"),
        ("06_blank_and_right", "SELECT 1;", "\n"),
        ("07_down_fails", "SELECT 1;", "SELECT 1;\nDROP INDEX\n  nowhere;"),
        ("08_needs_no_rows", "ALTER TABLE users ADD code int NOT NULL;", "ALTER TABLE users DROP code;"),
        ("09_no_down", "CREATE VIEW v AS SELECT id FROM users;", "-"),
        ("10_extension", "CREATE EXTENSION IF NOT EXISTS hstore;", "SELECT 1;"),
        (
            "11_by_chance",
            "DO $$ BEGIN EXECUTE format('CREATE TABLE t_%s (id int)', floor(random() * 1e15)::bigint); END $$;",
            "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE relname LIKE 't\\_%' LOOP
               EXECUTE 'DROP TABLE ' || t; END LOOP; END $$;",
        ),
        ("12_differs", "CREATE TABLE p (id int); CREATE TABLE q (id int);", "DROP TABLE p;"),
        ("13_leaves_rows", "INSERT INTO p VALUES (-7);", "SELECT 1;"),
        ("14_moment", "CREATE VIEW w AS SELECT 'now'::timestamptz AS made;", "DROP VIEW w;"),
        ("15_moment_again", "DROP VIEW w;", "CREATE VIEW w AS SELECT 'now'::timestamptz AS made;"),
        ("16_up_fails", "SELECT 1;\nSELECT * FROM nowhere;", "SELECT 1;"),
        ("17_behind", "SELECT 1;", "SELECT 1;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    let expected = [
        "01_users restores",
        "02_columns restores",
        "03_order column_order",
        "04_loses loses_rows",
        "05_blank blank_down",
        "06_blank_and_right restores",
        "07_down_fails down_fails",
        "08_needs_no_rows fails_only_with_rows",
        "09_no_down no_down",
        "10_extension left_extension",
        "11_by_chance reapply_differs",
        "12_differs differs",
        "13_leaves_rows differs",
        "14_moment restores",
        "15_moment_again restores",
        "16_up_fails up_fails",
        "17_behind unrehearsed",
    ];
    assert_eq!(came_to(&history), expected, "{}", ended.stdout);

    let lost = one(&history, "04_loses");
    let rows = lost.findings.iter().find(|one| one.subject.table.is_some()).expect("rows were lost");
    assert_eq!(rows.subject.columns, ["email"]);
    assert_eq!(rows.expected, rows.found, "no row is lost, but each row's value");
    assert!(differs(lost).contains(&"column_order order:users".to_owned()), "{:?}", differs(lost));
    assert_eq!(differs(one(&history, "05_blank")), ["trace_left index:users.users_note"]);
    assert_eq!(
        differs(one(&history, "12_differs")),
        ["trace_left column:q.id", "trace_left order:q", "trace_left table:q"]
    );
    assert_eq!(differs(one(&history, "13_leaves_rows")), ["rows_not_restored p.id"]);
    let error = |name| one(&history, name).error.clone().unwrap_or_default();
    assert!(error("07_down_fails").starts_with("07_down_fails.down.sql:2: "), "{}", error("07_down_fails"));
    assert!(error("07_down_fails").contains("index \"nowhere\" does not exist"), "{}", error("07_down_fails"));
    assert!(error("16_up_fails").starts_with("16_up_fails.up.sql:2: "), "{}", error("16_up_fails"));
    assert_eq!(one(&history, "08_needs_no_rows").without_rows, Some(MigrationClass::Restores));
    assert_eq!(one(&history, "15_moment_again").masked, 1);
    let footprint = one(&history, "02_columns").footprint.clone().expect("locks were looked at");
    let held: Vec<String> = footprint.locks.iter().map(|lock| lock.mode.clone()).collect();
    assert_eq!((held, footprint.locks_unknown), (vec!["ACCESS EXCLUSIVE".to_owned()], None));

    let report = past.report();
    // One has no way down, one is behind what cannot be gone past, and one never went up.
    assert_eq!((report.verdict, report.coverage.downs.checked, report.coverage.downs.total), (Verdict::Fail, 14, 17));
    past.sandbox.assert_released();
    past.sandbox.assert_quiet();
    for (format, needle) in
        [("report.md", "08_needs_no_rows"), ("report.html", "08_needs_no_rows"), ("junit.xml", "loses rows")]
    {
        let text = std::fs::read_to_string(past.sandbox.run_directory().join(format)).unwrap();
        assert!(text.contains(needle), "{format}");
    }
}

#[test]
fn one_step_and_the_whole_chain_are_two_answers() {
    let Some(past) = Past::postgres("one_step_and_the_whole_chain_are_two_answers") else { return };
    past.pairs(&[
        ("1_table", "CREATE TABLE t (id int PRIMARY KEY, n int);", "DROP TABLE t;"),
        ("2_index", "CREATE INDEX i ON t (n);", "DROP INDEX i;"),
        ("3_drops_it", "DROP INDEX i;", "SELECT 1;"),
        ("4_view", "CREATE VIEW v AS SELECT id FROM t;", "DROP VIEW v;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(came_to(&history), ["1_table restores", "2_index restores", "3_drops_it differs", "4_view restores"]);
    let chain = history.chain.expect("the chain was rehearsed");
    let stop = chain.stopped.clone().expect("it stops");
    assert_eq!((chain.downs, stop.migration.as_str(), stop.failed), (2, "2_index", true));
    assert!(stop.why.starts_with("2_index.down.sql:1: "), "{}", stop.why);
    assert!(
        ended.stdout.contains("all 4 migrations in a row: stops at 2_index after 2 of 4 downs"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_history_in_order_passes() {
    let Some(past) = Past::postgres("a_history_in_order_passes") else { return };
    in_order(&past);
}

#[test]
fn a_history_in_order_passes_in_a_container() {
    let Some(past) = Past::on("a_history_in_order_passes_in_a_container", "postgres", "container", Some("17")) else {
        return;
    };
    in_order(&past);
    let target = past.report().scenarios[0].target.clone().expect("it was started");
    assert_eq!((target.provider.as_str(), target.version.split('.').next()), ("container", Some("17")));
}

fn in_order(past: &Past) {
    past.pairs(&[
        ("1_kinds", "CREATE TABLE kinds (id int PRIMARY KEY, word text NOT NULL UNIQUE);", "DROP TABLE kinds;"),
        (
            "2_things",
            "CREATE TABLE things (id serial PRIMARY KEY, kind int NOT NULL REFERENCES kinds (id), made timestamptz NOT NULL DEFAULT now());",
            "DROP TABLE things;",
        ),
        ("3_stamp", "ALTER TABLE kinds ADD seen timestamptz NOT NULL DEFAULT now();", "ALTER TABLE kinds DROP seen;"),
    ]);
    let ended = past.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = past.report();
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.coverage.is_whole() && report.coverage.rows.total > 0, "{}", report.coverage);
    let history = past.history();
    assert_eq!(history.layout, "golang-migrate");
    assert!(history.migrations.iter().skip(1).all(|one| one.rows > 0), "{history:?}");
    let chain = history.chain.expect("the chain was rehearsed");
    assert_eq!((chain.downs, chain.ups, chain.severity()), (3, 3, None));
    past.sandbox.assert_released();
}

#[test]
fn statements_run_as_their_tool_runs_them() {
    let Some(past) = Past::postgres("statements_run_as_their_tool_runs_them") else { return };
    past.pairs(&[
        ("1_table", "CREATE TABLE t (id int PRIMARY KEY, n int);", "DROP TABLE t;"),
        // Alone in its message it runs outside of a transaction.
        ("2_alone", "CREATE INDEX CONCURRENTLY i ON t (n);", "DROP INDEX CONCURRENTLY i;"),
        ("3_own", "BEGIN; CREATE TABLE u (id int); COMMIT;", "BEGIN; DROP TABLE u; COMMIT;"),
        ("4_not_alone", "SELECT 1; CREATE INDEX CONCURRENTLY j ON t (n);", "DROP INDEX j;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(
        came_to(&history),
        ["1_table restores", "2_alone restores", "3_own restores", "4_not_alone up_fails"],
        "{}",
        ended.stdout
    );
    let missed = |name| one(&history, name).footprint.clone().expect("it went up").missed;
    assert!(missed("1_table").is_empty() && missed("2_alone") == [1]);
    let error = one(&history, "4_not_alone").error.clone().unwrap_or_default();
    assert!(error.contains("4_not_alone.up.sql:1: ") && error.contains("transaction block"), "{error}");
}

#[test]
fn roles_that_a_history_makes_do_not_keep_it_from_being_played_again() {
    let Some(past) = Past::postgres("roles_that_a_history_makes") else { return };
    past.pairs(&[
        (
            "1_role",
            "CREATE ROLE app_reader; CREATE TABLE t (id int PRIMARY KEY); GRANT SELECT ON t TO app_reader;",
            "DROP TABLE t; DROP ROLE app_reader;",
        ),
        ("2_column", "ALTER TABLE t ADD a int;", "ALTER TABLE t DROP a;"),
        ("3_needs_no_rows", "ALTER TABLE t ADD b int NOT NULL;", "ALTER TABLE t DROP b;"),
        (
            "4_owner",
            "CREATE ROLE app_owner; ALTER TABLE t OWNER TO app_owner;",
            "REASSIGN OWNED BY app_owner TO CURRENT_USER; DROP ROLE app_owner;",
        ),
        ("5_down_fails", "CREATE TABLE u (id int);", "DROP TABLE nowhere;"),
        ("6_column", "ALTER TABLE u ADD a int;", "ALTER TABLE u DROP a;"),
        // What belongs to a database and is not in it.
        (
            "7_of_database",
            "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO app_reader', current_database());
             EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_temp', current_database());
             EXECUTE format('ALTER ROLE app_reader IN DATABASE %I SET work_mem = ''5MB''', current_database());
             EXECUTE format('COMMENT ON DATABASE %I IS ''ours''', current_database()); END $$;",
            "DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM app_reader', current_database());
             EXECUTE format('ALTER DATABASE %I RESET search_path', current_database());
             EXECUTE format('ALTER ROLE app_reader IN DATABASE %I RESET work_mem', current_database());
             EXECUTE format('COMMENT ON DATABASE %I IS NULL', current_database()); END $$;",
        ),
        ("8_column", "ALTER TABLE u ADD b int;", "ALTER TABLE u DROP b;"),
    ]);
    let ended = past.run(&[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = [
        "1_role restores",
        "2_column restores",
        "3_needs_no_rows fails_only_with_rows",
        "4_owner restores",
        "5_down_fails down_fails",
        "6_column restores",
        "7_of_database restores",
        "8_column restores",
    ];
    assert_eq!(came_to(&past.history()), expected, "{ended:?}");
    let chain = past.history().chain.unwrap();
    assert_eq!((chain.downs, chain.stopped.unwrap().migration.as_str()), (3, "5_down_fails"));

    let ended = past.run(&["--only", "1", "--only", "2", "--only", "3", "--only", "4", "--rows", "0"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(past.history().chain.unwrap().sentence(), "restores, and gives the same again");
}

#[test]
fn who_waits_for_a_way_up_is_seen_from_other_sessions() {
    let Some(past) = Past::postgres("who_waits_for_a_way_up") else { return };
    past.pairs(&[
        ("1_tables", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);", "DROP TABLE t, u;"),
        ("2_keeps_all_waiting", "ALTER TABLE t ADD a int; SELECT pg_sleep(0.5);", "ALTER TABLE t DROP a;"),
        ("3_keeps_writers_waiting", "CREATE INDEX i ON u (id); SELECT pg_sleep(0.5);", "DROP INDEX i;"),
        ("4_late", "SELECT pg_sleep(0.5); ALTER TABLE t ADD b int;", "ALTER TABLE t DROP b;"),
        ("5_rewrites", "ALTER TABLE t ALTER COLUMN id TYPE bigint;", "ALTER TABLE t ALTER COLUMN id TYPE int;"),
    ]);
    let ended = past.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let history = past.history();
    // Since the statement that took it, not since the transaction began.
    let held = |name: &str| {
        let migration = one(&history, name);
        (migration.footprint.as_ref().unwrap().locks[0].held_ms.unwrap(), migration.up_ms.unwrap())
    };
    for name in ["2_keeps_all_waiting", "3_keeps_writers_waiting"] {
        assert!(held(name).0 >= 500, "{name}: {:?}", held(name));
    }
    let (ms, all) = held("4_late");
    assert!(all >= 500 && ms + 500 <= all + 1, "{ms} of {all}");
    let waited = |name: &str| {
        let waited = &one(&history, name).footprint.as_ref().unwrap().waited;
        waited.iter().filter(|one| one.ms >= 300).map(|one| (one.table.name.clone(), one.is_write)).collect::<Vec<_>>()
    };
    assert_eq!(waited("2_keeps_all_waiting"), [("t".to_owned(), false), ("t".to_owned(), true)]);
    assert_eq!(waited("3_keeps_writers_waiting"), [("u".to_owned(), true)]);
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("who waits for which") && told.contains("a writer of u waited"), "{told}");
    assert!(told.contains("SHARE on u keeps writers waiting, held "), "{told}");
    let rewrite = one(&history, "5_rewrites").footprint.clone().unwrap();
    let names: Vec<&str> = rewrite.rewritten.iter().map(|table| table.name.as_str()).collect();
    assert_eq!((names, rewrite.rebuilt), (vec!["t"], vec!["t_pkey".to_owned()]));
    let (before, after) = (rewrite.bytes_before.unwrap(), rewrite.bytes_after.unwrap());
    let digits = |bytes: u64| rehearse::report::prose::count(bytes);
    let size = format!("rewrites t; rebuilds t_pkey; {} bytes before, {} after", digits(before), digits(after));
    assert!(before > 0 && told.contains(&size), "{size}: {told}");
    let kept = std::fs::read_to_string(past.sandbox.run_directory().join("report.json")).unwrap();
    assert!(kept.contains("\"held_ms\": "), "{kept}");
}

#[test]
fn rows_of_the_users_own_are_there_before_the_next_migration() {
    let past = Past::sqlite();
    past.pairs(&[
        ("1_a", "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER, kind TEXT);", "DROP TABLE a;"),
        (
            "2_b",
            "CREATE TABLE b (id INTEGER PRIMARY KEY); INSERT INTO b SELECT id FROM a WHERE kind = 'odd';",
            "DROP TABLE b;",
        ),
        ("3_c", "UPDATE a SET n = 0 WHERE kind = 'odd';", "SELECT 1;"),
    ]);
    let ended = past.run(&[]);
    assert_eq!((ended.code, came_to(&past.history())[2].as_str()), (0, "3_c restores"), "{ended:?}");
    let rows = past.sandbox.write("rows/1.sql", "INSERT INTO a VALUES (901, 7, 'odd'), (902, 8, 'odd');");
    let folder = rows.parent().unwrap().display().to_string();
    let ended = past.run(&["--rows-from", &folder]);
    assert_eq!((ended.code, came_to(&past.history())[2].as_str()), (1, "3_c loses_rows"), "{ended:?}");

    past.sandbox.write("rows/1.sql", "INSERT INTO a VALUES (1;\nSELECT 'x");
    past.sandbox.write("rows/9_z.sql", "");
    let ended = past.run(&["--rows-from", &folder]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("rows/1.sql:2: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("rows/9_z.sql: no migration is called `9_z`"), "{}", ended.stderr);
}

#[test]
fn a_function_that_an_application_registers_is_named() {
    let past = Past::sqlite();
    past.pairs(&[("1_a", "CREATE TABLE a (t TEXT); UPDATE a SET t = normalize(t);", "DROP TABLE a;")]);
    past.run(&[]);
    let error = one(&past.history(), "1_a").error.clone().unwrap();
    assert!(error.contains("no such function: normalize"), "{error}");
    assert!(error.contains("an application registers it for itself"), "{error}");
}

#[test]
fn files_that_change_meanwhile_are_named() {
    let Some(past) = Past::postgres("files_that_change_meanwhile_are_named") else { return };
    past.pairs(&[("1_a", "CREATE TABLE a (id int); SELECT pg_sleep(3);", "DROP TABLE a;")]);
    let folder = past.folder();
    let arguments = ["run", "--migrations", &folder, "--engine", "postgres", "--provider", "local"];
    let child = past.sandbox.rehearsal(&arguments).stderr(std::process::Stdio::null()).spawn();
    let mut child = child.unwrap();
    // It has read the folder once its own folder is there.
    let since = std::time::Instant::now();
    while !past.sandbox.out().exists() {
        assert!(since.elapsed().as_secs() < 60, "no run began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    past.file("1_a.up.sql", "CREATE TABLE a (id bigint);");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let reasons = past.report().scenarios[0].reasons.clone();
    assert!(
        reasons.iter().any(|one| one.starts_with("`1_a.up.sql` was changed while the rehearsal ran")),
        "{reasons:?}"
    );
    assert_eq!(came_to(&past.history()), ["1_a restores"]);
}

#[test]
fn a_migration_that_hangs_ends_with_its_deadline() {
    let Some(past) = Past::postgres("a_migration_that_hangs_ends_with_its_deadline") else { return };
    past.pairs(&[("1_a", "SELECT pg_sleep(600);", "SELECT 1;")]);
    let ended = past.run(&["--deadline", "5"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let error = one(&past.history(), "1_a").error.clone().unwrap();
    assert_eq!(error, "1_a.up.sql: no end within 5 s");
    past.sandbox.assert_quiet();
}
