//! Defaults that are literals, in the target's SQL.

use super::{super::transfer, expression::quoted};
use crate::{
    canon::{temporal, uuid},
    engine::{
        Dialect,
        sqlite::ddl::{Token, TokenKind, tokens},
    },
    model::{LogicalType, Value},
};
use transfer::{convert::convert, field::Field};

/// The default of a column that becomes this type; `None` if it is no literal, or none of the type.
pub(super) fn translate(default: &str, kind: &LogicalType, dialect: &dyn Dialect) -> Option<String> {
    let tokens = tokens(default);
    let mut inner = tokens.as_slice();
    while let [open, between @ .., close] = inner
        && open.is("(")
        && close.is(")")
    {
        inner = between;
    }
    if let [word] = inner
        && let Some(sql) = moment(word, kind, dialect)
    {
        return Some(sql);
    }
    let value = convert(literal(inner)?, kind).ok()?;
    spelled(&value)
}

/// The current moment, which SQLite takes in UTC.
fn moment(word: &Token<'_>, kind: &LogicalType, dialect: &dyn Dialect) -> Option<String> {
    let is_of_kind = match kind {
        LogicalType::TimestampTz | LogicalType::Timestamp => word.is("CURRENT_TIMESTAMP"),
        LogicalType::Date => word.is("CURRENT_DATE"),
        LogicalType::Time => word.is("CURRENT_TIME"),
        _ => false,
    };
    if is_of_kind { dialect.current_moment(kind).map(str::to_owned) } else { None }
}

fn literal(tokens: &[Token<'_>]) -> Option<Field> {
    let (sign, token) = match tokens {
        [token] => ("", token),
        [sign, token] if sign.is("-") && token.kind == TokenKind::Number => ("-", token),
        [sign, token] if sign.is("+") && token.kind == TokenKind::Number => ("", token),
        _ => return None,
    };
    match token.kind {
        TokenKind::Number => {
            let text = format!("{sign}{}", token.text);
            let integer = text.parse().map(Field::Integer);
            integer.or_else(|_| text.parse().map(Field::Real)).ok()
        }
        TokenKind::Word if token.is("NULL") => Some(Field::Null),
        TokenKind::Word if token.is("TRUE") => Some(Field::Integer(1)),
        TokenKind::Word if token.is("FALSE") => Some(Field::Integer(0)),
        // A default in double quotes is a text, because there is no column that it could name.
        TokenKind::Quoted if token.text.starts_with('"') => token.name().map(Field::Text),
        TokenKind::Literal if token.text.starts_with('\'') => token.name().map(Field::Text),
        _ => None,
    }
}

fn spelled(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => format!("{number:?}"),
        Value::Decimal(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => text.clone(),
        Value::Text(text) | Value::Json(text) => quoted(text),
        Value::Uuid(bytes) => quoted(&uuid::format(bytes)),
        Value::Date(days) => quoted(&temporal::format_date(*days)),
        Value::Time(micros) => quoted(&temporal::format_time(*micros)),
        Value::Timestamp(micros) => quoted(&temporal::format_timestamp(*micros)),
        Value::TimestampTz(micros) => quoted(&temporal::format_instant(*micros)),
        Value::Float(_) | Value::Decimal(_) | Value::Bytes(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::postgres::PostgresDialect;

    #[test]
    fn literals_are_spelled_for_the_type() {
        const INTEGER: LogicalType = LogicalType::Integer { bits: 64 };
        const TEXT: LogicalType = LogicalType::Text { limit: None };
        for (default, kind, sql) in [
            ("0", LogicalType::Boolean, Some("FALSE")),
            ("'t'", LogicalType::Boolean, Some("TRUE")),
            ("(-7)", INTEGER, Some("-7")),
            ("'7'", INTEGER, Some("7")),
            ("1.5", INTEGER, None),
            ("1.50", LogicalType::Float64, Some("1.5")),
            ("0.1", LogicalType::Decimal { precision: None, scale: None }, Some("0.1")),
            ("'it''s'", TEXT, Some("'it''s'")),
            ("\"double\"", TEXT, Some("'double'")),
            ("5", TEXT, Some("'5'")),
            ("NULL", INTEGER, Some("NULL")),
            ("TRUE", INTEGER, Some("1")),
            ("CURRENT_TIMESTAMP", LogicalType::TimestampTz, Some("CURRENT_TIMESTAMP")),
            ("CURRENT_TIMESTAMP", TEXT, None),
            ("'2024-02-30'", LogicalType::Date, None),
            ("'2024-02-29'", LogicalType::Date, Some("'2024-02-29'")),
            ("(datetime('now'))", LogicalType::Timestamp, None),
            ("x'00'", LogicalType::Bytes, None),
            ("1 + 1", INTEGER, None),
        ] {
            assert_eq!(translate(default, &kind, &PostgresDialect).as_deref(), sql, "{default} as {kind}");
        }
    }
}
