//! Changing a column's type where it stands.

use async_trait::async_trait;

use super::PostgresDialect;
use crate::{
    engine::{
        Dialect, EngineError, Session,
        retype::{Attached, AttachedClass, Filled, Retype, Retyping, Swap},
    },
    model::{LogicalType, TableName},
};

const ATTACHED: &str = include_str!("attached.sql");
const OBSTACLES: &str = include_str!("obstacles.sql");

/// What the server reads as a UUID: hexadecimal digits with a hyphen behind any group of four, and braces around it
/// (<https://www.postgresql.org/docs/current/datatype-uuid.html>).
const SPELLING: &str = "^([0-9a-f]{4}-?){7}[0-9a-f]{4}$|^\\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\\}$";

/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// How PostgreSQL changes a column's type.
pub(super) struct PostgresRetype;

fn quote(name: &str) -> String {
    PostgresDialect.quote(name)
}

fn table(name: &TableName) -> String {
    PostgresDialect.table(name)
}

/// A query's placeholders for a table and a column, filled in.
fn about(sql: &str, name: &TableName, column: &str) -> String {
    let literal = |text: &str| PostgresDialect.literal(text);
    sql.replace("$1", &literal(&table(name))).replace("$2", &literal(column))
}

/// The name of what fills a second column meanwhile: its own for each, however long the names of table and column are.
fn filler(retyping: &Retyping<'_>) -> String {
    let digest = blake3::hash(format!("{}.{}", retyping.table, retyping.column).as_bytes()).to_hex();
    format!("fill_{}", &digest[..16])
}

fn wait(lock_ms: u64) -> String {
    format!("SET LOCAL lock_timeout = '{lock_ms}ms'")
}

/// Runs statements in one transaction.
async fn in_one_act(session: &mut dyn Session, statements: &[String]) -> Result<(), EngineError> {
    session.begin(false).await?;
    for statement in statements {
        if let Err(error) = session.execute(statement).await {
            // The first error is the one to tell.
            let _ = session.tx_rollback().await;
            return Err(error);
        }
    }
    session.commit().await
}

/// The statements that end the filling of a second column by its writers.
fn desynchronise(retyping: &Retyping<'_>, schema: &str) -> [String; 2] {
    let name = quote(&filler(retyping));
    [
        format!("DROP TRIGGER IF EXISTS {name} ON {}", table(retyping.table)),
        format!("DROP FUNCTION IF EXISTS {}.{name}()", quote(schema)),
    ]
}

#[async_trait]
impl Retype for PostgresRetype {
    fn log_table(&self, name: &str) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {name} (id bigint PRIMARY KEY, operation text NOT NULL, status text NOT NULL, \
             started_at timestamptz NOT NULL, completed_at timestamptz, row_count bigint, message text)"
        )
    }

    fn uuid(&self) -> &'static str {
        "uuid"
    }

    fn is_uuid(&self, text: &str) -> String {
        format!("({text}) ~* {}", PostgresDialect.literal(SPELLING))
    }

    fn to_uuid(&self, kind: &LogicalType, value: &str, seed: &str) -> Option<String> {
        Some(match kind {
            LogicalType::Text { .. } => format!("({value})::uuid"),
            LogicalType::PaddedText { .. } => format!("rtrim({value})::uuid"),
            LogicalType::Bytes => format!("encode({value}, 'hex')::uuid"),
            // The first 128 bits of SHA-256, with version 8 and the variant in their places (RFC 9562, section 5.8).
            LogicalType::Integer { .. } => {
                // By a cast and not by `convert_to`, which may stand in no index; a cast reads backslashes.
                let seed = PostgresDialect.literal(&format!("{}:", seed.replace('\\', "\\\\")));
                let hash = format!("encode(sha256(({seed} || ({value})::text)::bytea), 'hex')");
                format!("overlay(overlay(left({hash}, 32) placing '8' from 13 for 1) placing 'a' from 17 for 1)::uuid")
            }
            _ => return None,
        })
    }

    fn as_uuid(&self, value: &str) -> String {
        format!("({value})::uuid")
    }

    fn keep(&self, from: &str, to: &str) -> Vec<String> {
        vec![format!("LOCK TABLE {from} IN SHARE MODE"), format!("CREATE TABLE {to} AS TABLE {from}")]
    }

    fn spelled(&self, value: &str, declared: &str) -> String {
        if declared == "bytea" { format!("uuid_send({value})") } else { format!("({value})::text") }
    }

    fn default_uuid(&self, kind: &LogicalType, default: &str) -> String {
        match kind {
            LogicalType::Integer { .. } => "gen_random_uuid()".to_owned(),
            LogicalType::Bytes => format!("encode({default}, 'hex')::uuid"),
            _ => format!("({default})::uuid"),
        }
    }

    async fn obstacles(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        column: &str,
    ) -> Result<Vec<String>, EngineError> {
        let rows = session.query(&about(OBSTACLES, table, column)).await?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    async fn attached(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        column: &str,
    ) -> Result<Vec<Attached>, EngineError> {
        let rows = session.query(&about(ATTACHED, table, column)).await?;
        let read = |row: Vec<Option<String>>| {
            let [class, name, goes, comes, proves]: [Option<String>; 5] = row.try_into().ok()?;
            let class = match class?.as_str() {
                "attribute" => AttachedClass::Attribute,
                "default" => AttachedClass::Default,
                "counter" => AttachedClass::Counter,
                "constraint" => AttachedClass::Constraint,
                "index" => AttachedClass::Index,
                _ => AttachedClass::Reference,
            };
            Some(Attached { class, name: name?, goes, comes: comes?, proves })
        };
        let unreadable = || EngineError::Unexpected {
            doing: format!("asking for what hangs on {table}.{column}"),
            what: "an answer that cannot be read".to_owned(),
        };
        rows.into_iter().map(|row| read(row).ok_or_else(unreadable)).collect()
    }

    async fn expand(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        lock_ms: u64,
    ) -> Result<(), EngineError> {
        let add = format!(
            "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}",
            table(retyping.table),
            quote(retyping.temporary),
            retyping.declared
        );
        in_one_act(session, &[wait(lock_ms), add]).await
    }

    /// Goes through the table as it lies, a block after the other: rows that got a value lie behind all others from then on
    /// (or where others were deleted), and are passed by.
    async fn fill(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        cursor: u64,
        rows: u64,
    ) -> Result<Option<Filled>, EngineError> {
        let (name, temporary, column) = (table(retyping.table), quote(retyping.temporary), quote(retyping.column));
        let value = retyping.value;
        let sql = format!(
            "WITH batch AS MATERIALIZED (SELECT t.ctid FROM {name} t WHERE t.ctid >= '({cursor},0)'::tid \
                 AND t.{temporary} IS NULL AND t.{column} IS NOT NULL LIMIT {rows}), \
             done AS (UPDATE {name} t SET {temporary} = {value} WHERE t.ctid = ANY (ARRAY(SELECT ctid FROM batch)) \
                 RETURNING 1) \
             SELECT (SELECT count(*) FROM done)::text, (SELECT max((ctid::text::point)[0])::bigint FROM batch)::text"
        );
        let answer = session.query(&sql).await?;
        let number = |at: usize| {
            let cell = answer.first().and_then(|row| row.get(at)).and_then(Option::as_deref);
            cell.and_then(|text| text.parse::<u64>().ok())
        };
        Ok(number(1).map(|cursor| Filled { rows: number(0).unwrap_or_default(), cursor }))
    }

    async fn synchronise(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError> {
        let (name, function) = (quote(&filler(retyping)), format!("{}.{}", quote(schema), quote(&filler(retyping))));
        let [trigger_goes, _] = desynchronise(retyping, schema);
        let body = format!(
            "BEGIN NEW.{} := (SELECT {} FROM (SELECT NEW.*) AS t); RETURN NEW; END",
            quote(retyping.temporary),
            retyping.value
        );
        let statements = [
            wait(lock_ms),
            format!(
                "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {}",
                PostgresDialect.literal(&body)
            ),
            trigger_goes,
            format!(
                "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {function}()",
                table(retyping.table)
            ),
        ];
        in_one_act(session, &statements).await
    }

    async fn swap(
        &self,
        session: &mut dyn Session,
        swaps: &[Swap<'_>],
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError> {
        let mut statements = vec![wait(lock_ms)];
        let mut add = |statement: String| {
            if !statements.contains(&statement) {
                statements.push(statement);
            }
        };
        for Swap { retyping, .. } in swaps {
            add(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table(retyping.table)));
        }
        for Swap { retyping, .. } in swaps {
            // Rows that came since the last batch.
            let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
            add(format!(
                "UPDATE {} t SET {temporary} = {} WHERE t.{temporary} IS NULL AND t.{column} IS NOT NULL",
                table(retyping.table),
                retyping.value
            ));
            desynchronise(retyping, schema).into_iter().for_each(&mut add);
        }
        let mut going: Vec<&Attached> = swaps.iter().flat_map(|swap| swap.attached).collect();
        going.sort_by_key(|attached| std::cmp::Reverse(attached.class));
        going.iter().filter_map(|attached| attached.goes.clone()).for_each(&mut add);
        for Swap { retyping, .. } in swaps {
            let name = table(retyping.table);
            add(format!("ALTER TABLE {name} DROP COLUMN {}", quote(retyping.column)));
            add(format!(
                "ALTER TABLE {name} RENAME COLUMN {} TO {}",
                quote(retyping.temporary),
                quote(retyping.column)
            ));
        }
        let mut coming: Vec<(AttachedClass, String)> = Vec::new();
        for swap in swaps {
            let place =
                format!("ALTER TABLE {} ALTER COLUMN {}", table(swap.retyping.table), quote(swap.retyping.column));
            let default =
                swap.default.map(|default| (AttachedClass::Default, format!("{place} SET DEFAULT {default}")));
            let others = swap.attached.iter().filter(|attached| match attached.class {
                AttachedClass::Default | AttachedClass::Reference => false,
                AttachedClass::Counter => swap.restores,
                AttachedClass::Attribute | AttachedClass::Constraint | AttachedClass::Index => true,
            });
            coming.extend(default.into_iter().chain(others.map(|attached| (attached.class, attached.comes.clone()))));
        }
        coming.sort_by_key(|(class, _)| *class);
        coming.into_iter().for_each(|(_, comes)| add(comes));
        in_one_act(session, &statements).await
    }

    async fn say(&self, session: &mut dyn Session, statement: &str, lock_ms: u64) -> Result<(), EngineError> {
        in_one_act(session, &[wait(lock_ms), statement.to_owned()]).await
    }

    async fn contract(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError> {
        let [trigger, function] = desynchronise(retyping, schema);
        let drop = format!("ALTER TABLE {} DROP COLUMN IF EXISTS {}", table(retyping.table), quote(retyping.temporary));
        in_one_act(session, &[wait(lock_ms), trigger, function, drop]).await
    }

    fn is_lock_timeout(&self, error: &EngineError) -> bool {
        matches!(error, EngineError::Refused { code: Some(code), .. } if code == LOCK_NOT_AVAILABLE)
    }

    async fn analyze(&self, session: &mut dyn Session, name: &TableName) -> Result<(), EngineError> {
        session.execute(&format!("ANALYZE {}", table(name))).await
    }

    /// With sequential scans made dear, so that a small table's plan too tells whether an index serves.
    async fn plan(
        &self,
        session: &mut dyn Session,
        name: &TableName,
        column: &str,
    ) -> Result<Vec<String>, EngineError> {
        let (name, column) = (table(name), quote(column));
        session.begin(false).await?;
        session.execute("SET LOCAL enable_seqscan = off").await?;
        let explain =
            format!("EXPLAIN (COSTS OFF) SELECT * FROM {name} WHERE {column} = (SELECT {column} FROM {name} LIMIT 1)");
        let rows = session.query(&explain).await;
        session.tx_rollback().await?;
        Ok(rows?.into_iter().flatten().flatten().collect())
    }
}
