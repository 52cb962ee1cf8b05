//! The log of operations, in the database itself.

use super::{
    super::StepError,
    operation::Operation,
    settings::LOG,
    work::{Work, log_table},
};
use crate::engine::EngineError;

impl Work<'_> {
    /// Whether there is a log: whether anything was ever begun.
    pub async fn has_begun(&mut self) -> Result<bool, EngineError> {
        self.has_table(LOG).await
    }

    /// Writes that an operation begins, and that none of before is running any more. Gives the line's number.
    pub async fn log_begin(&mut self, operation: Operation) -> Result<u64, StepError> {
        let log = self.dialect.table(&log_table());
        if !self.has_begun().await? {
            self.session.execute(&self.retype.log_table(&log)).await?;
        }
        let interrupted = format!(
            "UPDATE {log} SET status = 'interrupted', completed_at = CURRENT_TIMESTAMP WHERE status = 'running'"
        );
        self.session.execute(&interrupted).await?;
        self.log_line(operation).await
    }

    /// Writes a line for an operation that runs. Gives its number.
    pub async fn log_line(&mut self, operation: Operation) -> Result<u64, StepError> {
        let log = self.dialect.table(&log_table());
        let line = self.count(&format!("SELECT COALESCE(MAX(id), 0) + 1 FROM {log}")).await?;
        let begun = format!(
            "INSERT INTO {log} (id, operation, status, started_at) VALUES ({line}, {}, 'running', CURRENT_TIMESTAMP)",
            self.dialect.literal(operation.word())
        );
        self.session.execute(&begun).await?;
        Ok(line)
    }

    /// Writes how it ended.
    pub async fn log_end(
        &mut self,
        line: u64,
        status: &str,
        rows: Option<u64>,
        message: Option<&str>,
    ) -> Result<(), EngineError> {
        let null = || "NULL".to_owned();
        let sql = format!(
            "UPDATE {} SET status = {}, completed_at = CURRENT_TIMESTAMP, row_count = {}, message = {} WHERE id = {line}",
            self.dialect.table(&log_table()),
            self.dialect.literal(status),
            rows.map_or_else(null, |rows| rows.to_string()),
            message.map_or_else(null, |text| self.dialect.literal(text)),
        );
        self.session.execute(&sql).await
    }

    /// Whether the last operation of this kind that completed came after the last full way back.
    pub async fn is_cleaned_up(&mut self) -> Result<bool, EngineError> {
        let log = self.dialect.table(&log_table());
        let last = format!(
            "SELECT operation FROM {log} WHERE status = 'completed' AND operation IN ('cleanup_backup', 'rollback') \
             ORDER BY id DESC LIMIT 1"
        );
        Ok(self.one(&last).await?.as_deref() == Some(Operation::CleanupBackup.word()))
    }
}
