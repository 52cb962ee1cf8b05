//! Counters.

use rehearse::model::{
    Value,
    catalogue::{Generation, Table},
};

use super::{
    Place,
    rows::{self, text},
};

/// A table whose key counts by itself, in whichever way the engine knows.
fn counting(place: &Place, name: &str) -> Table {
    let dialect = place.engine.dialect();
    let mut id = rows::column(dialect, "id", rows::integer());
    id.nullable = false;
    id.generation = Generation::RowId { autoincrement: true };
    let mut table = rows::table(name, vec![id, rows::column(dialect, "t", rows::any_text())]);
    table.primary_key = Some(rows::key(&["id"]));
    table
}

pub(super) async fn counters_go_on_behind_the_rows(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let (filled, empty) = (counting(place, "filled"), counting(place, "empty"));
    rows::create(session.as_mut(), dialect, &[filled.clone(), empty.clone()]).await;
    let catalogue = session.introspect().await.unwrap();
    for table in [&filled, &empty] {
        assert!(catalogue.tables[&table.name].columns[0].generation.is_counter(), "{}", table.name);
        let feeds: Vec<_> = catalogue.sequences.iter().filter_map(|sequence| sequence.feeds.as_ref()).collect();
        assert!(feeds.iter().any(|feed| feed.table == table.name && feed.column == "id"), "{feeds:?}");
    }
    let given = [3, 41, 7].map(|id| vec![Value::Integer(id), text("loaded")]).to_vec();
    rows::load(session.as_mut(), &filled, given).await.unwrap();
    let tables = [filled.name.clone(), empty.name.clone()];
    // Twice is as good as once.
    for _ in 0..2 {
        session.advance_sequences(&tables).await.unwrap();
    }
    let next = |catalogue: rehearse::model::Catalogue, table: &Table| {
        let of = |s: &&rehearse::model::catalogue::Sequence| s.feeds.as_ref().is_some_and(|f| f.table == table.name);
        catalogue.sequences.iter().find(of).unwrap().next
    };
    assert_eq!(next(session.introspect().await.unwrap(), &filled), 42);
    assert_eq!(next(session.introspect().await.unwrap(), &empty), 1);
    for (table, id) in [("filled", "42"), ("filled", "43"), ("empty", "1")] {
        session.execute(&format!("INSERT INTO {table} (t) VALUES ('counted')")).await.unwrap();
        assert_eq!(rows::one(session.as_mut(), &format!("SELECT max(id) FROM {table}")).await, id);
    }
    // The largest row goes, and the counter with it where somebody asks.
    session.execute("DELETE FROM filled WHERE id > 7").await.unwrap();
    session.advance_sequences(&tables).await.unwrap();
    session.execute("INSERT INTO filled (t) VALUES ('counted')").await.unwrap();
    assert_eq!(rows::one(session.as_mut(), "SELECT max(id) FROM filled").await, "8");
    session.truncate(&tables).await.unwrap();
    session.execute("INSERT INTO filled (t) VALUES ('first')").await.unwrap();
    assert_eq!(rows::one(session.as_mut(), "SELECT max(id) FROM filled").await, "1");
    session.close().await.unwrap();
}
