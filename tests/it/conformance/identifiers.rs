//! Names that somebody once gave to a table or a column.

use rehearse::{
    engine::Rowset,
    model::{Value, catalogue::ForeignKey},
};

use super::{
    Feature, Place,
    rows::{self, Given, Seen},
};

/// 63 bytes, the longest that PostgreSQL keeps.
const LONGEST: &str = "sixty_three_bytes_are_the_longest_name_that_postgresql_keeps_xx";

const HOSTILE: &[&str] = &[
    "select",
    "Mixed Case",
    "two  spaces",
    " leading",
    "quote\"inside",
    "\"\"",
    "it's",
    "semi;colon -- comment /* x */",
    "back\\slash",
    "dot.ted",
    "per%cent %s $1 ?1 :a @b",
    "back`tick [x] {y}",
    "line\nbreak\ttab",
    "\u{1f600} \u{e9}e\u{301}",
    "\u{202e}bidi",
    "1starts_with_a_digit",
    "rowid x",
    LONGEST,
];

pub(super) async fn hostile_names_go_round(place: &Place) {
    assert_eq!(LONGEST.len(), 63);
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let is_basic = |name: &&&str| name.chars().all(|c| c <= '\u{ffff}');
    let (hostile, refused): (Vec<&str>, Vec<&str>) =
        HOSTILE.iter().partition(|name| place.has(Feature::AllOfUnicodeInNames) || is_basic(name));
    let table = |name: &str| {
        let columns = hostile.iter().map(|name| rows::column(dialect, name, rows::key_text())).collect();
        rows::table(name, columns)
    };
    for name in refused {
        for statement in dialect.create_tables(&[table(name)]).create {
            assert!(session.execute(&statement).await.is_err(), "{name} is refused, and not made into another one");
        }
    }
    let mut tables: Vec<_> = hostile.iter().map(|name| table(name)).collect();
    // Each table has a key, and refers to the one before it.
    for position in 0..tables.len() {
        let name = hostile[position];
        tables[position].primary_key = Some(rows::key(&[name]));
        if position > 0 {
            let key = ForeignKey {
                name: Some(format!("{}!", &name.chars().take(12).collect::<String>())),
                columns: rows::strings(&[name]),
                parent: tables[position - 1].name.clone(),
                parent_columns: rows::strings(&[hostile[position - 1]]),
                on_update: Default::default(),
                on_delete: Default::default(),
                match_full: false,
                deferrable: None,
                validated: true,
            };
            tables[position].foreign_keys.push(key);
        }
    }
    rows::create(session.as_mut(), dialect, &tables).await;
    let catalogue = session.introspect().await.unwrap();
    for table in &tables {
        let found = catalogue.tables.get(&table.name).unwrap_or_else(|| panic!("{} is not there", table.name));
        let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, hostile, "{}", table.name);
        assert_eq!(found.primary_key.as_ref().unwrap().columns, table.primary_key.as_ref().unwrap().columns);
        let parents =
            |keys: &[ForeignKey]| keys.iter().map(|k| (k.parent.clone(), k.parent_columns.clone())).collect::<Vec<_>>();
        assert_eq!(parents(&found.foreign_keys), parents(&table.foreign_keys), "{}", table.name);

        let row: Vec<Value> = hostile.iter().map(|_| rows::text("same")).collect();
        assert_eq!(rows::load(session.as_mut(), found, vec![row]).await.unwrap(), 1, "{}", table.name);
        assert_eq!(rows::scan(session.as_mut(), found).await, [vec!["Text same".to_owned(); hostile.len()]]);
        let own = &found.primary_key.as_ref().unwrap().columns;
        assert_eq!(session.duplicates(&found.name, own, 1).await.unwrap().total, 0);
        assert_eq!(session.uuid_spellings(&found.name, &own[0], 1).await.unwrap().total, 0);
    }
    for reference in catalogue.references() {
        assert_eq!(session.dangling(&reference, 1).await.unwrap().total, 0, "{reference}");
    }
    let all: Vec<_> = tables.iter().map(|table| table.name.clone()).collect();
    session.advance_sequences(&all).await.unwrap();
    session.truncate(&all).await.unwrap();
    rows::run(session.as_mut(), &dialect.create_tables(&tables).drop).await;
    assert!(session.introspect().await.unwrap().tables.is_empty());
    session.close().await.unwrap();
}

/// A NUL ends a statement for some and not for others: whoever lets it pass may run half of what was said.
pub(super) async fn a_nul_is_refused(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let good = rows::table("good", vec![rows::column(dialect, "v", rows::any_text())]);
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&good)).await;
    let bad = rows::table("ba\0d", vec![rows::column(dialect, "v", rows::any_text())]);
    for statement in &dialect.create_tables(std::slice::from_ref(&bad)).create {
        assert!(session.execute(statement).await.is_err(), "{statement:?}");
    }
    assert!(session.execute("DELETE FROM good WHERE v = 'a\0' AND v = 'b'").await.is_err());
    assert!(session.query("SELECT 1 \0 FROM nowhere").await.is_err());
    assert!(session.load(&bad, &rows::strings(&["v"]), &mut Given::rows(vec![vec![rows::text("x")]])).await.is_err());
    assert!(session.load(&good, &rows::strings(&["v\0"]), &mut Given::rows(Vec::new())).await.is_err());
    let rowset = Rowset::of(bad.name.clone(), rows::strings(&["v"]));
    assert!(session.scan(&rowset, &mut Seen::default()).await.is_err());
    assert_eq!(session.introspect().await.unwrap().tables.len(), 1);
    session.close().await.unwrap();
}
