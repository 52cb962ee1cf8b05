//! Where rows lie.

use std::collections::BTreeMap;

use super::session::MariaDbSession;
use crate::{
    engine::EngineError,
    model::{
        TableName,
        footprint::{Storage, StoredTable},
    },
};

/// The tables of the session's database: name and bytes as the statistics have them.
const TABLES: &str = "
SELECT TABLE_NAME, CAST(COALESCE(DATA_LENGTH + INDEX_LENGTH, 0) AS CHAR)
FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'";

/// InnoDB's own number of each table or partition, another one once it was rebuilt: database and table as names of files,
/// number.
const NUMBERS: &str = "SELECT CAST(NAME AS CHAR), CAST(TABLE_ID AS CHAR) FROM information_schema.INNODB_SYS_TABLES";

impl MariaDbSession {
    /// Where the rows of all tables lie. A table is known by its name; its file is InnoDB's number of it, which a role
    /// without PROCESS does not see.
    pub(super) async fn where_rows_lie(&mut self) -> Result<Storage, EngineError> {
        let doing = "asking where rows lie";
        let database = self.one(doing, "SELECT DATABASE()").await?.unwrap_or_default();
        let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        match self.texts(doing, NUMBERS).await {
            Ok(rows) => {
                for row in rows {
                    let [Some(name), Some(number)]: [Option<String>; 2] = row.try_into().unwrap_or_default() else {
                        continue;
                    };
                    let Some((schema, table)) = name.split_once('/') else { continue };
                    // The parts of a partitioned table, `t#P#p0`.
                    let table = table.split(['#']).next().unwrap_or(table);
                    if decoded(schema) == database {
                        numbers.entry(decoded(table)).or_default().push(number);
                    }
                }
            }
            Err(EngineError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let mut storage = Storage::default();
        for row in self.texts(doing, TABLES).await? {
            let [Some(name), Some(bytes)]: [Option<String>; 2] = row.try_into().unwrap_or_default() else { continue };
            let file = numbers.get_mut(&name).map(|numbers| {
                numbers.sort();
                numbers.join(",")
            });
            let (indexes, bytes) = (BTreeMap::new(), bytes.parse().ok());
            storage.tables.insert(name.clone(), StoredTable { name: TableName::new(name), file, indexes, bytes });
        }
        Ok(storage)
    }
}

/// A name behind the name of a file: `@002d` is the character of that number
/// (<https://mariadb.com/kb/en/identifier-to-file-name-mapping/>). Letters with a shorter code of their own stay as they
/// are, so that their tables have no number here.
fn decoded(file: &str) -> String {
    let mut name = String::new();
    let mut rest = file;
    while let Some((before, after)) = rest.split_once('@') {
        name.push_str(before);
        let code = after.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match code {
            Some(character) => {
                name.push(character);
                rest = &after[4..];
            }
            None => {
                name.push('@');
                rest = after;
            }
        }
    }
    name + rest
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn names_of_files_are_read_back() {
        for (file, name) in [("users", "users"), ("a@002db@0020c", "a-b c"), ("at@0040", "at@"), ("@", "@")] {
            assert_eq!(decoded(file), name);
        }
    }
}
