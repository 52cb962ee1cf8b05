//! The whole catalogue as plain definitions, for comparing two states of it.

use std::collections::BTreeMap;

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
        for sequence in sequences.iter().filter(|sequence| !tables.contains_key(&sequence.name)) {
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
