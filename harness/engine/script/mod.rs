//! Scripts cut into statements, as the clients of each engine cut them.
//!
//! The lexer is one for all engines and is told by a [`Lexicon`] how they differ; what keeps a semicolon from ending a
//! statement (bodies of routines, parentheses of a rule) is each engine's own [`Nesting`].

mod lexer;
#[cfg(test)]
mod tests;

pub use lexer::{Lexeme, LexemeKind, Lexicon};

/// One statement of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its text, without what ends it and without what stands around it.
    pub text: &'a str,
    /// The line of the script on which it begins, from 1.
    pub line: usize,
}

/// Why a script cannot be cut, or holds what no server takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What is wrong: "a text in quotes has no end".
    pub problem: String,
}

/// What keeps a semicolon from ending a statement.
pub trait Nesting {
    /// A statement begins.
    fn reset(&mut self);

    /// A word that is no quoted name, or a mark such as `(`; never a comment or the semicolon itself.
    fn lexeme(&mut self, lexeme: &Lexeme<'_>);

    /// A semicolon: whether it ends the statement.
    ///
    /// # Errors
    /// Why no server takes the statement.
    fn ends(&mut self) -> Result<bool, String>;
}

/// Which statements are about their session alone.
pub trait Settings {
    /// Whether a statement only sets or tells something of its session, and locks no table.
    fn is_setting(&self, statement: &str) -> bool {
        let word = statement.split_ascii_whitespace().next().unwrap_or_default();
        ["set", "reset", "show"].iter().any(|known| word.eq_ignore_ascii_case(known))
    }
}

/// Cuts a script into its statements. What is only white space and comments is no statement.
///
/// # Errors
/// The first place where a quote or comment has no end, or where a command stands that only a client understands.
pub fn split<'a>(
    script: &'a str,
    lexicon: &Lexicon,
    nesting: &mut dyn Nesting,
) -> Result<Vec<Statement<'a>>, ScriptError> {
    let mut cutter =
        Cutter { script, lexicon, statements: Vec::new(), begun: None, delimiter: ";", line: 1, counted: 0 };
    nesting.reset();
    let mut at = 0;
    while at < script.len() {
        at = cutter.step(at, nesting)?;
    }
    cutter.end(script.len(), nesting);
    Ok(cutter.statements)
}

struct Cutter<'a, 'l> {
    script: &'a str,
    lexicon: &'l Lexicon,
    statements: Vec<Statement<'a>>,
    /// Where the statement begins that has not ended yet, and its line.
    begun: Option<(usize, usize)>,
    delimiter: &'a str,
    /// The line of the byte `counted`.
    line: usize,
    counted: usize,
}

impl<'a> Cutter<'a, '_> {
    /// Takes one lexeme and gives the place after it.
    fn step(&mut self, at: usize, nesting: &mut dyn Nesting) -> Result<usize, ScriptError> {
        let rest = &self.script[at..];
        if self.delimiter != ";" && rest.starts_with(self.delimiter) {
            self.end(at, nesting);
            return Ok(at + self.delimiter.len());
        }
        let lexeme = match self.lexicon.lexeme(rest, self.script[..at].chars().next_back()) {
            Ok(lexeme) => lexeme,
            Err(problem) => return Err(self.error(at, problem)),
        };
        let after = at + lexeme.text.len();
        match lexeme.kind {
            LexemeKind::Blank => return Ok(after),
            LexemeKind::Mark if lexeme.text == ";" && self.delimiter == ";" => {
                // A semicolon alone is no statement.
                if let Some((_, line)) = self.begun {
                    match nesting.ends() {
                        Ok(true) => self.end(at, nesting),
                        Ok(false) => {}
                        Err(problem) => return Err(ScriptError { line, problem }),
                    }
                }
                return Ok(after);
            }
            LexemeKind::Mark if lexeme.text == "\\" && self.lexicon.has_client_commands => {
                let command = rest.split_whitespace().next().unwrap_or(rest);
                let problem = format!("`{command}` is a command of the client psql and no SQL");
                return Err(self.error(at, problem));
            }
            LexemeKind::Word if self.lexicon.has_delimiter && self.begun.is_none() && lexeme.is("delimiter") => {
                return self.set_delimiter(after);
            }
            _ => {}
        }
        if self.begun.is_none() {
            let line = self.line_of(at);
            self.begun = Some((at, line));
        }
        if self.delimiter == ";" {
            nesting.lexeme(&lexeme);
        }
        Ok(after)
    }

    fn end(&mut self, at: usize, nesting: &mut dyn Nesting) {
        nesting.reset();
        if let Some((start, line)) = self.begun.take() {
            self.statements.push(Statement { text: self.script[start..at].trim_end(), line });
        }
    }

    /// `DELIMITER //`: what stands on the rest of the line ends statements from here on.
    fn set_delimiter(&mut self, at: usize) -> Result<usize, ScriptError> {
        let rest = &self.script[at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        match line.split_whitespace().next() {
            Some(delimiter) => self.delimiter = delimiter,
            None => return Err(self.error(at, "DELIMITER names no delimiter".to_owned())),
        }
        Ok(at + line.len())
    }

    fn error(&mut self, at: usize, problem: String) -> ScriptError {
        ScriptError { line: self.line_of(at), problem }
    }

    /// The line of a place that is not before the last one asked for.
    fn line_of(&mut self, at: usize) -> usize {
        self.line += self.script[self.counted..at].matches('\n').count();
        self.counted = at;
        self.line
    }
}
