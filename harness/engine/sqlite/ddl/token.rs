//! SQLite's tokens (<https://sqlite.org/lang_keywords.html>, `src/tokenize.c`).

/// A token as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its text, quotes included.
    pub text: &'a str,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes, backticks or brackets.
    Quoted,
    /// A text in single quotes, or a blob `x'…'`.
    Literal,
    /// A number.
    Number,
    /// An operator, a comma, a parenthesis.
    Mark,
}

impl Token<'_> {
    /// Whether this is that keyword (in any case) or mark.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Mark) && self.text.eq_ignore_ascii_case(word)
    }

    /// The name that this token stands for; SQLite takes a text in single quotes for one, too.
    pub fn name(&self) -> Option<String> {
        let inner = || self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default();
        match (self.kind, self.text.chars().next()?) {
            (TokenKind::Word, _) => Some(self.text.to_owned()),
            (_, '[') => Some(inner().to_owned()),
            (TokenKind::Quoted | TokenKind::Literal, quote @ ('"' | '`' | '\'')) => {
                Some(inner().replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            _ => None,
        }
    }
}

/// Cuts SQL into tokens; white space and comments are left out.
pub fn tokens(sql: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let (kind, length) = measure(rest, first);
        let (text, after) = rest.split_at(length);
        tokens.extend(kind.map(|kind| Token { kind, text }));
        rest = after;
    }
    tokens
}

/// What a text begins with (`None` for white space and comments), and how many bytes of it.
fn measure(rest: &str, first: char) -> (Option<TokenKind>, usize) {
    let until = |end: fn(char) -> bool| rest.find(end).unwrap_or(rest.len());
    match first {
        _ if first.is_ascii_whitespace() => (None, until(|c| !c.is_ascii_whitespace())),
        '-' if rest.starts_with("--") => (None, until(|c| c == '\n')),
        '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
        '"' | '`' => (Some(TokenKind::Quoted), quoted(rest, first)),
        '\'' => (Some(TokenKind::Literal), quoted(rest, first)),
        '[' => (Some(TokenKind::Quoted), rest.find(']').map_or(rest.len(), |end| end + 1)),
        'x' | 'X' if rest[1..].starts_with('\'') => (Some(TokenKind::Literal), 1 + quoted(&rest[1..], '\'')),
        _ if first.is_ascii_digit() => (Some(TokenKind::Number), number(rest)),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (Some(TokenKind::Number), number(rest)),
        _ if is_word(first) => (Some(TokenKind::Word), until(|c| !is_word(c))),
        _ => {
            let operators = ["->>", "->", "||", "<=", ">=", "<>", "<<", ">>", "!=", "=="];
            let operator = operators.iter().find(|operator| rest.starts_with(**operator));
            (Some(TokenKind::Mark), operator.map_or(first.len_utf8(), |operator| operator.len()))
        }
    }
}

/// SQLite takes every character outside ASCII for a letter.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The bytes of a quoted text, in which the quote stands for itself when doubled.
fn quoted(text: &str, quote: char) -> usize {
    let mut position = 1;
    while let Some(end) = text[position..].find(quote) {
        position += end + 1;
        if !text[position..].starts_with(quote) {
            return position;
        }
        position += 1;
    }
    text.len()
}

/// The bytes of a number, with its fraction and exponent.
fn number(text: &str) -> usize {
    let mut previous = ' ';
    let ends = |c: char| {
        let signed_exponent = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !text.starts_with("0x");
        previous = c;
        !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || signed_exponent)
    };
    text.find(ends).unwrap_or(text.len())
}

/// Tokens as text that is the same whatever white space and comments stood between them.
pub fn normal(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut previous: Option<&Token<'_>> = None;
    for token in tokens {
        if let Some(before) = previous
            && needs_space(before, token)
        {
            text.push(' ');
        }
        text.push_str(token.text);
        previous = Some(token);
    }
    text
}

fn needs_space(before: &Token<'_>, token: &Token<'_>) -> bool {
    if matches!(before.text, "(" | ".") || matches!(token.text, ")" | "," | "." | ";") {
        return false;
    }
    // A function's name stands close to its arguments, a keyword does not.
    let keywords = [
        "AND", "OR", "NOT", "IN", "AS", "ON", "WHEN", "THEN", "ELSE", "CASE", "BETWEEN", "LIKE", "GLOB", "IS", "VALUES",
    ];
    let is_call = token.text == "(" && before.kind == TokenKind::Word && !keywords.iter().any(|word| before.is(word));
    !is_call
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> Vec<&str> {
        tokens(sql).iter().map(|token| token.text).collect()
    }

    #[test]
    fn quotes_and_comments_hide_what_is_in_them() {
        assert_eq!(
            written("a/* ( */\"b\"\"(\"--,\n'it''s)' [c d]`e``f`"),
            ["a", "\"b\"\"(\"", "'it''s)'", "[c d]", "`e``f`"]
        );
        assert_eq!(written("x'00'<=1.5e-3||été_1->>'$'"), ["x'00'", "<=", "1.5e-3", "||", "été_1", "->>", "'$'"]);
        assert_eq!(written("'no end"), ["'no end"]);
        assert_eq!(written("/* no end"), [""; 0]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let names = |sql| tokens(sql).iter().filter_map(Token::name).collect::<Vec<_>>();
        assert_eq!(names("a \"b\"\"c\" [d e] `f``g` 'h' 1 +"), ["a", "b\"c", "d e", "f`g", "h"]);
    }

    #[test]
    fn white_space_does_not_count() {
        let normal = |sql| normal(&tokens(sql));
        for written in ["length( a )>0 AND(b IN(1,2))", "length (a) > 0 -- or so\n AND (b IN (1 , 2) )"] {
            assert_eq!(normal(written), "length(a) > 0 AND (b IN (1, 2))");
        }
        assert_eq!(normal("'a  b' || t . c"), "'a  b' || t.c");
    }
}
