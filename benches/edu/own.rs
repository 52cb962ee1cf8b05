//! The server's own COPY of the same rows: files on its own disk, no client in between, keys and indexes after the rows.

use std::time::Instant;

use rehearse::engine::Session;

use crate::{Error, server::Started};

/// The tables of the step that is measured, parents first.
const TABLES: [&str; 3] = ["assessments", "course_enrollments", "grades"];

/// A statement that drops and one that adds each key and index of these tables: uniques before the references that need them.
const KEYS: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
        CASE contype WHEN 'f' THEN 3 ELSE 1 END AS turn
    FROM pg_constraint WHERE conrelid IN ('assessments'::regclass, 'course_enrollments'::regclass, 'grades'::regclass)
        AND contype IN ('p', 'u', 'f')
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), 2
    FROM pg_index WHERE indrelid IN ('assessments'::regclass, 'course_enrollments'::regclass, 'grades'::regclass)
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    ORDER BY turn";

/// How long it took, in seconds.
pub struct Took {
    /// All rows.
    pub copy: f64,
    /// Keys and indexes afterwards.
    pub keys: f64,
}

/// Writes the rows that were copied to files, and has the server read them into the same tables without keys; the best of so
/// many times.
pub async fn measure(server: &Started, times: u64) -> Result<Took, Error> {
    let mut session = server.session(Some("edu_v2")).await?;
    let folder = column(&mut *session, "SELECT current_setting('data_directory')", 0).await?.join("");
    for table in TABLES {
        session.execute(&format!("COPY {table} TO '{folder}/{table}.copy' (FORMAT binary)")).await?;
        session.execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await?;
    }
    let (drop, add) = (column(&mut *session, KEYS, 0).await?, column(&mut *session, KEYS, 1).await?);
    let mut best: Option<Took> = None;
    for _ in 0..times {
        session.execute(&format!("TRUNCATE {}", TABLES.join(", "))).await?;
        for statement in drop.iter().rev() {
            session.execute(statement).await?;
        }
        session.execute("CHECKPOINT").await?;
        let started = Instant::now();
        for table in TABLES {
            session.execute(&format!("COPY {table} FROM '{folder}/{table}.copy' (FORMAT binary)")).await?;
        }
        let copy = started.elapsed().as_secs_f64();
        for statement in &add {
            session.execute(statement).await?;
        }
        let keys = started.elapsed().as_secs_f64() - copy;
        best = Some(match best {
            Some(best) if best.copy + best.keys <= copy + keys => best,
            _ => Took { copy, keys },
        });
    }
    best.ok_or_else(|| "nothing was measured".into())
}

async fn column(session: &mut dyn Session, sql: &str, column: usize) -> Result<Vec<String>, Error> {
    let rows = session.query(sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().nth(column).flatten()).collect())
}
