//! Tables are cut by keys that have holes, few or wide, on every engine.

use super::*;

/// Keys with holes that are alike, and keys that are dense in the middle and far apart at both ends of their type.
fn keys() -> [Vec<i64>; 2] {
    let alike = (-50..50).map(|n| n * 1000 + 7).collect();
    let ends = [i64::from(i32::MIN), i64::from(i32::MIN) + 1, i64::from(i32::MAX)];
    [alike, (-40..40).chain((1..30).map(|n| n * 1000)).chain(ends).collect()]
}

pub(super) async fn no_part_has_more_rows_than_it_should(places: &Places) {
    for engine in places.engines() {
        for keys in keys() {
            is_cut(places, engine, &keys).await;
        }
    }
}

async fn is_cut(places: &Places, engine: &str, keys: &[i64]) {
    let addresses = Sides::new(places.database(engine).await, places.database("sqlite").await);
    execute(&addresses.source, "CREATE TABLE t (id integer PRIMARY KEY, v integer)").await;
    execute(&addresses.target, "CREATE TABLE t (id integer PRIMARY KEY, v integer)").await;
    fill(&addresses.source, "t", keys.iter().map(|key| vec![Value::Integer(*key), Value::Integer(1)])).await;
    let case = Case::new(places, addresses, "", json!({}));
    let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
    assert_eq!(done.rows, keys.len() as u64, "{engine}");
    let cuts: Json = serde_json::from_slice(&fs::read(case.task.folder.join("parts.json")).unwrap()).unwrap();
    let bounds = cuts[0]["bounds"].as_array().unwrap().iter();
    let bounds: Vec<i64> = bounds.map(|bound| bound.as_str().unwrap().parse().unwrap()).collect();
    let mut parts = vec![0; bounds.len() + 1];
    keys.iter().for_each(|key| parts[bounds.iter().filter(|bound| key >= *bound).count()] += 1);
    assert!(bounds.is_sorted() && parts.iter().all(|rows| (1..=7).contains(rows)), "{engine}: {bounds:?} {parts:?}");
    assert_eq!(case.said().await, Vec::<String>::new(), "{engine}");
}
