//! The whole way, and from every point of it.

use super::*;

/// Goes forward and is stopped wherever it can be; from there back, and from there on.
async fn from_every_point(bench: &Bench, settings: &Settings, name: &str, first_point: u64) {
    bench.database(name, SCHEMA).await;
    let first = bench.copy(name, &format!("{name}_first")).await;
    let before = state(&first).await;
    perform_whole(&first, settings, Operation::FullMigration).await.unwrap();
    let after = state(&first).await;
    let native = "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE data_type = 'uuid' AND table_schema = 'public' ORDER BY 1";
    let native: Vec<_> = ask(&first, native).await.into_iter().flatten().flatten().collect();
    let expected = [
        "journal_entries.user_id",
        "reminders.user_id",
        "tag_uses.user_id",
        "tags.user_id",
        "users.id",
        "users.invited_by",
    ];
    assert_eq!(native, expected);
    let mut points = 0;
    // Every third, for each takes seconds; the other mode has those between.
    for stops_at in (first_point..).step_by(3) {
        let forward = format!("{name}_on_{stops_at}");
        let on = bench.copy(name, &forward).await;
        let stopped = perform(&on, settings, Operation::FullMigration, &mut Voice::until(stops_at)).await;
        if stopped.is_ok() {
            break;
        }
        assert!(matches!(stopped, Err(StepError::Interrupted)), "{stopped:?}");
        points += 1;
        let back = bench.copy(&forward, &format!("{name}_back_{stops_at}")).await;
        // What stopped halfway on the way back is gone back from, too.
        let _ = perform(&back, settings, Operation::Rollback, &mut Voice::until(stops_at % 11)).await;
        perform_whole(&back, settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&back).await, &format!("back from point {stops_at}"));
        perform_whole(&on, settings, Operation::FullMigration).await.unwrap();
        same(&after, &state(&on).await, &format!("on from point {stops_at}"));
    }
    assert!(points > 10, "stopped at {points} points only");
    perform_whole(&first, settings, Operation::Rollback).await.unwrap();
    same(&before, &state(&first).await, "back from the end");
}

#[tokio::test]
async fn from_every_point_in_turn() {
    let Some(bench) = Bench::new("from_every_point_in_turn").await else { return };
    from_every_point(&bench, &settings(), "turn", 1).await;
}

#[tokio::test]
async fn from_every_point_beside_an_application() {
    let Some(bench) = Bench::new("from_every_point_beside_an_application").await else { return };
    from_every_point(&bench, &online(), "beside", 2).await;
}

#[tokio::test]
async fn each_operation_can_be_called_alone() {
    let Some(bench) = Bench::new("each_operation_can_be_called_alone").await else { return };
    let address = bench.database("alone", SCHEMA).await;
    let before = state(&address).await;
    let settings = settings();
    let early = message(&address, &settings, Operation::MigrateKey).await;
    assert!(early.contains("backup_data comes first"), "{early}");
    for operation in Operation::FULL {
        perform_whole(&address, &settings, operation).await.unwrap();
    }
    let mut expected: Vec<String> = vec!["migrate_key failed".to_owned()];
    expected.extend(Operation::FULL.iter().map(|operation| format!("{operation} completed")));
    assert_eq!(log(&address).await, expected);
    let durations = format!("SELECT count(*) FROM {LOG} WHERE completed_at >= started_at AND row_count IS NOT NULL");
    assert_eq!(ask(&address, &durations).await, [[Some("5".to_owned())]]);
    perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
    same(&before, &state(&address).await, "rolled back");
    expected.push("rollback completed".to_owned());
    assert_eq!(log(&address).await, expected, "the log outlives the rollback");
}

#[tokio::test]
async fn after_the_cleanup_there_is_no_way_back() {
    let Some(bench) = Bench::new("after_the_cleanup_there_is_no_way_back").await else { return };
    let address = bench.database("cleaned", SCHEMA).await;
    let settings = settings();
    perform_whole(&address, &settings, Operation::ValidateSchema).await.unwrap();
    perform_whole(&address, &settings, Operation::BackupData).await.unwrap();
    let early = message(&address, &settings, Operation::CleanupBackup).await;
    assert!(early.contains("the backup is the only way back"), "{early}");
    perform_whole(&address, &settings, Operation::FullMigration).await.unwrap();
    perform_whole(&address, &settings, Operation::CleanupBackup).await.unwrap();
    let converted = state(&address).await;
    let refused = perform_whole(&address, &settings, Operation::Rollback).await.unwrap_err();
    assert!(matches!(refused, StepError::Refused { .. }), "{refused:?}");
    assert!(chain(&refused).contains("cleanup_backup"), "{refused}");
    same(&converted, &state(&address).await, "refused");
}

#[tokio::test]
async fn rows_that_are_written_afterwards_survive_the_rollback() {
    let Some(bench) = Bench::new("rows_that_are_written_afterwards_survive_the_rollback").await else { return };
    let address = bench.database("after", SCHEMA).await;
    perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
    execute(
        &address,
        "INSERT INTO users (id, email) VALUES ('0190163d-8694-739b-aea5-966c26f8ad91', 'late');
         INSERT INTO journal_entries (id, user_id, note) VALUES (100, '0190163d-8694-739b-aea5-966c26f8ad91', 'late');
         UPDATE journal_entries SET user_id = '0190163d-8694-739b-aea5-966c26f8ad91' WHERE id = 1",
    )
    .await;
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    let entries = ask(
        &address,
        "SELECT id::text FROM journal_entries WHERE user_id = \
                                 '0190163d-8694-739b-aea5-966c26f8ad91' ORDER BY id",
    )
    .await;
    assert_eq!(entries, [[Some("1".to_owned())], [Some("100".to_owned())]]);
}
