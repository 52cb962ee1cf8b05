//! Why an engine could not do something.

use std::fmt;

use crate::model::TableName;

/// Why an engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers at that address (any more).
    #[error("failed to reach {place}")]
    Unavailable {
        /// The address without password.
        place: String,
        /// The driver's error.
        #[source]
        source: BoxedError,
    },
    /// The server said no: wrong password, missing rights, a broken rule, bad SQL.
    #[error("{doing} was refused{}", Code(code))]
    Refused {
        /// What was being done, as in "copying into users".
        doing: String,
        /// The engine's own code (SQLSTATE in PostgreSQL), where there is one.
        code: Option<String>,
        /// The server's message.
        #[source]
        source: BoxedError,
    },
    /// The file is not a database that this engine can read.
    #[error("`{path}` {problem}")]
    BadFile {
        /// The file.
        path: String,
        /// What is wrong with it, as a verb phrase: "is not a SQLite database (it may be encrypted)".
        problem: String,
    },
    /// Somebody else holds a lock.
    #[error("`{place}` is locked by another process")]
    Locked {
        /// The file or table.
        place: String,
    },
    /// No room is left.
    #[error("no space is left while {doing}")]
    Full {
        /// What was being done.
        doing: String,
        /// The server's message.
        #[source]
        source: BoxedError,
    },
    /// The rows that were to be loaded could not be had.
    #[error("failed to get the next row for {table}")]
    RowSource {
        /// The table that they were for.
        table: TableName,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// The engine sent something that we do not understand: a bug, or a version that we do not know.
    #[error("unexpected answer while {doing}: {what}")]
    Unexpected {
        /// What was being done.
        doing: String,
        /// What came.
        what: String,
    },
}

/// What running a script is called when the server tells the line of its error.
pub(super) fn running_line(line: usize) -> String {
    format!("{RUNNING_LINE}{line} of a script")
}

const RUNNING_LINE: &str = "running line ";

impl EngineError {
    /// The line of a script at which the server refused it, from 1, where it told.
    pub fn script_line(&self) -> Option<usize> {
        let (Self::Refused { doing, .. } | Self::Full { doing, .. }) = self else { return None };
        doing.strip_prefix(RUNNING_LINE)?.split(' ').next()?.parse().ok()
    }

    /// Whether it says something about what was asked for (missing rights, row security, a lock, a table that changed its
    /// shape or vanished), so that the next question may well get its answer.
    pub const fn is_about_the_question(&self) -> bool {
        !matches!(self, Self::Unavailable { .. } | Self::BadFile { .. })
    }
}

/// Any error.
pub type BoxedError = Box<dyn std::error::Error + Send + Sync>;

struct Code<'a>(&'a Option<String>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}
