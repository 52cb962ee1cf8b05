//! The operations by the program, one by one, as the procedure's document calls them; and how far they got.

use rehearse::migrate::convert_uuid::{State as Stage, status};

use super::*;
use crate::{
    checks::bench::url,
    support::{Ended, Sandbox},
};

struct Caller {
    sandbox: Sandbox,
    url: String,
}

impl Caller {
    fn new(address: &Address) -> Self {
        Self { sandbox: Sandbox::new(), url: url(address) }
    }

    fn call(&self, operation: &str, flags: &[&str]) -> Ended {
        let all = ["convert-uuid", operation, "--database", &self.url, "--key", "users.id"];
        self.sandbox.call(&[&all, flags].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_called_by_its_name() {
    let Some(bench) = Bench::new("each_operation_is_called_by_its_name").await else { return };
    let address = bench.database("app", SCHEMA).await;
    let before = state(&address).await;
    let caller = Caller::new(&address);
    let consent = ["--consent", "app"];

    for flags in [&[][..], &["--consent", "ap"]] {
        let refused = caller.call("full_migration", flags);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("nobody said that it may"), "{refused:?}");
        assert!(refused.stderr.contains("hint: --consent app, or --disposable"), "{refused:?}");
    }
    let unknown = caller.call("migrate_people", &consent);
    assert!(unknown.code == 2 && unknown.stderr.contains("expected one of status, validate_schema"), "{unknown:?}");
    let nothing = caller.call("status", &[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "no conversion is planned or under way\n"), "{nothing:?}");
    let log = format!("SELECT to_regclass('{LOG}') IS NULL");
    assert_eq!(ask(&address, &log).await, [[Some("t".to_owned())]], "asking leaves nothing");

    let early = caller.call("migrate_key", &consent);
    assert!(early.code == 2 && early.stderr.contains("backup_data comes first"), "{early:?}");
    for operation in ["validate_schema", "backup_data"] {
        let done = caller.call(operation, &consent);
        assert_eq!(done.code, 0, "{operation}: {done:?}");
    }
    // Thirteen rows by five are three batches, with a pause behind each. The document of the procedure calls it so.
    let done = caller.call("migrate_users", &[&consent[..], &["--batch-rows", "5", "--pause-ms", "200"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    let took = done.stdout.lines().find_map(|line| line.trim().strip_prefix("migrate_key_ms")).unwrap();
    assert!(took.trim().parse::<f64>().unwrap() >= 600.0, "{done:?}");
    let halfway = caller.call("status", &[]).stdout;
    for part in ["users.id: converted\n", "reminders.user_id: original\n", "migrate_key", "completed"] {
        assert!(halfway.contains(part), "{part}: {halfway}");
    }
    let took = halfway.lines().find(|line| line.contains("backup_data")).unwrap();
    assert!(took.contains(" ms") || took.contains(" s"), "how long it took: {took}");
    for operation in ["migrate_foreign_keys", "validate_migration"] {
        assert_eq!(caller.call(operation, &consent).code, 0, "{operation}");
    }
    let again = caller.call("validate_schema", &["--consent", "app", "--backup", "elsewhere"]);
    assert!(again.code == 1 && again.stderr.contains("users.id is a UUID already"), "{again:?}");
    assert_eq!(caller.call("rollback", &consent).code, 0);
    same(&before, &state(&address).await, "rolled back");

    execute(&address, "INSERT INTO users (id, email) VALUES ('4711', 'x')").await;
    let rejected = caller.call("validate_schema", &consent);
    assert!(rejected.code == 1 && rejected.stderr.contains("1 values of users.id are no UUIDs"), "{rejected:?}");
    assert!(rejected.stderr.contains("migration_log") && !rejected.stderr.contains("4711"), "{rejected:?}");
    execute(&address, "DELETE FROM users WHERE id = '4711'").await;
    assert_eq!(caller.call("full_migration", &consent).code, 0);
    assert_eq!(caller.call("cleanup_backup", &consent).code, 0);
    let late = caller.call("rollback", &consent);
    assert!(late.code == 2 && late.stderr.contains("cleanup_backup"), "{late:?}");

    for (key, told) in [("user.id", "there is no column user.id"), ("users.uid", "there is no column users.uid")] {
        let url = &caller.url;
        let missing =
            caller.sandbox.call(&["convert-uuid", "validate_schema", "--database", url, "--key", key, "--disposable"]);
        assert!(missing.code == 1 && missing.stderr.contains(told), "{missing:?}");
    }
}

/// What the procedure's document asks of the log, word for word.
#[tokio::test]
async fn the_log_answers_the_documents_questions() {
    let Some(bench) = Bench::new("the_log_answers_the_documents_questions").await else { return };
    let address = bench.database("asked", SCHEMA).await;
    perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
    let recent = "SELECT operation, status, started_at, completed_at, message FROM migration_log
                  WHERE started_at > NOW() - INTERVAL '1 day'";
    assert_eq!(ask(&address, recent).await.len(), 5);
    assert_eq!(ask(&address, "SELECT * FROM migration_log ORDER BY started_at DESC").await.len(), 5);
    let durations = "SELECT operation, AVG(EXTRACT(EPOCH FROM (completed_at - started_at))) as avg_duration_seconds
                     FROM migration_log WHERE status = 'completed' GROUP BY operation";
    let durations = ask(&address, durations).await;
    assert_eq!(durations.len(), 5);
    for row in durations {
        assert!(row[1].as_ref().is_some_and(|seconds| seconds.parse::<f64>().unwrap() >= 0.0), "{row:?}");
    }
    let orphans = "SELECT COUNT(*) FROM journal_entries WHERE user_id NOT IN (SELECT id FROM users)";
    assert_eq!(ask(&address, orphans).await, [[Some("0".to_owned())]]);
}

/// The original rows lie in the backup as they were, and each batch is there for good once it is done.
#[tokio::test]
async fn batches_and_the_backup_can_be_seen() {
    let Some(bench) = Bench::new("batches_and_the_backup_can_be_seen").await else { return };
    let address = bench.database("seen", SCHEMA).await;
    // Beside the original rows the backup holds the UUIDs by which they are found again.
    let original_columns = "(to_jsonb(t) - '{id_uuid,user_id_uuid,invited_by_uuid}'::text[])::text";
    let rows = |table: &str| format!("SELECT {original_columns} FROM {table} t ORDER BY 1");
    let mut original = Vec::new();
    for table in ["users", "journal_entries", "tags", "tag_uses", "reminders"] {
        original.push((table, ask(&address, &rows(table)).await));
    }
    let mut seen = Vec::new();
    for stops_at in 1.. {
        let stopped = perform(&address, &settings(), Operation::FullMigration, &mut Voice::until(stops_at)).await;
        let now = status(&address, &settings(), &mut Voice::patient()).await.unwrap();
        seen.extend(now.columns.iter().map(|column| (column.name.to_string(), column.state, column.filled)));
        if stopped.is_ok() {
            break;
        }
        assert!(matches!(stopped, Err(StepError::Interrupted)), "{stopped:?}");
    }
    let filling = seen.iter().filter(|(_, state, _)| *state == Some(Stage::Filling));
    let filled: Vec<(u64, u64)> = filling.filter_map(|(_, _, filled)| *filled).collect();
    assert!(filled.contains(&(9, 13)), "the first batch of users.id was not seen: {filled:?}");
    for (filled, all) in filled {
        assert!(filled % 9 == 0 || filled == all, "{filled} of {all} rows are no whole batches");
    }
    for (table, original) in original {
        let kept = ask(&address, &rows(&format!("{BACKUP}.{table}"))).await;
        assert_eq!(kept, original, "{table}");
    }
}
