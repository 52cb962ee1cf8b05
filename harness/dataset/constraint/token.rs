//! The words of an expression, as far as they matter to who reads it.

use crate::model::Value;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// An identifier or keyword; quoted ones are never keywords.
    Word {
        text: String,
        quoted: bool,
    },
    Text(String),
    Number(String),
    Sign(String),
}

impl Token {
    pub fn keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text.eq_ignore_ascii_case(keyword))
    }

    pub fn names(&self, column: &str) -> bool {
        match self {
            Self::Word { text, quoted: true } => text == column,
            Self::Word { text, quoted: false } => text.eq_ignore_ascii_case(column),
            _ => false,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            // Negative numbers are printed as a text with a cast.
            Self::Number(digits) | Self::Text(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::Text(text.clone())),
            Self::Number(digits) => {
                digits.parse().map(Value::Integer).or_else(|_| digits.parse().map(Value::Float)).ok()
            }
            _ => None,
        }
    }
}

/// The tokens of an expression without parentheses, commas and casts.
pub(super) fn tokens(expression: &str) -> Vec<Token> {
    let chars: Vec<char> = expression.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        match chars[at] {
            quote @ ('\'' | '"' | '`' | '[')
                if quote != '[' || chars.get(at + 1).is_some_and(|c| c.is_alphabetic()) =>
            {
                let (text, end) = quoted(&chars, at + 1, if quote == '[' { ']' } else { quote });
                at = end;
                tokens.push(match quote {
                    '\'' => Token::Text(text),
                    _ => Token::Word { text, quoted: true },
                });
            }
            c if c.is_alphabetic() || c == '_' => {
                at = past(&chars, at, |c| c.is_alphanumeric() || c == '_' || c == '$');
                tokens.push(Token::Word { text: chars[start..at].iter().collect(), quoted: false });
            }
            c if c.is_ascii_digit() || (c == '-' && chars.get(at + 1).is_some_and(char::is_ascii_digit)) => {
                at = past(&chars, at + 1, |c| c.is_ascii_digit() || c == '.');
                tokens.push(Token::Number(chars[start..at].iter().collect()));
            }
            ':' if chars.get(at + 1) == Some(&':') => at = past_cast(&chars, at + 2),
            '<' | '>' | '=' | '!' | '~' => {
                let all = if chars[at] == '~' { "~*" } else { "<>=!" };
                at = past(&chars, at, |c| all.contains(c));
                tokens.push(Token::Sign(chars[start..at].iter().collect()));
            }
            c if c.is_whitespace() || "(),[]".contains(c) => at += 1,
            other => {
                at += 1;
                tokens.push(Token::Sign(other.to_string()));
            }
        }
    }
    // `CHECK` itself, as PostgreSQL prints it in front.
    if tokens.first().is_some_and(|token| token.keyword("check")) {
        tokens.remove(0);
    }
    tokens
}

fn past(chars: &[char], from: usize, belongs: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|c| !belongs(*c)).map_or(chars.len(), |length| from + length)
}

/// The text up to the closing quote, a doubled one standing for itself, and where it ends.
fn quoted(chars: &[char], from: usize, close: char) -> (String, usize) {
    let (mut text, mut at) = (String::new(), from);
    while let Some(c) = chars.get(at) {
        at += 1;
        if *c == close {
            if chars.get(at) != Some(&close) {
                break;
            }
            at += 1;
        }
        text.push(*c);
    }
    (text, at)
}

/// Past the type of a cast: `text`, `character varying(20)`, `text[]`, `"Mood"`.
fn past_cast(chars: &[char], from: usize) -> usize {
    let mut at = past(chars, from, |c| c.is_alphanumeric() || "_\".".contains(c));
    for two_words in [" varying", " precision", " without time zone", " with time zone"] {
        if chars[at..].iter().take(two_words.len()).copied().eq(two_words.chars()) {
            at += two_words.len();
        }
    }
    if chars.get(at) == Some(&'(') {
        at = past(chars, at, |c| c != ')') + 1;
    }
    if chars[at.min(chars.len())..].starts_with(&['[', ']']) {
        at += 2;
    }
    at.min(chars.len())
}
