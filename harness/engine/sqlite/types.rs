//! What SQLite's declared types say.
//!
//! A declared type is free text that only sways how values are stored (<https://sqlite.org/datatype3.html>); people
//! write the names of other products into it, and so it is read by name and not by SQLite's affinity.

use crate::model::LogicalType;

/// The logical type that a declared type names. All integers have 64 bits, whatever their name.
pub fn logical(declared: &str) -> LogicalType {
    let (name, arguments) = split(declared);
    let argument = |position: usize| arguments.get(position).copied();
    let length = argument(0).and_then(|length| u32::try_from(length).ok());
    match name.as_str() {
        "" | "ANY" => LogicalType::Any,
        "BOOLEAN" | "BOOL" => LogicalType::Boolean,
        "INT" | "INTEGER" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "INT2" | "INT4" | "INT8" | "BIG INT"
        | "SERIAL" | "BIGSERIAL" | "SMALLSERIAL" => LogicalType::Integer { bits: 64 },
        "DECIMAL" | "NUMERIC" | "DEC" | "NUMBER" | "DECIMAL TEXT" => LogicalType::Decimal {
            precision: length,
            // A precision without a scale has none after the point, as in the SQL standard.
            scale: length.map(|_| argument(1).and_then(|scale| i32::try_from(scale).ok()).unwrap_or(0)),
        },
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "FLOAT4" | "FLOAT8" => LogicalType::Float64,
        "TEXT" | "CHAR" | "CHARACTER" | "VARCHAR" | "VARCHAR2" | "VARYING CHARACTER" | "CHARACTER VARYING"
        | "NCHAR" | "NATIVE CHARACTER" | "NVARCHAR" | "NVARCHAR2" | "NTEXT" | "TINYTEXT" | "MEDIUMTEXT"
        | "LONGTEXT" | "CLOB" | "STRING" | "CITEXT" | "BPCHAR" => LogicalType::Text { limit: length },
        "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" | "BYTEA" | "BINARY" | "VARBINARY" | "IMAGE" | "RAW" => {
            LogicalType::Bytes
        }
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" => LogicalType::Uuid,
        "DATE" => LogicalType::Date,
        "TIME" | "TIME WITHOUT TIME ZONE" => LogicalType::Time,
        "DATETIME" | "DATETIME2" | "SMALLDATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => {
            LogicalType::Timestamp
        }
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" | "DATETIMEOFFSET" => LogicalType::TimestampTz,
        "TIMETZ" | "TIME WITH TIME ZONE" => LogicalType::TimeTz,
        "JSON" | "JSONB" | "JSON TEXT" => LogicalType::Json { binary: false },
        "INTERVAL" => LogicalType::Interval,
        "INET" | "CIDR" => LogicalType::Network,
        "MACADDR" | "MACADDR8" => LogicalType::MacAddress,
        _ => LogicalType::Other(declared.trim().to_owned()),
    }
}

/// The type to declare for a kind of values, such that no value changes when it is stored.
///
/// `JSON` and `DECIMAL` alone would have NUMERIC affinity, which turns the document `1.10` into the number 1.1 and rounds
/// a decimal of more than 15 digits; a name with TEXT in it keeps what was written, and still says what it is.
pub(super) fn declare(kind: &LogicalType) -> Option<String> {
    let name = match kind {
        LogicalType::Boolean => "BOOLEAN",
        LogicalType::Integer { .. } => "INTEGER",
        LogicalType::Decimal { precision: Some(precision), scale } => {
            let affinity = if *precision <= 15 { "DECIMAL" } else { "DECIMAL TEXT" };
            return Some(format!("{affinity}({precision},{})", scale.unwrap_or(0)));
        }
        LogicalType::Decimal { precision: None, .. } => "DECIMAL TEXT",
        LogicalType::Float32 | LogicalType::Float64 => "REAL",
        LogicalType::Text { limit: Some(limit) } => return Some(format!("VARCHAR({limit})")),
        LogicalType::Text { limit: None } | LogicalType::Enum { .. } | LogicalType::Set { .. } => "TEXT",
        LogicalType::PaddedText { length } => return Some(format!("CHAR({length})")),
        LogicalType::Bytes => "BLOB",
        LogicalType::Uuid => "UUID",
        LogicalType::Date => "DATE",
        LogicalType::Time => "TIME",
        LogicalType::Timestamp => "TIMESTAMP",
        LogicalType::TimestampTz => "TIMESTAMP WITH TIME ZONE",
        LogicalType::Json { .. } => "JSON TEXT",
        LogicalType::Any => "",
        LogicalType::Interval
        | LogicalType::TimeTz
        | LogicalType::Bits
        | LogicalType::Network
        | LogicalType::MacAddress
        | LogicalType::Array(_)
        | LogicalType::Range(_)
        | LogicalType::Multirange(_)
        | LogicalType::Map
        | LogicalType::Composite(_)
        | LogicalType::Printed(_)
        | LogicalType::Other(_) => return None,
    };
    Some(name.to_owned())
}

/// The type's name in upper case with single spaces, without `UNSIGNED` and the like, and the numbers in its
/// parentheses: `unsigned big  int` is `BIG INT`, `timestamp(6) with time zone` is `TIMESTAMP WITH TIME ZONE`.
fn split(declared: &str) -> (String, Vec<i64>) {
    let (before, inside, after) = match declared.split_once('(') {
        Some((before, rest)) => match rest.split_once(')') {
            Some((inside, after)) => (before, inside, after),
            None => (before, rest, ""),
        },
        None => (declared, "", ""),
    };
    let words = before.split_whitespace().chain(after.split_whitespace()).map(str::to_ascii_uppercase);
    let words = words.filter(|word| !matches!(word.as_str(), "UNSIGNED" | "SIGNED" | "ZEROFILL"));
    let name = words.collect::<Vec<_>>().join(" ");
    (name, inside.split(',').filter_map(|number| number.trim().parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_mean_them() {
        let text = |limit| LogicalType::Text { limit };
        for (declared, kind) in [
            ("", LogicalType::Any),
            ("unsigned  big int", LogicalType::Integer { bits: 64 }),
            ("INT(11) UNSIGNED", LogicalType::Integer { bits: 64 }),
            ("numeric(10, 2)", LogicalType::Decimal { precision: Some(10), scale: Some(2) }),
            ("DECIMAL(10)", LogicalType::Decimal { precision: Some(10), scale: Some(0) }),
            ("decimal", LogicalType::Decimal { precision: None, scale: None }),
            ("NVARCHAR(160)", text(Some(160))),
            ("VARCHAR(max)", text(None)),
            ("timestamp(6) with time zone", LogicalType::TimestampTz),
            ("DATETIME", LogicalType::Timestamp),
            ("FLOATING POINT", LogicalType::Other("FLOATING POINT".to_owned())),
            ("interval", LogicalType::Interval),
        ] {
            assert_eq!(logical(declared), kind, "{declared}");
        }
    }

    #[test]
    fn what_is_declared_is_read_back() {
        for kind in [
            LogicalType::Boolean,
            LogicalType::Decimal { precision: Some(9), scale: Some(2) },
            LogicalType::Decimal { precision: Some(38), scale: Some(4) },
            LogicalType::Decimal { precision: None, scale: None },
            LogicalType::Text { limit: Some(7) },
            LogicalType::Bytes,
            LogicalType::Uuid,
            LogicalType::Timestamp,
            LogicalType::TimestampTz,
            LogicalType::Json { binary: false },
            LogicalType::Any,
        ] {
            assert_eq!(logical(&declare(&kind).unwrap()), kind);
        }
        assert_eq!(declare(&LogicalType::Array(Box::new(LogicalType::Any))), None);
    }
}
