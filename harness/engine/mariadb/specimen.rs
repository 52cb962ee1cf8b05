//! Values of types that only MariaDB has, as it reads them, and the numbers that its types hold.

use crate::model::{LogicalType, catalogue::Column};

/// The text of a value of a column's type, another one for each number as far as the type has so many.
pub(super) fn specimen(column: &Column, number: u64) -> Option<String> {
    let [.., a, b, c] = number.to_be_bytes();
    let declared = column.declared.as_str();
    Some(match &column.kind {
        LogicalType::Network if declared.starts_with("inet6") => format!("fd00::{a:x}:{b:x}:{c:x}"),
        LogicalType::Network => format!("10.{a}.{b}.{c}"),
        // A text of one character, whose seven bits are the value.
        LogicalType::Bits => {
            let length = inside(declared).unwrap_or(1).min(7);
            char::from_u32((number % (1 << length)) as u32)?.to_string()
        }
        LogicalType::Other(name) if ["point", "geometry"].contains(&name.as_str()) => point(number),
        _ => return None,
    })
}

/// The smallest and the largest number of a type of whole numbers.
pub(super) fn bounds(column: &Column) -> Option<(i64, i64)> {
    let declared = column.declared.as_str();
    let name = declared.split(['(', ' ']).next()?;
    let bits = match name {
        // What two digits mean, so that no number is taken for another year.
        "year" => return Some((1970, 2069)),
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        _ => return None,
    };
    let all = 1_i64 << bits;
    Some(if declared.contains("unsigned") { (0, all - 1) } else { (-all / 2, all / 2 - 1) })
}

/// A point in the server's own form: four bytes of a reference system, and the point as well-known binary. The
/// coordinates are among those that have no byte above 127, which makes them text.
fn point(number: u64) -> String {
    let coordinate = |bits: u64| f64::from_bits(0x4000_0000_0000_0000 | ((bits & 0x7f) << 48)).to_le_bytes();
    let mut bytes = vec![0, 0, 0, 0, 1, 1, 0, 0, 0];
    bytes.extend(coordinate(number));
    bytes.extend(coordinate(number >> 7));
    bytes.into_iter().map(char::from).collect()
}

/// The number in a type's brackets.
fn inside(declared: &str) -> Option<u32> {
    declared.split_once('(')?.1.split_once(')')?.0.trim().parse().ok()
}
