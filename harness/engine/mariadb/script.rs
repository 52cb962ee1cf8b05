//! How MariaDB's scripts are cut: by `DELIMITER`, as the client does, and where there is none by the compound statements
//! of stored routines, triggers and events, as the server's own parser reads them.

use crate::engine::script::{Lexeme, LexemeKind, Lexicon, Nesting};

/// MariaDB's lexical rules, without `ANSI_QUOTES`.
pub(super) static LEXICON: Lexicon = Lexicon {
    names: &[('`', '`')],
    texts: &['\'', '"'],
    has_backslash: true,
    has_dollar_quotes: false,
    has_nested_comments: false,
    has_hash_comments: true,
    has_open_comments: false,
    has_client_commands: false,
    has_delimiter: true,
};

/// Where in a statement we are.
#[derive(Debug, Default)]
pub(super) struct Compound {
    head: Head,
    /// Blocks that are open.
    depth: usize,
    /// Whether a statement of the body could begin here.
    is_start: bool,
    /// `END` came; a keyword after it (`END IF`) is part of it.
    has_ended: bool,
}

/// What the statement is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Start,
    /// After `BEGIN`, which begins a transaction unless `NOT ATOMIC` follows.
    Begin,
    /// After `CREATE`, while attributes such as `DEFINER = …` may follow.
    Create,
    /// Something with a body: before it or in it.
    Routine,
    Other,
}

/// Objects that have a body.
const ROUTINES: &[&str] = &["procedure", "function", "trigger", "event", "package"];
/// Objects that have none.
const OTHERS: &[&str] = &["table", "view", "index", "database", "schema", "user", "role", "server", "sequence"];
/// What opens a block where a statement may begin; `IF` and `REPEAT` are functions elsewhere.
const OPENERS: &[&str] = &["loop", "while", "repeat", "for", "if"];
/// Words after which a statement begins.
const INTRODUCTIONS: &[&str] = &["begin", "then", "else", "do", "loop", "repeat", "atomic"];
/// Words after which a whole body may begin: the last ones of a routine's or a trigger's head.
const LAST_OF_HEAD: &[&str] = &["row", "do", "deterministic", "sql", "data", "definer", "invoker"];

impl Nesting for Compound {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn lexeme(&mut self, lexeme: &Lexeme<'_>) {
        if lexeme.kind == LexemeKind::Word {
            self.word(lexeme);
        } else {
            // A label's colon stands before a statement, and the parameters of a procedure may stand before its body.
            self.is_start = lexeme.is(":") || (self.depth == 0 && lexeme.is(")"));
            self.has_ended = false;
        }
    }

    fn ends(&mut self) -> Result<bool, String> {
        (self.is_start, self.has_ended) = (true, false);
        Ok(self.depth == 0)
    }
}

impl Compound {
    fn word(&mut self, word: &Lexeme<'_>) {
        let is_any = |words: &[&str]| words.iter().any(|one| word.is(one));
        let had_ended = std::mem::take(&mut self.has_ended);
        match self.head {
            Head::Start if word.is("create") => self.head = Head::Create,
            Head::Start if word.is("begin") => self.head = Head::Begin,
            Head::Begin if word.is("not") => (self.head, self.depth) = (Head::Routine, 1),
            Head::Create if is_any(ROUTINES) => self.head = Head::Routine,
            Head::Create if is_any(OTHERS) => self.head = Head::Other,
            Head::Create => {}
            // The second word of `END IF`.
            Head::Routine if had_ended => {}
            Head::Routine if word.is("end") => {
                self.depth = self.depth.saturating_sub(1);
                self.has_ended = true;
            }
            Head::Routine => {
                let opens = word.is("case") || word.is("begin") || (self.is_start && is_any(OPENERS));
                self.depth += usize::from(opens);
            }
            Head::Start | Head::Begin | Head::Other => self.head = Head::Other,
        }
        self.is_start = !had_ended && (is_any(INTRODUCTIONS) || (self.depth == 0 && is_any(LAST_OF_HEAD)));
    }
}
