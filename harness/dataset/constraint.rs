//! What simple CHECK constraints say about a column.
//!
//! Understood, however many parentheses and casts the engine prints around them: `c IN ('x', 'y')`,
//! `c = ANY (ARRAY['x', 'y'])`, comparisons of `c` or of its length with a number, `c BETWEEN 1 AND 9`, `json_valid(c)`,
//! each also after `c IS NULL OR`, and any of them joined by AND. Of everything else it is only known which columns it
//! mentions.

use std::collections::BTreeMap;

use crate::model::{Value, catalogue::Table};

/// What is known about the values of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The only values allowed, where they are listed.
    pub labels: Option<Vec<Value>>,
    /// The smallest number allowed.
    pub min: Option<f64>,
    /// The largest number allowed.
    pub max: Option<f64>,
    /// The longest text allowed, in characters.
    pub max_length: Option<u32>,
    /// Whether a constraint that was not understood, or one of the above, speaks about this column.
    pub constrained: bool,
    /// Whether it has to be JSON.
    pub json: bool,
    /// What constraints that were not understood mention beside this column.
    pub candidates: Vec<Value>,
}

/// What a table's CHECK constraints say, by column.
pub fn known(table: &Table) -> BTreeMap<String, Known> {
    let mut known = BTreeMap::new();
    for check in &table.checks {
        read(table, &tokens(&check.expression), &mut known);
    }
    known
}

/// The columns that an expression mentions.
pub fn mentioned<'t>(table: &'t Table, expression: &str) -> Vec<&'t str> {
    let tokens = tokens(expression);
    let columns = table.columns.iter().map(|column| column.name.as_str());
    columns.filter(|name| tokens.iter().any(|token| token.names(name))).collect()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
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
    fn keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text.eq_ignore_ascii_case(keyword))
    }

    fn names(&self, column: &str) -> bool {
        match self {
            Self::Word { text, quoted: true } => text == column,
            Self::Word { text, quoted: false } => text.eq_ignore_ascii_case(column),
            _ => false,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
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
fn tokens(expression: &str) -> Vec<Token> {
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
            '<' | '>' | '=' | '!' => {
                at = past(&chars, at, |c| "<>=!".contains(c));
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

/// Reads `… AND …`, noting what each part says.
fn read(table: &Table, tokens: &[Token], known: &mut BTreeMap<String, Known>) {
    let mut from = 0;
    let mut parts = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let in_between = at >= 2 && tokens[at - 2].keyword("between");
        if token.keyword("and") && !in_between {
            parts.push(&tokens[from..at]);
            from = at + 1;
        }
    }
    parts.push(&tokens[from..]);
    // `x AND y OR z` and `NOT (x AND y)` cannot be read part by part.
    let whole = parts.len() > 1 && tokens.iter().any(|token| token.keyword("or") || token.keyword("not"));
    for part in if whole { vec![tokens] } else { parts } {
        for column in &table.columns {
            if part.iter().any(|token| token.names(&column.name)) {
                let entry = known.entry(column.name.clone()).or_default();
                if whole || !read_part(&column.name, without_null_branch(&column.name, part), entry) {
                    entry.constrained = true;
                    entry.candidates.extend(part.iter().filter_map(Token::value));
                }
            }
        }
    }
}

/// Drops a leading `c IS NULL OR` or a trailing `OR c IS NULL`.
fn without_null_branch<'p>(column: &str, part: &'p [Token]) -> &'p [Token] {
    match part {
        [name, is, null, or, rest @ ..]
            if name.names(column) && is.keyword("is") && null.keyword("null") && or.keyword("or") =>
        {
            rest
        }
        [rest @ .., or, name, is, null]
            if name.names(column) && is.keyword("is") && null.keyword("null") && or.keyword("or") =>
        {
            rest
        }
        other => other,
    }
}

/// Notes what one comparison says about its column; false if it was not understood.
fn read_part(column: &str, part: &[Token], known: &mut Known) -> bool {
    let labels = |tokens: &[Token]| tokens.iter().map(Token::value).collect::<Option<Vec<Value>>>();
    match part {
        [name, is_in, list @ ..] if name.names(column) && is_in.keyword("in") && !list.is_empty() => {
            known.constrained = true;
            known.labels = labels(list);
        }
        [name, Token::Sign(equal), any, array, list @ ..]
            if name.names(column) && equal == "=" && any.keyword("any") && array.keyword("array") =>
        {
            known.constrained = true;
            known.labels = labels(list);
        }
        [name, between, low, _, high] if name.names(column) && between.keyword("between") => {
            known.constrained = true;
            (known.min, known.max) = (low.number(), high.number());
        }
        [name, Token::Sign(sign), number] if name.names(column) => {
            known.constrained = true;
            return compare(sign, number.number(), known);
        }
        [length, name, Token::Sign(sign), number]
            if name.names(column) && ["length", "char_length"].iter().any(|known| length.keyword(known)) =>
        {
            let Some(number) = number.number() else { return false };
            match sign.as_str() {
                "<=" => known.max_length = Some(number as u32),
                "<" => known.max_length = Some(number as u32 - 1),
                _ => return false,
            }
        }
        [valid, name] if name.names(column) && valid.keyword("json_valid") => known.json = true,
        _ => return false,
    }
    true
}

fn compare(sign: &str, number: Option<f64>, known: &mut Known) -> bool {
    match (sign, number) {
        (">=", Some(number)) => known.min = Some(number),
        // Past the bound by one: right for whole numbers, and still allowed for others.
        (">", Some(number)) => known.min = Some(number + 1.0),
        ("<=", Some(number)) => known.max = Some(number),
        ("<", Some(number)) => known.max = Some(number - 1.0),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        LogicalType, TableName,
        catalogue::{CheckConstraint, Column, Generation},
    };

    fn of(expression: &str) -> BTreeMap<String, Known> {
        let column = |name: &str| Column {
            name: name.to_owned(),
            declared: String::new(),
            kind: LogicalType::Text { limit: None },
            nullable: true,
            default: None,
            generation: Generation::None,
            collation: None,
        };
        known(&Table {
            columns: vec![column("status"), column("age")],
            checks: vec![CheckConstraint { name: None, expression: expression.to_owned() }],
            ..Table::empty(TableName::new("t"))
        })
    }

    #[test]
    fn label_lists_are_read_in_the_spelling_of_each_engine() {
        for expression in [
            r#""status" IN ('x', 'it''s')"#,
            "CHECK (((status)::text = ANY ((ARRAY['x'::character varying, 'it''s'::character varying])::text[])))",
            "(status = ANY (ARRAY['x'::text, 'it''s'::text]))",
            "status IS NULL OR [status] IN ('x','it''s')",
        ] {
            let labels = of(expression)["status"].labels.clone();
            assert_eq!(labels, Some(vec![Value::Text("x".into()), Value::Text("it's".into())]), "{expression}");
        }
    }

    #[test]
    fn ranges_lengths_and_json_are_read() {
        let known = of("age >= 0 AND age < 150 AND length(status) <= 20");
        assert_eq!((known["age"].min, known["age"].max), (Some(0.0), Some(149.0)));
        assert_eq!(known["status"].max_length, Some(20));
        assert!(!known["status"].constrained);
        let known = of("((age BETWEEN 1 AND 9))");
        assert_eq!((known["age"].min, known["age"].max), (Some(1.0), Some(9.0)));
        assert!(of("status IS NULL OR json_valid(status)")["status"].json);
    }

    #[test]
    fn what_is_not_understood_is_known_to_constrain() {
        for expression in ["age > 3 AND status = 'x' OR age IS NULL", "status LIKE 'x%'", "NOT (age > 3)"] {
            let known = of(expression);
            assert!(known.values().all(|known| known.constrained && known.labels.is_none()), "{expression}");
            assert!(known.values().all(|known| known.min.is_none()), "{expression}");
        }
    }
}
