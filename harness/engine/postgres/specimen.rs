//! Values of types that only PostgreSQL has, as it reads them.

use crate::model::{LogicalType, catalogue::Column};

/// The text of a value of a column's type, another one for each number as far as the type has so many.
pub(super) fn specimen(column: &Column, number: u64) -> Option<String> {
    of(&column.kind, &column.declared, number)
}

fn of(kind: &LogicalType, declared: &str, number: u64) -> Option<String> {
    Some(match kind {
        LogicalType::Boolean => (number % 2 == 1).to_string(),
        LogicalType::Integer { bits } => (number % (1 << (bits.clamp(&8, &32) - 1))).to_string(),
        LogicalType::Decimal { .. } | LogicalType::Float32 | LogicalType::Float64 => (number % 10).to_string(),
        LogicalType::Text { limit } => word(limit.unwrap_or(32), number),
        LogicalType::PaddedText { length } => word(*length, number),
        LogicalType::Bytes => format!("\\x{number:08x}"),
        LogicalType::Uuid => format!("{number:08x}-0000-4000-8000-000000000000"),
        LogicalType::Date => day(number, 1),
        LogicalType::Time => time(number),
        LogicalType::TimeTz => format!("{}+00", time(number)),
        LogicalType::Timestamp => format!("{} 12:00:00", day(number, 1)),
        LogicalType::TimestampTz => format!("{} 12:00:00+00", day(number, 1)),
        LogicalType::Interval => format!("{number} hours"),
        LogicalType::Json { .. } => format!("{{\"n\": {number}}}"),
        LogicalType::Bits => bits(declared, number),
        LogicalType::Enum { labels } => labels.get(position(number, labels.len())?)?.clone(),
        LogicalType::Network => {
            let [.., a, b, c] = number.to_be_bytes();
            if declared.starts_with("cidr") { format!("10.{b}.{c}.0/24") } else { format!("10.{a}.{b}.{c}") }
        }
        LogicalType::MacAddress => {
            let [.., a, b, c] = number.to_be_bytes();
            let middle = if declared.starts_with("macaddr8") { "ff:fe:" } else { "" };
            format!("08:00:2b:{middle}{a:02x}:{b:02x}:{c:02x}")
        }
        LogicalType::Array(element) => {
            let element = of(element, declared.trim_end_matches("[]"), number)?;
            format!("{{{}}}", quoted(&element))
        }
        LogicalType::Range(bound) => range(bound, number)?,
        LogicalType::Multirange(bound) => format!("{{{}}}", range(bound, number)?),
        LogicalType::Map => format!("n=>{number}"),
        LogicalType::Composite(fields) => {
            let fields: Option<Vec<String>> =
                fields.iter().map(|(_, kind)| of(kind, "", number).map(|text| quoted(&text))).collect();
            format!("({})", fields?.join(","))
        }
        LogicalType::Printed(name) | LogicalType::Other(name) => named(name, declared, number)?,
        LogicalType::Set { .. } | LogicalType::Any => return None,
    })
}

/// Values of types by their names: those of the server itself, and those of extensions that are met most.
fn named(name: &str, declared: &str, number: u64) -> Option<String> {
    Some(match name {
        "bpchar" | "name" | "ltree" | "lquery" | "ltxtquery" | "tsvector" | "tsquery" => format!("n{number}"),
        "money" | "oid" | "xid" | "xid8" | "cid" => number.to_string(),
        "char" => char::from(b'a' + u8::try_from(number % 26).ok()?).to_string(),
        "xml" => format!("<n>{number}</n>"),
        "jsonpath" => format!("$.n{number}"),
        "pg_lsn" => format!("0/{number:X}"),
        "cube" | "point" => format!("({number}, {number})"),
        "line" => format!("{{1, 1, {number}}}"),
        "lseg" | "path" => format!("[({number}, 0), ({number}, 1)]"),
        "box" => format!("({}, 1), ({}, 0)", 2 * number + 1, 2 * number),
        "polygon" => format!("(({number}, 0), ({number}, 1), (0, 1))"),
        "circle" => format!("<({number}, 0), 1>"),
        "geometry" | "geography" if !declared.contains('(') || declared.contains("Point") => {
            // The reference system, where the type has one: `geometry(Point,4326)`.
            let system = declared.rsplit_once(',').map(|(_, rest)| rest.trim_end_matches(')').trim());
            let system = system.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
            let prefix = system.map_or_else(String::new, |system| format!("SRID={system};"));
            format!("{prefix}POINT({} {})", number % 180, number % 90)
        }
        "vector" | "halfvec" => {
            let dimensions = inside(declared).unwrap_or(3).clamp(1, 16_000);
            format!("[{}]", vec![format!("{}", number % 100 + 1); dimensions].join(","))
        }
        _ => return None,
    })
}

/// A text of at most so many characters, another one for each number that fits into them.
fn word(limit: u32, number: u64) -> String {
    let text = format!("n{number}");
    let most = limit as usize;
    if text.len() <= most { text } else { text[text.len() - most..].to_owned() }
}

/// A day of a month of its own for each number.
fn day(number: u64, day: u32) -> String {
    format!("{:04}-{:02}-{day:02}", 1970 + number / 12 % 8000, number % 12 + 1)
}

fn time(number: u64) -> String {
    format!("{:02}:{:02}:{:02}", number / 3600 % 24, number / 60 % 60, number % 60)
}

/// Bits of the declared length.
fn bits(declared: &str, number: u64) -> String {
    let length = inside(declared).unwrap_or(if declared.starts_with("bit varying") { 16 } else { 1 });
    let digits = format!("{number:0length$b}");
    digits[digits.len() - length..].to_owned()
}

/// A range that overlaps no other number's.
fn range(bound: &LogicalType, number: u64) -> Option<String> {
    let at = |from: u32, hours: &str| format!("{}{hours}", day(number, from));
    let (from, to) = match bound {
        LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Float32 | LogicalType::Float64 => {
            let from = number % 100_000_000 * 10;
            (from.to_string(), (from + 5).to_string())
        }
        LogicalType::Date => (at(1, ""), at(15, "")),
        LogicalType::Timestamp => (at(1, " 12:00:00"), at(15, " 12:00:00")),
        LogicalType::TimestampTz => (at(1, " 12:00:00+00"), at(15, " 12:00:00+00")),
        other => {
            let text = of(other, "", number)?;
            return Some(format!("[{0},{0}]", quoted(&text)));
        }
    };
    Some(format!("[{},{})", quoted(&from), quoted(&to)))
}

/// The number in a type's brackets.
fn inside(declared: &str) -> Option<usize> {
    declared.split_once('(')?.1.split([',', ')']).next()?.trim().parse().ok()
}

fn position(number: u64, count: usize) -> Option<usize> {
    usize::try_from(number.checked_rem(count as u64)?).ok()
}

/// An element of an array, a field or a bound, as all of them are quoted.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
