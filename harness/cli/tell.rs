//! Errors as a person reads them: what failed, the chain of causes, then hints.

use std::{
    collections::BTreeSet,
    error::Error,
    io::Write,
    sync::{Mutex, PoisonError},
};

use crate::{document, report::prose, run::RunError, scenario::ScenarioError};

use super::{exit, urls};

/// Why a verb did not do what it should, with the exit code that it ends with.
pub struct Failure {
    error: Box<dyn Error + Send + Sync>,
    hints: Vec<String>,
    code: u8,
}

impl Failure {
    /// A failure and its exit code.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>, code: u8) -> Self {
        Self { error: error.into(), hints: Vec::new(), code }
    }

    /// A wrong call.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(error, exit::USAGE)
    }

    /// A name that is not known, with the nearest of those that are, or all of them.
    pub fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = match (document::nearest(name, known.iter().copied()), known.as_slice()) {
            (Some(nearest), _) => format!("did you mean `{nearest}`?"),
            (None, []) => format!("there is no {what}"),
            (None, known) => format!("there are: {}", known.join(", ")),
        };
        Self::usage(format!("no {what} is called `{name}`")).hint(hint)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prints it and gives its exit code.
    pub fn print(self) -> u8 {
        failure(&*self.error, &self.hints, self.code)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::Journal { .. } => exit::INCONCLUSIVE,
            RunError::UnreadableJournal { .. } | RunError::Busy(_) | RunError::WrongState(_) => exit::USAGE,
        };
        Self::new(error, code)
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::usage(error)
    }
}

/// Prints a line on stdout. A reader that went away (`| head`) is no error.
pub fn print(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line on stdout as `println!` does, without a panic where nobody reads it.
macro_rules! data {
    ($($line:tt)*) => { $crate::cli::tell::print(format_args!($($line)*)) };
}
pub(super) use data;

/// Says a line on stderr. Whoever closed it does not want to hear it, and that is no reason to leave servers standing.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says a line on stderr, and only the first time.
pub fn once(line: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(line.to_owned()) {
        say(line);
    }
}

/// Prints an error, its causes and hints on stderr.
pub fn failure(error: &dyn Error, hints: &[String], code: u8) -> u8 {
    // Whoever got an argument wrong may have put a URL where something else belongs.
    let visible = |text: &str| urls::shown(&prose::visible_lines(text));
    say(&format!("error: {}", visible(&error.to_string())));
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        next = cause.source();
        let text = cause.to_string();
        if !said.contains(&text) {
            say(&format!("  caused by: {}", visible(&text)));
        }
        said = text;
    }
    for hint in hints {
        say(&format!("hint: {hint}"));
    }
    code
}
