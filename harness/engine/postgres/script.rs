//! How psql cuts a script (`psqlscan.l`): semicolons inside parentheses and inside the SQL bodies of routines
//! (`BEGIN ATOMIC … END`) end nothing.

use crate::engine::script::{Lexeme, LexemeKind, Lexicon, Nesting};

/// PostgreSQL's lexical rules, with `standard_conforming_strings` on.
pub(super) static LEXICON: Lexicon = Lexicon {
    names: &[('"', '"')],
    texts: &['\''],
    has_backslash: false,
    has_dollar_quotes: true,
    has_nested_comments: true,
    has_hash_comments: false,
    has_open_comments: false,
    has_client_commands: true,
    has_delimiter: false,
};

/// Where in a statement we are.
#[derive(Debug, Default)]
pub(super) struct Depth {
    parentheses: usize,
    bodies: usize,
    /// How far the statement's first words go along `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
    head: Head,
    copy: Rows,
}

/// How far the statement's words go along `COPY … FROM stdin`.
#[derive(Debug, Default, PartialEq, Eq)]
enum Rows {
    #[default]
    Start,
    Copy,
    From,
    Stdin,
    Other,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Start,
    Create,
    Or,
    Replace,
    Routine,
    Other,
}

impl Nesting for Depth {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn lexeme(&mut self, lexeme: &Lexeme<'_>) {
        match lexeme.text {
            "(" => self.parentheses += 1,
            ")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        if lexeme.kind == LexemeKind::Word {
            self.word(lexeme);
        }
    }

    fn ends(&mut self) -> Result<bool, String> {
        if self.copy == Rows::Stdin {
            let problem = "`COPY … FROM stdin` has its rows in the script, where only the client psql reads them";
            return Err(problem.to_owned());
        }
        Ok(self.parentheses == 0 && self.bodies == 0)
    }
}

impl Depth {
    fn word(&mut self, word: &Lexeme<'_>) {
        if self.head == Head::Routine && self.parentheses == 0 {
            if word.is("begin") || (word.is("case") && self.bodies > 0) {
                self.bodies += 1;
            } else if word.is("end") {
                self.bodies = self.bodies.saturating_sub(1);
            }
        }
        self.copy = match self.copy {
            Rows::Start if word.is("copy") => Rows::Copy,
            Rows::Copy if word.is("from") && self.parentheses == 0 => Rows::From,
            Rows::From if word.is("stdin") => Rows::Stdin,
            Rows::Copy => Rows::Copy,
            Rows::Stdin => Rows::Stdin,
            Rows::Start | Rows::From | Rows::Other => Rows::Other,
        };
        let is_routine = word.is("function") || word.is("procedure");
        self.head = match self.head {
            Head::Start if word.is("create") => Head::Create,
            Head::Create if word.is("or") => Head::Or,
            Head::Or if word.is("replace") => Head::Replace,
            Head::Create | Head::Replace if is_routine => Head::Routine,
            Head::Routine => Head::Routine,
            _ => Head::Other,
        };
    }
}
