//! Tables made from the model, and read back into it.

use rehearse::model::catalogue::{Action, CheckConstraint, ForeignKey, Generation, Index, IndexPart, Key, Table};

use super::{Feature, Place, rows};

fn part(column: &str, descending: bool) -> IndexPart {
    IndexPart { column: Some(column.to_owned()), expression: None, descending, collation: None, prefix: None }
}

fn index(name: &str, unique: bool, parts: Vec<IndexPart>, predicate: Option<&str>) -> Index {
    Index { name: name.to_owned(), unique, parts, predicate: predicate.map(str::to_owned), method: None, valid: true }
}

fn tables(place: &Place) -> Vec<Table> {
    let dialect = place.engine.dialect();
    let column = |name: &str, kind| rows::column(dialect, name, kind);
    let named = |name: &str, columns: &[&str]| Key { name: Some(name.to_owned()), columns: rows::strings(columns) };
    let mut parent = rows::table(
        "parent",
        vec![
            column("id", rows::integer()),
            column("code", rows::key_text()),
            column("amount", rows::integer()),
            column("twice", rows::integer()),
        ],
    );
    parent.columns[0].nullable = false;
    parent.columns[0].generation = Generation::RowId { autoincrement: true };
    parent.columns[1].nullable = false;
    parent.columns[1].default = Some("'it''s'".to_owned());
    parent.columns[3].generation = Generation::Computed { expression: "amount * 2".to_owned(), stored: true };
    parent.primary_key = Some(rows::key(&["id"]));
    parent.uniques = vec![named("parent_code_key", &["code", "amount"])];
    parent.checks = vec![CheckConstraint { name: Some("positive".to_owned()), expression: "amount > 0".to_owned() }];
    parent.indexes = vec![
        index(
            "parent_amount",
            false,
            vec![part("amount", true), part("code", false)],
            place.has(Feature::PartialIndexes).then_some("amount > 5"),
        ),
        index("parent_amount_once", true, vec![part("amount", false)], None),
    ];
    if !place.has(Feature::UniqueConstraints) {
        // Every unique index is a key there, and only a key.
        parent.indexes.pop();
    }
    parent.uniques.push(named("parent_amount_once", &["amount"]));
    let mut child = rows::table(
        "child",
        vec![
            column("x", rows::integer()),
            column("y", rows::key_text()),
            column("up", rows::integer()),
            column("code", rows::key_text()),
            column("amount", rows::integer()),
        ],
    );
    child.columns[0].nullable = false;
    child.columns[1].nullable = false;
    child.primary_key = Some(rows::key(&["y", "x"]));
    let key = |name: &str, columns: &[&str], parent_columns: &[&str], on_update, on_delete, deferrable| ForeignKey {
        name: Some(name.to_owned()),
        columns: rows::strings(columns),
        parent: "parent".parse().unwrap(),
        parent_columns: rows::strings(parent_columns),
        on_update,
        on_delete,
        match_full: false,
        deferrable,
        validated: true,
    };
    let deferrable = place.has(Feature::DeferrableKeys).then_some(true);
    child.foreign_keys = vec![
        key("child_up", &["up"], &["id"], Action::Cascade, Action::SetNull, deferrable),
        key("child_code", &["code", "amount"], &["code", "amount"], Action::NoAction, Action::Restrict, None),
    ];
    vec![parent, child]
}

/// What both the model and the engine say about a table; names that an engine gives by itself are left out.
fn told(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| {
        let generation = match &column.generation {
            Generation::None => "",
            Generation::Computed { .. } => "computed",
            _ => "counts",
        };
        format!("{} {} {} {:?} {generation}", column.name, column.kind, column.nullable, column.default.is_some())
    });
    let keys = table.uniques.iter().map(|key| format!("{:?} {:?}", key.name, key.columns));
    let references = table.foreign_keys.iter().map(|key| {
        let to = format!("{:?} {:?} -> {}{:?}", key.name, key.columns, key.parent, key.parent_columns);
        format!("{to} {} {} {:?} {}", key.on_update, key.on_delete, key.deferrable, key.validated)
    });
    let indexes = table.indexes.iter().map(|index| {
        let parts: Vec<_> = index.parts.iter().map(|part| (part.column.clone(), part.descending)).collect();
        format!("{} {} {parts:?} {} {}", index.name, index.unique, index.predicate.is_some(), index.valid)
    });
    let checks = table.checks.iter().map(|check| format!("{:?}", check.name));
    let sorted = |all: Vec<String>| {
        let mut all = all;
        all.sort();
        all.join("\n")
    };
    format!(
        "columns {}\nkey {:?}\nuniques {}\nreferences {}\nindexes {}\nchecks {}",
        columns.collect::<Vec<_>>().join("\n"),
        table.primary_key.as_ref().map(|key| &key.columns),
        sorted(keys.collect()),
        sorted(references.collect()),
        sorted(indexes.collect()),
        sorted(checks.collect()),
    )
}

pub(super) async fn what_was_created_is_read_back_and_dropped(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let before = session.introspect().await.unwrap();
    assert!(before.tables.is_empty() && before.sequences.is_empty(), "{before:?}");
    let wanted = tables(place);
    rows::create(session.as_mut(), dialect, &wanted).await;
    let first = session.introspect().await.unwrap();
    for table in &wanted {
        assert_eq!(told(&first.tables[&table.name]), told(table), "{}", table.name);
    }
    assert!(session.execute("INSERT INTO parent (amount) VALUES (-1)").await.is_err(), "the check is enforced");
    session.execute("INSERT INTO parent (amount) VALUES (9)").await.unwrap();
    let made = session.query("SELECT code, twice FROM parent").await.unwrap();
    assert_eq!(made[0].iter().flatten().map(String::as_str).collect::<Vec<_>>(), ["it's", "18"]);
    session.execute("DELETE FROM parent").await.unwrap();

    // What was read back makes the same tables once more, and reads back as the same.
    rows::run(session.as_mut(), &dialect.create_tables(&wanted).drop).await;
    let empty = session.introspect().await.unwrap();
    assert_eq!(empty.objects, before.objects, "nothing is left");
    let again: Vec<Table> = first.tables.values().cloned().collect();
    rows::create(session.as_mut(), dialect, &again).await;
    let second = session.introspect().await.unwrap();
    assert_eq!(second.tables, first.tables);
    assert_eq!(second.objects, first.objects);
    session.close().await.unwrap();
}
