//! Backups that are restored into a scratch database to see that they can be.

use std::path::Path;

use async_trait::async_trait;
use rehearse::migrate::{self, StepDone, StepError, StepVoice, rollback};

use super::{
    refused::{agree, manifest},
    *,
};

/// Has somebody meddle with the backup when it is at its place and not restored yet.
struct Meddled<'m> {
    marks: Vec<Json>,
    meddle: &'m (dyn Fn() + Sync),
}

#[async_trait]
impl StepVoice for Meddled<'_> {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        if mark.get("testing").is_some() {
            (self.meddle)();
        }
        self.marks.push(mark);
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// A backup of the source that is restored to test it.
fn tested(bench: &Bench, more: Json) -> Step {
    let mut step = bench.backup(with(json!({ "test_restore": true }), more));
    step.task.scratch = Some(scratch_of(bench));
    step
}

fn scratch_of(bench: &Bench) -> Address {
    let source = &bench.addresses.source;
    match &source.endpoint {
        Endpoint::File(_) => Address { endpoint: Endpoint::File(bench.sandbox.path("beside.db")), ..source.clone() },
        Endpoint::Server { .. } => source.with_database("rehearse_test_beside"),
    }
}

/// What the step says to a backup that somebody has changed; nothing of it stays.
async fn told(bench: &Bench, form: &str, meddle: &(dyn Fn(&Path) + Sync)) -> String {
    let (step, kept) = (tested(bench, json!({ "format": form })), bench.generations());
    let meddle = || meddle(&bench.generations().pop().unwrap());
    let mut voice = Meddled { marks: Vec::new(), meddle: &meddle };
    let outcome: Result<StepDone, StepError> =
        rollback::forward(migrate::by_id("backup").unwrap(), &step.task, &mut voice).await;
    let error = outcome.expect_err("a backup that was changed is none");
    assert!(matches!(error, StepError::Rejected { .. }), "{error:?}");
    assert_eq!(bench.generations(), kept, "{form}");
    chain(&error)
}

pub async fn a_backup_is_restored_to_see_that_it_can_be(bench: &Bench) {
    let source = &bench.addresses.source;
    let wanted = state(source).await;
    let rows: u64 = wanted.tables.values().map(|table| table.rows.rows).sum();
    for form in bench.forms {
        let what = format!("{} {form}", bench.engine);
        let mut step = tested(bench, json!({ "format": form }));
        let done = step.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        let proven = format!("was restored beside the source: {} tables, {rows} rows and ", wanted.tables.len());
        assert!(done.notes.iter().any(|note| note.contains(&proven)), "{what}: {:?}", done.notes);
        let there = state(&scratch_of(bench)).await;
        assert_eq!((&there.tables, &there.catalogue.objects), (&wanted.tables, &wanted.catalogue.objects), "{what}");
        step.back().await.unwrap();
        assert_eq!(bench.generations(), Vec::<PathBuf>::new(), "{what}");

        let said = told(bench, form, &|folder| {
            manifest(folder, |it| it["tables"]["posts"] = it["tables"]["people"].clone());
        })
        .await;
        assert!(said.contains("is not as the manifest: posts holds other rows"), "{what}: {said}");
    }
    // Rows that are not the database's, and objects that are not, found in the file that its digest calls whole.
    let form = if bench.engine == "sqlite" { "file" } else { "plain" };
    let (row, object) = (meddled(bench, form, ROW), meddled(bench, form, OBJECT));
    let (row, object) = (row.await, object.await);
    assert!(row.contains("people holds other rows, 3 of them as before"), "{}: {row}", bench.engine);
    let gone = match bench.engine {
        "sqlite" => "is not as the source: view:authors is missing",
        "postgres" => "people is another (text)",
        _ => "noted is another (",
    };
    assert!(object.contains(gone), "{}: {object}", bench.engine);
    assert_no_trace(&wanted, &state(source).await, bench.engine);
    for keeps in [true, false] {
        let mut killed = tested(bench, json!({}));
        killed.go(Direction::Forward, Some("testing"), keeps).await.unwrap_err();
        killed.forward().await.unwrap_or_else(|error| panic!("{} {keeps}: {}", bench.engine, chain(&error)));
        assert_eq!(bench.generations().len(), 1, "{} {keeps}", bench.engine);
        killed.task.marks.clear();
        killed.go(Direction::Forward, Some("testing"), keeps).await.unwrap_err();
        killed.back().await.unwrap();
        // The one from before it is no business of the step that was killed.
        assert_eq!(bench.generations().len(), 1, "{} {keeps}", bench.engine);
        fs::remove_dir_all(bench.sandbox.path("steps/kept")).unwrap();
    }
}

/// One change by engine: SQL for a file, a text and another one for a script.
type Change = fn(&str) -> (&'static str, &'static str);

const ROW: Change = |engine| match engine {
    "sqlite" => ("UPDATE people SET name = 'Bu' WHERE id = 2", ""),
    "postgres" => ("2\tBo\t", "2\tBu\t"),
    _ => ("'Bo'", "'Bu'"),
};
const OBJECT: Change = |engine| match engine {
    "sqlite" => ("DROP VIEW authors", ""),
    "postgres" => ("'who'", "'whom'"),
    _ => ("'new'", "'old'"),
};

async fn meddled(bench: &Bench, form: &str, change: Change) -> String {
    let (from, to) = change(bench.engine);
    let meddle = |folder: &Path| {
        if bench.engine == "sqlite" {
            let file = Endpoint::File(folder.join("backup.db"));
            let address = Address { endpoint: file, ..bench.addresses.source.clone() };
            crate::support::server::wait(async move { execute(&address, from).await });
            agree(folder, "backup.db");
        } else {
            let text = fs::read_to_string(folder.join("backup.sql")).unwrap();
            assert_eq!(text.matches(from).count(), 1, "{from}");
            fs::write(folder.join("backup.sql"), text.replace(from, to)).unwrap();
            agree(folder, "backup.sql");
        }
    };
    told(bench, form, &meddle).await
}

/// What no look at the file finds: a dump that is whole, and whose restore is refused or comes to other rows.
pub async fn a_whole_dump_that_does_not_come_back_is_found(bench: &Bench) {
    let source = &bench.addresses.source;
    let kept = bench.generations();
    let failed = async |more: Json| {
        let error = tested(bench, more).forward().await.unwrap_err();
        assert_eq!(bench.generations(), kept);
        assert!(matches!(error, StepError::Rejected { .. }), "{error:?}");
        chain(&error)
    };
    let rate = |times: u8| {
        format!("CREATE OR REPLACE FUNCTION rate(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * {times}'")
    };
    execute(source, &rate(2)).await;
    execute(source, "CREATE TABLE priced (id int PRIMARY KEY, price int GENERATED ALWAYS AS (rate(id)) STORED)").await;
    execute(source, "INSERT INTO priced VALUES (1), (2)").await;
    execute(source, &rate(3)).await;
    let said = failed(json!({})).await;
    assert!(said.contains("priced holds other rows, 2 of them as before"), "{said}");
    execute(source, "DROP TABLE priced; DROP FUNCTION rate").await;

    // PostgreSQL gives a column without a name one, once it reads its own print of it: that is no difference. Another view is.
    execute(source, "CREATE VIEW said AS SELECT coalesce(name, (SELECT 'nobody' FROM posts LIMIT 1)) AS n FROM people")
        .await;
    let mut step = tested(bench, json!({ "format": "plain" }));
    let done = step.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(done.notes.iter().any(|note| note.contains("prints 1 definitions otherwise")), "{:?}", done.notes);
    step.back().await.unwrap();
    let meddle = |folder: &Path| {
        let text = fs::read_to_string(folder.join("backup.sql")).unwrap();
        assert_eq!(text.matches("'nobody'").count(), 1);
        fs::write(folder.join("backup.sql"), text.replace("'nobody'", "'somebody'")).unwrap();
        agree(folder, "backup.sql");
    };
    let said = told(bench, "plain", &meddle).await;
    assert!(said.contains("view:said is another (definition)"), "{said}");
    execute(source, "DROP VIEW said").await;

    // Its rows come before those that it looks for.
    execute(
        source,
        "CREATE FUNCTION known(int) RETURNS boolean LANGUAGE plpgsql AS
             'BEGIN RETURN EXISTS (SELECT FROM public.people WHERE id = $1); END';
         CREATE TABLE a_first (id int CHECK (known(id))); INSERT INTO a_first VALUES (1)",
    )
    .await;
    let said = failed(json!({})).await;
    assert!(said.contains("the backup was restored to test it: ") && said.contains("cannot be restored"), "{said}");
    // Definitions alone come back; so do tables that need no other.
    let part = |part: &str, tables: Json| json!({ "extent": { "part": part, "tables": tables } });
    for more in [part("schema", json!([])), part("whole", json!(["people", "posts"]))] {
        let mut step = tested(bench, more.clone());
        let done = step.forward().await.unwrap_or_else(|error| panic!("{more}: {}", chain(&error)));
        assert!(done.notes.iter().any(|note| note.contains("was restored beside the source")), "{:?}", done.notes);
        step.back().await.unwrap();
    }
    let said = failed(part("whole", json!(["posts"]))).await;
    assert!(said.contains("cannot be restored") && said.contains("people"), "{said}");
    execute(source, "DROP TABLE a_first; DROP FUNCTION known").await;
}
