//! Beside a running application.

use super::*;

/// An application that writes one thing after the other, each by these statements, until it is told to stop; it answers which
/// were acknowledged.
struct Application {
    stop: tokio::sync::watch::Sender<bool>,
    writer: tokio::task::JoinHandle<Vec<u64>>,
}

impl Application {
    fn start(address: &Address, statements: impl Fn(u64) -> String + Send + 'static) -> Self {
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let to = address.clone();
        let writer = tokio::spawn(async move {
            let mut session = engine::by_id("postgres").unwrap().connect(&to).await.unwrap();
            let mut written = Vec::new();
            for number in 0_u64.. {
                if *stopped.borrow_and_update() {
                    break;
                }
                match session.execute(&format!("BEGIN; {}; COMMIT", statements(number))).await {
                    Ok(()) => written.push(number),
                    // A plan that was made before the swap, or a key of before it; the application would try again.
                    Err(_) => session.execute("ROLLBACK").await.unwrap(),
                }
            }
            written
        });
        Self { stop, writer }
    }

    async fn end(self) -> Vec<u64> {
        self.stop.send(true).unwrap();
        let written = self.writer.await.unwrap();
        assert!(written.len() > 10, "{} writes while the conversion ran", written.len());
        written
    }
}

/// While columns are filled and swapped, an application writes texts and reads what it wrote. Nothing that was acknowledged
/// is lost or doubled.
#[tokio::test]
async fn an_application_can_go_on() {
    let Some(bench) = Bench::new("an_application_can_go_on").await else { return };
    let address = bench.database("online", SCHEMA).await;
    execute(&address, "INSERT INTO users (email) SELECT 'more' || n FROM generate_series(1, 3000) n").await;
    let id = |number: u64| format!("00000000-0000-4000-8000-{number:012x}");
    let application = Application::start(&address, move |number| {
        let id = id(number);
        format!(
            "INSERT INTO users (id, email) VALUES ('{id}', 'app');
             INSERT INTO journal_entries (id, user_id, note) VALUES ({}, '{id}', 'app');
             UPDATE users SET name = 'changed' WHERE id = '{id}'",
            1000 + number
        )
    });
    let settings = Settings { batch_rows: 50, lock_ms: 500, lock_tries: 50, ..online() };
    for operation in &Operation::FULL {
        let done = perform_whole(&address, &settings, *operation).await.unwrap();
        // Rows are no longer those of the backup, and that is no fault here.
        let is_told = done.notes.iter().any(|note| note.contains("somebody wrote meanwhile"));
        assert_eq!(is_told, *operation == Operation::ValidateMigration, "{operation}: {:?}", done.notes);
    }
    let written: Vec<String> = application.end().await.into_iter().map(id).collect();
    let there = "SELECT u.id::text FROM users u JOIN journal_entries j ON j.user_id = u.id WHERE u.email = 'app' \
                 AND u.name = 'changed' ORDER BY 1";
    let there: Vec<String> = ask(&address, there).await.into_iter().flatten().flatten().collect();
    assert_eq!(there, written);
    perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
    let kept = "SELECT id FROM users WHERE email = 'app' ORDER BY 1";
    let kept: Vec<String> = ask(&address, kept).await.into_iter().flatten().flatten().collect();
    assert_eq!(kept, written, "what was written meanwhile survives the rollback");
}

/// The same for keys that are no texts: what an application writes under the old key is there under the UUID of that.
#[tokio::test]
async fn an_application_can_go_on_with_keys_that_are_no_texts() {
    let Some(bench) = Bench::new("an_application_can_go_on_with_keys_that_are_no_texts").await else { return };
    let bytes = |number: u64| format!("00000000000040008000{number:012x}");
    let of_bytes = |number: u64| format!("00000000-0000-4000-8000-{number:012x}");
    type Of = Box<dyn Fn(u64) -> String + Send>;
    let kinds: [(&str, &str, &str, Of, Of); 2] = [
        (
            "numbers",
            "bigserial",
            "n",
            Box::new(|number| (10_000 + number).to_string()),
            Box::new(|number| kinds::derived(&format!("users.id:{}", 10_000 + number))),
        ),
        (
            "bytes",
            "bytea",
            "decode(md5(n::text), 'hex')",
            Box::new(move |number| format!("'\\x{}'", bytes(number))),
            Box::new(of_bytes),
        ),
    ];
    for (name, key, value, literal, uuid) in kinds {
        let schema = format!(
            "CREATE TABLE users (id {key} PRIMARY KEY, email text, name text);
             CREATE TABLE notes (id int PRIMARY KEY, user_id {} NOT NULL REFERENCES users (id));
             INSERT INTO users (id, email) SELECT {value}, n::text FROM generate_series(1, 3000) n;
             INSERT INTO notes SELECT n, {value} FROM generate_series(1, 3000) n;",
            key.replace("serial", "int")
        );
        let address = bench.database(&format!("online_{name}"), &schema).await;
        let application = Application::start(&address, move |number| {
            let id = literal(number);
            format!(
                "INSERT INTO users (id, email) VALUES ({id}, 'app'); INSERT INTO notes VALUES ({}, {id});
                 UPDATE users SET name = 'changed' WHERE id = {id}",
                10_000 + number
            )
        });
        let settings = Settings { batch_rows: 50, lock_ms: 500, lock_tries: 50, ..online() };
        for operation in &Operation::FULL {
            perform_whole(&address, &settings, *operation).await.unwrap();
        }
        let written = application.end().await;
        let there = "SELECT u.id::text FROM users u JOIN notes n ON n.user_id = u.id WHERE u.email = 'app' \
                     AND u.name = 'changed' ORDER BY n.id";
        let there: Vec<String> = ask(&address, there).await.into_iter().flatten().flatten().collect();
        assert_eq!(there, written.iter().map(|number| uuid(*number)).collect::<Vec<_>>(), "{name}");
        if name == "numbers" {
            // The number from which a UUID follows is in no backup: nothing is thrown away, and that is said.
            let told = message(&address, &settings, Operation::Rollback).await;
            assert!(told.contains("were written since and have no integer to go back to"), "{told}");
            continue;
        }
        perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
        let kept = "SELECT count(*) FROM users u JOIN notes n ON n.user_id = u.id WHERE u.email = 'app'";
        assert_eq!(ask(&address, kept).await, [[Some(written.len().to_string())]], "{name}");
    }
}
