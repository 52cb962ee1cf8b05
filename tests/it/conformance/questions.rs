//! Questions that the engine answers about its rows.

use rehearse::model::{Value, catalogue::Reference};

use super::{
    Place,
    rows::{self, text},
};

fn reference(child: &str, columns: &[&str], parent: &str, parent_columns: &[&str], match_full: bool) -> Reference {
    Reference {
        child: child.parse().unwrap(),
        columns: rows::strings(columns),
        parent: parent.parse().unwrap(),
        parent_columns: rows::strings(parent_columns),
        match_full,
    }
}

pub(super) async fn dangling_references_are_counted(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let column = |name: &str| rows::column(dialect, name, rows::integer());
    let text_column = |name: &str| rows::column(dialect, name, rows::any_text());
    let parent = rows::table("parent", vec![column("id"), text_column("word")]);
    let child = rows::table("child", vec![column("id"), column("up"), text_column("word"), column("self")]);
    rows::create(session.as_mut(), dialect, &[parent.clone(), child.clone()]).await;
    let row = |id: i64, up: Value, word: Value, own: Value| vec![Value::Integer(id), up, word, own];
    let whole = [(1, "a"), (2, "b"), (3, "")].map(|(id, word)| vec![Value::Integer(id), text(word)]).to_vec();
    rows::load(session.as_mut(), &parent, whole).await.unwrap();
    let number = Value::Integer;
    let given = vec![
        row(1, number(1), text("a"), Value::Null),
        row(2, number(1), text("b"), number(1)),
        row(3, number(9), text("a"), number(3)),
        row(4, number(9), Value::Null, number(88)),
        row(5, Value::Null, text("zz"), number(88)),
        row(6, Value::Null, Value::Null, Value::Null),
        row(7, number(3), text(""), number(1)),
        row(8, number(3), text(" "), number(1)),
    ];
    rows::load(session.as_mut(), &child, given).await.unwrap();
    let simple = reference("child", &["up"], "parent", &["id"], false);
    let found = session.dangling(&simple, 5).await.unwrap();
    assert_eq!((found.total, found.sample), (2, vec![vec![Some("9".to_owned())]]));
    assert_eq!(session.dangling(&reference("child", &["self"], "child", &["id"], false), 0).await.unwrap().total, 2);
    // A row that leaves a part of its key open refers to nothing, unless the key is MATCH FULL.
    let pair = |match_full| reference("child", &["up", "word"], "parent", &["id", "word"], match_full);
    assert_eq!(session.dangling(&pair(false), 5).await.unwrap().total, 3);
    let found = session.dangling(&pair(true), 1).await.unwrap();
    assert_eq!((found.total, found.sample.len()), (5, 1));
    session.close().await.unwrap();
}

pub(super) async fn duplicates_and_spellings_are_counted(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let table = rows::table(
        "t",
        vec![rows::column(dialect, "n", rows::integer()), rows::column(dialect, "u", rows::any_text())],
    );
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    let spellings = [
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "{11111111-1111-1111-1111-111111111111}",
        "11111111-1111-1111-1111-111111111111",
        "22222222-2222-2222-2222-222222222222",
        "22222222-2222-2222-2222-222222222222",
        "no uuid",
        "NO UUID",
    ];
    let mut given: Vec<Vec<Value>> = spellings.iter().map(|one| vec![Value::Integer(1), text(one)]).collect();
    given.extend([vec![Value::Null, Value::Null], vec![Value::Null, Value::Null], vec![Value::Null, text("no uuid")]]);
    rows::load(session.as_mut(), &table, given).await.unwrap();
    let spelled = session.uuid_spellings(&table.name, "u", 9).await.unwrap();
    assert_eq!((spelled.total, spelled.sample.len()), (2, 2), "{spelled:?}");
    let of = |columns: &[&str]| rows::strings(columns);
    let numbers = session.duplicates(&table.name, &of(&["n"]), 9).await.unwrap();
    assert_eq!((numbers.total, numbers.sample), (7, vec![vec![Some("1".to_owned())]]));
    assert_eq!(session.duplicates(&table.name, &of(&["n", "u"]), 0).await.unwrap().total, 1);
    // In a column whose letters count, `no uuid` and `NO UUID` are two.
    let words = session.duplicates(&table.name, &of(&["u"]), 1).await.unwrap();
    assert_eq!((words.total, words.sample.len()), (2, 1), "{words:?}");
    session.close().await.unwrap();
}
