//! CSV (RFC 4180) with any delimiter and quote.
//!
//! Written here and not taken from a crate: those that are there take a stray quote or one that is never closed for text, and
//! do not tell a value in quotes from one without, by which NULL and an empty text are told apart.

use std::path::Path;

use super::{
    At, BadText, Characters, Dialect, Field, Form, Heading, LONGEST, Lines, LogicalType, Named, Raw, Record, Records,
    WIDEST, Writing, lines,
};

/// Values between delimiters.
pub(super) struct Csv;

impl Form for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }

    fn create(&self, path: &Path, heading: &Heading<'_>, dialect: &Dialect) -> Result<Box<dyn Writing>, String> {
        lines::create(path, Box::new(Self), heading, dialect)
    }

    fn open(&self, path: &Path, _: Option<&str>, dialect: &Dialect) -> Result<Box<dyn Records>, BadText> {
        lines::open(path, self, dialect)
    }

    fn carried(&self, value: Field, kind: &LogicalType) -> Field {
        // What has no column of its kind would come back as a text.
        let is_kept = match (&value, kind) {
            (Field::Null | Field::Text(_), _) => true,
            (Field::Bytes(_), kind) => *kind == LogicalType::Bytes,
            (_, kind) => *kind != LogicalType::Any,
        };
        match text(&value) {
            Ok(Some(text)) if is_kept => super::super::read_text(text, kind),
            _ => value,
        }
    }
}

impl Lines for Csv {
    fn head(&self, columns: &[String], dialect: &Dialect) -> String {
        let names = columns.iter().map(|column| written(column, dialect));
        if dialect.header {
            names.collect::<Vec<_>>().join(&dialect.delimiter.to_string()) + "\r\n"
        } else {
            String::new()
        }
    }

    fn row(&self, _: u64, columns: &[String], row: &[Field], dialect: &Dialect) -> Result<String, (usize, String)> {
        let mut line = String::new();
        for (at, field) in row.iter().enumerate() {
            if at > 0 {
                line.push(dialect.delimiter);
            }
            match text(field) {
                Ok(Some(text)) => line.push_str(&written(&text, dialect)),
                // A line with nothing on it would be no record to others.
                Ok(None) if columns.len() == 1 => line.push_str(dialect.null.as_deref().unwrap_or_default()),
                Ok(None) => {}
                Err(why) => return Err((at, why)),
            }
        }
        line.push_str("\r\n");
        Ok(line)
    }

    fn tail(&self) -> &'static str {
        ""
    }

    fn reader(&self, from: Characters, dialect: &Dialect) -> Result<Box<dyn Records>, BadText> {
        let mut reader = CsvReader { from, dialect: dialect.clone(), columns: None };
        if dialect.header {
            let at = reader.from.at();
            let Some(record) = reader.next()? else {
                return Err(Characters::bad(at, "is empty, and its first line has to name the columns"));
            };
            let name = |named: Named| match named.value {
                Raw::Text(name) => Ok(name),
                _ => Err(Characters::bad(named.at, "a column has no name")),
            };
            let columns: Vec<String> = record.values.into_iter().map(name).collect::<Result<_, _>>()?;
            if let Some(twice) = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)) {
                return Err(Characters::bad(at, format!("two columns are called `{}`", twice.1)));
            }
            reader.columns = Some(columns);
        }
        Ok(Box::new(reader))
    }
}

/// The text of a value; `None` is NULL.
fn text(field: &Field) -> Result<Option<String>, String> {
    Ok(Some(match field {
        Field::Null => return Ok(None),
        Field::Boolean(value) => value.to_string(),
        Field::Integer(value) => value.to_string(),
        Field::Real(value) => format!("{value:?}"),
        Field::Text(text) => text.clone(),
        Field::Bytes(bytes) => format!("\\x{}", crate::canon::hex::hex(bytes)),
        Field::RawText(_) => return Err("holds text that is no UTF-8".to_owned()),
    }))
}

/// A text with quotes where it needs them: where it would end too early, or be taken for NULL.
fn written(text: &str, dialect: &Dialect) -> String {
    let Dialect { delimiter, quote, null, .. } = dialect;
    let needs = text.is_empty()
        || null.as_deref() == Some(text)
        || text.starts_with('\u{feff}')
        || text.contains([*delimiter, *quote, '\n', '\r']);
    if needs { format!("{quote}{}{quote}", text.replace(*quote, &format!("{quote}{quote}"))) } else { text.to_owned() }
}

struct CsvReader {
    from: Characters,
    dialect: Dialect,
    columns: Option<Vec<String>>,
}

impl Records for CsvReader {
    fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    fn next(&mut self) -> Result<Option<Record>, BadText> {
        let at = self.from.at();
        if self.from.peek()?.is_none() {
            return Ok(None);
        }
        let mut values = Vec::new();
        loop {
            let begins = self.from.at();
            let value = self.value(begins)?;
            values.push(Named { name: None, at: begins, value });
            match self.from.take()? {
                Some(letter) if letter == self.dialect.delimiter => {}
                Some('\r') if self.from.peek()? == Some('\n') => drop(self.from.take()?),
                _ => break,
            }
            if self.from.at().column == 1 {
                break;
            }
            if values.len() >= WIDEST {
                return Err(Characters::bad(begins, format!("has more than {WIDEST} columns")));
            }
        }
        if let Some(columns) = self.columns.as_ref().filter(|columns| columns.len() != values.len()) {
            let what = format!("has {} values, and the header names {} columns", values.len(), columns.len());
            return Err(Characters::bad(at, what).of_row());
        }
        Ok(Some(Record { at, values }))
    }
}

impl CsvReader {
    /// One value; what ends it is not taken.
    fn value(&mut self, begins: At) -> Result<Raw, BadText> {
        let quote = self.dialect.quote;
        let mut text = String::new();
        if self.from.peek()? == Some(quote) {
            self.from.take()?;
            loop {
                match self.from.take()? {
                    None => return Err(Characters::bad(begins, "a quote is opened here and never closed")),
                    Some(letter) if letter == quote && self.from.peek()? == Some(quote) => {
                        self.from.take()?;
                        text.push(quote);
                    }
                    Some(letter) if letter == quote => break,
                    Some(letter) => text.push(letter),
                }
                bounded(&text, begins)?;
            }
            let at = self.from.at();
            return match self.from.peek()? {
                Some(letter) if !self.ends(letter) => {
                    Err(Characters::bad(at, "something stands behind a closing quote"))
                }
                _ => Ok(Raw::Text(text)),
            };
        }
        while let Some(letter) = self.from.peek()?.filter(|letter| !self.ends(*letter)) {
            if letter == quote {
                return Err(Characters::bad(self.from.at(), "a quote stands in a value that does not begin with one"));
            }
            text.push(letter);
            self.from.take()?;
            bounded(&text, begins)?;
        }
        let is_null = text.is_empty() || self.dialect.null.as_deref() == Some(text.as_str());
        Ok(if is_null { Raw::Null } else { Raw::Text(text) })
    }

    fn ends(&self, letter: char) -> bool {
        letter == self.dialect.delimiter || letter == '\n' || letter == '\r'
    }
}

fn bounded(text: &str, at: At) -> Result<(), BadText> {
    if text.len() > LONGEST {
        Err(Characters::bad(at, format!("a value has more than {LONGEST} bytes")))
    } else {
        Ok(())
    }
}
