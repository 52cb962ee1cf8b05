//! JSON: a list of objects, or an object a line.

use std::path::Path;

use serde_json::Value;

use super::{
    At, BadText, Characters, Dialect, Field, Form, Heading, LONGEST, Lines, LogicalType, Named, Raw, Record, Records,
    WIDEST, Writing, lines,
};

/// Objects whose keys are columns.
pub(super) struct Json {
    /// Whether each stands on a line of its own, with nothing around them all.
    pub is_by_line: bool,
}

impl Form for Json {
    fn id(&self) -> &'static str {
        if self.is_by_line { "ndjson" } else { "json" }
    }

    fn create(&self, path: &Path, heading: &Heading<'_>, dialect: &Dialect) -> Result<Box<dyn Writing>, String> {
        lines::create(path, Box::new(Self { is_by_line: self.is_by_line }), heading, dialect)
    }

    fn open(&self, path: &Path, _: Option<&str>, dialect: &Dialect) -> Result<Box<dyn Records>, BadText> {
        lines::open(path, self, dialect)
    }

    fn carried(&self, value: Field, _: &LogicalType) -> Field {
        value
    }
}

impl Lines for Json {
    fn head(&self, _: &[String], _: &Dialect) -> String {
        if self.is_by_line { "" } else { "[" }.to_owned()
    }

    fn row(&self, number: u64, columns: &[String], row: &[Field], _: &Dialect) -> Result<String, (usize, String)> {
        let mut line = match (self.is_by_line, number) {
            (true, _) => String::new(),
            (false, 0) => "\n".to_owned(),
            (false, _) => ",\n".to_owned(),
        };
        line.push('{');
        for (at, (column, field)) in columns.iter().zip(row).enumerate() {
            let comma = if at > 0 { "," } else { "" };
            line.push_str(&format!("{comma}{}:{}", Value::from(column.as_str()), value(field)));
        }
        line.push('}');
        if self.is_by_line {
            line.push('\n');
        }
        Ok(line)
    }

    fn tail(&self) -> &'static str {
        if self.is_by_line { "" } else { "\n]\n" }
    }

    fn reader(&self, from: Characters, _: &Dialect) -> Result<Box<dyn Records>, BadText> {
        let mut reader = JsonReader { from, is_by_line: self.is_by_line, rows: 0, is_over: false };
        if !self.is_by_line {
            let at = reader.blank()?;
            if reader.from.take()? != Some('[') {
                return Err(Characters::bad(at, "does not begin with `[`"));
            }
        }
        Ok(Box::new(reader))
    }
}

/// A value of JSON where that holds it exactly, a tagged object where it does not.
fn value(field: &Field) -> Value {
    let hex = |bytes: &[u8]| Value::from(crate::canon::hex::hex(bytes));
    let tagged = |tag: &str, value: Value| Value::Object([(tag.to_owned(), value)].into_iter().collect());
    match field {
        Field::Null => Value::Null,
        Field::Boolean(value) => Value::from(*value),
        Field::Integer(value) => Value::from(*value),
        Field::Real(value) if value.is_finite() => Value::from(*value),
        Field::Real(value) => tagged("real", Value::from(value.to_string())),
        Field::Text(text) => Value::from(text.as_str()),
        Field::RawText(bytes) => tagged("text_hex", hex(bytes)),
        Field::Bytes(bytes) => tagged("hex", hex(bytes)),
    }
}

/// The keys and values of an object as they stand: a key that is there twice is no row.
struct Pairs(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs: Vec<(String, Value)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom(format!("`{key}` is there twice")));
                    }
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

struct JsonReader {
    from: Characters,
    is_by_line: bool,
    rows: u64,
    is_over: bool,
}

impl Records for JsonReader {
    fn columns(&self) -> Option<&[String]> {
        None
    }

    fn next(&mut self) -> Result<Option<Record>, BadText> {
        if self.is_over {
            return Ok(None);
        }
        let mut at = self.blank()?;
        let mut begins = self.from.peek()?;
        if !self.is_by_line {
            match (begins, self.rows) {
                (Some(']'), _) => {
                    self.from.take()?;
                    self.is_over = true;
                    let behind = self.blank()?;
                    return match self.from.peek()? {
                        None => Ok(None),
                        Some(_) => Err(Characters::bad(behind, "something stands behind the closing `]`")),
                    };
                }
                (Some(','), 1..) => {
                    self.from.take()?;
                    at = self.blank()?;
                    begins = self.from.peek()?;
                }
                (Some(_), 1..) => return Err(Characters::bad(at, "no `,` stands between two rows")),
                (None, _) => return Err(Characters::bad(at, "ends before its closing `]`")),
                _ => {}
            }
        }
        match begins {
            None if self.is_by_line => return Ok(None),
            Some('{') => {}
            _ => return Err(Characters::bad(at, "a row is no object")),
        }
        self.rows += 1;
        let text = self.object(at)?;
        let Pairs(object) = serde_json::from_str(&text).map_err(|error| {
            let line = at.line + (error.line() as u64).saturating_sub(1);
            let column = error.column() as u64 + if error.line() == 1 { at.column.saturating_sub(1) } else { 0 };
            let told = error.to_string();
            let what = told.split(" at line ").next().unwrap_or_default().to_owned();
            Characters::bad(At { line, column }, what).of_row()
        })?;
        if object.len() > WIDEST {
            return Err(Characters::bad(at, format!("has more than {WIDEST} columns")).of_row());
        }
        let named = |(name, value)| Named { name: Some(name), at, value: Raw::Json(value) };
        Ok(Some(Record { at, values: object.into_iter().map(named).collect() }))
    }
}

impl JsonReader {
    /// Goes to the next character that is not blank.
    fn blank(&mut self) -> Result<At, BadText> {
        while self.from.peek()?.is_some_and(|letter| letter.is_ascii_whitespace()) {
            self.from.take()?;
        }
        Ok(self.from.at())
    }

    /// The text of one object.
    fn object(&mut self, at: At) -> Result<String, BadText> {
        let (mut text, mut depth, mut in_text, mut is_escaped) = (String::new(), 0_usize, false, false);
        loop {
            let Some(letter) = self.from.take()? else {
                return Err(Characters::bad(at, "the file ends in the middle of the row that begins here"));
            };
            text.push(letter);
            if text.len() > LONGEST {
                return Err(Characters::bad(at, format!("a row has more than {LONGEST} bytes")));
            }
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' if in_text => is_escaped = true,
                '"' => in_text = !in_text,
                '{' | '[' if !in_text => depth += 1,
                '}' | ']' if !in_text => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(text);
                    }
                }
                _ => {}
            }
        }
    }
}
