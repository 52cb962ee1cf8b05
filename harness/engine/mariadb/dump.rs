//! What mariadb-dump wrote: recognised, cut into statements, and run one by one.

use std::{fs, path::Path};

use super::{MariaDb, MariaDbDialect};
use crate::{
    engine::{
        Dialect, Engine, EngineError,
        dump::{Dump, Glance, bad},
    },
    model::Address,
};

/// The largest dump that is restored: its statements are cut in memory.
const MOST_BYTES: u64 = 256 << 20;

/// The dump that is seen at first sight.
pub(super) fn recognise(glance: &Glance<'_>) -> Result<Option<Dump>, EngineError> {
    if glance.begins_with("-- MySQL dump") {
        return Err(bad(glance.path, "is a dump of MySQL, which is not restored here"));
    }
    if !glance.begins_with("-- MariaDB dump") {
        return Ok(None);
    }
    if !glance.ends_with("-- Dump completed") {
        return Err(bad(glance.path, "is cut off: its last line is not `-- Dump completed`"));
    }
    let title = "a dump of mariadb-dump";
    Ok(Some(Dump { path: glance.path.to_owned(), engine: &MariaDb, title, version: None }))
}

/// Restores a dump into an empty database.
pub(super) async fn restore(dump: &Dump, address: &Address) -> Result<Vec<String>, EngineError> {
    let script = read(&dump.path).map_err(|problem| bad(&dump.path, &problem))?;
    let statements = MariaDbDialect.split(&script);
    let statements = statements.map_err(|error| bad(&dump.path, &format!("cannot be read as SQL: {error}")))?;
    let mut session = MariaDb.connect(address).await?;
    for statement in statements {
        session.execute(statement.text).await.map_err(|error| {
            let told = crate::model::chain(&error);
            bad(&dump.path, &format!("cannot be restored: line {}: {told}", statement.line))
        })?;
    }
    session.close().await?;
    Ok(Vec::new())
}

fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MOST_BYTES {
        return Err(format!("has {size} bytes, and {MOST_BYTES} is what is restored here: restore it yourself"));
    }
    fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}
