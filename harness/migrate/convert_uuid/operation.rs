//! What can be asked of a conversion, each alone.

use std::{fmt, time::Instant};

use super::{
    super::{StepDone, StepError, StepVoice},
    backup, change,
    columns::Converted,
    plan::Plan,
    settings::{BACKUP, LOG, Settings},
    validate,
    work::Work,
};
use crate::{
    canon::{
        Rule,
        comparison::{Expression, Stated, StatedColumn},
    },
    model::{Address, Sides, TableName, chain, event::Figure},
};

/// What can be asked of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Looks whether the columns can be converted; writes nothing but its line in the log.
    ValidateSchema,
    /// Keeps the original rows and the plan of the way back.
    BackupData,
    /// Converts the key.
    MigrateKey,
    /// Converts what refers to it, and brings the foreign keys back.
    MigrateForeignKeys,
    /// Looks whether everything is there that was there before.
    ValidateMigration,
    /// Drops the backup: from here on there is no way back.
    CleanupBackup,
    /// All from the first validation to the last.
    FullMigration,
    /// Goes back, from wherever the conversion got to.
    Rollback,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 8] = [
        Self::ValidateSchema,
        Self::BackupData,
        Self::MigrateKey,
        Self::MigrateForeignKeys,
        Self::ValidateMigration,
        Self::CleanupBackup,
        Self::FullMigration,
        Self::Rollback,
    ];

    /// Those that make up the full migration.
    pub const FULL: [Self; 5] =
        [Self::ValidateSchema, Self::BackupData, Self::MigrateKey, Self::MigrateForeignKeys, Self::ValidateMigration];

    /// Its word on the command line and in the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ValidateSchema => "validate_schema",
            Self::BackupData => "backup_data",
            Self::MigrateKey => "migrate_key",
            Self::MigrateForeignKeys => "migrate_foreign_keys",
            Self::ValidateMigration => "validate_migration",
            Self::CleanupBackup => "cleanup_backup",
            Self::FullMigration => "full_migration",
            Self::Rollback => "rollback",
        }
    }

    /// The operation of this word. `migrate_users` is what procedures say whose key is that of users.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = if word == "migrate_users" { Self::MigrateKey.word() } else { word };
        Self::ALL.into_iter().find(|operation| operation.word() == word)
    }

    pub(super) fn summary(self, settings: &Settings) -> String {
        let key = &settings.key;
        match self {
            Self::ValidateSchema => {
                format!("{key} and what follows it can become UUIDs: types, values, spellings, orphans")
            }
            Self::BackupData => format!("original rows into {BACKUP}, counts and fingerprints equal"),
            Self::MigrateKey => format!("{key} in batches of {}, then in one act the swap", settings.batch_rows),
            Self::MigrateForeignKeys => "the same for each reference; foreign keys again, validated".to_owned(),
            Self::ValidateMigration => "native types, no orphans, rows as in the backup, indexes in use".to_owned(),
            Self::CleanupBackup => format!("drop {BACKUP}: the point of no return"),
            Self::FullMigration => "all of these".to_owned(),
            Self::Rollback => format!("bring the original types and spellings back, drop {BACKUP}"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Performs an operation on a database. What an earlier process of the same operation has done is not done again.
///
/// # Errors
/// [`StepError::Rejected`] if the rows or the schema do not allow it, [`StepError::Refused`] if there is no way back any more;
/// otherwise what the engine says. An operation that failed leaves what it had done to [`Operation::Rollback`].
pub async fn perform(
    address: &Address,
    settings: &Settings,
    operation: Operation,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let mut work = Work::begin(address, settings, voice).await?;
    let parts: &[Operation] = match &operation {
        Operation::FullMigration => &Operation::FULL,
        one => std::slice::from_ref(one),
    };
    let mut done = StepDone::default();
    for part in parts {
        let started = Instant::now();
        let rows = logged(&mut work, *part, &mut done.notes).await?;
        let seconds = started.elapsed().as_secs_f64();
        done.figures.push(Figure { name: format!("{part}_ms"), value: (seconds * 1000.0).round() });
        if matches!(part, Operation::MigrateKey | Operation::MigrateForeignKeys | Operation::Rollback) {
            done.rows += rows;
            if rows > 0 && seconds > 0.0 {
                let value = (rows as f64 / seconds).round();
                done.figures.push(Figure { name: format!("{part}_rows_per_s"), value });
            }
        }
    }
    if operation == Operation::FullMigration {
        let plan = work.planned().await?;
        let seed = settings.key.to_string();
        let (retype, dialect) = (work.retype, work.dialect);
        done.stated = stated(&plan, |column| {
            let value = dialect.quote(&column.name.column);
            let derived = retype.derives(&column.kind).then(|| retype.to_uuid(&column.kind, &value, &seed)).flatten();
            derived.map(|sql| dialect.as_text(&sql))
        });
    }
    work.end().await?;
    Ok(done)
}

/// What the conversion knows about the columns that it changed: they are the same as before, as UUIDs.
fn stated(plan: &Plan, derive: impl Fn(&Converted) -> Option<String>) -> Vec<Stated> {
    let of_table = |table: &TableName| {
        let columns = plan.columns.iter().filter(|column| column.name.table == *table);
        let columns = columns.map(|column| {
            let rule = Some(Rule::Uuid.word().to_owned());
            // A UUID that was derived is compared with what the derivation gives on the source's side.
            let derived = derive(column);
            let expressions = Sides::new(derived.map(Expression::Sql), None);
            (column.name.column.clone(), StatedColumn { rule, expressions, ..StatedColumn::default() })
        });
        let (source, target) = (table.to_string(), table.to_string());
        Stated { source, target, columns: columns.collect(), ..Stated::default() }
    };
    plan.tables().into_iter().map(of_table).collect()
}

/// Performs one operation between two lines of the log; what it remarks becomes notes.
async fn logged(work: &mut Work<'_>, operation: Operation, notes: &mut Vec<String>) -> Result<u64, StepError> {
    if operation == Operation::Rollback && !work.has_begun().await? {
        // Also a log would be a trace of what never was.
        return Ok(0);
    }
    work.mark(operation, "begun").await?;
    let line = work.log_begin(operation).await?;
    match run(work, operation).await {
        Ok(rows) => {
            let remarks = work.remarks.join("; ");
            let message = Some(remarks.as_str()).filter(|remarks| !remarks.is_empty());
            work.log_end(line, "completed", Some(rows), message).await?;
            let told = std::mem::take(&mut work.remarks);
            notes.extend(told.into_iter().map(|remark| format!("{operation}: {remark}")));
            work.mark(operation, "completed").await?;
            Ok(rows)
        }
        Err(error) => {
            let told = work.told.take().unwrap_or_else(|| chain(&error));
            // The first error is the one to tell; without a connection the log cannot be written either.
            let _ = work.log_end(line, "failed", None, Some(&told)).await;
            Err(match error {
                StepError::Rejected { what } => StepError::Rejected { what: format!("{operation}: {what}; see {LOG}") },
                other => other,
            })
        }
    }
}

async fn run(work: &mut Work<'_>, operation: Operation) -> Result<u64, StepError> {
    match operation {
        Operation::ValidateSchema => validate::before(work).await,
        Operation::BackupData => backup::keep(work).await,
        Operation::MigrateKey => change::key(work).await,
        Operation::MigrateForeignKeys => change::references(work).await,
        Operation::ValidateMigration => validate::after(work).await,
        Operation::CleanupBackup => backup::drop(work).await,
        Operation::Rollback => change::back(work).await,
        Operation::FullMigration => Ok(0),
    }
}
