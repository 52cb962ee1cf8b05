//! Beside a running application.

use super::*;

on_each!(an_application_can_go_on);

/// While columns are filled and swapped, an application writes texts and reads what it wrote, and foreign keys change rows for
/// it. Nothing that was acknowledged is lost or doubled.
async fn an_application_can_go_on(home: &Home) {
    let address = home.database("online", SCHEMA).await;
    execute(&address, "INSERT INTO users (id, email) SELECT uuid(), concat('more', seq) FROM seq_1_to_3000").await;
    execute(
        &address,
        "INSERT INTO reminders (id, user_id) SELECT 100 + row_number() OVER (ORDER BY id), id FROM users WHERE email LIKE 'more%';
         INSERT INTO journal_entries (user_id) SELECT id FROM users WHERE email LIKE 'more%'",
    )
    .await;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let to = address.clone();
    let writer = tokio::spawn(async move {
        let mut session = engine::by_id("mariadb").unwrap().connect(&to).await.unwrap();
        let mut written = Vec::new();
        for number in 1_u64.. {
            if *stopped.borrow_and_update() {
                break;
            }
            let id = format!("00000000-0000-4000-8000-{number:012x}");
            let wrote = session
                .execute(&format!(
                    "START TRANSACTION; INSERT INTO users (id, email) VALUES ('{id}', 'app');
                     INSERT INTO journal_entries (user_id, note) VALUES ('{id}', 'app');
                     UPDATE users SET name = 'changed' WHERE id = '{id}';
                     DELETE FROM users WHERE email = 'more{}';
                     UPDATE users SET id = '11111111-0000-4000-8000-{number:012x}' WHERE email = 'more{}';
                     COMMIT",
                    number % 1400,
                    3000 - number % 1400
                ))
                .await;
            match wrote {
                Ok(()) => written.push(id),
                Err(_) => session.execute("ROLLBACK").await.unwrap(),
            }
        }
        written
    });
    let settings = Settings { batch_rows: 50, lock_ms: 1000, lock_tries: 50, ..online() };
    for operation in &Operation::FULL {
        let done = perform_whole(&address, &settings, *operation).await.unwrap();
        // Rows are no longer those of the backup, and that is no fault here.
        let is_told = done.notes.iter().any(|note| note.contains("somebody wrote meanwhile"));
        assert_eq!(is_told, *operation == Operation::ValidateMigration, "{operation}: {:?}", done.notes);
    }
    stop.send(true).unwrap();
    let written = writer.await.unwrap();
    assert!(written.len() > 10, "{} writes while the conversion ran", written.len());
    let there = "SELECT u.id FROM users u JOIN journal_entries j ON j.user_id = u.id WHERE u.email = 'app' \
                 AND u.name = 'changed' ORDER BY 1";
    let there: Vec<String> = ask(&address, there).await.into_iter().flatten().flatten().collect();
    assert_eq!(there, written);
    let orphans = "SELECT (SELECT COUNT(*) FROM reminders WHERE user_id NOT IN (SELECT id FROM users)) + \
                   (SELECT COUNT(*) FROM journal_entries WHERE user_id NOT IN (SELECT id FROM users))";
    assert_eq!(ask(&address, orphans).await, [[Some("0".to_owned())]]);
    perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
    let kept = "SELECT id FROM users WHERE email = 'app' ORDER BY 1";
    let kept: Vec<String> = ask(&address, kept).await.into_iter().flatten().flatten().collect();
    assert_eq!(kept, written, "what was written meanwhile survives the rollback");
}
