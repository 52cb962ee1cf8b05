//! Conditions of CHECK constraints and partial indexes that mean the same in the source and in the target.
//!
//! A small whitelist: comparisons, IN, BETWEEN and IS NULL over columns and literals of matching kinds, joined by AND, OR
//! and NOT. Everything else (functions but `length`, LIKE, arithmetic, collations, text that is ordered) differs somewhere
//! and is not translated.

use crate::{
    engine::{
        Dialect,
        sqlite::ddl::{Token, TokenKind, tokens},
    },
    model::{LogicalType, catalogue::Column},
};

/// What the columns of a condition become: the source's column, and the target's name and type.
pub(super) type Becomes<'a> = &'a dyn Fn(&str) -> Option<(&'a Column, &'a Column)>;

/// The condition in the target's SQL; `None` if it is not surely the same there.
pub(super) fn translate<'b>(condition: &str, becomes: Becomes<'b>, dialect: &'b dyn Dialect) -> Option<String> {
    let tokens = tokens(condition);
    let mut reader = Reader { rest: &tokens, becomes, dialect };
    let sql = reader.either()?;
    reader.rest.is_empty().then_some(sql)
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Number,
    Text,
    Boolean,
    /// Anything else: only told apart from NULL.
    Opaque,
}

struct Operand {
    sql: String,
    class: Class,
    literal: bool,
}

struct Reader<'t, 's, 'b> {
    rest: &'t [Token<'s>],
    becomes: Becomes<'b>,
    dialect: &'b dyn Dialect,
}

impl Reader<'_, '_, '_> {
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.rest.len() >= words.len() && self.rest.iter().zip(words).all(|(token, word)| token.is(word));
        if found {
            self.rest = &self.rest[words.len()..];
        }
        found
    }

    fn either(&mut self) -> Option<String> {
        let mut sql = self.both()?;
        while self.take(&["OR"]) {
            sql = format!("({sql} OR {})", self.both()?);
        }
        Some(sql)
    }

    fn both(&mut self) -> Option<String> {
        let mut sql = self.negated()?;
        while self.take(&["AND"]) {
            sql = format!("({sql} AND {})", self.negated()?);
        }
        Some(sql)
    }

    fn negated(&mut self) -> Option<String> {
        if self.take(&["NOT"]) {
            return Some(format!("(NOT {})", self.negated()?));
        }
        if self.take(&["("]) {
            let sql = self.either()?;
            return self.take(&[")"]).then_some(sql);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<String> {
        let first = self.operand()?;
        if self.take(&["IS", "NOT", "NULL"]) || self.take(&["NOTNULL"]) || self.take(&["NOT", "NULL"]) {
            return Some(format!("({} IS NOT NULL)", first.sql));
        }
        if self.take(&["IS", "NULL"]) || self.take(&["ISNULL"]) {
            return Some(format!("({} IS NULL)", first.sql));
        }
        let not = if self.take(&["NOT"]) { "NOT " } else { "" };
        if self.take(&["IN", "("]) {
            let mut items = vec![self.literal_like(&first)?];
            while self.take(&[","]) {
                items.push(self.literal_like(&first)?);
            }
            return self.take(&[")"]).then(|| format!("({} {not}IN ({}))", first.sql, items.join(", ")));
        }
        if self.take(&["BETWEEN"]) && first.class == Class::Number {
            let least = self.literal_like(&first)?;
            let most = if self.take(&["AND"]) { self.literal_like(&first)? } else { return None };
            return Some(format!("({} {not}BETWEEN {least} AND {most})", first.sql));
        }
        if !not.is_empty() {
            return None;
        }
        let known =
            [("==", "="), ("=", "="), ("!=", "<>"), ("<>", "<>"), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")];
        let (_, operator) = *known.iter().find(|(written, _)| self.take(&[written]))?;
        let second = self.operand()?;
        let second = if first.class == Class::Boolean { boolean(second)? } else { second };
        let first = if second.class == Class::Boolean { boolean(first)? } else { first };
        let is_order = !matches!(operator, "=" | "<>");
        let comparable =
            first.class == second.class && first.class != Class::Opaque && !(first.literal && second.literal);
        (comparable && (!is_order || first.class == Class::Number))
            .then(|| format!("({} {operator} {})", first.sql, second.sql))
    }

    fn literal_like(&mut self, other: &Operand) -> Option<String> {
        let literal = self.operand().filter(|operand| operand.literal)?;
        let literal = if other.class == Class::Boolean { boolean(literal)? } else { literal };
        (literal.class == other.class && other.class != Class::Opaque && !other.literal).then_some(literal.sql)
    }

    fn operand(&mut self) -> Option<Operand> {
        if self.take(&["length", "("]) {
            let (token, rest) = self.rest.split_first()?;
            self.rest = rest;
            let (source, target) = (self.becomes)(&token.name().filter(|_| token.kind != TokenKind::Literal)?)?;
            // Of a number, SQLite takes the length of its text, which is what became of it. The spelling of reals differs.
            let is_same = is_text(&target.kind)
                && (is_text(&source.kind) || matches!(source.kind, LogicalType::Any | LogicalType::Other(_)));
            let sql = is_same.then(|| format!("length({})", self.dialect.quote(&target.name)))?;
            return self.take(&[")"]).then_some(Operand { sql, class: Class::Number, literal: false });
        }
        let sign = if self.take(&["-"]) { "-" } else { "" };
        let (token, rest) = self.rest.split_first()?;
        self.rest = rest;
        let literal = |sql: String, class| Some(Operand { sql, class, literal: true });
        match token.kind {
            TokenKind::Number if is_decimal(token.text) => literal(format!("{sign}{}", token.text), Class::Number),
            _ if !sign.is_empty() => None,
            TokenKind::Literal if token.text.starts_with('\'') => literal(quoted(&token.name()?), Class::Text),
            TokenKind::Word if token.is("TRUE") => literal("TRUE".to_owned(), Class::Boolean),
            TokenKind::Word if token.is("FALSE") => literal("FALSE".to_owned(), Class::Boolean),
            TokenKind::Word | TokenKind::Quoted => {
                let (source, target) = (self.becomes)(&token.name()?)?;
                let class = match target.kind {
                    // A collation makes texts equal that are not; numbers in a column of texts compare as texts.
                    LogicalType::Text { .. } if source.collation.is_none() && is_text(&source.kind) => Class::Text,
                    LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Float64
                        if !is_text(&source.kind) =>
                    {
                        Class::Number
                    }
                    LogicalType::Boolean => Class::Boolean,
                    _ => Class::Opaque,
                };
                Some(Operand { sql: self.dialect.quote(&target.name), class, literal: false })
            }
            _ => None,
        }
    }
}

const fn is_text(kind: &LogicalType) -> bool {
    matches!(kind, LogicalType::Text { .. })
}

/// Digits with a point or exponent: no hexadecimal, no underscores.
fn is_decimal(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

/// A literal 0 or 1 as a boolean; other operands as they are.
fn boolean(operand: Operand) -> Option<Operand> {
    let sql = match (operand.literal, operand.sql.as_str()) {
        (true, "0") => "FALSE".to_owned(),
        (true, "1") => "TRUE".to_owned(),
        _ if operand.class == Class::Boolean => operand.sql,
        _ => return None,
    };
    Some(Operand { sql, class: Class::Boolean, literal: operand.literal })
}

/// A text literal. A backslash means nothing in it: the session pins standard strings.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::postgres::PostgresDialect, model::catalogue::Generation};

    fn translated(condition: &str) -> Option<String> {
        let column = |name: &str, kind: LogicalType, collation: Option<&str>| Column {
            name: name.to_owned(),
            declared: String::new(),
            kind,
            nullable: true,
            default: None,
            generation: Generation::None,
            collation: collation.map(str::to_owned),
        };
        let columns = [
            column("n", LogicalType::Integer { bits: 64 }, None),
            column("flag", LogicalType::Boolean, None),
            column("t", LogicalType::Text { limit: None }, None),
            column("nocase", LogicalType::Text { limit: None }, Some("NOCASE")),
            column("day", LogicalType::Date, None),
        ];
        let find = |name: &str| {
            columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| (column, column))
        };
        translate(condition, &find, &PostgresDialect)
    }

    #[test]
    fn what_means_the_same_is_translated() {
        for (condition, sql) in [
            ("N>=0 AND n != 5", "((\"n\" >= 0) AND (\"n\" <> 5))"),
            ("t IN ('a', 'it''s')", "(\"t\" IN ('a', 'it''s'))"),
            ("flag = 1 OR [flag] IN (0)", "((\"flag\" = TRUE) OR (\"flag\" IN (FALSE)))"),
            ("NOT (day IS NULL)", "(NOT (\"day\" IS NULL))"),
            ("n BETWEEN -1 AND 2.5 AND nocase NOTNULL", "((\"n\" BETWEEN -1 AND 2.5) AND (\"nocase\" IS NOT NULL))"),
            ("length(t) = 3", "(length(\"t\") = 3)"),
            ("t NOT IN ('x')", "(\"t\" NOT IN ('x'))"),
        ] {
            assert_eq!(translated(condition).as_deref(), Some(sql), "{condition}");
        }
    }

    #[test]
    fn what_may_differ_is_not() {
        for condition in [
            "t > 'a'",
            "t = 1",
            "n = '1'",
            "nocase = 'a'",
            "day > '2024-01-01'",
            "t LIKE 'a%'",
            "typeof(n) = 'integer'",
            "n = 0x10",
            "n + 1 > 2",
            "t = \"a\"",
            "flag = 2",
            "n NOT > 1",
            "n > 1)",
            "(n > 1",
            "1 = 1",
            "flag",
            "",
        ] {
            assert_eq!(translated(condition), None, "{condition}");
        }
    }
}
