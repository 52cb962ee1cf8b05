//! Runs a script as its tool would: in one transaction, statement by statement, or in one message.

use std::{fmt, path::PathBuf};

use super::{
    Script, Transaction,
    turn::{Turn, has_own, is_one_transaction},
    watch::{Applied, Watch},
};
use crate::{
    engine::{Dialect, EngineError, Session, script::ScriptError},
    model::chain,
};

/// A statement of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The line of its file on which it begins, from 1.
    pub line: usize,
    /// Its text.
    pub text: &'a str,
}

/// Why a script did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct ApplyError {
    /// Its file, relative to the folder.
    pub file: PathBuf,
    /// The line of the statement that failed, where it is known.
    pub line: Option<usize>,
    /// What the server said.
    pub said: String,
}

/// `2_b.sql:3: running a script was refused (42P01): relation "x" does not exist`.
impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.said)
    }
}

impl std::error::Error for ApplyError {}

impl Script {
    /// Its statements: what its marks say is one, is one; the rest is cut as the engine's clients do.
    ///
    /// # Errors
    /// The line of the file at which a statement is cut off, or is none that a server takes.
    pub fn statements<'a>(&'a self, dialect: &dyn Dialect) -> Result<Vec<Placed<'a>>, ScriptError> {
        let mut placed = Vec::new();
        let (mut rest, mut line) = (self.text.as_str(), self.first_line);
        for whole in &self.whole {
            let first = self.first_line + whole.first - 1;
            let (before, after) = cut_lines(rest, first - line);
            cut(before, line, dialect, &mut placed)?;
            let (statement, after) = cut_lines(after, whole.last + 1 - whole.first);
            let text = statement.trim();
            if !text.is_empty() {
                let blank = &statement[..statement.len() - statement.trim_start().len()];
                placed.push(Placed { line: first + blank.matches('\n').count(), text });
            }
            (rest, line) = (after, self.first_line + whole.last);
        }
        cut(rest, line, dialect, &mut placed)?;
        Ok(placed)
    }

    /// Whether nothing in it is a statement.
    pub fn is_blank(&self, dialect: &dyn Dialect) -> bool {
        self.statements(dialect).is_ok_and(|statements| statements.is_empty())
    }

    /// Whether it begins or ends transactions itself.
    pub fn has_own_transaction(&self, dialect: &dyn Dialect) -> bool {
        self.statements(dialect).is_ok_and(|statements| has_own(&statements))
    }

    /// Whether it either runs to its end or leaves nothing.
    pub fn is_whole(&self, dialect: &dyn Dialect) -> bool {
        let is_one = match self.transaction {
            Transaction::Around => true,
            Transaction::OneMessage => dialect.message_is_transaction() && !self.has_own_transaction(dialect),
            Transaction::Nothing => false,
        };
        is_one && dialect.transactions_hold_ddl() && !self.is_alone(dialect)
    }

    /// Whether its only statement may be one that runs outside of a transaction, and leaves an index half made if it fails.
    fn is_alone(&self, dialect: &dyn Dialect) -> bool {
        let is_one = self.transaction == Transaction::OneMessage;
        let statements = self.statements(dialect).unwrap_or_default();
        is_one && statements.len() == 1 && statements[0].text.to_ascii_lowercase().contains("concurrently")
    }

    fn failed(&self, line: Option<usize>, error: &EngineError) -> ApplyError {
        ApplyError { file: self.file.clone(), line, said: chain(error) }
    }
}

fn cut<'a>(
    text: &'a str,
    first_line: usize,
    dialect: &dyn Dialect,
    placed: &mut Vec<Placed<'a>>,
) -> Result<(), ScriptError> {
    let moved = |line: usize| first_line + line - 1;
    let statements = dialect.split(text).map_err(|error| ScriptError { line: moved(error.line), ..error })?;
    placed.extend(statements.iter().map(|one| Placed { line: moved(one.line), text: one.text }));
    Ok(())
}

/// Runs what a tool writes about a script.
///
/// # Errors
/// What the server said; it is the tool's own table that is not as it should be.
pub async fn write(session: &mut dyn Session, script: &Script, statements: &[String]) -> Result<(), ApplyError> {
    for sql in statements {
        session.execute(sql).await.map_err(|error| {
            let said = format!("what the tool keeps about it: {}", chain(&error));
            ApplyError { file: script.file.clone(), line: None, said }
        })?;
    }
    Ok(())
}

/// The first lines of a text, and the rest.
fn cut_lines(text: &str, lines: usize) -> (&str, &str) {
    let end = text.split_inclusive('\n').take(lines).map(str::len).sum();
    text.split_at(end)
}

/// Runs a script as its tool would, and then what the tool itself writes about it: in the script's transaction, where it
/// has one. `is_watched` is whether its locks are asked for behind each of its statements.
///
/// # Errors
/// The statement that failed, or what the tool itself refuses. A transaction around it is rolled back; what stood on its own stays.
pub async fn apply(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    script: &Script,
    closing: &[String],
    is_watched: bool,
) -> Result<Applied, ApplyError> {
    if let Some(refused) = &script.refused {
        let (file, said) = (script.file.clone(), refused.said.clone());
        return Err(ApplyError { file, line: Some(refused.line), said });
    }
    let statements = script.statements(dialect).map_err(|error| ApplyError {
        file: script.file.clone(),
        line: Some(error.line),
        said: error.problem,
    })?;
    let acts = Acts { dialect, script, statements: &statements, closing, is_watched };
    match script.transaction {
        Transaction::Around => acts.around(session).await,
        // One by one in a transaction they do the same, and the one that fails is known.
        Transaction::OneMessage if dialect.message_is_transaction() && !has_own(&statements) => {
            acts.around(session).await
        }
        Transaction::Nothing | Transaction::OneMessage => acts.alone(session).await,
    }
}

/// What is to be done for a script.
struct Acts<'a> {
    dialect: &'a dyn Dialect,
    script: &'a Script,
    statements: &'a [Placed<'a>],
    closing: &'a [String],
    is_watched: bool,
}

impl Acts<'_> {
    /// In one transaction.
    async fn around(&self, session: &mut dyn Session) -> Result<Applied, ApplyError> {
        let failed = |error: EngineError| self.script.failed(None, &error);
        let mut watch = if self.is_watched { Watch::asked() } else { Watch::unasked("nobody looked") };
        session.begin(false).await.map_err(failed)?;
        let ran = async {
            for one in self.statements {
                let begun = watch.now();
                let ran = session.execute(one.text).await;
                ran.map_err(|error| (self.must_be_alone(&error), self.script.failed(Some(one.line), &error)))?;
                // The last time before the tool writes, and its own table is locked as well. Behind a setting another one may
                // have to come before any question.
                if !self.dialect.is_setting(one.text) {
                    watch.look(session, begun).await.map_err(|error| (false, failed(error)))?;
                }
            }
            write(session, self.script, self.closing).await.map_err(|error| (false, error))?;
            session.commit().await.map_err(|error| (false, failed(error)))?;
            Ok(())
        };
        match ran.await {
            Ok(()) => Ok(watch.end()),
            Err((must_be_alone, error)) => {
                // The first error is the one to tell; a session that cannot roll back is closed by its owner, which does the
                // same.
                let rolled_back = session.tx_rollback().await;
                if must_be_alone && rolled_back.is_ok() { self.alone(session).await } else { Err(error) }
            }
        }
    }

    /// Whether the only statement of a message was refused because there is a transaction, which is ours.
    fn must_be_alone(&self, error: &EngineError) -> bool {
        self.script.transaction == Transaction::OneMessage
            && self.statements.len() == 1
            && self.dialect.refuses_transaction(error)
    }

    /// In whatever transactions the script itself begins.
    async fn alone(&self, session: &mut dyn Session) -> Result<Applied, ApplyError> {
        let script = self.script;
        let is_message = script.transaction == Transaction::OneMessage && has_own(self.statements);
        let mut watch = if self.is_watched { Watch::asked() } else { Watch::unasked("nobody looked") };
        if is_message && !is_one_transaction(self.statements) {
            watch = Watch::unasked("several transactions are in one message, and end before anybody can ask");
            session.execute(&script.text).await.map_err(|error| {
                let line = error.script_line().map(|line| script.first_line + line - 1);
                script.failed(line, &error)
            })?;
        } else {
            self.one_by_one(session, &mut watch).await?;
        }
        write(session, script, self.closing).await?;
        Ok(watch.end())
    }

    /// Statement by statement. Of a transaction that the script begins the locks are asked for as long as it is open; a
    /// statement outside of any ends its own before anybody can ask.
    async fn one_by_one(&self, session: &mut dyn Session, watch: &mut Watch) -> Result<(), ApplyError> {
        let failed = |error: EngineError| self.script.failed(None, &error);
        // An engine that does not tell its locks at all says so.
        let begun = watch.now();
        watch.look(session, begun).await.map_err(failed)?;
        let mut is_inside = false;
        for one in self.statements {
            let begun = watch.now();
            session.execute(one.text).await.map_err(|error| self.script.failed(Some(one.line), &error))?;
            match Turn::of(one.text) {
                Turn::Begins => is_inside = true,
                Turn::Ends { goes_on } => {
                    watch.let_go();
                    is_inside = goes_on;
                }
                Turn::Stays if self.dialect.is_setting(one.text) => {}
                Turn::Stays if is_inside => watch.look(session, begun).await.map_err(failed)?,
                Turn::Stays => watch.missed(one.line),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{engine, migrate::layout::Whole};

    fn placed(script: &Script) -> Vec<(usize, &str)> {
        let dialect = engine::by_id("postgres").unwrap().dialect();
        script.statements(dialect).unwrap().iter().map(|one| (one.line, one.text)).collect()
    }

    #[test]
    fn statements_keep_the_lines_of_their_file() {
        let mut script = Script::of_file(Path::new("1.sql"), "a;\n\n  b; c;\n", Transaction::Around);
        script.first_line = 3;
        assert_eq!(placed(&script), [(3, "a"), (5, "b"), (5, "c")]);
    }

    #[test]
    fn what_is_marked_as_one_statement_is_one() {
        let mut script = Script::of_file(Path::new("1.sql"), "a;\n\nx;\ny;\nb;\nz;\n", Transaction::Around);
        script.first_line = 2;
        script.whole = vec![Whole { first: 2, last: 4 }, Whole { first: 6, last: 6 }];
        assert_eq!(placed(&script), [(2, "a"), (4, "x;\ny;"), (6, "b"), (7, "z;")]);
    }

    #[test]
    fn what_may_end_in_its_middle_is_not_whole() {
        let dialect = engine::by_id("postgres").unwrap().dialect();
        let is_whole =
            |text: &str, transaction| Script::of_file(Path::new("1.sql"), text, transaction).is_whole(dialect);
        let index = "CREATE INDEX CONCURRENTLY i ON t (n);";
        assert!(is_whole(index, Transaction::Around) && is_whole("a; b;", Transaction::OneMessage));
        // The server refuses it beside others, and nothing is left then.
        assert!(is_whole(&format!("a; {index}"), Transaction::OneMessage));
        assert!(!is_whole(index, Transaction::OneMessage) && !is_whole("BEGIN; a; COMMIT;", Transaction::OneMessage));
        assert!(!is_whole("a;", Transaction::Nothing));
    }

    #[test]
    fn a_statement_that_is_cut_off_is_told_by_the_line_of_its_file() {
        let mut script = Script::of_file(Path::new("1.sql"), "a;\nb 'c", Transaction::Around);
        script.first_line = 10;
        let error = script.statements(engine::by_id("sqlite").unwrap().dialect()).unwrap_err();
        assert_eq!(error.line, 11);
    }
}
