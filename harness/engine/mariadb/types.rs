//! Column types, as `information_schema` prints them.

use crate::model::LogicalType;

/// What is known of a column's type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MariaType {
    /// The type's name without parameters: `bigint`.
    pub(super) name: String,
    /// The whole type: `bigint(20) unsigned`.
    pub(super) whole: String,
    /// A text that the server checks to be JSON, which is how MariaDB declares `json`.
    pub(super) json: bool,
    /// The text's collation.
    pub(super) collation: Option<String>,
}

impl MariaType {
    fn is_unsigned(&self) -> bool {
        self.whole.contains(" unsigned")
    }

    /// The numbers in the brackets.
    pub(super) fn parameters(&self) -> Vec<u32> {
        let inside =
            self.whole.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
        inside.split(',').filter_map(|number| number.trim().parse().ok()).collect()
    }

    /// The type as a table is declared with it.
    pub(super) fn declared(&self) -> String {
        if self.json { "json".to_owned() } else { self.whole.clone() }
    }

    /// The type in words that all engines share.
    ///
    /// The server strips the blanks of `char(n)` when it is read, so that nobody knows how many there were. A signed integer holds its unsigned
    /// namesake of half the width.
    pub(super) fn logical(&self) -> LogicalType {
        let parameters = self.parameters();
        let first = parameters.first().copied();
        let integer = |bits: u8, unsigned_bits: u8| LogicalType::Integer {
            bits: if self.is_unsigned() { unsigned_bits } else { bits },
        };
        match self.name.as_str() {
            _ if self.json => LogicalType::Json { binary: false },
            "tinyint" if self.whole == "tinyint(1)" => LogicalType::Boolean,
            "tinyint" => integer(16, 16),
            "smallint" => integer(16, 32),
            "mediumint" => integer(32, 32),
            "int" => integer(32, 64),
            "bigint" if self.is_unsigned() => LogicalType::Decimal { precision: Some(20), scale: Some(0) },
            "bigint" => integer(64, 64),
            "year" => LogicalType::Integer { bits: 16 },
            "decimal" => {
                let scale = parameters.get(1).and_then(|scale| i32::try_from(*scale).ok());
                LogicalType::Decimal { precision: first, scale }
            }
            "float" => LogicalType::Float32,
            "double" => LogicalType::Float64,
            "char" => LogicalType::PaddedText { length: first.unwrap_or(1) },
            "varchar" => LogicalType::Text { limit: first },
            // Limits in bytes, which say little about characters.
            "tinytext" | "text" | "mediumtext" | "longtext" => LogicalType::Text { limit: None },
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => LogicalType::Bytes,
            "uuid" => LogicalType::Uuid,
            "date" => LogicalType::Date,
            "time" => LogicalType::Time,
            "datetime" => LogicalType::Timestamp,
            "timestamp" => LogicalType::TimestampTz,
            "bit" => LogicalType::Bits,
            "enum" => LogicalType::Enum { labels: labels(&self.whole) },
            "set" => LogicalType::Set { labels: labels(&self.whole) },
            "inet4" | "inet6" => LogicalType::Network,
            other => LogicalType::Other(other.to_owned()),
        }
    }

    /// The largest number that a counter of this type can give.
    pub(super) fn largest(&self) -> i128 {
        let bits = match self.name.as_str() {
            "tinyint" => 8,
            "smallint" => 16,
            "mediumint" => 24,
            "int" => 32,
            _ => 64,
        };
        (1 << (if self.is_unsigned() { bits } else { bits - 1 })) - 1
    }
}

/// The labels in `enum('a','b''c')`: quotes are doubled, and a few characters stand behind a backslash.
fn labels(whole: &str) -> Vec<String> {
    let (mut labels, mut label, mut inside) = (Vec::new(), String::new(), false);
    let mut chars = whole.chars().skip_while(|c| *c != '\'').peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if !inside => inside = true,
            '\'' if chars.peek() == Some(&'\'') => label.extend(chars.next()),
            '\'' => {
                inside = false;
                labels.push(std::mem::take(&mut label));
            }
            '\\' if inside => label.extend(chars.next().map(|escaped| match escaped {
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                other => other,
            })),
            _ if inside => label.push(c),
            _ => {}
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logical(whole: &str) -> LogicalType {
        let name = whole.split(['(', ' ']).next().unwrap().to_owned();
        MariaType { name, whole: whole.to_owned(), ..MariaType::default() }.logical()
    }

    #[test]
    fn unsigned_integers_get_room() {
        assert_eq!(logical("int(10) unsigned"), LogicalType::Integer { bits: 64 });
        assert_eq!(logical("bigint(20) unsigned"), LogicalType::Decimal { precision: Some(20), scale: Some(0) });
        assert_eq!(logical("tinyint(1)"), LogicalType::Boolean);
        assert_eq!(logical("tinyint(1) unsigned"), LogicalType::Integer { bits: 16 });
        assert_eq!(logical("tinyint(4)"), LogicalType::Integer { bits: 16 });
    }

    #[test]
    fn labels_keep_quotes_commas_and_backslashes() {
        let labels = ["a", "", "it's", "x,y", "'", "b\\", "c\nd"].map(str::to_owned).to_vec();
        assert_eq!(logical(r"enum('a','','it''s','x,y','''','b\\','c\nd')"), LogicalType::Enum { labels });
    }
}
