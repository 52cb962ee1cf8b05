//! Catalogues of real files.

use crate::{
    engine::Dialect,
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{Action, Generation, ObjectName},
    },
};

use super::{SqliteDialect, with};

fn object<'a>(catalogue: &'a Catalogue, class: &str, name: &str) -> Vec<(&'a str, &'a str)> {
    let definition = catalogue.objects.get(&ObjectName::new(class, name));
    let definition = definition.unwrap_or_else(|| panic!("{class}:{name} in {:#?}", catalogue.objects.keys()));
    definition.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_keys_are_read() {
    let (_folder, mut session) = with(
        "CREATE TABLE plain (id INTEGER PRIMARY KEY, email VARCHAR(99) NOT NULL COLLATE NOCASE DEFAULT 'x' UNIQUE,
             twice INT AS (id * 2), kept INT GENERATED ALWAYS AS (id + 1) STORED, CONSTRAINT small CHECK (id<9));
         CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
         INSERT INTO counted (v) VALUES (1), (2); DELETE FROM counted WHERE id = 2;
         CREATE TABLE down (id INTEGER PRIMARY KEY DESC);
         CREATE TABLE loose (k TEXT PRIMARY KEY); INSERT INTO loose VALUES (NULL), (NULL);
         CREATE TABLE tight (b INT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE exact (k TEXT PRIMARY KEY, v ANY) STRICT;
         CREATE UNIQUE INDEX one ON counted (v); CREATE UNIQUE INDEX part ON counted (v) WHERE v > 0;
         CREATE UNIQUE INDEX folded ON exact (v COLLATE NOCASE); CREATE INDEX lowered ON exact (lower(v) DESC, k);",
    )
    .await;
    let catalogue = session.introspect().await.unwrap();
    let table = |name: &str| &catalogue.tables[&TableName::new(name)];
    let generation = |name: &str| &table(name).columns[0].generation;
    let plain = table("plain");
    assert_eq!(generation("plain"), &Generation::RowId { autoincrement: false });
    assert_eq!(plain.columns[1].collation.as_deref(), Some("NOCASE"));
    assert_eq!(plain.columns[1].default.as_deref(), Some("'x'"));
    assert_eq!(plain.columns[1].kind, LogicalType::Text { limit: Some(99) });
    assert_eq!(plain.columns[2].generation, Generation::Computed { expression: "id * 2".to_owned(), stored: false });
    assert_eq!(plain.columns[3].generation, Generation::Computed { expression: "id + 1".to_owned(), stored: true });
    assert_eq!((plain.checks[0].name.as_deref(), plain.checks[0].expression.as_str()), (Some("small"), "id < 9"));
    assert_eq!(plain.uniques[0].name, None);
    assert_eq!(generation("counted"), &Generation::RowId { autoincrement: true });
    assert_eq!(catalogue.sequences.len(), 1);
    assert_eq!(catalogue.sequences[0].next, 3);
    assert_eq!(generation("down"), &Generation::None);
    assert!(table("loose").columns[0].nullable && table("loose").row_key().is_none());
    assert_eq!(table("tight").row_key().unwrap(), ["a", "b"]);
    assert!(!table("exact").columns[0].nullable);
    assert_eq!(table("counted").uniques[0].name.as_deref(), Some("one"));
    assert_eq!(table("counted").indexes[1].predicate.as_deref(), Some("v > 0"));
    let names: Vec<&str> = table("exact").indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(names, ["folded", "lowered"]);
    assert_eq!(table("exact").indexes[0].parts[0].collation.as_deref(), Some("NOCASE"));
    assert_eq!(table("exact").indexes[1].parts[0].expression.as_deref(), Some("lower(v)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_are_read_with_what_they_leave_out() {
    let (_folder, mut session) = with(
        "CREATE TABLE Parent (A INT, B INT, C INT UNIQUE, PRIMARY KEY (B, A));
         CREATE TABLE child (x INT REFERENCES PARENT (c) ON DELETE CASCADE ON UPDATE SET NULL,
             y INT, z INT, n INT REFERENCES nowhere,
             CONSTRAINT both FOREIGN KEY (y, z) REFERENCES parent DEFERRABLE INITIALLY DEFERRED);",
    )
    .await;
    let catalogue = session.introspect().await.unwrap();
    let keys = &catalogue.tables[&TableName::new("child")].foreign_keys;
    assert_eq!((keys[0].parent.name.as_str(), keys[0].parent_columns.join(",")), ("Parent", "C".to_owned()));
    assert_eq!((keys[0].on_delete, keys[0].on_update), (Action::Cascade, Action::SetNull));
    assert_eq!((keys[1].parent.name.as_str(), keys[1].parent_columns.len()), ("nowhere", 0));
    assert_eq!((keys[2].name.as_deref(), keys[2].deferrable), (Some("both"), Some(true)));
    assert_eq!(keys[2].parent_columns, ["B", "A"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_do_not_depend_on_white_space() {
    let (_folder, mut session) = with(
        "CREATE TABLE t (a INT /* one */ NOT NULL, b, CHECK (a>0), UNIQUE (b));
         CREATE TRIGGER g AFTER INSERT ON t BEGIN  SELECT 'a  b' ; END;
         CREATE VIEW v AS\n SELECT a FROM t; CREATE INDEX i ON t(a,b DESC) WHERE b IS NOT NULL;
         CREATE VIRTUAL TABLE words USING fts5 (body); PRAGMA user_version = 7; PRAGMA journal_mode = WAL;",
    )
    .await;
    let catalogue = session.introspect().await.unwrap();
    assert_eq!(object(&catalogue, "constraint", "t.CHECK (a > 0)")[0], ("expression", "a > 0"));
    assert_eq!(object(&catalogue, "constraint", "t.UNIQUE (b)")[0], ("columns", "\"b\""));
    let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 'a  b'; END";
    assert_eq!(object(&catalogue, "trigger", "g"), [("definition", trigger), ("table", "t")]);
    assert_eq!(object(&catalogue, "view", "v"), [("definition", "CREATE VIEW v AS SELECT a FROM t")]);
    assert_eq!(object(&catalogue, "index", "i")[1], ("predicate", "b IS NOT NULL"));
    assert_eq!(object(&catalogue, "order", "t"), [("columns", "\"a\", \"b\"")]);
    assert_eq!(object(&catalogue, "setting", "user_version"), [("value", "7")]);
    assert_eq!(object(&catalogue, "setting", "journal"), [("value", "write-ahead log")]);
    let unreadable = |name: &str| catalogue.tables[&TableName::new(name)].unreadable.clone().unwrap();
    assert!(unreadable("words").starts_with("is a virtual table of the module `fts5` kept in words_config"));
    assert_eq!(unreadable("words_content"), "is a shadow table of the virtual table `words`");
    assert_eq!(object(&catalogue, "shadow table", "words_data")[1], ("of", "words"));
    assert_eq!(catalogue.tables[&TableName::new("words")].columns[0].name, "body");
}

#[tokio::test(flavor = "multi_thread")]
async fn created_tables_read_back_the_same() {
    let schema =
        "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, n TEXT NOT NULL DEFAULT (lower('X')) COLLATE NOCASE,
             g INT AS (id + 1) STORED, CONSTRAINT u UNIQUE (n), CHECK (id < 10 OR n IN ('a', 'b')));
         CREATE TABLE c (a INT, b \"odd \"\"type\", PRIMARY KEY (b, a),
             CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
         CREATE INDEX i ON c (lower(b) COLLATE RTRIM DESC, a) WHERE a > 0; CREATE UNIQUE INDEX k ON c (a);";
    let (_source, mut source) = with(schema).await;
    let expected = source.introspect().await.unwrap();
    let tables: Vec<_> = expected.tables.values().cloned().collect();
    let script = SqliteDialect.create_tables(&tables);
    let (_target, mut target) = with(&[script.create, script.finish].concat().join(";\n")).await;
    let found = target.introspect().await.unwrap();
    assert_eq!(found, expected);
    target.execute(&script.drop.join(";\n")).await.unwrap();
    assert!(target.introspect().await.unwrap().tables.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_named() {
    let (folder, mut session) = with(
        "CREATE TABLE base (a); CREATE VIEW broken AS SELECT gone FROM nowhere; PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema VALUES ('table', 'far', 'far', 0, 'CREATE VIRTUAL TABLE far USING elsewhere(x)');",
    )
    .await;
    session.close().await.unwrap();
    session = super::open(&folder).await;
    let catalogue = session.introspect().await.unwrap();
    let far = &catalogue.tables[&TableName::new("far")];
    assert_eq!(far.unreadable.as_deref(), Some("is a virtual table of the module `elsewhere`"));
    assert_eq!(object(&catalogue, "view", "broken").len(), 1);
    assert_eq!(catalogue.tables.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cycles_can_be_created_and_dropped() {
    let (_source, mut source) = with(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b (id)); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (id));",
    )
    .await;
    let tables: Vec<_> = source.introspect().await.unwrap().tables.into_values().collect();
    let script = SqliteDialect.create_tables(&tables);
    for in_transaction in [false, true] {
        let (_target, mut target) = with(&script.create.join(";\n")).await;
        target
            .execute("INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1")
            .await
            .unwrap();
        if in_transaction {
            target.begin(false).await.unwrap();
        }
        target.execute(&script.drop.join(";\n")).await.unwrap();
        if in_transaction {
            target.commit().await.unwrap();
        }
        assert!(target.introspect().await.unwrap().tables.is_empty());
    }
}
