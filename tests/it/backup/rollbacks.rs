//! Ways back that a scenario states in place of a step's own.

use super::*;

const MORE: &str = "INSERT INTO people VALUES (10, 'LEGACY-1', NULL), (11, 'LEGACY-2', 'x');
    INSERT INTO posts VALUES (10, 10, 'of a legacy'), (11, 11, NULL)";

/// A step of SQL on the source, whose way back is this one.
fn scripted(bench: &Bench, up: &str, rollback: Json) -> Step {
    let up = json!({ "file": "up.sql", "text": up });
    let rollback = with(json!({ "side": "source" }), rollback);
    let config = json!({ "side": "source", "up": up, "down": null, "transaction": null, "rollback": rollback });
    bench.step("sql", "scripted", config)
}

async fn there_and_back(bench: &Bench, step: &mut Step, what: &str) {
    let before = state(&bench.addresses.source).await;
    step.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    assert_ne!(state(&bench.addresses.source).await.tables, before.tables, "{what}");
    step.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    assert_no_trace(&before, &state(&bench.addresses.source).await, what);
    // A second time it finds nothing more to do.
    step.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    assert_no_trace(&before, &state(&bench.addresses.source).await, what);
}

async fn refused(bench: &Bench, step: &mut Step, part: &str) {
    let before = state(&bench.addresses.source).await;
    let error = chain(&step.forward().await.unwrap_err());
    assert!(error.contains(part), "{}: {part}: {error}", bench.engine);
    assert!(step.task.marks.is_empty(), "{}", bench.engine);
    step.back().await.unwrap();
    assert_no_trace(&before, &state(&bench.addresses.source).await, bench.engine);
}

pub async fn each_way_back_leaves_no_trace_and_refuses_what_it_could_not_bring_back(bench: &Bench) {
    let what = |kind: &str| format!("{} {kind}", bench.engine);
    let more = MORE.replace('\n', "\n\n");

    let filled = json!({ "kind": "truncate", "tables": ["people", "posts"] });
    refused(bench, &mut scripted(bench, &more, filled.clone()), "holds rows already").await;
    let recreated = json!({ "kind": "drop_recreate", "schema": null });
    refused(bench, &mut scripted(bench, &more, recreated.clone()), "would not bring").await;

    // Restored from a backup, also where the step drops what the backup holds.
    let mut backup = bench.backup(json!({}));
    backup.forward().await.unwrap();
    let restored = json!({ "kind": "restore", "from": "kept" });
    let drop = "DROP VIEW authors; DROP TABLE posts; DELETE FROM people WHERE id = 1";
    there_and_back(bench, &mut scripted(bench, drop, restored.clone()), &what("restore")).await;

    // Named rows.
    let rows = |filter: &str| {
        json!([
            { "table": "posts", "where": "person_id >= 10 -- of legacies" }, { "table": "people", "where": filter }
        ])
    };
    let partial = |filter: &str| json!({ "kind": "partial", "rows": rows(filter) });
    there_and_back(bench, &mut scripted(bench, &more, partial("name LIKE 'LEGACY-%'")), &what("partial")).await;
    refused(bench, &mut scripted(bench, &more, partial("name LIKE '%'")), "are there already").await;
    // A row that a key takes along, and that nobody named.
    let alone = json!({ "kind": "partial", "rows": [{ "table": "people", "where": "name LIKE 'LEGACY-%'" }] });
    let mut step = scripted(bench, &more, alone);
    step.forward().await.unwrap();
    let before = state(&bench.addresses.source).await;
    let error = chain(&step.back().await.unwrap_err());
    assert!(error.contains("2 rows of posts would go as well, which are not named"), "{}: {error}", bench.engine);
    assert_no_trace(&before, &state(&bench.addresses.source).await, &what("nothing is taken along"));

    // The backup is not of what is there any more.
    refused(bench, &mut scripted(bench, drop, restored), "is not of what the source holds now").await;

    for table in ["posts", "people"] {
        execute(&bench.addresses.source, &format!("DELETE FROM {table}")).await;
    }
    there_and_back(bench, &mut scripted(bench, &more, filled), &what("truncate")).await;
}

pub async fn a_database_that_was_empty_is_made_anew_with_its_properties(bench: &Bench) {
    let on_target = |schema: Json| {
        let up = json!({ "file": "up.sql", "text": SOURCE });
        let rollback = json!({ "kind": "drop_recreate", "side": "target", "schema": schema });
        let config = json!({ "side": "target", "up": up, "down": null, "transaction": false, "rollback": rollback });
        bench.step("sql", "made", config)
    };
    let target = &bench.addresses.target;
    let own = match bench.engine {
        "postgres" => {
            "ALTER DATABASE other SET work_mem TO '7MB'; ALTER DATABASE other SET search_path TO app, \"$user\";
                       REVOKE CONNECT ON DATABASE other FROM PUBLIC; ALTER DATABASE other CONNECTION LIMIT 20"
        }
        _ => "SELECT 1",
    };
    execute(target, own).await;
    let before = state(target).await;
    let mut step = on_target(Json::Null);
    step.forward().await.unwrap_or_else(|error| panic!("{}: {}", bench.engine, chain(&error)));
    step.back().await.unwrap_or_else(|error| panic!("{}: {}", bench.engine, chain(&error)));
    assert_no_trace(&before, &state(target).await, bench.engine);

    // With tables that were there, their schema brings them back; rows would be lost.
    let schema = "CREATE TABLE kept (id INTEGER PRIMARY KEY)";
    execute(target, schema).await;
    let before = state(target).await;
    let mut step = on_target(schema.into());
    step.forward().await.unwrap_or_else(|error| panic!("{}: {}", bench.engine, chain(&error)));
    step.back().await.unwrap_or_else(|error| panic!("{}: {}", bench.engine, chain(&error)));
    assert_no_trace(&before, &state(target).await, bench.engine);
    execute(target, "INSERT INTO kept VALUES (1)").await;
    let error = chain(&on_target(schema.into()).forward().await.unwrap_err());
    assert!(error.contains("would not bring its rows back"), "{}: {error}", bench.engine);
}

#[test]
fn a_scenario_goes_back_by_the_way_that_it_states() {
    let sandbox = Sandbox::new();
    let schema = "CREATE TABLE documents (id INTEGER PRIMARY KEY, number TEXT NOT NULL);\n\
                  CREATE TABLE comments (id INTEGER PRIMARY KEY, document_id INTEGER REFERENCES documents (id));";
    sandbox.write("ways/schema.sql", schema);
    sandbox.write(
        "ways/up.sql",
        "INSERT INTO documents VALUES (900001, 'LEGACY-1'); INSERT INTO comments VALUES (900001, 900001);",
    );
    sandbox.write("ways/dataset.toml", "format_version = 1\n[table.documents]\nrows = 5\n[table.comments]\nrows = 9\n");
    let scenario = |rollback: &str| {
        format!(
            "format_version = 1\ntitle = \"Ways\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
             dataset = \"dataset.toml\"\n[target]\nengine = \"sqlite\"\nin_place = true\n\
             [[step]]\nkind = \"backup\"\nside = \"target\"\n\
             [[step]]\nkind = \"sql\"\nname = \"legacy\"\nup = \"up.sql\"\nrollback = {rollback}\n\
             [[compare]]\nsource = \"documents\"\ntarget = \"documents\"\ntarget_where = \"number NOT LIKE 'LEGACY-%'\"\n\
             [[compare]]\nsource = \"comments\"\ntarget = \"comments\"\ntarget_where = \"id < 900000\"\n"
        )
    };
    let rows = "{ kind = \"partial\", rows = [{ table = \"comments\", where = \"document_id >= 900000\" }, \
                { table = \"documents\", where = \"number LIKE 'LEGACY-%'\" }] }";
    let folder = sandbox.path("ways");
    for rollback in [rows, "{ kind = \"restore\", from = \"backup\" }"] {
        sandbox.write("ways/scenario.toml", scenario(rollback));
        let whole = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap(), "--seed", "1"]));
        assert_eq!((whole.code, sandbox.report("ways").verdict), (0, Verdict::Pass), "{rollback}: {whole:?}");
    }
    // What it leaves is found.
    sandbox.write(
        "ways/scenario.toml",
        scenario("{ kind = \"partial\", rows = [{ table = \"comments\", where = \"document_id >= 900000\" }] }"),
    );
    let left = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap(), "--seed", "1"]));
    assert_eq!((left.code, sandbox.report("ways").verdict), (1, Verdict::Fail), "{left:?}");
    assert!(left.stdout.contains("no_trace"), "{left:?}");
}
