//! What stands in the way of the sessions: a right that is lacking, and a server that ends one in the middle of a batch.

use rehearse::model::{Endpoint, Secret};

use super::*;

/// The server ends the session that writes this user's second column, as long as there is a row in `cut_here`.
const CUT: &str = "CREATE TABLE cut_here (one int);
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.email = 'user12' AND EXISTS (SELECT FROM cut_here) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NEW; END $$;
    CREATE TRIGGER cut BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION cut()";

#[tokio::test]
async fn a_session_that_is_ended_in_a_batch_is_gone_on_from_and_back_from() {
    let Some(bench) = Bench::new("a_session_that_is_ended_in_a_batch").await else { return };
    cut_off(&bench).await;
}

pub(super) async fn cut_off(bench: &Bench) {
    let whole = bench.database("whole", &format!("{SCHEMA} {CUT}")).await;
    let before = state(&whole).await;
    let cut = bench.copy("whole", "cut").await;
    perform_whole(&whole, &settings(), Operation::FullMigration).await.unwrap();
    let after = state(&whole).await;
    execute(&cut, "INSERT INTO cut_here VALUES (1)").await;
    let told = message(&cut, &settings(), Operation::FullMigration).await;
    assert!(told.contains("terminating connection"), "{told}");
    execute(&cut, "DELETE FROM cut_here").await;
    let back = bench.copy("cut", "back").await;
    perform_whole(&cut, &settings(), Operation::FullMigration).await.unwrap();
    same(&after, &state(&cut).await, "gone on");
    assert!(log(&cut).await.contains(&"migrate_key interrupted".to_owned()));
    perform_whole(&back, &settings(), Operation::Rollback).await.unwrap();
    same(&before, &state(&back).await, "gone back");
}

#[tokio::test]
async fn without_the_right_to_keep_a_backup_nothing_is_changed() {
    let Some(bench) = Bench::new("without_the_right_to_keep_a_backup_nothing_is_changed").await else { return };
    without_rights(&bench).await;
}

pub(super) async fn without_rights(bench: &Bench) {
    let admin = bench.database("rights", SCHEMA).await;
    execute(
        &admin,
        "CREATE ROLE app LOGIN PASSWORD 'app'; GRANT CREATE ON SCHEMA public TO app;
         DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
             EXECUTE format('ALTER TABLE %I OWNER TO app', t); END LOOP; END $$;
         ALTER STATISTICS journal_statistics OWNER TO app",
    )
    .await;
    let mut app = admin.clone();
    if let Endpoint::Server { user, password, .. } = &mut app.endpoint {
        (*user, *password) = ("app".to_owned(), Some(Secret::new("app")));
    }
    let before = state(&admin).await;
    let told = message(&app, &settings(), Operation::FullMigration).await;
    assert!(told.contains("permission denied for database rights"), "{told}");
    assert_eq!(log(&admin).await, ["validate_schema completed", "backup_data failed"]);
    perform_whole(&app, &settings(), Operation::Rollback).await.unwrap();
    same(&before, &state(&admin).await, "nothing was changed");
    execute(&admin, "GRANT CREATE ON DATABASE rights TO app").await;
    let before = state(&admin).await;
    perform_whole(&app, &settings(), Operation::FullMigration).await.unwrap();
    perform_whole(&app, &settings(), Operation::Rollback).await.unwrap();
    same(&before, &state(&admin).await, "there and back");
}
