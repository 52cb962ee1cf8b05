//! Names of tables, engines and runs.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A table, view or sequence in its schema.
///
/// `schema` is `None` in the engine's default schema (`public` in PostgreSQL, `main` in SQLite), so that tables of two
/// engines have the same name where a person would give them the same name. Serialised as `name` or `schema.name`, with
/// a dot or backslash inside a name escaped by a backslash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct TableName {
    /// The schema, unless it is the engine's default one.
    pub schema: Option<String>,
    /// The name inside the schema, exactly as the catalogue spells it.
    pub name: String,
}

impl TableName {
    /// A table of the default schema.
    pub fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A table of a named schema.
    pub fn in_schema(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    /// The form under which tables of two engines are matched: see [`fold`].
    pub fn folded(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", fold(schema), fold(&self.name)),
            None => fold(&self.name),
        }
    }
}

/// Folds an identifier for matching between engines: lower case, underscores removed (`AlbumId` = `album_id`).
pub fn fold(identifier: &str) -> String {
    identifier.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |part: &str| part.replace('\\', "\\\\").replace('.', "\\.");
        match &self.schema {
            Some(schema) => write!(f, "{}.{}", escape(schema), escape(&self.name)),
            None => f.write_str(&escape(&self.name)),
        }
    }
}

impl FromStr for TableName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '.' => parts.push(String::new()),
                '\\' => parts.last_mut().expect("never empty").extend(chars.next()),
                _ => parts.last_mut().expect("never empty").push(c),
            }
        }
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), None, None) if !name.is_empty() => Ok(Self::new(name)),
            (Some(schema), Some(name), None) if !schema.is_empty() && !name.is_empty() => {
                Ok(Self::in_schema(schema, name))
            }
            _ => Err(format!("`{text}` is not a table name: expected `name` or `schema.name`")),
        }
    }
}

impl Serialize for TableName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The id of a database product, such as `postgres` or `sqlite`: the key of the engine registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EngineId(pub String);

impl EngineId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for EngineId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// The id of one run: its time of start and a few random letters, safe in file, container and database names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_survive_their_text_form() {
        for name in [
            TableName::new("users"),
            TableName::in_schema("audit", "log"),
            TableName::new("a.b"),
            TableName::in_schema("x.y", r"back\slash"),
        ] {
            assert_eq!(name.to_string().parse::<TableName>().unwrap(), name);
        }
        assert!("a.b.c".parse::<TableName>().is_err());
        assert!("".parse::<TableName>().is_err());
    }

    #[test]
    fn folding_ignores_case_and_underscores() {
        assert_eq!(TableName::new("AlbumId").folded(), TableName::new("album_id").folded());
        assert_ne!(TableName::new("album_ids").folded(), TableName::new("album_id").folded());
    }
}
