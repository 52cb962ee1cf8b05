//! Values of PostgreSQL and SQLite that have to be equal, or not, under each rule.

use super::*;
use crate::canon::{Decimal, Sign, temporal};

fn form(rule: Rule, cell: Cell<'_>) -> (Vec<u8>, Fit) {
    let mut out = Vec::new();
    let fit = rule.encode(&cell, &mut out);
    (out, fit)
}

const fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.as_bytes())
}

/// A stored decimal from whole groups and groups after the point.
fn decimal(weight: i16, scale: u16, groups: &[u16], check: impl FnOnce(Cell<'_>)) {
    let groups: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
    check(Cell::Decimal(Decimal { sign: Sign::Positive, weight, scale, groups: &groups }));
}

fn same(rule: Rule, cells: &[(Cell<'_>, Fit)]) {
    for (cell, fit) in cells {
        let (bytes, found) = form(rule, *cell);
        assert_eq!(bytes, form(rule, cells[0].0).0, "{rule}: {cell:?} and {:?}", cells[0].0);
        assert_eq!(found, *fit, "{rule}: {cell:?}");
    }
}

fn differ(rule: Rule, cells: &[Cell<'_>]) {
    for (at, source) in cells.iter().enumerate() {
        for target in &cells[at + 1..] {
            assert_ne!(form(rule, *source).0, form(rule, *target).0, "{rule}: {source:?} and {target:?}");
        }
    }
}

use Fit::{Exact, Normalised, Unfit};

#[test]
fn booleans() {
    same(
        Rule::Boolean,
        &[
            (Cell::Boolean(true), Exact),
            (Cell::Integer(1), Exact),
            (text("true"), Exact),
            (text("t"), Normalised),
            (text("TRUE"), Normalised),
            (text(" yes "), Normalised),
            (text("on"), Normalised),
            (text("1"), Normalised),
            (Cell::Float64(1.0), Normalised),
        ],
    );
    let strange = [Cell::Integer(2), Cell::Integer(-1), text("2"), text("o"), text(""), Cell::Bytes(b"1")];
    strange.iter().for_each(|cell| assert_eq!(form(Rule::Boolean, *cell).1, Unfit, "{cell:?}"));
    differ(Rule::Boolean, &[&strange[..], &[Cell::Boolean(true), Cell::Boolean(false), Cell::Null]].concat());
    decimal(0, 2, &[1], |one| same(Rule::Boolean, &[(Cell::Boolean(true), Exact), (one, Normalised)]));
    decimal(0, 1, &[1, 5000], |odd| assert_eq!(form(Rule::Boolean, odd).1, Unfit));
}

#[test]
fn numbers_are_equal_at_value() {
    decimal(0, 4, &[1, 5000], |stored| {
        same(Rule::Number, &[(stored, Normalised), (Cell::Float64(1.5), Exact), (text("1.50"), Normalised)]);
    });
    decimal(4, 0, &[1844, 6744, 737, 955, 1615], |stored| {
        same(Rule::Number, &[(stored, Exact), (text("18446744073709551615"), Exact)]);
        // What SQLite makes of it in a column of integers.
        differ(Rule::Number, &[stored, Cell::Float64(1.844_674_407_370_955_2e19)]);
    });
    decimal(0, 1, &[0, 3000], |stored| differ(Rule::Number, &[stored, Cell::Float64(0.1 + 0.2)]));
    let long = "12345678.123456789012345678901234567890";
    decimal(1, 30, &[1234, 5678, 1234, 5678, 9012, 3456, 7890, 1234, 5678, 9000], |stored| {
        same(Rule::Number, &[(stored, Normalised), (text(long), Normalised)]);
        differ(Rule::Number, &[stored, Cell::Float64(12_345_678.123_456_79)]);
    });
    // The digits of a single are taken for the number, although the single is another one.
    same(Rule::Number, &[(Cell::Float32(0.1), Normalised), (Cell::Float64(0.1), Exact), (text("0.1"), Exact)]);
    same(Rule::Number, &[(Cell::Float32(0.5), Exact), (Cell::Float64(0.5), Exact)]);
    same(Rule::Number, &[(Cell::Float64(1e16), Exact), (Cell::Integer(10_000_000_000_000_000), Exact)]);
    same(Rule::Number, &[(Cell::Float64(0.0), Exact), (Cell::Float64(-0.0), Normalised), (Cell::Integer(0), Exact)]);
    same(
        Rule::Number,
        &[(Cell::Integer(42), Exact), (text("0042"), Normalised), (Cell::PaddedText(b"42 "), Normalised)],
    );
    same(Rule::Number, &[(Cell::Float64(1e30), Exact), (text("1e30"), Normalised)]);
    same(Rule::Number, &[(Cell::Float64(f64::NAN), Exact), (text("NaN"), Exact), (text("nan"), Normalised)]);
    differ(
        Rule::Number,
        &[
            Cell::Null,
            Cell::Float64(f64::NAN),
            Cell::Float64(f64::INFINITY),
            Cell::Float64(f64::NEG_INFINITY),
            Cell::Integer(0),
            Cell::Integer(i64::MIN),
            Cell::Integer(i64::MAX),
            Cell::Integer(9_007_199_254_740_993),
            Cell::Float64(9_007_199_254_740_992.0),
            text("abc"),
            text(""),
        ],
    );
    assert_eq!(form(Rule::Number, text("abc")).1, Unfit);
}

#[test]
fn floats_round_and_say_so() {
    same(Rule::Float, &[(Cell::Float64(1.0 / 3.0), Exact), (text("0.33333333333333333333"), Normalised)]);
    same(Rule::Single, &[(Cell::Float32(0.1), Exact), (Cell::Float64(f64::from(0.1_f32)), Normalised)]);
    same(Rule::Float, &[(Cell::Float64(f64::NAN), Exact), (Cell::Float32(f32::NAN), Exact)]);
    differ(Rule::Float, &[Cell::Float64(0.1 + 0.2), Cell::Float64(0.3), Cell::Float64(-0.3)]);
}

#[test]
fn text_is_kept_to_the_byte() {
    same(Rule::Text, &[(text("A"), Exact), (Cell::PaddedText(b"A "), Normalised), (Cell::Label(b"A"), Exact)]);
    same(Rule::Text, &[(text("7"), Exact), (Cell::Integer(7), Normalised)]);
    differ(
        Rule::Text,
        &[
            Cell::Null,
            text(""),
            text(" "),
            text("Edinburgh"),
            text("Edinburgh "),
            text("abc"),
            text("ABC"),
            text("e"),
            text("\u{e9}"),
            text("e\u{301}"),
            text("\u{1f600}"),
            text("a\\b"),
            text("a\u{8}"),
            text("a\r\nb"),
            text("a\nb"),
            text("05022"),
            text("5022"),
            text("a\0b"),
            Cell::Bytes(b"abc"),
        ],
    );
}

#[test]
fn moments() {
    let micros = 1_577_992_697_000_000;
    same(
        Rule::Timestamp,
        &[
            (Cell::Timestamp(micros), Exact),
            (text("2020-01-02 19:18:17"), Exact),
            (text("2020-01-02T19:18:17"), Normalised),
            (text("2020-01-02 19:18:17.000"), Normalised),
            (text("2020-01-02T19:18:17Z"), Normalised),
        ],
    );
    same(
        Rule::Instant,
        &[
            (Cell::TimestampTz(7_201_000_000), Exact),
            (text("1970-01-01 02:00:01+00"), Exact),
            (text("1970-01-01T00:00:01-02:00"), Normalised),
            (text("1970-01-01 02:00:01"), Normalised),
            (Cell::Timestamp(7_201_000_000), Normalised),
        ],
    );
    let epoch = 1_600_000_000;
    same(
        Rule::Instant,
        &[
            (Cell::TimestampTz(epoch * 1_000_000), Exact),
            (Cell::Integer(epoch), Normalised),
            (Cell::Integer(epoch * 1000), Normalised),
            (Cell::Integer(epoch * 1_000_000), Normalised),
            (Cell::Float64(1_600_000_000.0), Normalised),
        ],
    );
    differ(Rule::Timestamp, &[text("2006-02-15 09:34:33"), text("2006-02-15 04:34:33")]);
    differ(Rule::Timestamp, &[text("2022-06-01 15:10:05.9999"), text("2022-06-01 15:10:05")]);
    same(
        Rule::Timestamp,
        &[(Cell::Timestamp(i64::MAX), Exact), (text("infinity"), Exact), (Cell::Date(i32::MAX), Exact)],
    );
    for strange in ["", "abc", "2024-02-30", "0000-00-00", "2024-01-02 25:00:00"] {
        assert_eq!(form(Rule::Timestamp, text(strange)).1, Unfit, "{strange}");
    }
}

#[test]
fn days_and_times_of_day() {
    let day = temporal::parse_date("1996-07-04").unwrap();
    same(
        Rule::Date,
        &[(Cell::Date(day), Exact), (text("1996-07-04"), Exact), (text("1996-07-04 00:00:00"), Normalised)],
    );
    same(Rule::Timestamp, &[(Cell::Date(day), Exact), (Cell::Timestamp(i64::from(day) * temporal::DAY), Exact)]);
    let caesar = temporal::parse_date("0044-03-15 BC").unwrap();
    same(Rule::Date, &[(Cell::Date(caesar), Exact), (text("0044-03-15 BC"), Exact), (text("-0043-03-15"), Normalised)]);
    for strange in ["0000-00-00", "2024-02-30", "1996-07-04 00:00:01", ""] {
        assert_eq!(form(Rule::Date, text(strange)).1, Unfit, "{strange}");
    }
    assert_eq!(form(Rule::Date, Cell::Bytes(b"1996-07-04")).1, Unfit);
    same(Rule::Time, &[(Cell::Time(temporal::DAY), Exact), (text("24:00:00"), Exact), (text("23:59:60"), Normalised)]);
    differ(Rule::Time, &[Cell::Time(0), Cell::Time(temporal::DAY), text("-838:59:59")]);
    let span = Cell::Interval { months: 0, days: 0, micros: -3_020_399_000_000 };
    same(Rule::Interval, &[(span, Exact), (text("-838:59:59"), Exact)]);
}

#[test]
fn uuids() {
    let plain = "550e8400-e29b-41d4-a716-446655440000";
    let bytes = uuid::parse(plain.as_bytes()).unwrap();
    same(
        Rule::Uuid,
        &[
            (Cell::Uuid(bytes), Exact),
            (text(plain), Exact),
            (Cell::Bytes(&bytes), Exact),
            (Cell::PaddedText(plain.as_bytes()), Exact),
            (text("550e8400e29b41d4a716446655440000"), Normalised),
            (text("{550E8400-E29B-41D4-A716-446655440000}"), Normalised),
        ],
    );
    let swapped = uuid::parse(b"41D4E29B550E8400A716446655440000").unwrap();
    let strange = [text("550e8400-e29b-41d4-a716-44665544000g"), Cell::Integer(123), Cell::Bytes(b"123")];
    strange.iter().for_each(|cell| assert_eq!(form(Rule::Uuid, *cell).1, Unfit, "{cell:?}"));
    differ(Rule::Uuid, &[&strange[..], &[Cell::Bytes(&swapped), Cell::Uuid(bytes)]].concat());
}

#[test]
fn json_and_bytes() {
    same(
        Rule::Json,
        &[
            (Cell::Jsonb(br#"{"b": 1, "aa": [1, 2]}"#), Exact),
            (text(r#"{"aa":[1,2],"b":1}"#), Normalised),
            (Cell::Json(br#"{"b":1,"aa":[1,2]}"#), Exact),
        ],
    );
    same(Rule::Json, &[(Cell::Jsonb(b"1"), Exact), (Cell::Integer(1), Normalised), (text("1.0"), Normalised)]);
    differ(
        Rule::Json,
        &[
            Cell::Null,
            Cell::Jsonb(b"null"),
            text("\"null\""),
            text("{}"),
            text("{"),
            Cell::Jsonb(br#"{"a": 2}"#),
            text(r#"{"a":1,"a":2}"#),
        ],
    );
    differ(Rule::Bytes, &[Cell::Null, Cell::Bytes(b""), Cell::Bytes(b"a"), text("a"), Cell::Bytes(&[0xde, 0xad])]);
    assert_eq!(form(Rule::Bytes, text("a")).1, Unfit);
}

#[test]
fn every_rule_takes_every_shape_and_leaves_what_was_there() {
    let shapes = [
        Cell::Boolean(true),
        Cell::Integer(i64::MIN),
        Cell::Float32(f32::MAX),
        Cell::Float64(f64::MIN_POSITIVE),
        text("x"),
        Cell::PaddedText(b"   "),
        Cell::Bytes(b"\xff"),
        Cell::Uuid([0xff; 16]),
        Cell::Date(i32::MAX - 1),
        Cell::Time(-1),
        Cell::TimeTz(0, 3600),
        Cell::Timestamp(i64::MIN),
        Cell::TimestampTz(i64::MAX),
        Cell::Interval { months: i32::MIN, days: i32::MIN, micros: i64::MIN },
        Cell::Json(b"{"),
        Cell::Label(b"\xff"),
        Cell::Opaque(b""),
    ];
    for rule in Rule::ALL {
        for cell in shapes {
            let mut out = b"before".to_vec();
            let fit = rule.encode(&cell, &mut out);
            assert!(out.starts_with(b"before") && out.len() > 6);
            let mut own = vec![UNFIT];
            encode_own(&cell, &mut own);
            assert_eq!(fit == Unfit, out[6..] == own, "{rule} {cell:?}");
        }
        assert_eq!(form(*rule, Cell::Null), (vec![0], Exact));
    }
}

#[test]
fn octets_take_text_for_its_bytes_and_say_so() {
    same(Rule::Octets, &[(Cell::Bytes(b"5"), Exact), (text("5"), Normalised), (Cell::Integer(5), Normalised)]);
    same(Rule::Octets, &[(Cell::Bytes(&[0xff, 0]), Exact), (Cell::Text(&[0xff, 0]), Normalised)]);
    differ(Rule::Octets, &[Cell::Null, Cell::Bytes(b""), Cell::Bytes(b"a"), text("A")]);
    // Where nobody states it, bytes and text stay apart.
    differ(Rule::Bytes, &[Cell::Bytes(b"a"), text("a")]);
}
