//! Reading the catalogue of the session's database from `information_schema`.

mod created;
mod objects;
mod typed;

pub(super) use created::{Part, parts};

use super::{MariaDbDialect, session::MariaDbSession};
use crate::{
    engine::{Dialect, EngineError},
    model::{
        Catalogue, TableName,
        catalogue::{Sequence, SequenceOwner},
    },
};

/// Counters: table, column, its type's name, its whole type, the next value.
const COUNTERS: &str = include_str!("counters.sql");

/// Names of sequences, and the columns whose default draws from one of this database: table, column, default.
const SEQUENCES: &str = "SELECT table_name FROM information_schema.tables \
                         WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE' ORDER BY table_name";
const DRAWING: &str = "SELECT table_name, column_name, column_default, CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`') \
                       FROM information_schema.columns WHERE table_schema = DATABASE() \
                       AND LOWER(column_default) LIKE 'nextval(%' ORDER BY table_name, ordinal_position";

/// Names of partitioned tables.
const PARTITIONED: &str = "SELECT DISTINCT table_name FROM information_schema.partitions \
                           WHERE table_schema = DATABASE() AND partition_name IS NOT NULL";

impl MariaDbSession {
    /// Reads the whole catalogue.
    ///
    /// Users, roles and routines' own grants belong to the server and are not read; of grants, those on the database, its
    /// tables and columns are, as far as the session's user may see them. What the user may not see is told as hidden.
    pub(super) async fn catalogue(&mut self) -> Result<Catalogue, EngineError> {
        let rights = self.rights().await?;
        let (tables, statements) = self.tables(&rights).await?;
        let sequences = self.sequences().await?;
        let objects = self.objects(&tables, &sequences, &statements).await?;
        let hidden = rights.hides(tables.keys());
        let partitioned = self.texts("reading partitions", PARTITIONED).await?.into_iter().flatten().flatten();
        let partitioned = partitioned.map(TableName::new).collect();
        Ok(Catalogue { tables, partitioned, sequences, objects, hidden, ..Catalogue::default() })
    }

    /// Every AUTO_INCREMENT counter and every sequence.
    pub(in crate::engine::mariadb) async fn sequences(&mut self) -> Result<Vec<Sequence>, EngineError> {
        let doing = "reading counters";
        let mut all = Vec::new();
        for row in self.texts(doing, COUNTERS).await? {
            let [Some(table), Some(column), Some(name), Some(whole), next]: [Option<String>; 5] =
                row.try_into().unwrap_or_default()
            else {
                continue;
            };
            let max = super::types::MariaType { name, whole, ..Default::default() }.largest();
            let next = next.and_then(|next| next.parse().ok()).unwrap_or(1);
            let name = TableName::new(table);
            all.push(Sequence {
                feeds: Some(SequenceOwner { table: name.clone(), column }),
                name,
                next,
                hidden: false,
                increment: 1,
                max,
                min: 1,
                also_feeds: Vec::new(),
            });
        }
        let drawing = self.texts(doing, DRAWING).await?;
        let rights = self.rights().await?;
        for name in self.texts(doing, SEQUENCES).await?.into_iter().flatten().flatten() {
            let quoted = MariaDbDialect.quote(&name);
            let sql = format!("SELECT next_not_cached_value, increment, maximum_value, minimum_value FROM {quoted}");
            let row = match rights.lacks(&name) {
                None => self.texts(doing, &sql).await?.into_iter().next().unwrap_or_default(),
                Some(_) => Vec::new(),
            };
            let number = |at: usize| row.get(at).cloned().flatten().and_then(|number| number.parse::<i128>().ok());
            let mut fed = drawing.iter().filter_map(|row| match row.as_slice() {
                [Some(table), Some(column), Some(default), Some(database)] => {
                    let draws = default.get("nextval".len()..) == Some(&format!("({database}.{quoted})"));
                    draws.then(|| SequenceOwner { table: TableName::new(table), column: column.clone() })
                }
                _ => None,
            });
            all.push(Sequence {
                name: TableName::new(name),
                feeds: fed.next(),
                also_feeds: fed.collect(),
                next: number(0).unwrap_or(1),
                hidden: number(0).is_none(),
                increment: number(1).and_then(|step| i64::try_from(step).ok()).unwrap_or(1),
                max: number(2).unwrap_or(i64::MAX.into()),
                min: number(3).unwrap_or(i64::MIN.into()),
            });
        }
        Ok(all)
    }
}
