//! Every engine into every engine, with values that get lost on the way elsewhere.

use super::*;

/// The source's tables: with a key of numbers and references forwards, with one of texts, and with none.
pub(super) fn source(engine: &str) -> &'static str {
    match engine {
        "sqlite" => {
            "CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR(40), note TEXT, active BOOLEAN,
                 amount DECIMAL TEXT(12,2), ratio REAL, born DATE, seen TIMESTAMP, changed TIMESTAMP WITH TIME ZONE,
                 token UUID, raw BLOB, doc JSON TEXT, next_id INTEGER REFERENCES things (id));
             CREATE TABLE tags (code VARCHAR(20) NOT NULL PRIMARY KEY, label TEXT NOT NULL);
             CREATE TABLE log (level VARCHAR(10), line TEXT, old INTEGER);"
        }
        "postgres" => {
            "CREATE TABLE things (id bigint PRIMARY KEY, name varchar(40), note text, active boolean,
                 amount numeric(12,2), ratio double precision, born date, seen timestamp, changed timestamptz,
                 token uuid, raw bytea, doc json, next_id bigint REFERENCES things (id));
             CREATE TABLE tags (code varchar(20) PRIMARY KEY, label text NOT NULL);
             CREATE TABLE log (level varchar(10), line text, old integer);"
        }
        _ => {
            "CREATE TABLE things (id bigint PRIMARY KEY, name varchar(40), note longtext, active boolean,
                 amount decimal(12,2), ratio double, born date, seen datetime(6), changed timestamp(6) NULL,
                 token uuid, raw longblob, doc json, next_id bigint REFERENCES things (id)) COLLATE utf8mb4_bin;
             CREATE TABLE tags (code varchar(20) PRIMARY KEY, label text NOT NULL) COLLATE utf8mb4_bin;
             CREATE TABLE log (level varchar(10), line text, old integer) COLLATE utf8mb4_bin;"
        }
    }
}

/// The target's tables, of which one has another name, and columns others.
pub(super) fn target(engine: &str) -> &'static str {
    match engine {
        "sqlite" => {
            "CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40), remark TEXT, active BOOLEAN,
                 amount DECIMAL TEXT(12,2), ratio REAL, born DATE, seen TIMESTAMP, changed TIMESTAMP WITH TIME ZONE,
                 token UUID, raw BLOB, doc JSON TEXT, next_id INTEGER REFERENCES items (id), origin VARCHAR(10) NOT NULL);
             CREATE TABLE Tags (Code VARCHAR(20) NOT NULL PRIMARY KEY, Label TEXT NOT NULL);
             CREATE TABLE log (level VARCHAR(10), line TEXT, made INTEGER DEFAULT 5);"
        }
        "postgres" => {
            "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40), remark text,
                 active boolean, amount numeric(12,2), ratio double precision, born date, seen timestamp,
                 changed timestamptz, token uuid, raw bytea, doc jsonb, next_id bigint REFERENCES items (id),
                 origin varchar(10) NOT NULL);
             CREATE TABLE tags (code varchar(20) PRIMARY KEY, label text NOT NULL);
             CREATE INDEX tags_label ON tags (label);
             CREATE TABLE log (level varchar(10), line text, made integer DEFAULT 5);"
        }
        _ => {
            "CREATE TABLE items (id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(40), remark longtext, active boolean,
                 amount decimal(12,2), ratio double, born date, seen datetime(6), changed timestamp(6) NULL,
                 token uuid, raw longblob, doc json, next_id bigint REFERENCES items (id), origin varchar(10) NOT NULL)
                 COLLATE utf8mb4_bin;
             CREATE TABLE tags (code varchar(20) PRIMARY KEY, label text NOT NULL) COLLATE utf8mb4_bin;
             CREATE TABLE log (level varchar(10), line text, made integer DEFAULT 5) COLLATE utf8mb4_bin;"
        }
    }
}

/// What names and types cannot tell.
pub(super) const MAPPING: &str = r#"
format_version = 1

[[copy]]
source = "things"
target = "items"
columns.note = { target = "remark" }
constants.origin = "it's old"

[[copy]]
source = "log"
target = "log"
source_where = "level <> 'debug' -- and NULL is neither"
skipped = "nobody reads them"
columns.level = { values = { warn = "warning" } }
columns.old = { dropped = "always the same" }
defaults.made = "new in the target"
"#;

const DAY: i64 = 86_400_000_000;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Things with values that get lost elsewhere; each but the last refers to one that comes later.
fn things() -> impl Iterator<Item = Vec<Value>> {
    let nasty = [
        "",
        " ",
        "NULL",
        "\\N",
        "<null>",
        "it's \"so\" `so` \\ \t\r\n%_",
        "e\u{301} é ß İ",
        "😀𝔘",
        "\u{200b}\u{202e}x\u{feff}",
        "Ã©",
    ];
    (0..40_i64).map(move |number| {
        let id = match number {
            0 => -5,
            1 => 0,
            39 => 9_007_199_254_740_993,
            other => other * 3,
        };
        let next = match number {
            39 => Value::Null,
            38 => Value::Integer(9_007_199_254_740_993),
            0 => Value::Integer(0),
            other => Value::Integer((other + 1) * 3),
        };
        if number == 1 {
            return [vec![Value::Integer(id)], vec![Value::Null; 12]].concat();
        }
        let nasty = nasty[number as usize % nasty.len()];
        let amounts = ["0.00", "-0.01", "9999999999.99", "-9999999999.99", "1.10", "100"];
        let ratios = [0.1, 0.1 + 0.2, 1e300, -1.5e-300, 0.0, 9_007_199_254_740_992.0];
        let days = [-719_162, -1, 0, 19_782, 2_932_896];
        let micros = [0, 1, -1, DAY * 19_782 + 86_399_999_999, DAY * 2_932_896 + DAY - 1];
        let at = number as usize;
        vec![
            Value::Integer(id),
            text(&if number == 5 { "ä".repeat(40) } else { format!("{nasty}{number}") }),
            text(&if number == 7 { "long ".repeat(300_000) } else { nasty.to_owned() }),
            Value::Boolean(number % 2 == 0),
            Value::Decimal(amounts[at % amounts.len()].to_owned()),
            Value::Float(ratios[at % ratios.len()]),
            Value::Date(days[at % days.len()]),
            Value::Timestamp(micros[at % micros.len()]),
            // What a `timestamp` of MariaDB holds.
            Value::TimestampTz(1_000_000 * (1 + number * 40_000_000) + number),
            Value::Uuid(std::array::from_fn(|byte| if byte == 6 { 0x40 } else { (at + byte) as u8 })),
            Value::Bytes((0..number as u8 * 6).collect()),
            Value::Json(format!(r#"{{"b": [1, null, {number}.50, "é\n"], "a": {{"": true}}, "text": "null"}}"#)),
            next,
        ]
    })
}

fn tags() -> impl Iterator<Item = Vec<Value>> {
    let odd = ["O'Brien\\", "a", "A", "é", "10", "9", "-", "Z z", "\u{1F600}"];
    let even = (0..20).map(|number| format!("k{number:02}"));
    odd.map(str::to_owned).into_iter().chain(even).map(|code| vec![text(&code), text(&format!("label of {code}"))])
}

fn log() -> impl Iterator<Item = Vec<Value>> {
    let levels = [text("debug"), text("warn"), text("info"), text("info"), Value::Null];
    (0..30).map(move |number| vec![levels[number % 5].clone(), text("the same line"), Value::Integer(1)])
}

/// A filled source and an empty target.
pub(super) async fn case(places: &Places, from: &str, to: &str, config: Json) -> Case {
    let addresses = Sides::new(places.database(from).await, places.database(to).await);
    execute(&addresses.source, source(from)).await;
    execute(&addresses.target, target(to)).await;
    fill(&addresses.source, "things", things()).await;
    fill(&addresses.source, "tags", tags()).await;
    fill(&addresses.source, "log", log()).await;
    Case::new(places, addresses, MAPPING, config)
}

pub(super) async fn every_engine_copies_into_every_engine_and_back(places: &Places) {
    for from in places.engines() {
        for to in places.engines() {
            let case = case(places, from, to, json!({})).await;
            let (source, empty) = (case.state(Side::Source).await, case.state(Side::Target).await);
            let done = case.forward().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
            // 6 of each 30 lines of the log are debug, and 6 have no level.
            assert_eq!(done.rows, 40 + 29 + 18, "{from} into {to}");
            assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}");
            assert_eq!(case.count("log WHERE made = 5 AND level <> 'warn'").await, 18, "{from} into {to}");
            assert_eq!(case.count("items WHERE origin = 'it''s old'").await, 40, "{from} into {to}");
            let back = case.back().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
            assert_eq!(back.rows, 40 + 29 + 18, "{from} into {to}");
            assert_eq!(case.state(Side::Target).await, empty, "{from} into {to}");
            assert_eq!(case.state(Side::Source).await, source, "{from} into {to}");
            // Nothing is left to take back.
            assert_eq!(case.back().await.unwrap().rows, 0, "{from} into {to}");
        }
    }
}

/// A change behind the copy's back, and the check that has to see it.
#[tokio::test(flavor = "multi_thread")]
async fn the_comparison_finds_what_a_copy_would_have_done_wrong() {
    let places = Places::with("the_comparison_finds_what_a_copy_would_have_done_wrong", &[]).await;
    let case = case(&places, "sqlite", "sqlite", json!({})).await;
    case.forward().await.unwrap();
    for (change, back, finds) in [
        ("UPDATE items SET origin = 'x' WHERE id = 6", "UPDATE items SET origin = 'it''s old'", "checksum"),
        (
            "UPDATE log SET level = 'warn' WHERE level = 'warning'",
            "UPDATE log SET level = 'warning' WHERE level = 'warn'",
            "checksum",
        ),
        ("INSERT INTO log VALUES ('debug', 'the same line', 5)", "DELETE FROM log WHERE level = 'debug'", "row_count"),
        (
            "UPDATE items SET remark = name, name = remark WHERE id = 12",
            "UPDATE items SET remark = name, name = remark WHERE id = 12",
            "checksum",
        ),
    ] {
        execute(&case.task.addresses.target, change).await;
        let said = case.said().await;
        assert!(said.iter().any(|line| line.starts_with(finds)), "{change}: {said:?}");
        execute(&case.task.addresses.target, back).await;
        assert_eq!(case.said().await, Vec::<String>::new(), "{back}");
    }
}

/// The mapping that the README shows, on the shop that it is about.
pub(super) async fn the_mapping_of_the_readme_does_what_it_says(places: &Places) {
    let mapping = fs::read_to_string(crate::support::root().join("fixtures/mapping/copy.toml")).unwrap();
    for engine in places.engines() {
        let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
        execute(
            &addresses.source,
            "CREATE TABLE customer (id INTEGER PRIMARY KEY, first_nm TEXT, nm TEXT, st TEXT, vip TEXT, legacy_code TEXT,
                 greeting_de TEXT, greeting_en TEXT, town_code TEXT);
             INSERT INTO customer VALUES (1, 'Ada', 'One', 'A', 'yes', 'x', 'Grüß Gott', 'Hello', 'W'),
                 (2, 'Bob', 'Two', 'I', 'f', NULL, '', 'Hi', 'L'), (3, 'Cy', 'Three', 'Q', NULL, 'y', NULL, NULL, 'X'),
                 (4, NULL, 'Four', NULL, '1', 'z', 'Servus', '', NULL);
             CREATE TABLE town (code TEXT PRIMARY KEY, name TEXT);
             INSERT INTO town VALUES ('W', 'Vienna'), ('L', 'Linz');
             CREATE TABLE parcel (id INTEGER PRIMARY KEY, customer_id INTEGER, sent DATE, delivered DATE);
             INSERT INTO parcel VALUES (1, 1, NULL, NULL), (2, 1, '2024-01-01', NULL), (3, 2, '2024-01-01', '2024-01-02');
             CREATE TABLE tmp_import (x);",
        )
        .await;
        execute(
            &addresses.target,
            "CREATE TABLE customers (id integer PRIMARY KEY, last_name varchar(20), full_name varchar(40), status varchar(10),
                 vip boolean, greeting varchar(80), town varchar(20), shop varchar(10) NOT NULL,
                 created_by varchar(10) DEFAULT 'nobody');
             CREATE TABLE parcels_open (id integer PRIMARY KEY, customer_id integer, sent date, delivered date);
             CREATE TABLE parcels_done (id integer PRIMARY KEY, customer_id integer, sent date, delivered date);",
        )
        .await;
        let case = Case::new(places, addresses, &mapping, json!({}));
        let done = case.forward().await.unwrap_or_else(|error| panic!("{engine}: {error:?}"));
        assert_eq!(
            (done.rows, case.count("parcels_open").await, case.count("parcels_done").await),
            (6, 1, 1),
            "{engine}"
        );
        let known = "shop = 'vienna' AND created_by = 'nobody' AND ((id = 1 AND vip AND status = 'active' AND town = 'Vienna') OR \
                     (id = 2 AND NOT vip AND full_name = 'Bob Two' AND greeting = '{\"de\":null,\"en\":\"Hi\"}') OR \
                     (id = 3 AND status IS NULL AND vip IS NULL AND town IS NULL) OR \
                     (id = 4 AND full_name IS NULL AND last_name = 'Four'))";
        assert_eq!(case.count(&format!("customers WHERE {known}")).await, 4, "{engine}");
        assert_eq!(case.said().await, Vec::<String>::new(), "{engine}");
        let Endpoint::File(target) = &case.task.addresses.target.endpoint else { continue };
        let Endpoint::File(source) = &case.task.addresses.source.endpoint else { unreachable!() };
        // An audit reads the same file.
        let (source, target) = (source.to_str().unwrap(), target.to_str().unwrap());
        let mapping = ["--mapping", "fixtures/mapping/copy.toml"];
        let audit =
            places.sandbox.rehearse(&[&["audit", "--source", source, "--target", target], &mapping[..]].concat());
        let report = places.sandbox.report("audit");
        let outcome = |id: &str| {
            let checks = &report.scenarios[0].checks;
            checks.iter().find(|check| check.id == id).map(|check| check.outcome.clone())
        };
        let passed = Some(rehearse::model::Outcome::Passed);
        assert_eq!(
            (outcome("row_count"), outcome("checksum"), outcome("mapping")),
            (passed.clone(), passed.clone(), passed),
            "{audit:?}"
        );
    }
}

/// Keys become UUIDs that follow from them, and so do references, without a table between.
pub(super) async fn uuids_follow_from_keys_and_references_with_them(places: &Places) {
    let mapping = r#"
        format_version = 1
        system = "education"
        [[copy]]
        source = "users"
        target = "users"
        columns.id = { uuid = "users" }
        columns.state = { values = { A = "active" }, other_value = "unknown" }
        [[copy]]
        source = "notes"
        target = "notes"
        columns.user_id = { target = "author", uuid = "users" }
        # Looked up by a name, and put together from two columns.
        columns.of_name = { target = "editor", source_sql = "(SELECT u.id FROM users u WHERE u.name = edited_by)", uuid = "users" }
        columns.edited_by = { dropped = "a key says it" }
        columns.both = { target = "title", source_sql = "JSON(title_de, title_en)", as = "json" }
        columns.title_de = { dropped = "part of the title" }
        columns.title_en = { dropped = "part of the title" }
        # Both keys beside each other, for whoever has the old one.
        [[copy]]
        source = "users"
        target = "user_keys"
        columns.id = { target = "legacy_id" }
        columns.new_id = { target = "id", source_sql = "id", uuid = "users" }
        columns.state = { dropped = "in the users themselves" }
        columns.name = { dropped = "in the users themselves" }
    "#;
    let engines = places.engines();
    // Each once on either side.
    for (from, to) in engines.iter().copied().zip(engines.iter().copied().cycle().skip(1)) {
        let addresses = Sides::new(places.database(from).await, places.database(to).await);
        execute(
            &addresses.source,
            "CREATE TABLE users (id integer PRIMARY KEY, state varchar(3), name varchar(10));
             CREATE TABLE notes (id integer PRIMARY KEY, user_id integer, edited_by varchar(10), title_de varchar(10),
                 title_en varchar(10));
             INSERT INTO users VALUES (7, 'A', 'ada'), (42, 'Q', 'bob'), (-1, NULL, NULL);
             INSERT INTO notes VALUES (1, 42, 'ada', 'Eins', 'One'), (2, NULL, 'bob', NULL, 'Two'),
                 (3, 42, NULL, 'Ä\"', ''), (4, -1, 'nobody', 'Vier', 'Four');",
        )
        .await;
        execute(
            &addresses.target,
            "CREATE TABLE users (id uuid PRIMARY KEY, state varchar(10), name varchar(10));
             CREATE TABLE user_keys (legacy_id integer PRIMARY KEY, id uuid);
             CREATE TABLE notes (id integer PRIMARY KEY, author uuid, editor uuid, title json,
                 FOREIGN KEY (author) REFERENCES users (id), FOREIGN KEY (editor) REFERENCES users (id));",
        )
        .await;
        let json = if from == "postgres" { "json_build_object" } else { "json_object" };
        let mapping = mapping.replace("JSON(", &format!("{json}('de', ")).replace(", title_en)", ", 'en', title_en)");
        let case = Case::new(places, addresses, &mapping, json!({}));
        case.forward().await.unwrap_or_else(|error| panic!("{from} into {to}: {error:?}"));
        assert_eq!(case.said().await, Vec::<String>::new(), "{from} into {to}");
        let step = case.play(Direction::Back, None).await.unwrap().and(case.forward().await).unwrap();
        assert!(
            step.notes[0].starts_with("1 rows of `users`: `state` has a value"),
            "{from} into {to}: {:?}",
            step.notes
        );
        // By Python's uuid5(uuid5(uuid5(NAMESPACE_OID, "education"), "users"), "42").
        let known = "id = '2a1ea693-a5db-5659-94ce-60b26c9424e6' AND state = 'unknown'";
        assert_eq!(case.count(&format!("users WHERE {known}")).await, 1, "{from} into {to}");
        assert_eq!(case.count("notes WHERE author IN (SELECT id FROM users)").await, 3, "{from} into {to}");
        assert_eq!(case.count("notes WHERE editor IN (SELECT id FROM user_keys WHERE legacy_id IN (7, 42))").await, 2);
        // A row that refers to another user is found.
        let other = "(SELECT id FROM users WHERE state = 'active')";
        execute(&case.task.addresses.target, &format!("UPDATE notes SET author = {other} WHERE id = 3")).await;
        assert!(case.said().await.iter().any(|line| line.starts_with("checksum")), "{from} into {to}");
    }
}
