//! Expressions of two engines, in a form in which those that say the same are equal.
//!
//! The form is a text and no proof: expressions that are equal in it say the same, and of those that are not, nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::LogicalType;

/// How the expressions of one side are read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Names, in lower case, and what they are called on the other side.
    pub names: BTreeMap<String, String>,
    /// Columns, as the other side calls them, that are boolean there: `= 1` says there what the bare name does.
    pub booleans: BTreeSet<String>,
}

/// An expression in the form that is compared, its names as they are.
pub(super) fn plain(expression: &str) -> String {
    Reading::default().plain(expression)
}

impl Reading {
    /// An expression without what engines write in different ways: blanks, parentheses, quotes around names, casts, case,
    /// and the spellings of a few operators and functions.
    pub(super) fn plain(&self, expression: &str) -> String {
        let mut words = self.words(expression);
        let mut at = 0;
        while at < words.len() {
            let (taken, put) = self.said_otherwise(&words[at..]);
            let next = at + put.len().max(1);
            words.splice(at..at + taken, put);
            at = if taken == 0 { at + 1 } else { next };
        }
        words.concat()
    }

    /// How many of these words are said in other words, and in which; none and none, if they stay.
    fn said_otherwise(&self, words: &[String]) -> (usize, Vec<String>) {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let owned = |put: &[&str]| put.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        match (word(0), word(1), word(2), word(3), word(4)) {
            ("<", ">", ..) => (2, owned(&["!", "="])),
            ("=", "=", ..) => (2, owned(&["="])),
            ("=", "any", "array", ..) => (3, owned(&["in"])),
            ("is", "not", "null", ..) => (3, owned(&["notnull"])),
            (name, "between", least, "and", most) if is_word(name) => {
                (5, owned(&[name, ">", "=", least, "and", name, "<", "=", most]))
            }
            (name, "=", "1" | "true", ..) if self.booleans.contains(name) => (3, owned(&[name])),
            (name, "=", "0" | "false", ..) if self.booleans.contains(name) => (3, owned(&["not", name])),
            _ => (0, Vec::new()),
        }
    }

    fn words(&self, expression: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut rest = expression;
        let is_name = |c: char| c.is_alphanumeric() || "_\"".contains(c);
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                ':' if rest.starts_with(':') => rest = after_cast(&rest[1..]),
                '\'' => {
                    let end = literal_end(rest);
                    words.push(format!("'{}", &rest[..end]));
                    rest = &rest[end..];
                }
                _ if c.is_whitespace() || "\"`[]()".contains(c) => {}
                _ if is_name(c) => {
                    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                    let word = format!("{c}{}", &rest[..end]).to_lowercase();
                    // A character set in front of a literal says nothing about it.
                    if !(word.starts_with("_utf8") && rest[end..].starts_with('\'')) {
                        let word = word.trim_matches('"');
                        words.push(self.names.get(word).map_or_else(|| same_word(word).to_owned(), Clone::clone));
                    }
                    rest = &rest[end..];
                }
                _ => words.push(c.to_string()),
            }
        }
        words
    }
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// What follows a cast: its type, with a length or precision and the words that belong to it.
fn after_cast(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || "_.\"".contains(c));
    let rest = ["double precision", " varying", " without time zone", " with time zone", " precision"]
        .iter()
        .fold(rest, |rest, words| rest.strip_prefix(words).unwrap_or(rest));
    let rest = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((length, rest)) if length.chars().all(|c| c.is_ascii_digit() || c == ',') => rest,
        _ => rest,
    };
    rest.strip_prefix("[]").unwrap_or(rest)
}

/// Where a literal ends, its closing quote included; two quotes stand for one.
fn literal_end(rest: &str) -> usize {
    let mut at = 0;
    while let Some(quote) = rest[at..].find('\'') {
        at += quote + 1;
        if !rest[at..].starts_with('\'') {
            return at;
        }
        at += 1;
    }
    rest.len()
}

fn same_word(word: &str) -> &str {
    match word {
        "character_length" | "char_length" => "length",
        "current_timestamp" => "now",
        "lcase" => "lower",
        "ucase" => "upper",
        "bool" => "boolean",
        word => word,
    }
}

/// What a default gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// A constant, in one spelling for each value.
    Constant(String),
    /// The moment of the insertion.
    Now,
    /// A fresh UUID.
    FreshUuid,
    /// Something else, in its plain form.
    Other(String),
}

impl Default {
    /// What the default of a column of this type gives; `None` if there is none, or only NULL.
    pub(super) fn of(expression: Option<&str>, kind: &LogicalType) -> Option<Self> {
        let plain = plain(expression?);
        let bare = plain.trim_end_matches('\'').trim_start_matches('\'');
        let is_literal = plain.len() > bare.len() && !bare.contains('\'');
        Some(match plain.as_str() {
            "null" => return None,
            // A precision of the moment (`CURRENT_TIMESTAMP(6)`) is left of its parentheses.
            "now" | "now0" | "now3" | "now6" | "localtimestamp" | "sysdate" | "datetime'now'" => Self::Now,
            "current_date" | "curdate" | "date'now'" => Self::Other("current_date".to_owned()),
            "current_time" | "curtime" | "localtime" | "time'now'" => Self::Other("current_time".to_owned()),
            "gen_random_uuid" | "uuid" | "uuid_generate_v4" | "uuidv4" => Self::FreshUuid,
            _ if is_literal => Self::Constant(constant(bare, kind)),
            _ if is_number(&plain) || ["true", "false"].contains(&plain.as_str()) => {
                Self::Constant(constant(&plain, kind))
            }
            "''" => Self::Constant(String::new()),
            _ => Self::Other(plain),
        })
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.chars().all(|c| c.is_ascii_digit() || "+-.e".contains(c))
}

/// A constant in the one spelling of its value, as a column of this type holds it.
fn constant(text: &str, kind: &LogicalType) -> String {
    match (kind, text.to_lowercase().as_str()) {
        (LogicalType::Boolean, "1" | "t" | "true" | "y" | "yes" | "on") => "true".to_owned(),
        (LogicalType::Boolean, "0" | "f" | "false" | "n" | "no" | "off") => "false".to_owned(),
        (LogicalType::Integer { .. }, "true") => "1".to_owned(),
        (LogicalType::Integer { .. }, "false") => "0".to_owned(),
        (LogicalType::Text { .. } | LogicalType::PaddedText { .. } | LogicalType::Enum { .. }, _) => text.to_owned(),
        _ if is_number(text) => number(text),
        _ => text.to_owned(),
    }
}

/// A number without what does not change its value: a plus, zeros in front and behind the point.
fn number(text: &str) -> String {
    if text.contains(['e', 'E']) {
        return text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| format!("{number:?}"));
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.trim_start_matches('+')),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    match (whole, fraction) {
        ("", "") => "0".to_owned(),
        (_, "") => format!("{sign}{whole}"),
        ("", _) => format!("{sign}0.{fraction}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_reads_the_same() {
        for (one, other) in [
            ("weight > 0", "((weight > 0))"),
            ("\"Kind\" IN ('a', 'b')", "(kind = ANY (ARRAY['a'::text, 'b'::character varying(9)]))"),
            ("length(`name`) <> 3", "(char_length((name)::text) != 3)"),
            ("`n` = _utf8mb4'it''s'", "(n = 'it''s'::text)"),
            ("lower(email)", "lower((email)::text)"),
        ] {
            assert_eq!(plain(one), plain(other));
        }
        for (one, other) in [("a > 0", "a > 1"), ("kind = 'A b'", "kind = 'Ab'"), ("a = 'x'", "a = 'X'")] {
            assert_ne!(plain(one), plain(other));
        }
        let names = BTreeMap::from([("albumid".to_owned(), "album_id".to_owned())]);
        let reading = Reading { names, booleans: BTreeSet::from(["is_open".to_owned()]) };
        for (one, other) in [
            ("AlbumId > 0", "(album_id > 0)"),
            ("\"is_open\" = 1 AND AlbumId BETWEEN 1 AND 99", "(is_open AND ((album_id >= 1) AND (album_id <= 99)))"),
            ("is_open = 0", "(NOT is_open)"),
            ("is_open >= 0", "(is_open >= 0)"),
        ] {
            assert_eq!(reading.plain(one), plain(other));
        }
    }

    #[test]
    fn defaults_are_compared_by_what_they_give() {
        const TEXT: LogicalType = LogicalType::Text { limit: None };
        const DECIMAL: LogicalType = LogicalType::Decimal { precision: None, scale: None };
        let of = |text: &str, kind: &LogicalType| Default::of(Some(text), kind);
        for (one, other, kind) in [
            ("1", "true", LogicalType::Boolean),
            ("'t'", "TRUE", LogicalType::Boolean),
            ("'Vienna'", "'Vienna'::character varying", TEXT),
            ("''", "''::text", TEXT),
            ("1.50", "'1.5'::numeric", DECIMAL),
            ("0", "(0)::numeric", DECIMAL),
            ("-7", "'-7'::integer", LogicalType::Integer { bits: 32 }),
            ("CURRENT_TIMESTAMP", "now()", LogicalType::Timestamp),
            ("current_timestamp(6)", "CURRENT_TIMESTAMP", LogicalType::Timestamp),
            ("(uuid())", "gen_random_uuid()", LogicalType::Uuid),
        ] {
            assert_eq!(of(one, &kind), of(other, &kind), "{one} and {other}");
        }
        for (one, other, kind) in [("'a'", "'A'", TEXT), ("'1.0'", "'1'", TEXT), ("0", "1", LogicalType::Boolean)] {
            assert_ne!(of(one, &kind), of(other, &kind), "{one} and {other}");
        }
        assert_eq!(of("NULL::text", &TEXT), None);
        assert_eq!(Default::of(None, &TEXT), None);
    }
}
