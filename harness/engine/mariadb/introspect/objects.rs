//! The whole catalogue as plain definitions, for comparing two states of it.

use std::collections::BTreeMap;

use super::created::{Checked, Created};
use crate::{
    engine::{
        Dialect, EngineError,
        mariadb::{MariaDbDialect, session::MariaDbSession},
    },
    model::{
        TableName,
        catalogue::{Definition, ObjectName, Sequence, Table},
    },
};

/// One query for each class. The first column is the object's name, every other one an attribute under its own name;
/// NULLs are left out. Moments of creation, sizes, statistics and positions of counters are not asked for.
const CLASSES: &[(&str, &str)] = &[
    ("database", include_str!("database.sql")),
    ("table", include_str!("tables.sql")),
    ("column", include_str!("columns.sql")),
    ("order", include_str!("order.sql")),
    ("index", include_str!("indexes.sql")),
    ("constraint", include_str!("constraints.sql")),
    ("trigger", include_str!("triggers.sql")),
    ("view", include_str!("views.sql")),
    ("routine", include_str!("routines.sql")),
    ("event", include_str!("events.sql")),
    ("partition", include_str!("partitions.sql")),
    ("grant", include_str!("grants.sql")),
];

impl MariaDbSession {
    pub(super) async fn objects(
        &mut self,
        tables: &BTreeMap<TableName, Table>,
        sequences: &[Sequence],
        statements: &BTreeMap<TableName, Created>,
    ) -> Result<BTreeMap<ObjectName, Definition>, EngineError> {
        let mut objects = BTreeMap::new();
        for (class, sql) in CLASSES {
            let doing = format!("reading the catalogue ({class})");
            for row in self.named(&doing, sql).await? {
                let mut values = row.into_iter();
                let Some((_, Some(name))) = values.next() else { continue };
                let attributes = values.filter_map(|(attribute, value)| Some((attribute, value?)));
                objects.insert(ObjectName::new(*class, name), attributes.collect());
            }
        }
        for (table, created) in statements {
            told_by_statement(table, created, &mut objects);
        }
        for sequence in sequences.iter().filter(|sequence| !sequence.hidden && !tables.contains_key(&sequence.name)) {
            let sql = format!(
                "SELECT minimum_value, maximum_value, start_value, increment, cache_size, cycle_option FROM {}",
                MariaDbDialect.table(&sequence.name)
            );
            for row in self.named("reading the catalogue (sequence)", &sql).await? {
                let attributes = row.into_iter().filter_map(|(attribute, value)| Some((attribute, value?)));
                objects.insert(ObjectName::new("sequence", &sequence.name.name), attributes.collect());
            }
        }
        Ok(objects)
    }
}

/// Adds the constraints of a table that only the statement tells that would create it.
fn told_by_statement(table: &TableName, created: &Created, objects: &mut BTreeMap<ObjectName, Definition>) {
    let constraint = |name: &str| ObjectName::new("constraint", format!("{}.{name}", table.name));
    let attributes = |pairs: &[(&str, &str)]| -> Definition {
        pairs.iter().map(|(attribute, value)| ((*attribute).to_owned(), (*value).to_owned())).collect()
    };
    for Checked { name, of_column, expression } in &created.checks {
        let level = if *of_column { "Column" } else { "Table" };
        let definition = [("kind", "CHECK"), ("expression", expression), ("level", level)];
        objects.insert(constraint(name), attributes(&definition));
    }
    for (name, [on_update, on_delete]) in &created.actions {
        if let Some(definition) = objects.get_mut(&constraint(name)) {
            definition.extend(attributes(&[("on_update", on_update), ("on_delete", on_delete)]));
        }
    }
}
