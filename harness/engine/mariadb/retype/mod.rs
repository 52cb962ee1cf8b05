//! Changing a column's type where it stands.
//!
//! A table is changed by one ALTER TABLE, which is done as a whole or not at all; between two tables the connection may be
//! lost. So each act can be done again, and which tables are changed is read from the catalogue. Beside writers the
//! tables are locked by LOCK TABLES until all are changed: nobody sees some of them changed unless the connection is lost.

mod attached;
mod filling;
mod swapping;

use async_trait::async_trait;

use super::{
    MariaDbDialect,
    dialect::{literal, unquoted},
    script::LEXICON,
};
use crate::{
    engine::{
        Dialect, EngineError, Session,
        retype::{Act, Attached, Filled, Keeping, Kept, Lookup, Retype, Retyping, Swap},
        script::{Lexeme, LexemeKind},
    },
    model::{LogicalType, TableName},
};

const OBSTACLES: &str = include_str!("obstacles.sql");

/// Hexadecimal digits with a hyphen behind any group of four.
const SPELLING: &str = "^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$";

/// The longest name of a database, in characters.
const LONGEST_NAME: usize = 64;
/// What the name of a database's backup ends with.
const BACKUP: &str = "_migration_backup";

/// The copy on which a change is tried.
const TRIAL: &str = "rehearse_trial";
/// Rows that it is tried with.
const TRIED: u32 = 100;

/// A deadlock, which ends a statement so that another one can go on.
const DEADLOCK: &str = "1213";

/// How MariaDB changes a column's type.
pub(super) struct MariaDbRetype;

fn quote(name: &str) -> String {
    MariaDbDialect.quote(name)
}

fn table(name: &TableName) -> String {
    MariaDbDialect.table(name)
}

/// Whether a piece of SQL is a column's name, quoted or not.
fn column_is(piece: &Lexeme<'_>, column: &str) -> bool {
    match piece.kind {
        LexemeKind::Quoted => piece.text.starts_with('`') && unquoted(piece.text).eq_ignore_ascii_case(column),
        LexemeKind::Word => piece.text.eq_ignore_ascii_case(column),
        LexemeKind::Blank | LexemeKind::Mark => false,
    }
}

/// The triggers that fill a second column meanwhile, each with its event: names of their own, however long those of table and
/// column are.
fn fillers(retyping: &Retyping<'_>) -> [(String, &'static str); 2] {
    let digest = blake3::hash(format!("{}.{}", retyping.table, retyping.column).as_bytes()).to_hex();
    [("i", "INSERT"), ("u", "UPDATE")].map(|(letter, event)| (format!("fill_{letter}_{}", &digest[..16]), event))
}

fn desynchronise(retyping: &Retyping<'_>) -> Vec<String> {
    let drop = |(name, _): (String, &str)| {
        let name = TableName { schema: retyping.table.schema.clone(), name };
        format!("DROP TRIGGER IF EXISTS {}", table(&name))
    };
    fillers(retyping).into_iter().map(drop).collect()
}

/// The statements by which writers fill a second column too. The value is that of a row of one column, which is the new one.
fn synchronise(retyping: &Retyping<'_>) -> Vec<String> {
    let create = |(name, event): (String, &str)| {
        let column = quote(retyping.column);
        format!(
            "CREATE OR REPLACE TRIGGER {} BEFORE {event} ON {} FOR EACH ROW SET NEW.{} = (SELECT {} FROM (SELECT NEW.{column} \
             AS {column}) AS t)",
            quote(&name),
            table(retyping.table),
            quote(retyping.temporary),
            retyping.value
        )
    };
    fillers(retyping).into_iter().map(create).collect()
}

#[async_trait]
impl Retype for MariaDbRetype {
    /// In whole seconds, of which the server counts the time.
    fn patience(&self, lock_ms: u64) -> String {
        let seconds = lock_ms.div_ceil(1000).max(1);
        format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
    }

    /// A database beside it: that is what other engines call a schema.
    fn backup(&self, database: &str) -> String {
        let room = LONGEST_NAME - BACKUP.len();
        if database.chars().count() <= room {
            return format!("{database}{BACKUP}");
        }
        let digest = blake3::hash(database.as_bytes()).to_hex();
        let stem: String = database.chars().take(room - 9).collect();
        format!("{stem}_{}{BACKUP}", &digest[..8])
    }

    fn drop_schema(&self, name: &str) -> String {
        format!("DROP DATABASE IF EXISTS {name}")
    }

    fn log_table(&self, name: &str) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {name} (id bigint PRIMARY KEY, operation varchar(100) NOT NULL, \
             status varchar(100) NOT NULL, started_at datetime(6) NOT NULL, completed_at datetime(6), row_count bigint, \
             message longtext) ENGINE = InnoDB CHARACTER SET utf8mb4"
        )
    }

    fn plan_table(&self, name: &str) -> String {
        format!("CREATE TABLE IF NOT EXISTS {name} (plan longtext NOT NULL) ENGINE = InnoDB CHARACTER SET utf8mb4")
    }

    fn uuid(&self) -> &'static str {
        "uuid"
    }

    /// The server takes hyphens anywhere between two digits; a UUID has them only behind groups of four. Of versions from 8
    /// on it takes no variant but its own.
    fn is_uuid(&self, text: &str) -> String {
        format!("({text} REGEXP {} AND CAST({text} AS UUID) IS NOT NULL)", literal(SPELLING))
    }

    fn to_uuid(&self, kind: &LogicalType, value: &str, seed: &str) -> Option<String> {
        Some(match kind {
            LogicalType::Text { .. } | LogicalType::PaddedText { .. } => format!("CAST({value} AS UUID)"),
            LogicalType::Bytes => format!("CAST(HEX({value}) AS UUID)"),
            // The first 128 bits of SHA-256, with version 8 and the variant in their places (RFC 9562, section 5.8). A
            // number that is added to is printed without zeros before it.
            kind if self.derives(kind) => {
                let seed = literal(&format!("{seed}:"));
                let hash = format!("SHA2(CONCAT({seed}, {value} + 0), 256)");
                format!("CAST(INSERT(INSERT(LEFT({hash}, 32), 13, 1, '8'), 17, 1, 'a') AS UUID)")
            }
            _ => return None,
        })
    }

    /// Cascades start no triggers (<https://mariadb.com/kb/en/trigger-limitations/>).
    fn keeps_up(&self) -> bool {
        false
    }

    /// The largest unsigned integers are decimals in the words that all engines share.
    fn derives(&self, kind: &LogicalType) -> bool {
        matches!(kind, LogicalType::Integer { .. } | LogicalType::Decimal { precision: Some(20), scale: Some(0) })
    }

    fn as_uuid(&self, value: &str) -> String {
        format!("CAST({value} AS UUID)")
    }

    fn exact(&self, value: &str) -> String {
        format!("BINARY {value}")
    }

    /// The copy gets its name when it is proven. Rows that are copied are locked against writers until they are compared.
    fn keep(&self, keeping: &Keeping<'_>) -> Kept {
        let stem: String = keeping.to.name.chars().take(LONGEST_NAME - 8).collect();
        let place = TableName { schema: keeping.to.schema.clone(), name: format!("{stem}.keeping") };
        let (from, copy) = (table(keeping.from), table(&place));
        let mut additions: Vec<String> =
            keeping.uuids.iter().map(|(name, _)| format!("ADD COLUMN {} uuid", quote(name))).collect();
        additions.extend(keeping.indexes.iter().map(|index| format!("ADD INDEX ({})", MariaDbDialect.columns(index))));
        let mut before = vec![format!("DROP TABLE IF EXISTS {copy}"), format!("CREATE TABLE {copy} LIKE {from}")];
        if !additions.is_empty() {
            before.push(format!("ALTER TABLE {copy} {}", additions.join(", ")));
        }
        let names: Vec<String> =
            keeping.columns.iter().chain(keeping.uuids.iter().map(|(name, _)| name)).map(|name| quote(name)).collect();
        let values = keeping.columns.iter().map(|name| format!("t.{}", quote(name)));
        let values: Vec<String> = values.chain(keeping.uuids.iter().map(|(_, value)| value.clone())).collect();
        let copies = format!(
            "SET STATEMENT foreign_key_checks = 0, check_constraint_checks = 0 FOR INSERT INTO {copy} ({}) SELECT {} FROM {from} t",
            names.join(", "),
            values.join(", ")
        );
        let after = vec![format!("RENAME TABLE {copy} TO {}", table(keeping.to))];
        Kept { before, copies: vec![copies], place, proven: Vec::new(), after }
    }

    fn trial(&self, columns: &[String], swaps: &[Swap<'_>]) -> Vec<String> {
        let Some(first) = swaps.first() else { return Vec::new() };
        let (name, trial) = (table(first.retyping.table), quote(TRIAL));
        let second =
            |swap: &Swap<'_>| format!("ADD COLUMN {} {}", quote(swap.retyping.temporary), swap.retyping.declared);
        let value = |column: &String| {
            let swap = swaps.iter().find(|swap| swap.retyping.column == column);
            swap.map_or_else(|| format!("t.{}", quote(column)), |swap| swap.retyping.value.to_owned())
        };
        let of_table: Vec<&Swap<'_>> = swaps.iter().collect();
        let mut statements = vec![
            format!("DROP TEMPORARY TABLE IF EXISTS {trial}"),
            format!("CREATE TEMPORARY TABLE {trial} LIKE {name}"),
            format!("ALTER TABLE {trial} {}", swaps.iter().map(second).collect::<Vec<_>>().join(", ")),
            format!("ALTER TABLE {trial} {}", swapping::exchange(&of_table)),
            format!(
                "INSERT INTO {trial} ({}) SELECT {} FROM {name} t LIMIT {TRIED}",
                MariaDbDialect.columns(columns),
                columns.iter().map(value).collect::<Vec<_>>().join(", ")
            ),
        ];
        // A default is looked at when a row takes it.
        for swap in swaps.iter().filter(|swap| swap.default.is_some()) {
            let (column, declared) = (quote(swap.retyping.column), swap.retyping.declared);
            let default = swap.default.unwrap_or_default();
            statements.push(format!(
                "CREATE OR REPLACE TEMPORARY TABLE {trial} ({column} {declared} NOT NULL DEFAULT {default})"
            ));
            statements.push(format!("INSERT INTO {trial} VALUES ()"));
        }
        statements.push(format!("DROP TEMPORARY TABLE {trial}"));
        statements
    }

    fn spelled(&self, value: &str, declared: &str) -> String {
        let text = format!("(CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin)");
        let is_bytes = declared.starts_with("binary") || declared.starts_with("varbinary") || declared.contains("blob");
        if is_bytes { format!("UNHEX(REPLACE({text}, '-', ''))") } else { text }
    }

    fn default_uuid(&self, kind: &LogicalType, default: &str) -> String {
        match kind {
            LogicalType::Text { .. } | LogicalType::PaddedText { .. } => format!("(CAST(({default}) AS UUID))"),
            LogicalType::Bytes => format!("(CAST(HEX({default}) AS UUID))"),
            _ => "(UUID())".to_owned(),
        }
    }

    async fn obstacles(
        &self,
        session: &mut dyn Session,
        name: &TableName,
        column: &str,
    ) -> Result<Vec<String>, EngineError> {
        let sql = OBSTACLES
            .replace("$1", &literal(&name.name))
            .replace("$2", &literal(column))
            .replace("$3", &literal(&quote(column)));
        let mut found: Vec<String> = session.query(&sql).await?.into_iter().flatten().flatten().collect();
        let triggers = format!(
            "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE event_object_schema = DATABASE() \
             AND event_object_table = {} ORDER BY trigger_name",
            literal(&name.name)
        );
        for row in session.query(&triggers).await? {
            let [Some(trigger), Some(body)]: [Option<String>; 2] = row.try_into().unwrap_or_default() else { continue };
            if LEXICON.pieces(&body).iter().any(|(_, piece)| column_is(piece, column)) {
                found.push(format!("trigger {trigger} on table {} depends on it", name.name));
            }
        }
        Ok(found)
    }

    async fn attached(
        &self,
        session: &mut dyn Session,
        name: &TableName,
        column: &str,
    ) -> Result<Vec<Attached>, EngineError> {
        attached::attached(session, name, column).await
    }

    async fn act(&self, session: &mut dyn Session, act: &Act<'_>, _schema: &str) -> Result<(), EngineError> {
        let statements = match act {
            // Whoever asks for all columns does not get this one, and whoever names none does not have to give it.
            Act::Expand(retyping) => vec![format!(
                "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {} NULL INVISIBLE AFTER {}",
                table(retyping.table),
                quote(retyping.temporary),
                retyping.declared,
                quote(retyping.column)
            )],
            Act::Synchronise(retyping) => synchronise(retyping),
            // The one ALTER TABLE of the swap makes the indexes.
            Act::Prepare(_) => Vec::new(),
            Act::Swap(swaps) => return swapping::swap(session, swaps).await,
            Act::Say(statement) => vec![(*statement).to_owned()],
            Act::Contract(retyping) => {
                let (name, temporary) = (table(retyping.table), quote(retyping.temporary));
                let drop = format!("ALTER TABLE {name} DROP COLUMN IF EXISTS {temporary}");
                desynchronise(retyping).into_iter().chain([drop]).collect()
            }
        };
        for statement in &statements {
            session.execute(statement).await?;
        }
        Ok(())
    }

    async fn fill(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        cursor: &str,
        rows: u64,
    ) -> Result<Option<Filled>, EngineError> {
        filling::fill(session, retyping, cursor, rows).await
    }

    fn is_lock_timeout(&self, error: &EngineError) -> bool {
        match error {
            EngineError::Locked { .. } => true,
            EngineError::Refused { code: Some(code), .. } => code == DEADLOCK,
            _ => false,
        }
    }

    async fn analyze(&self, session: &mut dyn Session, name: &TableName) -> Result<(), EngineError> {
        session.query(&format!("ANALYZE TABLE {}", table(name))).await.map(drop)
    }

    /// Whether an index could serve, whatever the server prefers for so few rows.
    async fn lookup(&self, session: &mut dyn Session, name: &TableName, column: &str) -> Result<Lookup, EngineError> {
        let sql = format!(
            "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = {} \
             AND column_name = {} AND seq_in_index = 1 AND ignored = 'NO' LIMIT 1",
            literal(&name.name),
            literal(column)
        );
        Ok(Lookup { uses_index: !session.query(&sql).await?.is_empty(), cost: None })
    }
}
