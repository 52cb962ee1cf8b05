//! The step `migrations`: a database along a folder of migrations, and back from wherever that ends.

use rehearse::model::{Address, Endpoint, EngineId, Sides, chain, event::Direction};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox,
    server::{Started, ask, execute},
    steps::{Step, assert_no_trace, state},
};

struct Bench {
    addresses: Sides<Address>,
    sandbox: Sandbox,
}

impl Bench {
    async fn new() -> Self {
        Self::on(None).await
    }

    /// With this database in the place of the target's file.
    async fn on(target: Option<Address>) -> Self {
        let sandbox = Sandbox::new();
        let address = |name: &str| Address {
            engine: EngineId::from("sqlite"),
            endpoint: Endpoint::File(sandbox.path(&format!("{name}.db"))),
        };
        let addresses = Sides::new(address("source"), target.unwrap_or_else(|| address("target")));
        execute(&addresses.target, "SELECT 1").await;
        let bench = Self { addresses, sandbox };
        bench.migration(
            "1_people",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);",
            Some("DROP TABLE people;"),
        );
        let up = "ALTER TABLE people ADD COLUMN age INTEGER;\nINSERT INTO people VALUES (1, 'Ann', 3);";
        bench.migration("2_age", up, Some("DELETE FROM people WHERE id = 1; ALTER TABLE people DROP COLUMN age;"));
        bench.migration("3_index", "CREATE INDEX by_age ON people (age);", Some("DROP INDEX by_age;"));
        bench
    }

    fn migration(&self, name: &str, up: &str, down: Option<&str>) {
        self.sandbox.write(&format!("migrations/{name}.up.sql"), up);
        if let Some(down) = down {
            self.sandbox.write(&format!("migrations/{name}.down.sql"), down);
        }
    }

    fn step(&self, name: &str, to: Json) -> Step {
        self.step_of("golang-migrate", name, to)
    }

    fn step_of(&self, layout: &str, name: &str, to: Json) -> Step {
        let folder = self.sandbox.path("migrations");
        let config = json!({ "side": "target", "folder": folder, "layout": layout, "to": to });
        Step::new(&self.sandbox, "migrations", name, &self.addresses, config)
    }

    /// Goes somewhere, and tells how many migrations ran and how many schemas were compared.
    async fn go(&self, name: &str, to: Json) -> (Step, [f64; 2]) {
        let mut step = self.step(name, to.clone());
        let done = step.forward().await.unwrap_or_else(|error| panic!("{to}: {}", chain(&error)));
        (step, [done.figures[0].value, done.figures[1].value])
    }

    async fn version(&self) -> Option<String> {
        ask(&self.addresses.target, "SELECT version FROM schema_migrations")
            .await
            .into_iter()
            .flatten()
            .flatten()
            .next()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_gone_up_and_down_and_every_way_back_leaves_no_trace() {
    let bench = Bench::new().await;
    let target = &bench.addresses.target;
    let mut walked = Vec::new();
    for (name, to, figures, version) in [
        ("up", json!("newest"), [3.0, 0.0], Some("3")),
        ("one", json!({ "down": 1 }), [1.0, 2.0], Some("2")),
        ("named", json!({ "version": "0001" }), [1.0, 2.0], Some("1")),
        ("empty", json!("empty"), [1.0, 2.0], None),
        ("nowhere", json!("empty"), [0.0, 1.0], None),
        ("again", json!({ "version": "2_age" }), [2.0, 3.0], Some("2")),
    ] {
        let before = state(target).await;
        let (step, told) = bench.go(name, to).await;
        assert_eq!((told, bench.version().await.as_deref()), (figures, version), "{name}");
        walked.push((name, step, before));
    }
    for (name, step, before) in walked.iter_mut().rev() {
        step.back().await.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        assert_no_trace(before, &state(target).await, name);
    }
}

/// Wherever a process is killed, both ways lead on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_walk_is_gone_on_with_and_taken_back() {
    let bench = Bench::new().await;
    let target = &bench.addresses.target;
    bench.go("first", json!({ "version": "1" })).await;
    execute(target, "INSERT INTO people VALUES (7, 'Bo')").await;
    for to in [json!("newest"), json!("empty")] {
        for (word, keeps) in [("going", true), ("arrived", false), ("arrived", true)] {
            let before = state(target).await;
            for goes_on in [true, false] {
                let mut step = bench.step("walk", to.clone());
                step.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
                if goes_on {
                    step.forward().await.unwrap_or_else(|error| panic!("{to} {word} {keeps}: {}", chain(&error)));
                    let there = if to == "empty" { None } else { Some("3") };
                    assert_eq!(bench.version().await.as_deref(), there, "{to} {word} {keeps}");
                }
                step.back().await.unwrap_or_else(|error| panic!("{to} {word} {keeps}: {}", chain(&error)));
                assert_no_trace(&before, &state(target).await, &format!("{to} {word} {keeps} {goes_on}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_the_way_ends_where_it_began() {
    let bench = Bench::new().await;
    let target = &bench.addresses.target;
    bench.go("first", json!({ "version": "2" })).await;
    let refused = async |name: &str, to: Json, told: &str| {
        let before = state(target).await;
        let error = chain(&bench.step(name, to).forward().await.unwrap_err());
        assert!(error.contains(told), "{told}\n{error}");
        assert_no_trace(&before, &state(target).await, told);
    };
    // The second of two fails, and the first goes with it.
    bench.migration(
        "4_bad",
        "CREATE TABLE more (id INTEGER);\nINSERT INTO nowhere VALUES (1);",
        Some("DROP TABLE more;"),
    );
    refused("bad", json!("newest"), "4_bad.up.sql:2:").await;
    bench.migration("4_bad", "CREATE TABLE more (id INTEGER);", None);
    std::fs::remove_file(bench.sandbox.path("migrations/4_bad.down.sql")).unwrap();
    bench.go("fourth", json!("newest")).await;
    refused("no-down", json!({ "down": 2 }), "`4_bad` has no way down").await;
    refused("too-many", json!({ "down": 5 }), "4 migrations are there, and 5 cannot be taken down").await;
    // A way down that forgets an index, and one that takes too much.
    bench.migration(
        "4_bad",
        "CREATE TABLE more (id INTEGER);",
        Some("DROP TABLE more; DROP INDEX by_age; DROP TABLE people;"),
    );
    refused("too-much", json!({ "down": 1 }), "version 3 again, and its schema is not as it was").await;
    bench.migration("4_bad", "CREATE TABLE more (id INTEGER);", Some("SELECT 1;"));
    refused("too-little", json!({ "down": 1 }), "table:more").await;
    // A database of another history.
    execute(target, "UPDATE schema_migrations SET version = 9").await;
    refused("foreign", json!("newest"), "the target is at version `9`, of which the folder knows nothing").await;
}

/// A tool that keeps a row for each version tells which one is missing, and one that keeps checksums which one was changed.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_tools_own_table_contradicts_is_refused_by_name() {
    for (layout, table) in [("sqlx", "_sqlx_migrations"), ("pop", "schema_migration")] {
        let bench = Bench::new().await;
        let target = &bench.addresses.target;
        bench.step_of(layout, "up", json!("newest")).forward().await.unwrap();
        bench.migration("0_before", "CREATE TABLE before (id INTEGER);", Some("DROP TABLE before;"));
        let (before, told) = (state(target).await, "out of order: the target has `3_index`, and not `0_before`");
        for (name, to) in [("late-up", json!("newest")), ("late-down", json!("empty"))] {
            let error = chain(&bench.step_of(layout, name, to).forward().await.unwrap_err());
            assert!(error.contains(told), "{layout}: {error}");
        }
        assert_no_trace(&before, &state(target).await, layout);
        for way in ["up", "down"] {
            std::fs::remove_file(bench.sandbox.path(&format!("migrations/0_before.{way}.sql"))).unwrap();
        }
        execute(target, &format!("DELETE FROM {table} WHERE version IN ('1', '2')")).await;
        let error = chain(&bench.step_of(layout, "lost", json!("newest")).forward().await.unwrap_err());
        assert!(error.contains("and not `1_people`, `2_age`, which comes before it"), "{layout}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_changed_after_it_ran_is_refused_where_the_tool_keeps_checksums() {
    let started = Started::local("a_migration_that_was_changed_after_it_ran_is_refused").await;
    let mut benches = Vec::new();
    for layout in ["sqlx", "refinery", "flyway", "pop"] {
        benches.push((layout, Bench::new().await));
        if let Some(started) = &started {
            started.execute(&format!("CREATE DATABASE of_{layout}")).await;
            let target = started.server.admin.with_database(&format!("of_{layout}"));
            benches.push((layout, Bench::on(Some(target)).await));
        }
    }
    for (layout, bench) in benches {
        let target = &bench.addresses.target;
        let name = if ["refinery", "flyway"].contains(&layout) { "V4__more" } else { "4_more.up" };
        let write = |text: &str| bench.sandbox.write(&format!("migrations/{name}.sql"), text);
        write("CREATE TABLE more (id INTEGER);");
        bench.step_of(layout, "up", json!("newest")).forward().await.unwrap();
        bench.step_of(layout, "again", json!("newest")).forward().await.unwrap();
        if layout == "flyway" {
            // It looks at lines, however these end.
            write("CREATE TABLE more (id INTEGER);\r\n");
            bench.step_of(layout, "other-lines", json!("newest")).forward().await.unwrap();
        }
        write("CREATE TABLE more (id INTEGER, at TEXT);");
        let before = state(target).await;
        let mut step = bench.step_of(layout, "changed", json!("newest"));
        if layout == "pop" {
            // It keeps none.
            step.forward().await.unwrap();
            continue;
        }
        let error = chain(&step.forward().await.unwrap_err());
        let named = name.trim_end_matches(".up");
        assert!(error.contains(&format!("`{named}` was changed after the target got it: the checksum in ")), "{error}");
        assert!(error.contains(&format!("migrations/{name}.sql`")), "{error}");
        assert_no_trace(&before, &state(target).await, layout);
    }
}

/// One's table begins with a version that no migration has; the other's keeps what was taken back as well.
#[tokio::test(flavor = "multi_thread")]
async fn histories_of_goose_and_of_flyway_are_gone_up_and_down() {
    for layout in ["goose", "flyway"] {
        let bench = Bench::new().await;
        let goose = "-- +goose Up\nCREATE TABLE more (id INTEGER);\n-- +goose Down\nDROP TABLE more;\n";
        bench.sandbox.write("goose/1_more.sql", goose);
        bench.sandbox.write("flyway/V1.0__more.sql", "CREATE TABLE more (id INTEGER);");
        bench.sandbox.write("flyway/U1.0__more.sql", "DROP TABLE more;");
        let step = |name: &str, to: Json| {
            let folder = bench.sandbox.path(layout);
            let config = json!({ "side": "target", "folder": folder, "layout": layout, "to": to });
            Step::new(&bench.sandbox, "migrations", name, &bench.addresses, config)
        };
        for (name, to, ran) in
            [("up", "newest", 1.0), ("again", "newest", 0.0), ("down", "empty", 1.0), ("below", "empty", 0.0)]
        {
            let done = step(name, json!(to)).forward().await;
            let done = done.unwrap_or_else(|error| panic!("{layout} {name}: {}", chain(&error)));
            assert_eq!(done.figures[0].value, ran, "{layout} {name}");
        }
        // What was taken back may be changed before it goes up again.
        let file = if layout == "goose" { "goose/1_more.sql" } else { "flyway/V1.0__more.sql" };
        let text = std::fs::read_to_string(bench.sandbox.path(file)).unwrap();
        bench.sandbox.write(file, format!("{text}\n-- changed\n"));
        for (name, to) in [("changed", "newest"), ("once-more", "newest"), ("end", "empty")] {
            let done = step(name, json!(to)).forward().await;
            assert!(done.is_ok(), "{layout} {name}: {done:?}");
        }
    }
}
