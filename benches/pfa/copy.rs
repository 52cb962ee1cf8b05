//! The server's own COPY of the same rows plus its keys: files on the server's own disk, no client in between.

use std::time::Instant;

use rehearse::engine::Session;

use crate::{Error, server::Started};

/// The database that the rows are copied into.
const DATABASE: &str = "copied";
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/pfa-vanguard/schema/target.sql");

/// A statement that drops and one that adds each key and index: uniques before the references that need them.
const KEYS: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
        CASE contype WHEN 'f' THEN 3 ELSE 1 END AS turn
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), 2
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))";

/// When keys and indexes are made.
#[derive(Clone, Copy)]
pub enum Keys {
    /// Into bare tables, keys and indexes after the rows.
    Afterwards,
    /// Indexes from the start, references after the rows.
    ReferencesAfterwards,
    /// They are there from the start.
    InPlace,
}

/// How long it took, in seconds.
pub struct Took {
    /// All rows.
    pub copy: f64,
    /// Keys and indexes afterwards.
    pub keys: f64,
}

/// Copies the rows of the rehearsal that was left standing on the server.
pub async fn measure(server: &Started, when: Keys) -> Result<Took, Error> {
    let mut admin = server.session(None).await?;
    let imported = one(&mut *admin, "SELECT datname FROM pg_database WHERE datname LIKE 'rehearse\\_%'").await?;
    let folder = one(&mut *admin, "SELECT current_setting('data_directory')").await?;
    let mut source = server.session(Some(&imported)).await?;
    // Parents first, as keys that are in place demand it.
    let (order, _) = source.introspect().await?.dependency_order();
    let tables: Vec<String> = order.iter().map(|table| server.engine().dialect().table(table)).collect();
    for (number, table) in tables.iter().enumerate() {
        source.execute(&format!("COPY {table} TO '{folder}/{number}.copy' (FORMAT binary)")).await?;
    }
    source.close().await?;

    admin.execute(&format!("CREATE DATABASE {DATABASE} TEMPLATE template0")).await?;
    let mut target = server.session(Some(DATABASE)).await?;
    target.execute(&std::fs::read_to_string(SCHEMA)?).await?;
    let afterwards = match when {
        Keys::Afterwards => format!("{KEYS} ORDER BY turn"),
        Keys::ReferencesAfterwards => format!("SELECT * FROM ({KEYS}) AS keys WHERE turn = 3"),
        Keys::InPlace => format!("SELECT * FROM ({KEYS}) AS keys WHERE false"),
    };
    let (drop, add) = (column(&mut *target, &afterwards, 0).await?, column(&mut *target, &afterwards, 1).await?);
    for statement in drop.iter().rev() {
        target.execute(statement).await?;
    }
    admin.execute("CHECKPOINT").await?;
    let started = Instant::now();
    for (number, table) in tables.iter().enumerate() {
        target.execute(&format!("COPY {table} FROM '{folder}/{number}.copy' (FORMAT binary)")).await?;
    }
    let copy = started.elapsed().as_secs_f64();
    for statement in &add {
        target.execute(statement).await?;
    }
    let keys = started.elapsed().as_secs_f64() - copy;
    target.close().await?;
    admin.execute(&format!("DROP DATABASE {DATABASE}")).await?;
    admin.close().await?;
    Ok(Took { copy, keys })
}

async fn column(session: &mut dyn Session, sql: &str, column: usize) -> Result<Vec<String>, Error> {
    let rows = session.query(sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().nth(column).flatten()).collect())
}

async fn one(session: &mut dyn Session, sql: &str) -> Result<String, Error> {
    let found = column(session, sql, 0).await?;
    <[String; 1]>::try_from(found)
        .map(|[one]| one)
        .map_err(|found| format!("expected one answer to {sql}, found {found:?}").into())
}
