//! Values at the edges of every type that an engine declares.

use rehearse::{
    engine::EngineError,
    model::{LogicalType, Value},
};

use super::{
    Place, mariadb_values,
    rows::{self, text},
};

/// A value, and the cell that must come back where the column's type binds its values.
type Edge = (Value, &'static str);

/// One of each kind that there is a word for.
fn kinds() -> Vec<LogicalType> {
    use LogicalType as T;
    vec![
        T::Boolean,
        T::Integer { bits: 16 },
        T::Integer { bits: 32 },
        T::Integer { bits: 64 },
        T::Decimal { precision: Some(10), scale: Some(2) },
        T::Decimal { precision: Some(38), scale: Some(9) },
        T::Decimal { precision: None, scale: None },
        T::Float32,
        T::Float64,
        T::Text { limit: None },
        T::Text { limit: Some(3) },
        T::PaddedText { length: 5 },
        T::Bytes,
        T::Uuid,
        T::Date,
        T::Time,
        T::TimeTz,
        T::Timestamp,
        T::TimestampTz,
        T::Interval,
        T::Json { binary: false },
        T::Json { binary: true },
        T::Bits,
        T::Network,
        T::MacAddress,
        T::Set { labels: rows::strings(&["sad", "glad"]) },
        T::Enum { labels: rows::strings(&["sad", "glad"]) },
        T::Array(Box::new(T::Integer { bits: 32 })),
        T::Array(Box::new(T::Text { limit: None })),
        T::Any,
    ]
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.to_owned())
}

fn json(text: &str) -> Value {
    Value::Json(text.to_owned())
}

/// Exhaustive, so that nobody can add a kind without its edges.
fn edges(kind: &LogicalType) -> Vec<Edge> {
    match kind {
        LogicalType::Boolean => vec![(Value::Boolean(true), "Boolean true"), (Value::Boolean(false), "Boolean false")],
        LogicalType::Integer { bits } => integers(*bits),
        LogicalType::Decimal { precision: Some(10), .. } => vec![
            (decimal("1.10"), "Decimal 1.10"),
            (decimal("1.1"), "Decimal 1.10"),
            (decimal("-0.01"), "Decimal -0.01"),
            (decimal("99999999.99"), "Decimal 99999999.99"),
            (decimal("-99999999.99"), "Decimal -99999999.99"),
            (decimal("0"), "Decimal 0.00"),
            (Value::Integer(7), "Decimal 7.00"),
        ],
        LogicalType::Decimal { precision: Some(_), .. } => vec![
            (decimal("12345678901234567890123456789.123456789"), "Decimal 12345678901234567890123456789.123456789"),
            (decimal("0.000000001"), "Decimal 0.000000001"),
            (decimal("9007199254740993.000000000"), "Decimal 9007199254740993.000000000"),
        ],
        LogicalType::Decimal { precision: None, .. } => vec![
            (decimal("1.10"), "Decimal 1.10"),
            (decimal("1.1"), "Decimal 1.1"),
            (decimal("100.00"), "Decimal 100.00"),
            (decimal("12345678901234567.89"), "Decimal 12345678901234567.89"),
            (decimal("18446744073709551616"), "Decimal 18446744073709551616"),
            (decimal("0.00000000000000000000000000000000000001"), "Decimal 0.00000000000000000000000000000000000001"),
            (decimal("-10000"), "Decimal -10000"),
            (decimal("NaN"), "Decimal NaN"),
            (decimal("Infinity"), "Decimal Infinity"),
            (decimal("-Infinity"), "Decimal -Infinity"),
            (Value::Integer(i64::MIN), "Decimal -9223372036854775808"),
        ],
        LogicalType::Float32 => singles(),
        LogicalType::Float64 => doubles(),
        LogicalType::Text { limit: None } => texts(),
        LogicalType::Text { limit: Some(_) } => {
            vec![
                (text("abc"), "Text abc"),
                (text("\u{e9}\u{1f600}a"), "Text \u{e9}\u{1f600}a"),
                (text("a  "), "Text a  "),
            ]
        }
        LogicalType::PaddedText { .. } => vec![
            (text("ab"), "PaddedText ab   "),
            (text("ab   "), "PaddedText ab   "),
            (text("\u{1f600}"), "PaddedText \u{1f600}    "),
            (text(""), "PaddedText      "),
        ],
        LogicalType::Bytes => vec![
            (Value::Bytes(Vec::new()), "Bytes \\x"),
            (Value::Bytes(vec![0]), "Bytes \\x00"),
            (Value::Bytes(b"\\x61".to_vec()), "Bytes \\x5c783631"),
            (Value::Bytes(b"deadbeef".to_vec()), "Bytes \\x6465616462656566"),
            (Value::Bytes(vec![0xff, 0xfe, 0x00, 0x80]), "Bytes \\xfffe0080"),
        ],
        LogicalType::Uuid => vec![
            (Value::Uuid([0; 16]), "Uuid 00000000-0000-0000-0000-000000000000"),
            (Value::Uuid([0xff; 16]), "Uuid ffffffff-ffff-ffff-ffff-ffffffffffff"),
            // Variant and version of nobody's making.
            (
                Value::Uuid(0x1d72_2a73_c23b_9ebe_0045_1729_3251_06be_u128.to_be_bytes()),
                "Uuid 1d722a73-c23b-9ebe-0045-1729325106be",
            ),
            (Value::Uuid(0x123_u128.to_be_bytes()), "Uuid 00000000-0000-0000-0000-000000000123"),
        ],
        LogicalType::Date => vec![
            (Value::Date(0), "Date 1970-01-01"),
            (Value::Date(19_782), "Date 2024-02-29"),
            (Value::Date(-719_162), "Date 0001-01-01"),
            (Value::Date(-719_163), "Date 0001-12-31 BC"),
            (Value::Date(2_932_897), "Date 10000-01-01"),
            (Value::Date(i32::MAX), "Date infinity"),
            (Value::Date(i32::MIN), "Date -infinity"),
        ],
        LogicalType::Time => vec![
            (Value::Time(0), "Time 00:00:00"),
            (Value::Time(1), "Time 00:00:00.000001"),
            (Value::Time(86_399_999_999), "Time 23:59:59.999999"),
            (Value::Time(86_400_000_000), "Time 24:00:00"),
        ],
        LogicalType::Timestamp => moments("Timestamp", "", Value::Timestamp),
        LogicalType::TimestampTz => moments("TimestampTz", "+00", Value::TimestampTz),
        LogicalType::Interval => vec![
            (text("1 mon 30 days"), "Interval 1 mon 30 days"),
            (text("2 mons"), "Interval 2 mons"),
            (text("24:00:00"), "Interval 24:00:00"),
            (text("1 day"), "Interval 1 day"),
            (text("-1 year +2 days -00:00:00.000001"), "Interval -1 years +2 days -00:00:00.000001"),
        ],
        LogicalType::Json { binary: false } => vec![
            (json("{\"a\": 1,  \"a\":2}"), "Json {\"a\": 1,  \"a\":2}"),
            (json("1.10"), "Json 1.10"),
            (json("null"), "Json null"),
            (json("\"null\""), "Json \"null\""),
            (json("\"\\u0000\""), "Json \"\\u0000\""),
            (json("9007199254740993"), "Json 9007199254740993"),
            (json("[1e400]"), "Json [1e400]"),
        ],
        LogicalType::Json { binary: true } => vec![
            (json("{\"bb\": 1,  \"a\":2, \"a\": 3}"), "Jsonb {\"a\": 3, \"bb\": 1}"),
            (json("1.10"), "Jsonb 1.10"),
            (json("1e2"), "Jsonb 100"),
            (json("null"), "Jsonb null"),
            (json("[]"), "Jsonb []"),
            (json("9007199254740993"), "Jsonb 9007199254740993"),
        ],
        LogicalType::TimeTz => {
            vec![(text("10:00:00+02"), "TimeTz 10:00:00+02"), (text("24:00:00-03:30"), "TimeTz 24:00:00-03:30")]
        }
        LogicalType::Network => vec![
            (text("10.0.0.1"), "Network 10.0.0.1"),
            (text("10.0.0.0/8"), "Network 10.0.0.0/8"),
            (text("2001:db8::ff"), "Network 2001:db8::ff"),
            (text("::/0"), "Network ::/0"),
        ],
        LogicalType::MacAddress => vec![
            (text("08:00:2b:01:02:03:04:05"), "MacAddress 08:00:2b:01:02:03:04:05"),
            (text("08-00-2B-01-02-03"), "MacAddress 08:00:2b:ff:fe:01:02:03"),
        ],
        LogicalType::Set { .. } => vec![(text("sad,glad"), "Text sad,glad"), (text("glad"), "Text glad")],
        // The server prints the same text of these; see below.
        LogicalType::Bits => {
            vec![(text("0101"), "Bits 0101"), (text(""), "Bits "), (text("000001011"), "Bits 000001011")]
        }
        LogicalType::Array(element) if **element == rows::any_text() => vec![
            (text("{NULL,\"NULL\",\"\",\" \"}"), "Nested {NULL,\"NULL\",\"\",\" \"}"),
            (text("{}"), "Nested {}"),
            (text("{\"a,b\",\"\\\"\",\"\\\\\"}"), "Nested {\"a,b\",\"\\\"\",\"\\\\\"}"),
        ],
        LogicalType::Array(_) => vec![
            (text("{1,NULL,3}"), "Nested {1,NULL,3}"),
            (text("{}"), "Nested {}"),
            (text("[0:1]={5,6}"), "Nested [0:1]={5,6}"),
            (text("{5,6}"), "Nested {5,6}"),
            (text("{{1,2},{3,4}}"), "Nested {{1,2},{3,4}}"),
        ],
        LogicalType::Enum { .. } => vec![(text("glad"), "Text glad"), (text("sad"), "Text sad")],
        LogicalType::Any => vec![(text("x'61'"), "Text x'61'"), (text("1.0"), "Text 1.0")],
        LogicalType::Range(_)
        | LogicalType::Multirange(_)
        | LogicalType::Map
        | LogicalType::Composite(_)
        | LogicalType::Printed(_)
        | LogicalType::Other(_) => panic!("{kind} has to be made by its own engine's SQL"),
    }
}

fn integers(bits: u8) -> Vec<Edge> {
    match bits {
        16 => vec![(Value::Integer(-32_768), "Integer -32768"), (Value::Integer(32_767), "Integer 32767")],
        32 => vec![
            (Value::Integer(i32::MIN.into()), "Integer -2147483648"),
            (Value::Integer(i32::MAX.into()), "Integer 2147483647"),
        ],
        _ => vec![
            (Value::Integer(0), "Integer 0"),
            (Value::Integer(i64::MIN), "Integer -9223372036854775808"),
            (Value::Integer(i64::MAX), "Integer 9223372036854775807"),
            (Value::Integer(9_007_199_254_740_993), "Integer 9007199254740993"),
        ],
    }
}

fn singles() -> Vec<Edge> {
    vec![
        (Value::Float(f64::from(0.1_f32)), "Float32 0.1"),
        (Value::Float(16_777_216.0), "Float32 16777216.0"),
        (Value::Float(f64::from(f32::MAX)), "Float32 3.4028235e38"),
        (Value::Float(f64::from(f32::from_bits(1))), "Float32 1e-45"),
        (Value::Float(-0.0), "Float32 -0.0"),
        (Value::Float(f64::INFINITY), "Float32 inf"),
        (Value::Float(f64::NAN), "Float32 NaN"),
    ]
}

fn doubles() -> Vec<Edge> {
    vec![
        (Value::Float(0.1), "Float64 0.1"),
        (Value::Float(0.1 + 0.2), "Float64 0.30000000000000004"),
        (Value::Float(9_007_199_254_740_992.0), "Float64 9007199254740992.0"),
        (Value::Float(f64::MAX), "Float64 1.7976931348623157e308"),
        (Value::Float(f64::from_bits(1)), "Float64 5e-324"),
        (Value::Float(1.0), "Float64 1.0"),
        (Value::Float(0.0), "Float64 0.0"),
        (Value::Float(-0.0), "Float64 -0.0"),
        (Value::Float(f64::INFINITY), "Float64 inf"),
        (Value::Float(f64::NEG_INFINITY), "Float64 -inf"),
        (Value::Float(f64::NAN), "Float64 NaN"),
    ]
}

const TEXTS: &[&str] = &[
    "NULL",
    "<null>",
    "\\N",
    "\\.",
    "DEFAULT_REPLACEMENT_STRING",
    "a\tb\nc\r\nd\\e",
    "\u{feff}bom",
    "zero\u{200b}width",
    "\u{202e}bidi",
    "\u{1f600}",
    "\u{e9}",
    "e\u{301}",
    "\u{df}",
    "\u{130}i\u{131}I",
    "\u{fffd}",
    "\u{c3}\u{a9}",
    "a ",
    "a",
    "A",
    "007",
    "1e10",
    "x'61'",
    "12345678901234567890123456789012",
    "\u{10ffff}",
];

fn texts() -> Vec<Edge> {
    let spelled = |text: &&str| -> &'static str { Box::leak(format!("Text {text}").into_boxed_str()) };
    TEXTS.iter().map(|one| (text(one), spelled(one))).collect()
}

fn moments(kind: &'static str, zone: &'static str, make: fn(i64) -> Value) -> Vec<Edge> {
    const DAY: i64 = 86_400_000_000;
    let spelled =
        |moment: &str, era: &str| -> &'static str { Box::leak(format!("{kind} {moment}{zone}{era}").into_boxed_str()) };
    vec![
        (make(0), spelled("1970-01-01 00:00:00", "")),
        (make(-1), spelled("1969-12-31 23:59:59.999999", "")),
        (make(123_456), spelled("1970-01-01 00:00:00.123456", "")),
        (make(-719_163 * DAY), spelled("0001-12-31 00:00:00", " BC")),
        (make(2_932_897 * DAY), spelled("10000-01-01 00:00:00", "")),
        (make(i64::MAX), Box::leak(format!("{kind} infinity").into_boxed_str())),
        (make(i64::MIN), Box::leak(format!("{kind} -infinity").into_boxed_str())),
    ]
}

/// What comes back of a value; `None` if the engine has to refuse it.
fn kept(place: &Place, kind: &LogicalType, value: &Value, bound: &str) -> Option<String> {
    match place.engine.id() {
        _ if !place.engine.dialect().enforces_types() => Some(stored(kind, value, bound)),
        "mariadb" => mariadb_values::kept(&place.label, kind, value, bound),
        _ => Some(bound.to_owned()),
    }
}

/// What comes back where a column's type does not bind its values: the storage classes that are documented for loads
/// (integer, real, text, blob), after the affinity of the declared type.
fn stored(kind: &LogicalType, value: &Value, bound: &str) -> String {
    let said = bound.split_once(' ').map_or("", |(_, text)| text);
    match (kind, value) {
        (_, Value::Boolean(truth)) => format!("Integer {}", u8::from(*truth)),
        // A decimal that a double holds exactly enough has a type with NUMERIC affinity, any other one TEXT.
        (LogicalType::Decimal { precision: Some(10), .. }, Value::Decimal(digits)) => {
            let number: f64 = digits.parse().unwrap();
            if number.fract() == 0.0 { format!("Integer {number}") } else { format!("Float64 {number:?}") }
        }
        (LogicalType::Decimal { precision: Some(10), .. }, Value::Integer(number)) => format!("Integer {number}"),
        (LogicalType::Decimal { .. }, Value::Decimal(digits)) => format!("Text {digits}"),
        (LogicalType::Decimal { .. }, Value::Integer(number)) => format!("Text {number}"),
        (_, Value::Integer(number)) => format!("Integer {number}"),
        (_, Value::Float(number)) if number.is_nan() => "Text NaN".to_owned(),
        // SQLite keeps a REAL without a fraction as an integer in its file, which has no negative zero.
        (_, Value::Float(0.0)) => "Float64 0.0".to_owned(),
        (_, Value::Float(number)) => format!("Float64 {number:?}"),
        (_, Value::Text(text) | Value::Json(text)) => format!("Text {text}"),
        (_, Value::Bytes(_)) => format!("Bytes {said}"),
        (_, Value::Uuid(_)) => format!("Text {said}"),
        // Years before Christ are written as astronomers count them, and instants with their whole offset.
        (_, Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::TimestampTz(_)) => {
            let (moment, before_christ) = said.strip_suffix(" BC").map_or((said, false), |moment| (moment, true));
            let moment = moment.strip_suffix("+00").map_or_else(|| moment.to_owned(), |m| format!("{m}+00:00"));
            let moment = if before_christ { moment.replacen("0001-", "0000-", 1) } else { moment };
            format!("Text {moment}")
        }
        (_, Value::Null | Value::Decimal(_)) => panic!("{value:?} is no edge of {kind}"),
    }
}

pub(super) async fn every_type_gives_back_what_was_loaded(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let mut declared = 0;
    for (position, kind) in kinds().into_iter().enumerate() {
        if dialect.declare(&kind).is_none() {
            println!("{}: no type for {kind}", place.label);
            continue;
        }
        declared += 1;
        let name = format!("t{position}");
        let number = rows::column(dialect, "n", rows::integer());
        let table = rows::table(&name, vec![number, rows::column(dialect, "v", kind.clone())]);
        rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
        // A value that no type of the engine can hold is refused; the others come back as they are kept.
        let kept = |(value, bound): Edge| (kept(place, &kind, &value, bound), value);
        let (edges, refused): (Vec<_>, Vec<_>) =
            edges(&kind).into_iter().map(kept).partition(|(kept, _)| kept.is_some());
        for (_, value) in refused {
            let row = vec![Value::Integer(-2), value.clone()];
            let outcome = rows::load(session.as_mut(), &table, vec![row]).await;
            assert!(matches!(outcome, Err(EngineError::Refused { .. })), "{kind}: {value:?}: {outcome:?}");
        }
        let edges: Vec<(Value, String)> = edges.into_iter().filter_map(|(kept, value)| Some((value, kept?))).collect();
        let mut given = vec![vec![Value::Integer(-1), Value::Null]];
        given.extend((0..).zip(&edges).map(|(number, (value, _))| vec![Value::Integer(number), value.clone()]));
        let loaded = rows::load(session.as_mut(), &table, given).await;
        let loaded = loaded.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        assert_eq!(loaded, edges.len() as u64 + 1, "{kind}");

        let seen = rows::scan(session.as_mut(), &table).await;
        assert_eq!(seen[0], ["Integer -1", "Null"], "{kind}");
        let cells: Vec<&String> = seen[1..].iter().map(|row| &row[1]).collect();
        if place.engine.id() == "postgres" && matches!(kind, LogicalType::Bits | LogicalType::Array(_)) {
            let texts = session.query(&format!("SELECT v FROM {name} WHERE n >= 0 ORDER BY n")).await.unwrap();
            let texts: Vec<_> = texts.iter().map(|row| row[0].as_deref().unwrap()).collect();
            let wanted: Vec<_> = edges.iter().map(|(_, wanted)| wanted.split_once(' ').unwrap().1).collect();
            assert_eq!(texts, wanted, "{kind}");
        }
        for ((value, wanted), cell) in edges.iter().zip(cells) {
            assert_eq!(cell, wanted, "{kind}: {value:?}");
        }
    }
    assert!(declared >= 15, "only {declared} kinds have a type");
    session.close().await.unwrap();
}

pub(super) async fn nothing_and_almost_nothing_are_told_apart(place: &Place) {
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let columns = vec![
        rows::column(dialect, "t", rows::any_text()),
        rows::column(dialect, "b", LogicalType::Bytes),
        rows::column(dialect, "n", rows::integer()),
    ];
    let table = rows::table("nothing", columns);
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    let given = vec![
        vec![Value::Null, Value::Null, Value::Null],
        vec![text(""), Value::Bytes(Vec::new()), Value::Integer(0)],
        vec![text(" "), Value::Bytes(vec![b' ']), Value::Null],
    ];
    rows::load(session.as_mut(), &table, given).await.unwrap();
    let expected = [["Null", "Null", "Null"], ["Text ", "Bytes \\x", "Integer 0"], ["Text  ", "Bytes \\x20", "Null"]];
    assert_eq!(rows::scan(session.as_mut(), &table).await, expected);
    session.close().await.unwrap();
}

pub(super) async fn a_megabyte_goes_both_ways(place: &Place) {
    const SIZE: usize = 1 << 20;
    let dialect = place.engine.dialect();
    let mut session = place.open().await;
    let columns = vec![rows::column(dialect, "t", rows::any_text()), rows::column(dialect, "b", LogicalType::Bytes)];
    let table = rows::table("large", columns);
    rows::create(session.as_mut(), dialect, std::slice::from_ref(&table)).await;
    // Four bytes a character, so that buffers end inside of one.
    let long = format!("x{}", "\u{1f600}".repeat(SIZE / 4));
    let bytes: Vec<u8> = (0..SIZE).map(|position| (position * 31 % 256) as u8).collect();
    let given = vec![vec![text(&long), Value::Bytes(bytes.clone())], vec![text("after"), Value::Null]];
    rows::load(session.as_mut(), &table, given).await.unwrap();
    let seen = rows::scan(session.as_mut(), &table).await;
    assert!(seen[0][0].strip_prefix("Text ") == Some(&long), "a text of a megabyte changed");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(seen[0][1].strip_prefix("Bytes \\x") == Some(&hex), "bytes of a megabyte changed");
    assert_eq!(seen[1], ["Text after", "Null"]);
    session.close().await.unwrap();
}
