//! The pieces of SQL that matter for cutting: what is quoted, what is a comment, what is a word.

/// How the lexical rules of an engine differ from others'.
#[derive(Clone, Copy, Debug)]
pub struct Lexicon {
    /// What opens a quoted name, and what closes it; a closing one that is doubled stands for itself.
    pub names: &'static [(char, char)],
    /// What encloses texts.
    pub texts: &'static [char],
    /// Whether a backslash escapes in every text; else only in those that begin with `E`.
    pub has_backslash: bool,
    /// Whether `$tag$ … $tag$` encloses a text, and `E'…'` one with backslashes.
    pub has_dollar_quotes: bool,
    /// Whether comments nest.
    pub has_nested_comments: bool,
    /// Whether `#` begins a comment, `--` does so only before white space, and `/*! … */` is code.
    pub has_hash_comments: bool,
    /// Whether a comment may lack its end at the end of the script.
    pub has_open_comments: bool,
    /// Whether a backslash outside of quotes is a command to the client.
    pub has_client_commands: bool,
    /// Whether clients know `DELIMITER`.
    pub has_delimiter: bool,
}

/// A piece of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme<'a> {
    /// What it is.
    pub kind: LexemeKind,
    /// Its text as written.
    pub text: &'a str,
}

impl Lexeme<'_> {
    /// Whether it is this word, in any case, or this mark.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, LexemeKind::Word | LexemeKind::Mark) && self.text.eq_ignore_ascii_case(word)
    }
}

/// What a piece of a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexemeKind {
    /// White space or a comment.
    Blank,
    /// A keyword, a name without quotes, a number.
    Word,
    /// A quoted name or text, or a comment that the server takes for code.
    Quoted,
    /// Any other single character.
    Mark,
}

impl Lexicon {
    /// The pieces of a statement but for white space and comments, each with the byte at which it begins; none from where a
    /// quote or comment has no end.
    pub fn pieces<'a>(&self, sql: &'a str) -> Vec<(usize, Lexeme<'a>)> {
        let (mut pieces, mut at) = (Vec::new(), 0);
        while let Some(Ok(lexeme)) = (at < sql.len()).then(|| self.lexeme(&sql[at..], sql[..at].chars().next_back())) {
            if lexeme.kind != LexemeKind::Blank {
                pieces.push((at, lexeme));
            }
            at += lexeme.text.len();
        }
        pieces
    }

    /// What a non-empty script begins with, given the character before it.
    ///
    /// # Errors
    /// What has no end.
    pub(super) fn lexeme<'a>(&self, rest: &'a str, before: Option<char>) -> Result<Lexeme<'a>, String> {
        let first = rest.chars().next().unwrap_or_default();
        let (kind, length) = if first.is_whitespace() || first == '\u{feff}' {
            (LexemeKind::Blank, first.len_utf8())
        } else if let Some(comment) = self.comment(rest) {
            comment?
        } else if let Some((_, close)) = self.names.iter().find(|(open, _)| *open == first) {
            (LexemeKind::Quoted, quoted(rest, 1, *close, false).ok_or("a quoted name has no end")?)
        } else if self.texts.contains(&first) {
            (LexemeKind::Quoted, quoted(rest, 1, first, self.has_backslash).ok_or(TEXT)?)
        } else if self.has_dollar_quotes && rest.get(..2).is_some_and(|open| open.eq_ignore_ascii_case("e'")) {
            (LexemeKind::Quoted, quoted(rest, 2, '\'', true).ok_or(TEXT)?)
        } else if let Some(tag) = self.dollar_tag(rest, before) {
            let end = rest[tag.len()..].find(tag).ok_or_else(|| format!("a text in {tag} has no end"))?;
            (LexemeKind::Quoted, end + 2 * tag.len())
        } else if is_word(first) {
            (LexemeKind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
        } else {
            (LexemeKind::Mark, first.len_utf8())
        };
        Ok(Lexeme { kind, text: &rest[..length] })
    }

    fn comment(&self, rest: &str) -> Option<Result<(LexemeKind, usize), String>> {
        let line = || Ok((LexemeKind::Blank, rest.find('\n').unwrap_or(rest.len())));
        if let Some(after) = rest.strip_prefix("--") {
            let is_comment = !self.has_hash_comments || after.chars().next().is_none_or(char::is_whitespace);
            return is_comment.then(line);
        }
        if self.has_hash_comments && rest.starts_with('#') {
            return Some(line());
        }
        if !rest.starts_with("/*") {
            return None;
        }
        let is_code = self.has_hash_comments && (rest.starts_with("/*!") || rest.starts_with("/*M!"));
        let kind = if is_code { LexemeKind::Quoted } else { LexemeKind::Blank };
        Some(match block(rest, self.has_nested_comments) {
            Some(length) => Ok((kind, length)),
            None if self.has_open_comments => Ok((kind, rest.len())),
            None => Err("a comment has no end".to_owned()),
        })
    }

    /// The opening `$tag$`; a dollar within a word belongs to the word.
    fn dollar_tag<'a>(&self, rest: &'a str, before: Option<char>) -> Option<&'a str> {
        let inner = rest.strip_prefix('$').filter(|_| self.has_dollar_quotes && !before.is_some_and(is_word))?;
        let length = inner.find(|c: char| !(c.is_alphanumeric() || c == '_' || !c.is_ascii()))?;
        let is_tag = inner[length..].starts_with('$') && !inner.starts_with(|c: char| c.is_ascii_digit());
        is_tag.then(|| &rest[..length + 2])
    }
}

const TEXT: &str = "a text in quotes has no end";

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The bytes of a quoted text whose opening takes `open` bytes, or `None` if it has no end.
fn quoted(text: &str, open: usize, close: char, has_backslash: bool) -> Option<usize> {
    let mut rest = text[open..].char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        if character == '\\' && has_backslash {
            rest.next();
        } else if character == close {
            match rest.peek() {
                Some((_, next)) if *next == close => _ = rest.next(),
                _ => return Some(open + at + close.len_utf8()),
            }
        }
    }
    None
}

/// The bytes of a `/* … */`, or `None` if it has no end.
fn block(text: &str, nests: bool) -> Option<usize> {
    let (mut depth, mut at) = (1, 2);
    while depth > 0 {
        let close = text[at..].find("*/")?;
        match text[at..at + close].find("/*").filter(|_| nests) {
            Some(open) => (depth, at) = (depth + 1, at + open + 2),
            None => (depth, at) = (depth - 1, at + close + 2),
        }
    }
    Some(at)
}
