//! Types as the catalogue describes them, put together from the types that they are made of.

use std::collections::HashMap;

use serde::Deserialize;

use super::PgType;

/// A row of `column_types.sql`: schema, table, column, what is said of it.
type Row = Vec<Option<String>>;

/// Composites within composites that are followed; the server lets no type hold itself.
const DEPTH: usize = 64;

/// A type in the catalogue's own words.
#[derive(Deserialize)]
struct Described {
    oid: u32,
    name: String,
    class: char,
    sends: bool,
    base: Option<Reference>,
    element: Option<u32>,
    labels: Vec<String>,
    fields: Vec<Field>,
    over: Option<u32>,
}

/// A type that somebody uses.
#[derive(Clone, Copy, Deserialize)]
struct Reference {
    oid: u32,
    modifier: i32,
}

/// A field of a composite.
#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(flatten)]
    kind: Reference,
}

/// Schema, table, column and type of each column in the rows of `column_types.sql`; `None` if they cannot be read.
pub(in super::super) fn column_types(rows: Vec<Row>) -> Option<Vec<(String, String, String, PgType)>> {
    let mut types = HashMap::new();
    let mut columns = Vec::new();
    for row in rows {
        let [schema, table, column, said]: [Option<String>; 4] = row.try_into().ok()?;
        let said = said?;
        match (schema, table, column) {
            (Some(schema), Some(table), Some(column)) => {
                let kind: Reference = serde_json::from_str(&said).ok()?;
                columns.push((schema, table, column, kind));
            }
            _ => {
                let described: Described = serde_json::from_str(&said).ok()?;
                types.insert(described.oid, described);
            }
        }
    }
    let typed = |(schema, table, column, kind)| Some((schema, table, column, resolved(&types, kind, DEPTH)?));
    columns.into_iter().map(typed).collect()
}

/// A type without domains, with all that it is made of.
fn resolved(types: &HashMap<u32, Described>, used: Reference, depth: usize) -> Option<PgType> {
    let depth = depth.checked_sub(1)?;
    let described = types.get(&used.oid)?;
    if let Some(base) = described.base {
        let declared = used.oid;
        return resolved(types, base, depth).map(|kind| PgType { declared, ..kind });
    }
    let inner = |oid: Option<u32>, modifier: i32| -> Option<Option<Box<PgType>>> {
        match oid {
            None => Some(None),
            Some(oid) => resolved(types, Reference { oid, modifier }, depth).map(|kind| Some(Box::new(kind))),
        }
    };
    let field = |field: &Field| Some((field.name.clone(), resolved(types, field.kind, depth)?));
    Some(PgType {
        oid: described.oid,
        declared: described.oid,
        name: described.name.clone(),
        class: described.class,
        modifier: used.modifier,
        sends: described.sends,
        element: inner(described.element, used.modifier)?,
        labels: described.labels.clone(),
        fields: described.fields.iter().map(field).collect::<Option<_>>()?,
        over: inner(described.over, -1)?,
    })
}
