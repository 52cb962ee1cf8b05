//! Beside a running application.

use super::*;

/// While columns are filled and swapped, an application writes texts and reads what it wrote. Nothing that was acknowledged
/// is lost or doubled.
#[tokio::test]
async fn an_application_can_go_on() {
    let Some(bench) = Bench::new("an_application_can_go_on").await else { return };
    let address = bench.database("online", SCHEMA).await;
    execute(&address, "INSERT INTO users (email) SELECT 'more' || n FROM generate_series(1, 3000) n").await;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let to = address.clone();
    let writer = tokio::spawn(async move {
        let mut session = engine::by_id("postgres").unwrap().connect(&to).await.unwrap();
        let mut written = Vec::new();
        for number in 0_u64.. {
            if *stopped.borrow_and_update() {
                break;
            }
            let id = format!("00000000-0000-4000-8000-{number:012x}");
            let wrote = session
                .execute(&format!(
                    "BEGIN; INSERT INTO users (id, email) VALUES ('{id}', 'app');
                     INSERT INTO journal_entries (id, user_id, note) VALUES ({}, '{id}', 'app');
                     UPDATE users SET name = 'changed' WHERE id = '{id}'; COMMIT",
                    1000 + number
                ))
                .await;
            match wrote {
                Ok(()) => written.push(id),
                // A plan that was made before the swap; the application would try again.
                Err(_) => session.execute("ROLLBACK").await.unwrap(),
            }
        }
        written
    });
    let settings = Settings { batch_rows: 50, lock_ms: 500, lock_tries: 50, ..online() };
    for operation in &Operation::FULL {
        let done = perform_whole(&address, &settings, *operation).await.unwrap();
        // Rows are no longer those of the backup, and that is no fault here.
        let is_told = done.notes.iter().any(|note| note.contains("somebody wrote meanwhile"));
        assert_eq!(is_told, *operation == Operation::ValidateMigration, "{operation}: {:?}", done.notes);
    }
    stop.send(true).unwrap();
    let written = writer.await.unwrap();
    assert!(written.len() > 10, "{} writes while the conversion ran", written.len());
    let there = "SELECT u.id::text FROM users u JOIN journal_entries j ON j.user_id = u.id WHERE u.email = 'app' \
                 AND u.name = 'changed' ORDER BY 1";
    let there: Vec<String> = ask(&address, there).await.into_iter().flatten().flatten().collect();
    assert_eq!(there, written);
    perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
    let kept = "SELECT id FROM users WHERE email = 'app' ORDER BY 1";
    let kept: Vec<String> = ask(&address, kept).await.into_iter().flatten().flatten().collect();
    assert_eq!(kept, written, "what was written meanwhile survives the rollback");
}
