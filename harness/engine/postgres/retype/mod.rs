//! Changing a column's type where it stands.

mod early;
mod lookup;

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::PostgresDialect;
use crate::{
    engine::{
        Dialect, EngineError, Session,
        retype::{Act, Attached, AttachedClass, Early, Filled, Keeping, Kept, Lookup, Retype, Retyping, Swap},
    },
    model::{LogicalType, TableName},
};

const ATTACHED: &str = include_str!("attached.sql");
const OBSTACLES: &str = include_str!("obstacles.sql");

/// What the server reads as a UUID: hexadecimal digits with a hyphen behind any group of four, and braces around it
/// (<https://www.postgresql.org/docs/current/datatype-uuid.html>).
const SPELLING: &str = "^([0-9a-f]{4}-?){7}[0-9a-f]{4}$|^\\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\\}$";

/// The copy on which a change is tried.
const TRIAL: &str = "pg_temp.rehearse_trial";
/// Rows that it is tried with.
const TRIED: u32 = 100;

/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// Another session and this one waited for each other, and the server ended this one's statement.
const DEADLOCK: &str = "40P01";

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
    format!("fill_{}", mark(retyping))
}

fn mark(retyping: &Retyping<'_>) -> String {
    let digest = blake3::hash(format!("{}.{}", retyping.table, retyping.column).as_bytes()).to_hex();
    digest[..16].to_owned()
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

/// The statements by which writers fill a second column too.
fn synchronise(retyping: &Retyping<'_>, schema: &str) -> Vec<String> {
    let (name, function) = (quote(&filler(retyping)), format!("{}.{}", quote(schema), quote(&filler(retyping))));
    let [trigger_goes, _] = desynchronise(retyping, schema);
    let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
    // Where a foreign key between the second columns sets one to NULL before that between the first does, the first follows.
    let body = format!(
        "BEGIN IF TG_OP = 'INSERT' OR NEW.{column} IS DISTINCT FROM OLD.{column} \
             OR (OLD.{temporary} IS NULL AND NEW.{temporary} IS NULL) THEN \
             NEW.{temporary} := (SELECT {} FROM (SELECT NEW.*) AS t); \
         ELSIF NEW.{temporary} IS NULL THEN NEW.{column} := NULL; END IF; RETURN NEW; END",
        retyping.value
    );
    vec![
        format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {}",
            PostgresDialect.literal(&body)
        ),
        trigger_goes,
        format!(
            "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {function}()",
            table(retyping.table)
        ),
    ]
}

/// The statements by which second columns take their places.
fn swap(swaps: &[Swap<'_>], schema: &str, ready: &BTreeSet<String>) -> Vec<String> {
    let mut statements = Vec::new();
    let mut add = |statement: String| {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    };
    for Swap { retyping, .. } in swaps {
        add(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table(retyping.table)));
    }
    for Swap { retyping, .. } in swaps {
        let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
        if !ready.contains(&early::whole(retyping)) {
            // Rows that came since the last batch.
            add(format!(
                "UPDATE {} t SET {temporary} = {} WHERE t.{temporary} IS NULL AND t.{column} IS NOT NULL",
                table(retyping.table),
                retyping.value
            ));
        }
        desynchronise(retyping, schema).into_iter().for_each(&mut add);
    }
    let mut going: Vec<&Attached> = swaps.iter().flat_map(|swap| swap.attached).collect();
    going.sort_by_key(|attached| std::cmp::Reverse(attached.class));
    going.iter().filter_map(|attached| attached.goes.clone()).for_each(&mut add);
    for Swap { retyping, .. } in swaps {
        let name = table(retyping.table);
        add(format!("ALTER TABLE {name} DROP COLUMN {}", quote(retyping.column)));
        add(format!("ALTER TABLE {name} RENAME COLUMN {} TO {}", quote(retyping.temporary), quote(retyping.column)));
    }
    let mut coming: Vec<(AttachedClass, String)> = Vec::new();
    for swap in swaps {
        let place = format!("ALTER TABLE {} ALTER COLUMN {}", table(swap.retyping.table), quote(swap.retyping.column));
        let default = swap.default.map(|default| (AttachedClass::Default, format!("{place} SET DEFAULT {default}")));
        let others = swap.attached.iter().filter(|attached| match attached.class {
            AttachedClass::Default | AttachedClass::Reference => false,
            AttachedClass::Counter => swap.restores,
            AttachedClass::Attribute | AttachedClass::Constraint | AttachedClass::Index => true,
        });
        let comes = |attached: &Attached| match attached.early.as_ref().filter(|early| ready.contains(&early.name)) {
            Some(early) => early.takes.clone(),
            None => attached.comes.clone(),
        };
        coming.extend(default.into_iter().chain(others.map(|attached| (attached.class, comes(attached)))));
        let references = swap.attached.iter().filter(|attached| attached.class == AttachedClass::Reference);
        for reference in references.filter(|reference| ready.contains(&early::meanwhile(reference))) {
            coming.extend(early::taken(reference).map(|takes| (AttachedClass::Reference, takes)));
        }
        if ready.contains(&early::whole(swap.retyping)) {
            let (name, whole) = (table(swap.retyping.table), quote(&early::whole(swap.retyping)));
            let drop = format!("ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {whole}");
            // Behind NOT NULL, which it proves.
            coming.push((AttachedClass::Reference, drop));
        }
    }
    coming.sort_by_key(|(class, _)| *class);
    coming.into_iter().for_each(|(_, comes)| add(comes));
    statements
}

#[async_trait]
impl Retype for PostgresRetype {
    /// Everybody queues behind a session that waits for a lock, and an autovacuum that holds it gives way only after
    /// `deadlock_timeout`: a second, where nobody says otherwise. Superusers may.
    fn patience(&self, lock_ms: u64) -> String {
        format!(
            "SET lock_timeout = '{lock_ms}ms'; \
             SELECT set_config('deadlock_timeout', '100ms', false) WHERE current_setting('is_superuser')::bool"
        )
    }

    fn backup(&self, _database: &str) -> String {
        "migration_backup".to_owned()
    }

    fn drop_schema(&self, name: &str) -> String {
        format!("DROP SCHEMA IF EXISTS {name} CASCADE")
    }

    fn plan_table(&self, name: &str) -> String {
        format!("CREATE TABLE IF NOT EXISTS {name} (plan text NOT NULL)")
    }

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

    fn keeps_elsewhere(&self) -> bool {
        true
    }

    fn as_uuid(&self, value: &str) -> String {
        format!("({value})::uuid")
    }

    fn derives(&self, kind: &LogicalType) -> bool {
        matches!(kind, LogicalType::Integer { .. })
    }

    fn exact(&self, value: &str) -> String {
        value.to_owned()
    }

    /// Copies and compares in one snapshot, beside whoever writes.
    fn keep(&self, keeping: &Keeping<'_>) -> Kept {
        let (from, to) = (table(keeping.from), table(keeping.to));
        let uuids = keeping.uuids.iter().map(|(name, value)| format!(", {value} AS {}", quote(name)));
        let copies = vec![
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ".to_owned(),
            format!("CREATE TABLE {to} AS SELECT t.*{} FROM {from} t", uuids.collect::<String>()),
        ];
        let index = |columns: &Vec<String>| format!("CREATE INDEX ON {to} ({})", PostgresDialect.columns(columns));
        let proven = keeping.indexes.iter().map(index).collect();
        Kept { before: Vec::new(), copies, place: keeping.to.clone(), proven, after: Vec::new() }
    }

    fn trial(&self, columns: &[String], swaps: &[Swap<'_>]) -> Vec<String> {
        let Some(first) = swaps.first() else { return Vec::new() };
        let name = table(first.retyping.table);
        let parts = "INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING GENERATED INCLUDING STATISTICS";
        let mut statements = vec![format!("CREATE TEMPORARY TABLE {TRIAL} (LIKE {name} {parts}) ON COMMIT DROP")];
        for Swap { retyping, default, .. } in swaps {
            let (column, declared) = (quote(retyping.column), retyping.declared);
            let alter = format!("ALTER TABLE {TRIAL} ALTER COLUMN {column}");
            statements.push(format!("{alter} TYPE {declared} USING NULL::{declared}"));
            statements.extend(default.map(|default| format!("{alter} SET DEFAULT {default}")));
        }
        statements.extend(swaps.iter().filter_map(|swap| swap.default).map(|default| format!("SELECT {default}")));
        let value = |column: &String| {
            let swap = swaps.iter().find(|swap| swap.retyping.column == column);
            swap.map_or_else(|| format!("t.{}", quote(column)), |swap| swap.retyping.value.to_owned())
        };
        statements.push(format!(
            "INSERT INTO {TRIAL} ({}) SELECT {} FROM {name} t LIMIT {TRIED}",
            PostgresDialect.columns(columns),
            columns.iter().map(value).collect::<Vec<_>>().join(", ")
        ));
        statements
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
            let [class, name, goes, comes, proves, made, makes, takes]: [Option<String>; 8] = row.try_into().ok()?;
            let early = made.zip(makes).zip(takes).map(|((name, makes), takes)| Early { name, makes, takes });
            let class = match class?.as_str() {
                "attribute" => AttachedClass::Attribute,
                "default" => AttachedClass::Default,
                "counter" => AttachedClass::Counter,
                "constraint" => AttachedClass::Constraint,
                "index" => AttachedClass::Index,
                _ => AttachedClass::Reference,
            };
            Some(Attached { class, name: name?, goes, comes: comes?, proves, early })
        };
        let unreadable = || EngineError::Unexpected {
            doing: format!("asking for what hangs on {table}.{column}"),
            what: "an answer that cannot be read".to_owned(),
        };
        rows.into_iter().map(|row| read(row).ok_or_else(unreadable)).collect()
    }

    async fn act(&self, session: &mut dyn Session, act: &Act<'_>, schema: &str) -> Result<(), EngineError> {
        let statements = match act {
            Act::Expand(retyping) => vec![format!(
                "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}",
                table(retyping.table),
                quote(retyping.temporary),
                retyping.declared
            )],
            Act::Synchronise(retyping) => synchronise(retyping, schema),
            Act::Prepare(swaps) => return early::prepare(session, swaps).await,
            Act::Swap(swaps) => {
                let ready = early::ready(session, swaps).await?;
                swap(swaps, schema, &ready)
            }
            Act::Say(statement) => vec![(*statement).to_owned()],
            Act::Contract(retyping) => {
                let [trigger, function] = desynchronise(retyping, schema);
                let (name, temporary) = (table(retyping.table), quote(retyping.temporary));
                let mut statements = early::referring(session, retyping).await?;
                statements.extend([trigger, function]);
                statements.push(format!("ALTER TABLE {name} DROP COLUMN IF EXISTS {temporary}"));
                statements
            }
        };
        in_one_act(session, &statements).await
    }

    /// Goes through the table as it lies, a block after the other: rows that got a value lie behind all others from then on
    /// (or where others were deleted), and are passed by.
    async fn fill(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        cursor: &str,
        rows: u64,
    ) -> Result<Option<Filled>, EngineError> {
        let cursor: u64 = cursor.parse().unwrap_or_default();
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
        let filled = |cursor: u64| Filled { rows: number(0).unwrap_or_default(), cursor: cursor.to_string() };
        Ok(number(1).map(filled))
    }

    fn is_lock_timeout(&self, error: &EngineError) -> bool {
        matches!(error, EngineError::Refused { code: Some(code), .. } if [LOCK_NOT_AVAILABLE, DEADLOCK].contains(&&**code))
    }

    async fn analyze(&self, session: &mut dyn Session, name: &TableName) -> Result<(), EngineError> {
        session.execute(&format!("ANALYZE {}", table(name))).await
    }

    async fn lookup(&self, session: &mut dyn Session, name: &TableName, column: &str) -> Result<Lookup, EngineError> {
        lookup::lookup(session, name, column).await
    }
}
