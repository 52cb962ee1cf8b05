//! Original rows that lie in another database.

use rehearse::migrate::convert_uuid::{State as Stage, status};

use super::*;
use crate::{checks::bench::url, support::Ended};

/// Values that another database has to give back as they were, one of a type that it does not know.
const PECULIAR: &str = "CREATE TYPE mood AS ENUM ('sad', 'well');
    ALTER TABLE journal_entries ADD mood mood DEFAULT 'well', ADD raw bytea DEFAULT '\\x00ff5c', ADD exact numeric DEFAULT 1.50,
        ADD at timestamptz DEFAULT '2024-01-01 00:00:00.123456+00', ADD several text[] DEFAULT '{a,NULL,\"NULL\"}',
        ADD shout text GENERATED ALWAYS AS (upper(note)) STORED;
    UPDATE journal_entries SET note = E'tab\\t, line\\n, \\\\N' WHERE id = 1";

/// A database that is converted, and one that gets its rows.
struct Pair {
    bench: Bench,
    app: Address,
    vault: Address,
}

impl Pair {
    async fn new(test: &str, schema: &str) -> Option<Self> {
        let bench = Bench::new(test).await?;
        let app = bench.database("app", schema).await;
        let vault = bench.database("vault", "CREATE TABLE beside (n int)").await;
        Some(Self { bench, app, vault })
    }

    fn settings(&self, of: Settings) -> Settings {
        Settings { backup_in: Some(self.vault.clone()), ..of }
    }

    /// Nothing is left of the backup, here or there.
    async fn assert_no_backup(&self, when: &str) {
        for address in [&self.app, &self.vault] {
            let left = format!("SELECT nspname FROM pg_namespace WHERE nspname = '{BACKUP}'");
            assert_eq!(ask(address, &left).await, Vec::<Vec<_>>::new(), "{when}: {address}");
        }
        assert_eq!(ask(&self.vault, "SELECT count(*) FROM beside").await, [[Some("0".to_owned())]]);
    }
}

/// Stopped wherever it can be, it goes on and back from there.
async fn from_points(pair: &Pair, settings: &Settings) {
    let before = state(&pair.app).await;
    perform_whole(&pair.app, settings, Operation::FullMigration).await.unwrap();
    let after = state(&pair.app).await;
    perform_whole(&pair.app, settings, Operation::Rollback).await.unwrap();
    same(&before, &state(&pair.app).await, "back from the end");
    pair.assert_no_backup("back from the end").await;
    let mut points = 0;
    for stops_at in (1..).step_by(5) {
        let stopped = perform(&pair.app, settings, Operation::FullMigration, &mut Voice::until(stops_at)).await;
        let is_whole = stopped.is_ok();
        assert!(is_whole || matches!(stopped, Err(StepError::Interrupted)), "{stopped:?}");
        if points % 2 == 0 {
            perform_whole(&pair.app, settings, Operation::FullMigration).await.unwrap();
            same(&after, &state(&pair.app).await, &format!("on from point {stops_at}"));
        }
        let _ = perform(&pair.app, settings, Operation::Rollback, &mut Voice::until(stops_at % 7)).await;
        perform_whole(&pair.app, settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&pair.app).await, &format!("back from point {stops_at}"));
        pair.assert_no_backup(&format!("back from point {stops_at}")).await;
        points += 1;
        if is_whole {
            break;
        }
    }
    assert!(points > 6, "stopped at {points} points only");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_lie_elsewhere_and_come_back_from_every_point() {
    let test = "rows_lie_elsewhere_and_come_back_from_every_point";
    let Some(pair) = Pair::new(test, &format!("{SCHEMA} {PECULIAR}")).await else { return };
    for mode in [settings(), online()] {
        from_points(&pair, &pair.settings(mode)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_no_texts_come_back_from_elsewhere() {
    let Some(bench) = Bench::new("keys_that_are_no_texts_come_back_from_elsewhere").await else { return };
    let vault = bench.database("vault", "").await;
    for (name, kind, value) in [
        ("integers", "bigint", "n::bigint * 1000003"),
        ("bytes", "bytea", "decode(md5(n::text), 'hex')"),
        ("padded", "char(40)", "md5(n::text)"),
    ] {
        let schema = format!(
            "CREATE TABLE users (id {kind} PRIMARY KEY, name text);
             CREATE TABLE notes (user_id {kind} REFERENCES users (id), at date, PRIMARY KEY (user_id, at));
             INSERT INTO users SELECT {value}, n::text FROM generate_series(1, 2500) n;
             INSERT INTO notes SELECT {value}, '2024-01-01' FROM generate_series(1, 2500) n"
        );
        let app = bench.database(name, &schema).await;
        let before = state(&app).await;
        let settings = Settings { backup_in: Some(vault.clone()), batch_rows: 1000, ..settings() };
        perform_whole(&app, &settings, Operation::FullMigration).await.unwrap();
        perform_whole(&app, &settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&app).await, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backup_elsewhere_is_compared_and_cleaned_up() {
    let test = "the_backup_elsewhere_is_compared_and_cleaned_up";
    let Some(pair) = Pair::new(test, &format!("{SCHEMA} {PECULIAR}")).await else { return };
    let settings = pair.settings(settings());
    for operation in [Operation::ValidateSchema, Operation::BackupData] {
        perform_whole(&pair.app, &settings, operation).await.unwrap();
    }
    let spelled = "SELECT id FROM users ORDER BY 1";
    let original = ask(&pair.app, spelled).await;
    assert_eq!(ask(&pair.vault, &spelled.replace("users", &format!("{BACKUP}.users"))).await, original);
    let here = format!("SELECT table_name FROM information_schema.tables WHERE table_schema = '{BACKUP}'");
    assert_eq!(ask(&pair.app, &here).await, [[Some("conversion_elsewhere".to_owned())]], "no row lies here");

    // Whoever forgets where they lie does no harm.
    for operation in [Operation::Rollback, Operation::FullMigration, Operation::CleanupBackup] {
        let told = message(&pair.app, &super::settings(), operation).await;
        assert!(told.contains("lie in another database, which has to be named"), "{operation}: {told}");
    }
    let other = pair.bench.database("other", SCHEMA).await;
    let told = message(&other, &settings, Operation::FullMigration).await;
    assert!(told.contains("holds the original rows of app at "), "{told}");

    perform_whole(&pair.app, &settings, Operation::FullMigration).await.unwrap();
    for (address, table) in
        [(&pair.app, "journal_entries".to_owned()), (&pair.vault, format!("{BACKUP}.journal_entries"))]
    {
        execute(address, &format!("UPDATE {table} SET exact = 1.5 WHERE id::text = '2'")).await;
        let told = message(&pair.app, &settings, Operation::ValidateMigration).await;
        assert!(told.contains("the rows of journal_entries are not those of the backup (29 then, 29 now)"), "{told}");
        execute(address, &format!("UPDATE {table} SET exact = '1.50' WHERE id::text = '2'")).await;
        perform_whole(&pair.app, &settings, Operation::ValidateMigration).await.unwrap();
    }
    perform_whole(&pair.app, &settings, Operation::CleanupBackup).await.unwrap();
    pair.assert_no_backup("cleaned up").await;
    let told = message(&pair.app, &settings, Operation::Rollback).await;
    assert!(told.contains("cleanup_backup has dropped the original rows"), "{told}");
}

/// A database that changes what it is given, as a trigger of its own would.
const SPOILS: &str = "
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := lower(NEW.email) || ' '; RETURN NEW; END $$;
    CREATE FUNCTION spoils() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'migration_backup.users') THEN
            CREATE TRIGGER spoil BEFORE INSERT ON migration_backup.users FOR EACH ROW EXECUTE FUNCTION public.spoil();
        END IF; END $$;
    CREATE EVENT TRIGGER spoils ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION spoils()";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_holds_other_rows_ends_the_conversion() {
    let Some(pair) = Pair::new("a_backup_that_holds_other_rows_ends_the_conversion", SCHEMA).await else { return };
    let before = state(&pair.app).await;
    execute(&pair.vault, SPOILS).await;
    let settings = pair.settings(settings());
    let told = message(&pair.app, &settings, Operation::FullMigration).await;
    assert!(told.contains("the copy of users in migration_backup.users holds other rows than the table"), "{told}");
    assert_eq!(log(&pair.app).await, ["validate_schema completed", "backup_data failed"]);
    perform_whole(&pair.app, &settings, Operation::Rollback).await.unwrap();
    same(&before, &state(&pair.app).await, "nothing was changed");
    pair.assert_no_backup("given up").await;
}

#[tokio::test]
async fn a_database_that_cannot_hold_the_backup_is_refused() {
    let Some(bench) = Bench::new("a_database_that_cannot_hold_the_backup_is_refused").await else { return };
    let app = bench.database("app", SCHEMA).await;
    let file =
        Address { engine: "sqlite".into(), endpoint: rehearse::model::Endpoint::File("/nowhere/vault.db".into()) };
    for (vault, expected) in [(app.clone(), "it is the database itself"), (file, "it is of another engine than ")] {
        let settings = Settings { backup_in: Some(vault), ..settings() };
        let refused = perform_whole(&app, &settings, Operation::FullMigration).await.unwrap_err();
        assert!(matches!(refused, StepError::Refused { .. }), "{refused:?}");
        assert!(chain(&refused).contains(expected), "{refused}");
    }
    let log = format!("SELECT to_regclass('{LOG}') IS NULL");
    assert_eq!(ask(&app, &log).await, [[Some("t".to_owned())]], "nothing was written");
}

/// A process that is killed in the middle of a batch leaves enough in both databases for the next ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_gone_on_from_and_back_from() {
    let Some(pair) = Pair::new("a_killed_process_is_gone_on_from_and_back_from", SCHEMA).await else { return };
    let before = state(&pair.app).await;
    let sandbox = Sandbox::new();
    let (database, vault) = (url(&pair.app), url(&pair.vault));
    let call = |operation: &'static str, slow: &[&str]| {
        let all = ["convert-uuid", operation, "--database", &database, "--key", "users.id", "--consent", "app"];
        sandbox.command(&[&all[..], &["--backup-database", &vault, "--batch-rows", "2"], slow].concat())
    };
    let ended = |operation| -> Ended { crate::support::ended(&mut call(operation, &[])) };
    for goes_on in [true, false] {
        let mut child = call("full_migration", &["--pause-ms", "300"]).spawn().unwrap();
        let settings = pair.settings(settings());
        let is_filling = async || {
            let now = status(&pair.app, &settings, &mut Voice::patient()).await.unwrap();
            let key = now.columns.first();
            key.is_some_and(|key| key.state == Some(Stage::Filling) && key.filled.is_some_and(|(filled, _)| filled > 0))
        };
        while !is_filling().await {
            assert!(child.try_wait().unwrap().is_none(), "it ended before a batch was seen");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let told = ended("status");
        assert!(told.code == 0 && told.stdout.contains("users.id: "), "{told:?}");
        if goes_on {
            let done = ended("full_migration");
            assert_eq!(done.code, 0, "{done:?}");
        }
        let back = ended("rollback");
        assert_eq!(back.code, 0, "{back:?}");
        same(&before, &state(&pair.app).await, &format!("goes on: {goes_on}"));
        pair.assert_no_backup("killed").await;
    }
}
