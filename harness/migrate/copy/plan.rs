//! What is copied into what, found out before anything is written.

use std::{collections::BTreeMap, io::Write};

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

use super::{
    lookup::{self, Lookup},
    object::ObjectPlan,
    value::{Making, Unfit},
};
use crate::{
    canon::{
        Cell,
        comparison::{Condition, Derivation, Expression, Others, ValueMap},
        text_of,
    },
    engine::{Dialect, Rowset},
    model::{LogicalType, Side, TableName, Value, catalogue::Table},
};

/// One table's way into another.
pub(super) struct TablePlan {
    /// Where the rows come from.
    pub source: Table,
    /// Where they go.
    pub target: Table,
    /// Only rows for which this holds.
    pub filter: Option<Condition>,
    /// The columns that are read, each for one of the target's.
    pub columns: Vec<ColumnPlan>,
    /// The target's columns of JSON that is put together from several.
    pub objects: Vec<ObjectPlan>,
    /// The columns of the target that are the same in every row.
    pub constants: Vec<(String, Value)>,
    /// The columns that name a row which cannot be carried, where such rows are kept; otherwise the first ends the copy.
    pub keeps: Option<Vec<String>>,
    /// The parents that every row has to have, where rows without one are rejected.
    pub parents: Vec<Parent>,
}

/// What a column refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    /// The column's place among those that are read.
    pub column: usize,
    /// The target's table that it refers to.
    pub table: TableName,
    /// That table's column.
    pub key: String,
}

/// One column's way.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlan {
    /// The source's column, or the name of the expression.
    pub source: String,
    /// The target's column.
    pub target: String,
    /// What is read in the column's place.
    pub sql: Option<String>,
    /// Which table has the value that stands in the place of the column's.
    pub lookup: Option<Lookup>,
    /// Which value stands for which.
    pub values: Option<Values>,
    /// Whether the target's column has to have a value.
    pub is_required: bool,
    /// The space of the UUIDs that follow from the column's values.
    pub space: Option<Uuid>,
    /// How the target's value is made.
    pub making: Making,
}

/// A value map that is asked once for each row.
#[derive(Clone, Debug)]
pub(super) struct Values {
    by_source: BTreeMap<String, String>,
    others: Others,
}

impl From<&ValueMap> for Values {
    fn from(map: &ValueMap) -> Self {
        let by_source = map.entries.iter().map(|(source, target, _)| (source.clone(), target.clone())).collect();
        Self { by_source, others: map.others.clone() }
    }
}

impl Values {
    /// The rows of a table whose value (`column`, in SQL) the map does not name, as a condition, and what became of it; `None` if
    /// it stayed or was rejected.
    pub fn unnamed(&self, column: &str, dialect: &dyn Dialect) -> Option<(String, &str)> {
        let became = match &self.others {
            Others::Null => "NULL",
            Others::Value(other) => other.as_str(),
            Others::AsIs | Others::Reject => return None,
        };
        let text = dialect.as_text(column);
        let named =
            self.by_source.keys().map(|value| format!("NOT ({})", dialect.is_text(&text, &dialect.literal(value))));
        Some((named.fold(format!("{column} IS NOT NULL"), |all, one| format!("{all} AND {one}")), became))
    }
}

impl ColumnPlan {
    /// The value of the target's column for a cell of the source's.
    pub fn value(&self, cell: &Cell<'_>) -> Result<Value, Unfit> {
        match self.made(cell) {
            // Some engines would count up in place of NULL.
            Ok(Value::Null) if self.is_required => Err("holds NULL, and the target has to have a value".to_owned()),
            made => made,
        }
    }

    fn made(&self, cell: &Cell<'_>) -> Result<Value, Unfit> {
        if let Some(lookup) = &self.lookup {
            return self.looked_up(lookup, cell);
        }
        if self.values.is_none() && self.space.is_none() {
            return self.making.value(cell);
        }
        let mut digits = [0; DIGITS];
        match cell {
            // The most usual keys, of which there are millions, without an allocation for each.
            Cell::Integer(number) => self.made_of_text(number_in(*number, &mut digits), cell),
            Cell::Text(bytes) => match str::from_utf8(bytes) {
                Ok(text) => self.made_of_text(text, cell),
                Err(_) => self.making.value(cell),
            },
            _ => match text_of(cell) {
                Some(text) => self.made_of_text(&text, cell),
                None => self.making.value(cell),
            },
        }
    }

    /// The value for what another table has for a cell.
    fn looked_up(&self, lookup: &Lookup, cell: &Cell<'_>) -> Result<Value, Unfit> {
        let Some(key) = lookup::key(cell) else { return Ok(Value::Null) };
        match lookup.value(&key) {
            Some(Some(text)) => self.made_of_text(text, &Cell::Text(text.as_bytes())),
            None if self.is_required => Err(format!("holds a value that `{}` does not have", lookup.key())),
            Some(None) | None => Ok(Value::Null),
        }
    }

    /// The value for a cell that reads so.
    fn made_of_text(&self, text: &str, cell: &Cell<'_>) -> Result<Value, Unfit> {
        if let Some(space) = &self.space {
            return self.making.value(&Cell::Uuid(version_5(space, text).into_bytes()));
        }
        let Some(values) = &self.values else { return self.making.value(cell) };
        match values.by_source.get(text) {
            Some(target) => self.making.value(&Cell::Text(target.as_bytes())),
            None => match &values.others {
                Others::AsIs => self.making.value(cell),
                Others::Null => Ok(Value::Null),
                Others::Reject => Err("holds a value that its map does not name".to_owned()),
                Others::Value(other) => self.making.value(&Cell::Text(other.as_bytes())),
            },
        }
    }
}

/// The longest whole number of 64 bits, with its sign.
const DIGITS: usize = 20;

/// A number's digits, in a place for them.
fn number_in(number: i64, place: &mut [u8; DIGITS]) -> &str {
    let mut rest = &mut place[..];
    write!(rest, "{number}").expect("there is room for every number");
    let length = DIGITS - rest.len();
    str::from_utf8(&place[..length]).expect("digits are ASCII")
}

/// `Uuid::new_v5`, whose own hash does not use what the processor has for it: millions of rows notice.
fn version_5(space: &Uuid, name: &str) -> Uuid {
    let hash = Sha1::new().chain_update(space.as_bytes()).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

/// The space of the UUIDs that follow from the keys of a table.
pub(super) fn space(derivation: &Derivation) -> Uuid {
    let system = Uuid::new_v5(&Uuid::NAMESPACE_OID, derivation.system.as_bytes());
    Uuid::new_v5(&system, derivation.table.as_bytes())
}

impl TablePlan {
    /// What is read of the source; `part` is the condition of a part of the table.
    pub fn rowset(&self, part: Option<String>, dialect: &dyn Dialect) -> Rowset {
        // Columns that are read for objects are read as they stand, whatever else is made of them.
        let name = |column: &ColumnPlan| match column.sql {
            Some(_) => format!("made {}", column.source),
            None => column.source.clone(),
        };
        let columns = self.columns.iter().map(name).chain(self.objects.iter().flat_map(ObjectPlan::columns).cloned());
        let mut rowset = Rowset::of(self.source.name.clone(), columns.collect());
        rowset.terms.filters.extend(self.filter.clone());
        rowset.terms.filters.extend(part.map(|sql| Condition { sql, ..Condition::default() }));
        for column in &self.columns {
            if let Some(sql) = &column.sql {
                rowset.terms.expressions.insert(name(column), Expression::Sql(sql.clone()));
            }
        }
        for key in self.keeps.iter().flatten().filter(|key| self.among_columns(key).is_none()) {
            // Whatever else is read of the column, this is its own text.
            let name = format!("key {key}");
            rowset.terms.expressions.insert(name.clone(), Expression::Sql(dialect.quote(key)));
            rowset.columns.push(name);
        }
        rowset
    }

    /// In which places of what is read the columns stand that name a row.
    pub fn places_of_key(&self) -> Vec<usize> {
        let members: usize = self.objects.iter().map(|object| object.columns().count()).sum();
        let mut behind = self.columns.len() + members..;
        let place = |key: &String| self.among_columns(key).or_else(|| behind.next());
        self.keeps.iter().flatten().filter_map(place).collect()
    }

    /// Where a column that names a row is read already, in a form that has its text.
    fn among_columns(&self, key: &str) -> Option<usize> {
        let kind = &self.source.column(key)?.kind;
        let has_text = matches!(kind, LogicalType::Integer { .. } | LogicalType::Text { .. } | LogicalType::Uuid);
        self.columns.iter().position(|column| has_text && column.source == key && column.sql.is_none())
    }

    /// The rows that none of these filters takes.
    pub fn left_out(source: &TableName, filters: &[&Condition]) -> Rowset {
        let mut rowset = Rowset::of(source.clone(), Vec::new());
        let not =
            |filter: &&Condition| Condition { sql: format!("(\n{}\n) IS NOT TRUE", filter.sql), at: filter.at.clone() };
        rowset.terms.filters = filters.iter().map(not).collect();
        rowset
    }

    /// The target's columns that rows come with, in the order of their values.
    pub fn filled(&self) -> Vec<String> {
        let read = self.columns.iter().map(|column| column.target.clone());
        let read = read.chain(self.objects.iter().map(|object| object.target.clone()));
        read.chain(self.constants.iter().map(|(column, _)| column.clone())).collect()
    }

    /// The table of one side.
    pub const fn name(&self, side: Side) -> &TableName {
        match side {
            Side::Source => &self.source.name,
            Side::Target => &self.target.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_room() {
        for number in [0, 7, -1, i64::MAX, i64::MIN] {
            assert_eq!(number_in(number, &mut [0; DIGITS]), number.to_string());
        }
    }

    #[test]
    fn uuids_are_those_of_the_crate() {
        for name in [
            "",
            "1",
            "9007199254740993",
            "python.org",
            "a name of more than one block of sixty-four bytes, each of which counts",
        ] {
            assert_eq!(version_5(&Uuid::NAMESPACE_DNS, name), Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()));
        }
    }
}
