//! Loads that fail, transactions, and emptying.

use rehearse::{
    engine::EngineError,
    model::{
        Value,
        catalogue::{ForeignKey, Table},
    },
};

use super::{
    Place,
    rows::{self, Given, text},
};

fn keyed(place: &Place, name: &str) -> Table {
    let dialect = place.engine.dialect();
    let mut id = rows::column(dialect, "id", rows::integer());
    id.nullable = false;
    let mut table = rows::table(name, vec![id, rows::column(dialect, "t", rows::any_text())]);
    table.primary_key = Some(rows::key(&["id"]));
    table
}

fn row(id: i64) -> Vec<Value> {
    vec![Value::Integer(id), text("x")]
}

pub(super) async fn what_fails_leaves_nothing(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let table = keyed(place, "t");
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    let columns = rows::strings(&["id", "t"]);
    let many = || (1..=5_000).map(row).collect::<Vec<_>>();
    for in_transaction in [false, true] {
        let mut doubled = many();
        doubled.push(row(1));
        doubled.extend((6_000..9_000).map(row));
        let mut short = many();
        short.push(vec![Value::Integer(6_000)]);
        for (what, source) in [
            ("a source that fails at once", Given::then(Vec::new(), "out of paper")),
            ("a source that fails late", Given::then(many(), "out of paper")),
            ("a row of too few values", Given::rows(short)),
            ("a row that the server refuses", Given::rows(doubled)),
            ("a source that fails behind such a row", Given::then([many(), many()].concat(), "out of paper")),
        ] {
            if in_transaction {
                session.begin(false).await.unwrap();
            }
            let mut source = source;
            let error = session.load(&table, &columns, &mut source).await.expect_err(what);
            match what {
                "a row that the server refuses" | "a source that fails behind such a row" => {
                    assert!(matches!(error, EngineError::Refused { code: Some(_), .. }), "{what}: {error:?}");
                }
                _ => assert!(matches!(error, EngineError::RowSource { .. }), "{what}: {error:?}"),
            }
            if in_transaction {
                session.tx_rollback().await.unwrap();
            }
            assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 0, "{what}");
        }
        session.begin(false).await.unwrap();
        assert_eq!(rows::load(session.as_mut(), &table, many()).await.unwrap(), 5_000);
        session.tx_rollback().await.unwrap();
        assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 0);
    }
    assert_eq!(rows::load(session.as_mut(), &table, many()).await.unwrap(), 5_000);
    assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 5_000);
    session.close().await.unwrap();
}

/// As they do in every hierarchy: a load is one statement, and its keys hold when it is done.
pub(super) async fn rows_may_come_before_those_that_they_refer_to(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let mut table = keyed(place, "people");
    table.columns.push(rows::column(dialect, "boss", rows::integer()));
    table.foreign_keys.push(ForeignKey {
        name: Some("people_boss".to_owned()),
        columns: rows::strings(&["boss"]),
        parent: table.name.clone(),
        parent_columns: rows::strings(&["id"]),
        on_update: Default::default(),
        on_delete: Default::default(),
        match_full: false,
        deferrable: None,
        validated: true,
    });
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    let person = |id: i64, boss: i64| vec![Value::Integer(id), text("x"), Value::Integer(boss)];
    let orphaned = (1..3_000).map(|id| person(id, id + 1)).collect();
    assert!(rows::load(session.as_mut(), &table, orphaned).await.is_err(), "the last one's boss is not there");
    assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 0);
    let mut whole: Vec<_> = (1..3_000).map(|id| person(id, id + 1)).collect();
    whole.push(person(3_000, 1));
    assert_eq!(rows::load(session.as_mut(), &table, whole).await.unwrap(), 3_000);
    assert!(session.execute("INSERT INTO people VALUES (9000, 'x', 9001)").await.is_err(), "keys are enforced again");
    session.close().await.unwrap();
}

pub(super) async fn who_only_reads_cannot_write(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let table = keyed(place, "t");
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    for write in ["INSERT INTO t VALUES (1, 'x')", "CREATE TABLE other (n int)", "DROP TABLE t"] {
        session.begin(true).await.unwrap();
        assert!(session.execute(write).await.is_err(), "{write}");
        session.tx_rollback().await.unwrap();
    }
    session.begin(true).await.unwrap();
    assert!(rows::load(session.as_mut(), &table, vec![row(1)]).await.is_err());
    session.tx_rollback().await.unwrap();
    session.begin(true).await.unwrap();
    assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 0);
    session.commit().await.unwrap();
    // And afterwards it may write again.
    session.begin(false).await.unwrap();
    rows::load(session.as_mut(), &table, vec![row(1)]).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 1);
    session.close().await.unwrap();
}

pub(super) async fn truncating_empties_what_is_named(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let reference = |column: &str, parent: &Table| ForeignKey {
        name: None,
        columns: rows::strings(&[column]),
        parent: parent.name.clone(),
        parent_columns: rows::strings(&["id"]),
        on_update: Default::default(),
        on_delete: Default::default(),
        match_full: false,
        deferrable: None,
        validated: true,
    };
    // Two that refer to each other, one that is left alone, and one outside that refers to the first.
    let (mut one, mut two) = (keyed(place, "one"), keyed(place, "two"));
    for table in [&mut one, &mut two] {
        table.columns.push(rows::column(dialect, "other", rows::integer()));
    }
    one.foreign_keys.push(reference("other", &two));
    two.foreign_keys.push(reference("other", &one));
    let alone = keyed(place, "alone");
    rows::create(session.as_mut(), dialect, &[one.clone(), two.clone(), alone.clone()]).await;
    rows::load(session.as_mut(), &alone, vec![row(1)]).await.unwrap();
    rows::load(session.as_mut(), &one, vec![vec![Value::Integer(1), Value::Null, Value::Null]]).await.unwrap();
    rows::load(session.as_mut(), &two, vec![vec![Value::Integer(2), Value::Null, Value::Integer(1)]]).await.unwrap();
    session.execute("UPDATE one SET other = 2").await.unwrap();

    assert!(session.truncate(std::slice::from_ref(&one.name)).await.is_err(), "rows of another table refer to it");
    assert_eq!(rows::count(session.as_mut(), dialect, &one).await, 1);
    session.begin(false).await.unwrap();
    session.truncate(&[one.name.clone(), two.name.clone()]).await.unwrap();
    session.tx_rollback().await.unwrap();
    assert_eq!(rows::count(session.as_mut(), dialect, &one).await, 1, "it goes back with its transaction");
    session.truncate(&[one.name.clone(), two.name.clone()]).await.unwrap();
    for (table, left) in [(&one, 0), (&two, 0), (&alone, 1)] {
        assert_eq!(rows::count(session.as_mut(), dialect, table).await, left, "{}", table.name);
    }
    assert!(session.execute("INSERT INTO one VALUES (1, NULL, 77)").await.is_err(), "keys are enforced again");
    session.close().await.unwrap();
}
