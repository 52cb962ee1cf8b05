//! The whole way, forward and back.

use super::*;

on_each!(there_and_back_again, from_where_it_was_stopped, each_operation_and_the_cleanup, rows_that_come_afterwards);

const NATIVE: [&str; 6] = [
    "journal_entries.user_id",
    "reminders.user_id",
    "tag_uses.user_id",
    "tags.user_id",
    "users.id",
    "users.invited_by",
];

async fn there_and_back_again(home: &Home) {
    for (name, settings) in [("turn", settings()), ("beside", online())] {
        let address = home.database(name, SCHEMA).await;
        let before = state(&address).await;
        perform_whole(&address, &settings, Operation::FullMigration).await.unwrap();
        assert_eq!(native(&address).await, NATIVE, "{name}");
        let seen = "SELECT COUNT(*) FROM users WHERE seen_at <> '2024-01-01 00:00:00'";
        assert_eq!(ask(&address, seen).await, [[Some("0".to_owned())]], "{name}: rows are as old as they were");
        let after = state(&address).await;
        perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&address).await, &format!("{name}, rolled back"));
        home.assert_no_backup(name).await;
        perform_whole(&address, &settings, Operation::FullMigration).await.unwrap();
        same(&after, &state(&address).await, &format!("{name}, again"));
    }
}

async fn from_where_it_was_stopped(home: &Home) {
    for (name, settings, first) in [("turn", settings(), 2), ("beside", online(), 4)] {
        let whole = home.database(&format!("{name}_whole"), SCHEMA).await;
        let before = state(&whole).await;
        perform_whole(&whole, &settings, Operation::FullMigration).await.unwrap();
        let after = state(&whole).await;
        let mut points = 0;
        for stops_at in (first + 11 * home.turn..).step_by(22) {
            let on = home.database(&format!("{name}_on_{stops_at}"), SCHEMA).await;
            let stopped = perform(&on, &settings, Operation::FullMigration, &mut Voice::until(stops_at)).await;
            if stopped.is_ok() {
                break;
            }
            assert!(matches!(stopped, Err(StepError::Interrupted)), "{stopped:?}");
            points += 1;
            if points % 2 == 0 {
                perform_whole(&on, &settings, Operation::FullMigration).await.unwrap();
                same(&after, &state(&on).await, &format!("{name}, on from point {stops_at}"));
            }
            let _ = perform(&on, &settings, Operation::Rollback, &mut Voice::until(stops_at % 11)).await;
            perform_whole(&on, &settings, Operation::Rollback).await.unwrap();
            same(&before, &state(&on).await, &format!("{name}, back from point {stops_at}"));
        }
        assert!(points > 1, "stopped at {points} points only");
    }
}

async fn each_operation_and_the_cleanup(home: &Home) {
    let address = home.database("alone", SCHEMA).await;
    let settings = settings();
    let early = message(&address, &settings, Operation::MigrateKey).await;
    assert!(early.contains("there is no backup in alone_migration_backup; backup_data comes first"), "{early}");
    let mut expected: Vec<String> = vec!["migrate_key failed".to_owned()];
    for operation in Operation::FULL {
        perform_whole(&address, &settings, operation).await.unwrap();
        expected.push(format!("{operation} completed"));
        if operation == Operation::BackupData {
            let early = message(&address, &settings, Operation::CleanupBackup).await;
            assert!(early.contains("the backup is the only way back"), "{early}");
            expected.push("cleanup_backup failed".to_owned());
        }
    }
    assert_eq!(log(&address).await, expected);
    perform_whole(&address, &settings, Operation::CleanupBackup).await.unwrap();
    home.assert_no_backup("alone").await;
    let converted = state(&address).await;
    let refused = message(&address, &settings, Operation::Rollback).await;
    assert!(refused.contains("cleanup_backup"), "{refused}");
    same(&converted, &state(&address).await, "refused");
}

async fn rows_that_come_afterwards(home: &Home) {
    let address = home.database("after", SCHEMA).await;
    perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
    execute(
        &address,
        "INSERT INTO users (id, email) VALUES ('0190163d-8694-739b-aea5-966c26f8ad91', 'late');
         INSERT INTO users (email) VALUES ('by default');
         INSERT INTO journal_entries (user_id, note) VALUES ('0190163d-8694-739b-aea5-966c26f8ad91', 'late');
         UPDATE journal_entries SET user_id = '0190163d-8694-739b-aea5-966c26f8ad91' WHERE id = 1",
    )
    .await;
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    let entries = "SELECT id FROM journal_entries WHERE user_id = '0190163d-8694-739b-aea5-966c26f8ad91' ORDER BY id";
    assert_eq!(ask(&address, entries).await, [[Some("1".to_owned())], [Some("30".to_owned())]]);
    assert_eq!(
        ask(&address, "SELECT COUNT(*) FROM users WHERE length(id) = 36 AND email = 'by default'").await,
        [[Some("1".to_owned())]]
    );
}
