//! A messy SQLite file through `create_schema` and `transfer`, forwards and back.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use rehearse::{
    canon::comparison::Stated,
    engine,
    migrate::{self, StepDone, StepError, StepTask, StepVoice},
    model::{Address, Catalogue, EngineId, Side, Sides, address::Endpoint, catalogue::Generation, event::Direction},
    provision::{self, scratch},
};
use serde_json::{Value as Json, json};

use crate::support::{
    server::{Announced, Urls, request, work},
    skipped,
};

const MESS: &str = r#"
PRAGMA foreign_keys = OFF;
CREATE TABLE "order" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  "group" TEXT COLLATE NOCASE NOT NULL DEFAULT 'it''s',
  flag BOOLEAN NOT NULL DEFAULT 0 CHECK (flag IN (0, 1)),
  mixed,
  amount DECIMAL(5,2) CHECK (amount * 2 < 1000000),
  stamp DATETIME DEFAULT CURRENT_TIMESTAMP,
  doubled INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL,
  made TEXT DEFAULT (hex(randomblob(4)))
);
INSERT INTO "order" (id, "group", flag, mixed, amount, stamp, made) VALUES
  (1, 'a', 1, 5, 1.25, '2024-02-29 10:00:00', 'm'), (2, 'B', 0, 'five', 99999, '2024-02-29T10:00:00.5', NULL),
  (3, '', 0, x'00ff', NULL, NULL, ''), (900, 'gone', 0, NULL, NULL, NULL, NULL);
DELETE FROM "order" WHERE id = 900;
CREATE TABLE "naïve 🎉" (region TEXT, code INTEGER, label VARCHAR(3), PRIMARY KEY (region, code)) WITHOUT ROWID;
INSERT INTO "naïve 🎉" VALUES ('de', 1, 'abc'), ('de', 2, 'äöü'), ('fr', 1, 'long');
CREATE TABLE child (
  id INTEGER PRIMARY KEY, region TEXT, code INTEGER, owner REFERENCES "order" ON DELETE SET NULL,
  uid TEXT UNIQUE, parent INTEGER REFERENCES child (id), "xmin" TEXT,
  FOREIGN KEY (region, code) REFERENCES "naïve 🎉" ON UPDATE CASCADE,
  FOREIGN KEY ("xmin") REFERENCES nowhere (id)
);
INSERT INTO child VALUES
  (1, 'de', 1, 1, '550E8400-e29b-41d4-a716-446655440000', NULL, 'x'),
  (2, 'de', NULL, 2, '550e8400-e29b-41d4-a716-446655440001', 1, NULL),
  (3, 'it', 7, 77, NULL, 1, NULL);
CREATE INDEX busy ON "order" ("group" DESC) WHERE flag = 1;
CREATE INDEX by_lower ON "order" (lower("group"));
CREATE UNIQUE INDEX once ON child (region, code);
CREATE TABLE loose (k TEXT PRIMARY KEY, note);
INSERT INTO loose VALUES (NULL, 1), (NULL, 2.5), ('k', NULL);
CREATE TABLE collide (k UNIQUE);
INSERT INTO collide VALUES (1), ('1');
CREATE TABLE a_name_that_is_by_far_too_long_for_postgresql_to_keep_it_as_it_is (a_name_that_is_by_far_too_long_for_postgresql_to_keep_it_as_it_is INT);
INSERT INTO a_name_that_is_by_far_too_long_for_postgresql_to_keep_it_as_it_is VALUES (42);
CREATE VIEW seen AS SELECT id FROM "order";
CREATE TRIGGER shot AFTER INSERT ON child BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE words USING fts5(body);
INSERT INTO words VALUES ('searched for');
"#;

/// Keeps the marks, like a journal.
#[derive(Default)]
struct Marks(Vec<Json>);

#[async_trait]
impl StepVoice for Marks {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        self.0.push(mark);
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// The three steps of a rehearsal without a scenario.
struct Steps<'a> {
    addresses: Sides<Address>,
    folder: &'a Path,
    stated: Vec<Stated>,
    marks: BTreeMap<&'static str, Vec<Json>>,
    not_carried: BTreeMap<String, String>,
}

impl Steps<'_> {
    async fn run(&mut self, name: &'static str, direction: Direction) -> Result<StepDone, StepError> {
        let (kind, config) = match name {
            "transfer" => (name, json!({ "batch_rows": 1000, "when_not_empty": "refuse", "orphans": "carry" })),
            part => ("create_schema", json!({ "part": part })),
        };
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let task = StepTask {
            kind: kind.to_owned(),
            name: name.to_owned(),
            direction,
            config,
            addresses: self.addresses.clone(),
            stated: self.stated.clone(),
            folder,
            log: None,
            marks: self.marks.entry(name).or_default().clone(),
            reconnect_ms: 1000,
            scratch: None,
        };
        let mut voice = Marks::default();
        let kind = migrate::by_id(kind).unwrap();
        let done = match direction {
            Direction::Back => kind.back(&task, &mut voice).await,
            Direction::Forward | Direction::Setup => kind.forward(&task, &mut voice).await,
        };
        self.marks.get_mut(name).unwrap().extend(voice.0);
        let done = done?;
        self.stated.extend(done.stated.clone());
        self.not_carried.extend(done.not_carried.iter().map(|one| (one.object.clone(), one.reason.clone())));
        Ok(done)
    }

    async fn target(&self) -> Catalogue {
        let mut session = engine::by_id("postgres").unwrap().connect(&self.addresses.target).await.unwrap();
        let catalogue = session.introspect().await.unwrap();
        session.close().await.unwrap();
        catalogue
    }

    async fn ask(&self, sql: &str) -> Vec<String> {
        let mut session = engine::by_id("postgres").unwrap().connect(&self.addresses.target).await.unwrap();
        let rows = session.query(sql).await.unwrap();
        session.close().await.unwrap();
        rows.into_iter()
            .map(|row| row.into_iter().map(|text| text.unwrap_or("∅".to_owned())).collect::<Vec<_>>().join("|"))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_messy_file_goes_over_and_back() {
    let work = work();
    let request = request(work.path());
    let provisioner = match provision::choose(None, &request).await {
        Ok((provisioner, _)) => provisioner,
        Err(why) => {
            skipped("a_messy_file_goes_over_and_back", "postgres", &why.to_string());
            return;
        }
    };
    let mut leases = Announced::default();
    let server = provisioner.acquire(&request, &mut leases).await.unwrap();
    let name = scratch::name(&request.run, Side::Target);
    let target = scratch::create(&server, request.engine, &name, &mut leases, None).await.unwrap();
    let file = work.path().join("mess.db");
    rusqlite::Connection::open(&file).unwrap().execute_batch(MESS).unwrap();
    let source = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file) };
    let folder = work.path().join("steps");
    let mut steps = Steps {
        addresses: Sides::new(source, target),
        folder: &folder,
        stated: Vec::new(),
        marks: BTreeMap::new(),
        not_carried: BTreeMap::new(),
    };
    let empty = steps.target().await;

    // Keys before tables are refused, and so is a second time.
    assert!(matches!(steps.run("keys", Direction::Forward).await, Err(StepError::Refused { .. })));
    steps.run("tables", Direction::Forward).await.unwrap();
    assert_eq!(steps.run("transfer", Direction::Forward).await.unwrap().rows, 15);
    steps.run("keys", Direction::Forward).await.unwrap();
    went_over(&steps).await;
    let marks = steps.marks.insert("tables", Vec::new()).unwrap();
    let again = steps.run("tables", Direction::Forward).await.unwrap_err();
    assert!(matches!(&again, StepError::Refused { what } if what.contains("already")), "{again}");
    steps.marks.insert("tables", marks);

    // A part that was interrupted is made anew.
    let whole = steps.target().await;
    steps.run("keys", Direction::Forward).await.unwrap();
    assert_eq!(steps.target().await.objects, whole.objects);

    for name in ["keys", "transfer", "tables"] {
        steps.run(name, Direction::Back).await.unwrap();
        steps.run(name, Direction::Back).await.unwrap();
    }
    assert_eq!(steps.target().await, empty);
    assert!(!folder.join("derived-schema.json").exists());
    leases.release(&Urls::default()).await;
}

/// The state after the three steps.
async fn went_over(steps: &Steps<'_>) {
    let catalogue = steps.target().await;
    let table = |name: &str| catalogue.tables.values().find(|table| table.name.name.starts_with(name)).unwrap();
    let types = |name: &str| table(name).columns.iter().map(|column| column.declared.as_str()).collect::<Vec<_>>();
    let timestamp = "timestamp without time zone";
    assert_eq!(types("order"), ["bigint", "text", "boolean", "bytea", "numeric", timestamp, "bigint", "text"]);
    assert_eq!(types("naïve"), ["text", "bigint", "text"], "one label is longer than it may be");
    assert_eq!(types("child"), ["bigint", "text", "bigint", "bigint", "uuid", "bigint", "text"]);
    assert_eq!(types("loose"), ["text", "double precision"]);
    assert_eq!(table("order").columns[0].generation, Generation::IdentityByDefault);
    assert_eq!(catalogue.tables.len(), 6);

    let sql = "SELECT id, \"group\", flag, mixed, amount, stamp, doubled, made FROM \"order\" ORDER BY id";
    assert_eq!(
        steps.ask(sql).await,
        [
            r"1|a|t|\x35|1.25|2024-02-29 10:00:00|2|m",
            r"2|B|f|\x66697665|99999|2024-02-29 10:00:00.5|4|∅",
            r"3||f|\x00ff|∅|∅|6|",
        ]
    );
    assert_eq!(
        steps.ask("SELECT code, label FROM \"naïve 🎉\" ORDER BY region, code").await,
        ["1|abc", "2|äöü", "1|long"]
    );
    let long = &table("a_name").name.name;
    assert_eq!(steps.ask(&format!("SELECT * FROM \"{long}\"")).await, ["42"]);
    // The source's counter remembers a row that was deleted.
    assert_eq!(
        steps
            .ask("INSERT INTO \"order\" (id, \"group\") VALUES (DEFAULT, DEFAULT) RETURNING id, \"group\", flag")
            .await,
        ["901|it's|f"]
    );
    assert_eq!(steps.ask("DELETE FROM \"order\" WHERE id = 901 RETURNING stamp > '2026-01-01'").await, ["t"]);

    let validated: Vec<(String, bool)> =
        table("child").foreign_keys.iter().map(|key| (key.columns.join(","), key.validated)).collect();
    let expected = [("owner", false), ("parent", true), ("region,code", false)];
    assert_eq!(validated, expected.map(|(columns, validated)| (columns.to_owned(), validated)));
    let busy = table("order").indexes.iter().find(|index| index.name == "busy").unwrap();
    assert!(busy.parts[0].descending && busy.predicate.is_some());
    assert!(table("child").uniques.iter().any(|key| key.columns == ["region", "code"]));
    assert!(table("loose").primary_key.is_none() && table("loose").uniques.len() == 1);
    assert_eq!(table("order").checks.len(), 1);

    let named: Vec<&str> = steps.not_carried.keys().map(String::as_str).collect();
    let long = "a_name_that_is_by_far_too_long_for_postgresql_to_keep_it_as_it_is";
    let mut expected = vec![
        "collation:order.group".to_owned(),
        "column:collide.k".to_owned(),
        "column:loose.note".to_owned(),
        "column:naïve 🎉.label".to_owned(),
        "column:order.amount".to_owned(),
        "column:order.mixed".to_owned(),
        "constraint:collide (UNIQUE)".to_owned(),
        "constraint:loose (PRIMARY KEY)".to_owned(),
        "constraint:order (CHECK)".to_owned(),
        "default:order.made".to_owned(),
        "foreign key:child(owner) -> order(id)".to_owned(),
        "foreign key:child(region, code) -> naïve 🎉(region, code)".to_owned(),
        "foreign key:child(xmin) -> nowhere(id)".to_owned(),
        "generated:order.doubled".to_owned(),
        "index:order.by_lower".to_owned(),
        format!("name:{long}"),
        format!("name:{long}.{long}"),
        "name:child.xmin".to_owned(),
        "trigger:shot".to_owned(),
        "view:seen".to_owned(),
    ];
    let tables = ["", "_config", "_content", "_data", "_docsize", "_idx"];
    expected.extend(tables.map(|suffix| format!("table:words{suffix}")));
    expected.sort();
    assert_eq!(named, expected);
    let orphans = &steps.not_carried["foreign key:child(region, code) -> naïve 🎉(region, code)"];
    assert_eq!(orphans, "1 rows have no parent; made NOT VALID");
    assert!(steps.not_carried["constraint:collide (UNIQUE)"].contains("refused"));
}
