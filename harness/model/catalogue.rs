//! Everything that a database's catalogue says about it.
//!
//! Two views of one catalogue: `tables` and `sequences` are typed, for whoever plans with them (datasets, copies, checks);
//! `objects` is the whole catalogue as plain definitions by class and name, for whoever compares two states of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{LogicalType, TableName};
pub use super::{
    hidden::{HIDDEN, Hidden, why_hidden},
    sequence::{Sequence, SequenceOwner},
};

/// The catalogue of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Tables with rows of their own, in the order of their names.
    pub tables: BTreeMap<TableName, Table>,
    /// Those among them whose rows lie in partitions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub partitioned: BTreeSet<TableName>,
    /// Views that keep rows, and their columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub materialized: BTreeMap<TableName, Vec<String>>,
    /// Sequences and counters, and where they stand.
    pub sequences: Vec<Sequence>,
    /// Every object's definition, positions of sequences left out.
    pub objects: BTreeMap<ObjectName, Definition>,
    /// What may be there besides, and is not seen by the role that read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Hidden>,
}

/// An object's definition: attribute by attribute, each as the engine prints it.
///
/// A few attributes are spelled alike by all engines that have them: `enabled` (`no`), `valid`, `ready` and `live` of an
/// index (`false`), `persistence` (`unlogged`), and `contents` ([`HIDDEN`] where the role may not read them, with the right that
/// it `lacks`).
pub type Definition = BTreeMap<String, String>;

/// Attributes that hold SQL as the server prints it: not always as it was written, and not by every version in the same way.
pub const PRINTED: &[&str] = &["definition", "default", "generated", "using", "check", "expression"];

/// The name of a catalogue object. Serialised as `class:name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// What it is: `table`, `column`, `index`, `constraint`, `trigger`, `view`, `function`, `sequence`, `type`, `policy`, …
    pub class: String,
    /// Its name, qualified as far as it takes to be unique within the class: `users.email`, `users.users_pkey`.
    pub name: String,
}

impl ObjectName {
    /// Names an object.
    pub fn new(class: impl Into<String>, name: impl Into<String>) -> Self {
        Self { class: class.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.class, self.name)
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (class, name) = text.split_once(':').ok_or_else(|| de::Error::custom(format!("`{text}` has no class")))?;
        Ok(Self::new(class, name))
    }
}

/// A table that holds rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its columns in the order of the catalogue.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<Key>,
    /// Unique constraints and plain unique indexes (no predicate, no expression).
    pub uniques: Vec<Key>,
    /// Foreign keys that this table declares.
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes that are not the primary key's or a unique constraint's.
    pub indexes: Vec<Index>,
    /// CHECK constraints: name (if any) and expression.
    pub checks: Vec<CheckConstraint>,
    /// Why its rows cannot be read or carried (a virtual table, a foreign table), where that is so.
    pub unreadable: Option<String>,
}

impl Table {
    /// A table of this name and nothing else.
    pub const fn empty(name: TableName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            unreadable: None,
        }
    }

    /// A column by its exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that name one row: the primary key, else the first unique key without nullable columns.
    pub fn row_key(&self) -> Option<&[String]> {
        let never_null =
            |key: &&Key| key.columns.iter().all(|name| self.column(name).is_some_and(|column| !column.nullable));
        self.primary_key.iter().chain(&self.uniques).find(never_null).map(|key| key.columns.as_slice())
    }

    /// Every key that must be unique: primary key first.
    pub fn unique_keys(&self) -> impl Iterator<Item = &Key> {
        self.primary_key.iter().chain(&self.uniques)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type as the engine prints it (`character varying(20)`, `DATETIME`).
    pub declared: String,
    /// The type in words that all engines share.
    pub kind: LogicalType,
    /// Whether NULL may be stored.
    pub nullable: bool,
    /// The default's expression as the engine prints it.
    pub default: Option<String>,
    /// Where the value comes from if a row does not give it.
    pub generation: Generation,
    /// A collation other than the type's default.
    pub collation: Option<String>,
}

/// Whether and how an engine makes a column's value by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generation {
    /// The row gives the value, or the default does.
    #[default]
    None,
    /// GENERATED ALWAYS AS IDENTITY.
    IdentityAlways,
    /// GENERATED BY DEFAULT AS IDENTITY, or a default that draws from an owned sequence (`serial`).
    IdentityByDefault,
    /// SQLite's `INTEGER PRIMARY KEY`: an alias of the row id; with AUTOINCREMENT, ids are never used again.
    RowId {
        /// Declared AUTOINCREMENT.
        autoincrement: bool,
    },
    /// Computed from other columns.
    Computed {
        /// The expression as the engine prints it.
        expression: String,
        /// Stored in the row, or computed when read.
        stored: bool,
    },
}

impl Generation {
    /// Whether rows cannot give this column a value.
    pub const fn is_computed(&self) -> bool {
        matches!(self, Self::Computed { .. })
    }

    /// Whether the engine counts up by itself.
    pub const fn is_counter(&self) -> bool {
        matches!(self, Self::IdentityAlways | Self::IdentityByDefault | Self::RowId { .. })
    }
}

/// A primary or unique key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The constraint's or index's name, where it has one.
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub parent: TableName,
    /// The referenced columns, in the order of `columns`.
    pub parent_columns: Vec<String>,
    /// What happens when the parent's key changes.
    pub on_update: Action,
    /// What happens when the parent is deleted.
    pub on_delete: Action,
    /// MATCH FULL: either all columns are NULL or none.
    pub match_full: bool,
    /// DEFERRABLE, and if so whether INITIALLY DEFERRED.
    pub deferrable: Option<bool>,
    /// Whether the rows that are there were checked against it.
    pub validated: bool,
}

/// A referential action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// NO ACTION.
    #[default]
    NoAction,
    /// RESTRICT.
    Restrict,
    /// CASCADE.
    Cascade,
    /// SET NULL.
    SetNull,
    /// SET DEFAULT.
    SetDefault,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        })
    }
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it forbids duplicates.
    pub unique: bool,
    /// What it orders by: column names, or expressions.
    pub parts: Vec<IndexPart>,
    /// The WHERE clause of a partial index, as the engine prints it.
    pub predicate: Option<String>,
    /// The access method, where the engine has several (`btree`, `gin`).
    pub method: Option<String>,
    /// Built and usable.
    pub valid: bool,
}

/// One part of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPart {
    /// The column's name, or `None` for an expression.
    pub column: Option<String>,
    /// The expression as the engine prints it, where it is not a plain column.
    pub expression: Option<String>,
    /// Whether it is in descending order.
    pub descending: bool,
    /// A collation other than the column's own.
    pub collation: Option<String>,
    /// The column and how many of its first characters, where the index holds no more of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<(String, u32)>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConstraint {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its expression as the engine prints it.
    pub expression: String,
}

/// A reference from one table's columns to another's, as checks use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The referencing table.
    pub child: TableName,
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub parent: TableName,
    /// The referenced columns.
    pub parent_columns: Vec<String>,
    /// MATCH FULL: a row with some of the columns NULL dangles too.
    pub match_full: bool,
}

impl Reference {
    /// The reference that a foreign key declares.
    pub fn of(child: &TableName, key: &ForeignKey) -> Self {
        Self {
            child: child.clone(),
            columns: key.columns.clone(),
            parent: key.parent.clone(),
            parent_columns: key.parent_columns.clone(),
            match_full: key.match_full,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}) -> {}({})", self.child, self.columns.join(", "), self.parent, self.parent_columns.join(", "))
    }
}

impl Catalogue {
    /// Tables in dependency order: parents before children; tables of a cycle in the order of their names, and named in
    /// the second part of the answer.
    pub fn dependency_order(&self) -> (Vec<TableName>, Vec<TableName>) {
        let (mut order, mut cyclic) = (Vec::new(), Vec::new());
        let mut left: Vec<&Table> = self.tables.values().collect();
        while !left.is_empty() {
            let waits = |table: &Table, left: &[&Table]| {
                table
                    .foreign_keys
                    .iter()
                    .any(|key| key.parent != table.name && left.iter().any(|other| other.name == key.parent))
            };
            let ready: Vec<TableName> =
                left.iter().filter(|table| !waits(table, &left)).map(|table| table.name.clone()).collect();
            if ready.is_empty() {
                // Everything that is left is in a cycle or behind one: take the first by name, and say so.
                let first = left.remove(0).name.clone();
                cyclic.push(first.clone());
                order.push(first);
                continue;
            }
            left.retain(|table| !ready.contains(&table.name));
            order.extend(ready);
        }
        (order, cyclic)
    }

    /// Every declared reference.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.tables.values().flat_map(|table| table.foreign_keys.iter().map(|key| Reference::of(&table.name, key)))
    }
}
