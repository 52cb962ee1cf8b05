//! How SQLite finds the end of a statement (`src/complete.c`): inside `CREATE TRIGGER`, only a semicolon after `; END`
//! ends it.

use crate::engine::script::{Lexeme, Lexicon, Nesting};

/// SQLite's lexical rules.
pub(super) static LEXICON: Lexicon = Lexicon {
    names: &[('"', '"'), ('`', '`'), ('[', ']')],
    texts: &['\''],
    has_backslash: false,
    has_dollar_quotes: false,
    has_nested_comments: false,
    has_hash_comments: false,
    has_open_comments: true,
    has_client_commands: false,
    has_delimiter: false,
};

/// Where in a statement we are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Trigger {
    #[default]
    Start,
    Explain,
    Create,
    /// In the body.
    Body,
    /// After a semicolon in the body.
    Semicolon,
    /// After `END`, which followed a semicolon.
    End,
    Other,
}

impl Nesting for Trigger {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn lexeme(&mut self, lexeme: &Lexeme<'_>) {
        *self = match self {
            Self::Start if lexeme.is("explain") => Self::Explain,
            Self::Explain if lexeme.is("query") || lexeme.is("plan") => Self::Explain,
            Self::Start | Self::Explain if lexeme.is("create") => Self::Create,
            Self::Create if lexeme.is("temp") || lexeme.is("temporary") => Self::Create,
            Self::Create if lexeme.is("trigger") => Self::Body,
            Self::Semicolon if lexeme.is("end") => Self::End,
            Self::Body | Self::Semicolon | Self::End => Self::Body,
            _ => Self::Other,
        };
    }

    fn ends(&mut self) -> Result<bool, String> {
        let is_inside = matches!(self, Self::Body | Self::Semicolon);
        if is_inside {
            *self = Self::Semicolon;
        }
        Ok(!is_inside)
    }
}
