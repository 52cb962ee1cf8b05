//! What a mapping makes of several columns (JSON) and of another table (a lookup).

use rehearse::model::chain;

use super::*;

/// An engine's words for types that are not called the same everywhere.
fn typed(engine: &str, sql: &str) -> String {
    let (moment, json) = match engine {
        "postgres" => ("timestamp", "jsonb"),
        "mariadb" => ("datetime(6)", "json"),
        _ => ("timestamp", "json"),
    };
    sql.replace("MOMENT", moment).replace("JSON", json)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_made_of_several_columns_and_of_other_tables() {
    let places = Places::with("values_are_made_of_several_columns_and_of_other_tables", &["postgres", "mariadb"]).await;
    let engines = places.engines();
    // Each once on either side, and into itself.
    let around = engines.iter().copied().zip(engines.iter().copied().cycle().skip(1));
    for (from, to) in around.chain(engines.iter().map(|engine| (*engine, *engine))) {
        several_columns_become_one_of_json(&places, from, to).await;
        another_table_has_the_value_for_a_key(&places, from, to).await;
    }
}

const OF_JSON: &str = r#"
format_version = 1
[[copy]]
source = "things"
target = "things"
rejects = "keep"
columns.title = { json = { az = "name_az", ru = "name_ru", en = "name_en" }, empty_texts = "null" }
# What else is made of a column is no matter for the object that it is a member of.
columns.name_ru = { target = "upper_ru", source_sql = "upper(name_ru)" }
columns.all = { target = "facts", json = { id = "id", amount = "amount", ratio = "ratio", active = "active", born = "born", seen = "seen", "it's \"odd\\" = "name_az" } }
"#;

async fn several_columns_become_one_of_json(places: &Places, from: &str, to: &str) {
    let addresses = Sides::new(places.database(from).await, places.database(to).await);
    let source = typed(
        from,
        "CREATE TABLE things (id integer PRIMARY KEY, name_az varchar(20), name_ru varchar(20), name_en varchar(20),
             amount decimal(10,2), ratio double precision, active boolean, born date, seen MOMENT);",
    );
    execute(&addresses.source, &source).await;
    let backslash = if from == "mariadb" { "\\\\" } else { "\\" };
    let rows = r#"INSERT INTO things VALUES
        (1, 'Ağ "dam"', 'Дом', 'C:\x', 1.5, 0.30000000000000004, true, '2024-01-02', '2024-01-02 03:04:05.5'),
        (2, '', NULL, '{}', -7, 1e300, false, NULL, '2024-01-02 03:04:05'),
        (3, NULL, '', 'null', NULL, NULL, NULL, '1999-12-31', NULL),
        (4, '12', ' ', 'true', 0.05, 0.1, true, NULL, NULL),
        (5, 'x', 'y', 'z', 123456.78, 1.0, false, NULL, '2000-01-01 00:00:00.000001')"#;
    execute(&addresses.source, &rows.replace('\\', backslash)).await;
    let target = "CREATE TABLE things (id integer PRIMARY KEY, title JSON, upper_ru varchar(20), facts varchar(300));";
    execute(&addresses.target, &typed(to, target)).await;
    let case = Case::new(places, addresses, OF_JSON, json!({}));
    let (empty, target) = (case.state(Side::Target).await, &case.task.addresses.target);
    let done = case.forward().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
    assert_eq!((done.rows, done.notes), (5, Vec::new()), "{from} into {to}");
    // In SQLite a decimal is a number like any other.
    let amount = if from == "sqlite" { "1.5" } else { "1.50" };
    let told = ask(target, "SELECT facts FROM things ORDER BY id").await;
    let expected = format!(
        r#"{{"id":1,"amount":{amount},"ratio":0.30000000000000004,"active":true,"born":"2024-01-02","seen":"2024-01-02 03:04:05.5","it's \"odd\\":"Ağ \"dam\""}}"#
    );
    assert_eq!(told[0][0].as_deref(), Some(expected.as_str()), "{from} into {to}");
    let told = ask(target, "SELECT title FROM things ORDER BY id").await;
    let titles: Vec<Json> = told.iter().map(|row| serde_json::from_str(row[0].as_ref().unwrap()).unwrap()).collect();
    let title = |az: Option<&str>, ru: Option<&str>, en: &str| json!({ "az": az, "ru": ru, "en": en });
    assert_eq!(titles[0], title(Some("Ağ \"dam\""), Some("Дом"), "C:\\x"), "{from} into {to}");
    assert_eq!(titles[1], title(None, None, "{}"), "{from} into {to}");
    // Blanks are a text, and what looks like another value is one, too.
    assert_eq!(titles[3], title(Some("12"), Some(" "), "true"), "{from} into {to}");
    assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}");
    // A member under another name, one too many, of another type, and of another value.
    for (is, was) in [
        (r#""born":"#, r#""bron":"#),
        (r#"{"id""#, r#"{"more":null,"id""#),
        (r#""active":true"#, r#""active":1"#),
        ("0.30000000000000004", "0.3"),
    ] {
        let change =
            |is: &str, was: &str| format!("UPDATE things SET facts = replace(facts, '{is}', '{was}') WHERE id = 1");
        execute(target, &change(is, was)).await;
        assert!(case.said().await.iter().any(|line| line.starts_with("checksum")), "{from} into {to}: {was}");
        execute(target, &change(was, is)).await;
        assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}: {is}");
    }
    case.back().await.unwrap();
    assert_eq!(case.state(Side::Target).await, empty, "{from} into {to}");
}

const LOOKED_UP: &str = r#"
format_version = 1
system = "education"
[[copy]]
source = "units"
target = "units"
columns.id = { uuid = "units" }
columns.code = { dropped = "staff are tied to keys" }
columns.kind = { dropped = "the staff say it" }
[[copy]]
source = "staff"
target = "staff"
rejects = "keep"
columns.unit = { target = "unit_id", uuid = "units", lookup = { table = "units", key = "code", value = "id" } }
columns.in_unit = { target = "kind", values = { A = "academic" }, other_values = "null", lookup = { table = "units", key = "id", value = "kind" } }
columns.deputy = { target = "deputy_name", lookup = { table = "staff", key = "id", value = "name" } }
columns.room = { target = "floor", lookup = { table = "rooms", key = "code", value = "floor" } }
[[copy]]
source = "rooms"
dropped = "only looked up"
"#;

async fn another_table_has_the_value_for_a_key(places: &Places, from: &str, to: &str) {
    let addresses = Sides::new(places.database(from).await, places.database(to).await);
    // Codes that differ in case alone are two; a room's number is a text in one table and a number in the other.
    execute(
        &addresses.source,
        "CREATE TABLE units (id integer PRIMARY KEY, code varchar(10), kind varchar(3));
         CREATE TABLE rooms (code varchar(10) PRIMARY KEY, floor integer);
         CREATE TABLE staff (id integer PRIMARY KEY, name varchar(10), unit varchar(10), in_unit integer, deputy integer,
             room integer);
         INSERT INTO units VALUES (1, 'math', 'A'), (2, 'MATH', 'B'), (3, NULL, 'A'), (4, NULL, NULL);
         INSERT INTO rooms VALUES ('101', 1), ('202', 2), ('303', NULL);
         INSERT INTO staff VALUES (1, 'Ann', 'math', 1, 2, 101), (2, 'Bo', 'MATH', 2, NULL, 202),
             (3, 'Cy', 'math', 3, 9, 303), (4, 'Di', 'Math', 1, 1, 101), (5, 'Ed', NULL, 1, 1, 101),
             (6, 'Flo', 'MATH', 4, 4, 7);",
    )
    .await;
    execute(
        &addresses.target,
        "CREATE TABLE units (id uuid PRIMARY KEY);
         CREATE TABLE staff (id integer PRIMARY KEY, name varchar(10), unit_id uuid NOT NULL, kind varchar(10),
             deputy_name varchar(10), floor integer, FOREIGN KEY (unit_id) REFERENCES units (id));",
    )
    .await;
    let case = Case::new(places, addresses, LOOKED_UP, json!({}));
    let Sides { source, target } = &case.task.addresses;
    let empty = case.state(Side::Target).await;
    let done = case.forward().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
    assert_eq!(done.rows, 4 + 4, "{from} into {to}");
    let note = "1 rows of `staff`: `in_unit` has a value that its map does not name, and became NULL";
    assert_eq!(done.notes[0], note, "{from} into {to}");
    let told = ask(target, "SELECT id, kind, deputy_name, floor FROM staff ORDER BY id").await;
    let told: Vec<String> =
        told.iter().map(|row| row.iter().map(|one| one.as_deref().unwrap_or("-")).collect()).collect();
    assert_eq!(told, ["1academicBo1", "2--2", "3academic--", "6-Di-"], "{from} into {to}");
    // By Python's uuid5(uuid5(uuid5(NAMESPACE_OID, "education"), "units"), "1"): of the key and not of the code.
    let of_one = "unit_id = 'a1e9fc8a-6199-5e2d-bdea-d59cc9f664bb'";
    assert_eq!(case.count(&format!("staff WHERE {of_one}")).await, 2, "{from} into {to}");
    let sql = "SELECT source_key, source_column, reason FROM rehearse_rejects ORDER BY source_key";
    let kept: Vec<String> =
        ask(target, sql).await.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        r#"{"id":"4"} unit holds a value that `units.code` does not have"#,
        r#"{"id":"5"} unit holds NULL, and the target has to have a value"#,
    ];
    assert_eq!(kept, expected, "{from} into {to}");
    // Without them every row of the one side is on the other.
    case.back().await.unwrap();
    execute(source, "DELETE FROM staff WHERE id IN (4, 5)").await;
    case.forward().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
    assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}");
    for (change, back) in [
        (
            "UPDATE staff SET unit_id = (SELECT unit_id FROM staff WHERE id = 2) WHERE id = 3",
            "UPDATE staff SET unit_id = (SELECT unit_id FROM staff WHERE id = 1) WHERE id = 3",
        ),
        ("UPDATE staff SET deputy_name = 'Di' WHERE id = 1", "UPDATE staff SET deputy_name = 'Bo' WHERE id = 1"),
        ("UPDATE staff SET floor = 3 WHERE id = 3", "UPDATE staff SET floor = NULL WHERE id = 3"),
    ] {
        execute(
            target,
            &format!(
                "CREATE TABLE spare AS SELECT id, unit_id FROM staff; {}",
                change.replace("FROM staff", "FROM spare")
            ),
        )
        .await;
        assert!(case.said().await.iter().any(|line| line.starts_with("checksum")), "{from} into {to}: {change}");
        execute(target, &format!("{}; DROP TABLE spare", back.replace("FROM staff", "FROM spare"))).await;
        assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}: {back}");
    }
    case.back().await.unwrap();
    assert_eq!(case.state(Side::Target).await, empty, "{from} into {to}");
    // A key of two rows has no one value.
    execute(source, "INSERT INTO units VALUES (5, 'math', 'C')").await;
    let error = chain(&case.forward().await.unwrap_err());
    let says = "mapping.toml:14: copy[1].columns.unit.lookup: 1 values of `units.code` are in more than one row of `units`; \
                expected a key that each row has for itself";
    assert!(error.contains(says), "{error}");
    assert_eq!(case.state(Side::Target).await, empty, "{from} into {to}");
}
