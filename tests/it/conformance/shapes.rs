//! Tables of every shape.

use rehearse::{engine::Rowset, model::Value};

use super::{
    Place,
    rows::{self, Seen},
};

pub(super) async fn narrow_wide_and_empty_tables_go_both_ways(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let column = |name: &str| rows::column(dialect, name, rows::integer());
    let mut composite = rows::table("composite", vec![column("x"), column("y"), column("z")]);
    composite.primary_key = Some(rows::key(&["y", "x"]));
    for column in &mut composite.columns[..2] {
        column.nullable = false;
    }
    let shapes = [
        rows::table("narrow", vec![column("only")]),
        rows::table("wide", (0..500).map(|number| column(&format!("c{number}"))).collect()),
        rows::table("keyless", vec![column("x"), column("y")]),
        composite,
    ];
    rows::create(session.as_mut(), dialect, &shapes).await;
    let catalogue = session.introspect().await.unwrap();
    for table in &shapes {
        let found = &catalogue.tables[&table.name];
        assert_eq!(found.row_key(), table.primary_key.as_ref().map(|key| key.columns.as_slice()), "{}", table.name);
        assert_eq!(rows::scan(session.as_mut(), found).await, Vec::<Vec<String>>::new());
        assert_eq!(rows::load(session.as_mut(), found, Vec::new()).await.unwrap(), 0);
        let row: Vec<Value> = (0..).take(found.columns.len()).map(Value::Integer).collect();
        let mut other = row.clone();
        other[0] = Value::Integer(-1);
        assert_eq!(rows::load(session.as_mut(), found, vec![row, other]).await.unwrap(), 2);
        let mut seen = rows::scan(session.as_mut(), found).await;
        // The order is the engine's: one that keeps rows in the order of their key has no other.
        seen.sort_by(|one, other| other[0].cmp(&one[0]));
        let first: Vec<&str> = seen.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(first, ["Integer 0", "Integer -1"], "{}", table.name);
        assert_eq!(
            seen[1].last().unwrap(),
            &format!("Integer {}", if seen[1].len() == 1 { -1 } else { seen[1].len() as i64 - 1 })
        );
    }
    // The order of a rowset is the caller's, and a column may come twice.
    let rowset = Rowset::of(shapes[2].name.clone(), rows::strings(&["y", "x", "y"]));
    let mut seen = Seen::default();
    session.scan(&rowset, &mut seen).await.unwrap();
    assert_eq!(seen.rows[0], ["Integer 1", "Integer 0", "Integer 1"]);
    // A keyless table is a multiset.
    let twice = vec![vec![Value::Integer(5), Value::Null]; 2];
    rows::load(session.as_mut(), &shapes[2], twice).await.unwrap();
    assert_eq!(rows::count(session.as_mut(), dialect, &shapes[2]).await, 4);
    session.close().await.unwrap();
}

pub(super) async fn a_scan_ends_early_and_the_session_goes_on(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let table = rows::table(
        "many",
        vec![rows::column(dialect, "n", rows::integer()), rows::column(dialect, "t", rows::any_text())],
    );
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    let given = (0..20_000).map(|number| vec![Value::Integer(number), rows::text(&"x".repeat(100))]).collect();
    rows::load(session.as_mut(), &table, given).await.unwrap();
    let rowset = Rowset::of(table.name.clone(), rows::strings(&["n"]));
    for in_transaction in [false, true] {
        if in_transaction {
            session.begin(true).await.unwrap();
        }
        for most in [1, 7] {
            let mut seen = Seen { most: Some(most), ..Seen::default() };
            assert_eq!(session.scan(&rowset, &mut seen).await.unwrap(), most as u64);
            assert_eq!(seen.rows.len(), most);
        }
        assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 20_000);
        if in_transaction {
            session.commit().await.unwrap();
        }
    }
    let unknown = Rowset::of(table.name.clone(), rows::strings(&["nobody"]));
    assert!(session.scan(&unknown, &mut Seen::default()).await.is_err());
    let nowhere = Rowset::of("nowhere".parse().unwrap(), rows::strings(&["n"]));
    assert!(session.scan(&nowhere, &mut Seen::default()).await.is_err());
    assert_eq!(rows::count(session.as_mut(), dialect, &table).await, 20_000);
    session.close().await.unwrap();
}
