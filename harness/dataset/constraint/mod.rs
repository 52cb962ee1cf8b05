//! What simple CHECK constraints say about a column.
//!
//! Understood, however many parentheses and casts the engine prints around them: `c IN ('x', 'y')`,
//! `c = ANY (ARRAY['x', 'y'])`, comparisons of `c` or of its length with a number, `c BETWEEN 1 AND 9`, `c <> ''`,
//! `c LIKE 'x%'`, `c ~ '^x'`, `c = lower(c)`, `json_valid(c)`, each also after `c IS NULL OR`, and any of them joined by AND.
//! Of everything else it is only known which columns it mentions, and which values beside them.

mod pattern;
mod token;

use std::collections::BTreeMap;

use crate::model::{Value, catalogue::Table};
pub use pattern::Pattern;
use token::{Token, tokens};

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
    /// The shortest text allowed, in characters.
    pub min_length: Option<u32>,
    /// What a text has to look like.
    pub pattern: Option<Pattern>,
    /// Whether a text has no letter in upper case.
    pub lower: bool,
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

/// The values that an expression mentions.
pub fn values(expression: &str) -> Vec<Value> {
    tokens(expression).iter().filter_map(Token::value).collect()
}

/// Whether an expression is a text and nothing else, and not an empty one.
pub fn is_word(expression: &str) -> bool {
    matches!(tokens(expression).as_slice(), [Token::Text(text)] if !text.is_empty())
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
        [name, Token::Sign(sign), number] if name.names(column) && sign.starts_with(['<', '>']) && sign != "<>" => {
            known.constrained = true;
            return compare(sign, number.number(), known);
        }
        [name, Token::Sign(unequal), Token::Text(text)]
            if name.names(column) && ["<>", "!="].contains(&unequal.as_str()) && text.is_empty() =>
        {
            known.at_least(1);
        }
        [lower, first, Token::Sign(equal), second] | [first, Token::Sign(equal), lower, second]
            if lower.keyword("lower") && equal == "=" && first.names(column) && second.names(column) =>
        {
            known.lower = true;
        }
        [length, name, between, low, _, high]
            if is_length(length) && name.names(column) && between.keyword("between") =>
        {
            let (Some(low), Some(high)) = (low.number(), high.number()) else { return false };
            known.at_least(low as u32);
            known.at_most(high as u32);
        }
        [length, trims @ .., name, Token::Sign(sign), number]
            if is_length(length) && name.names(column) && trims.iter().all(is_trim) =>
        {
            return number.number().is_some_and(|number| known.length(sign, number as u32));
        }
        [name, like, Token::Text(text)] if name.names(column) => {
            known.constrained = true;
            known.pattern = Pattern::of(like, text);
            return known.pattern.is_some();
        }
        [valid, name] if name.names(column) && valid.keyword("json_valid") => known.json = true,
        _ => return false,
    }
    true
}

fn is_length(token: &Token) -> bool {
    ["length", "char_length", "character_length", "octet_length"].iter().any(|known| token.keyword(known))
}

fn is_trim(token: &Token) -> bool {
    ["trim", "btrim", "both", "from"].iter().any(|known| token.keyword(known))
}

impl Known {
    fn at_least(&mut self, length: u32) {
        self.min_length = Some(self.min_length.unwrap_or(0).max(length));
    }

    fn at_most(&mut self, length: u32) {
        self.max_length = Some(self.max_length.unwrap_or(u32::MAX).min(length));
    }

    /// Notes how the length compares with a number; false for a comparison that says nothing here.
    fn length(&mut self, sign: &str, number: u32) -> bool {
        match sign {
            "<=" => self.at_most(number),
            "<" => self.at_most(number.saturating_sub(1)),
            ">=" => self.at_least(number),
            ">" => self.at_least(number.saturating_add(1)),
            "<>" | "!=" if number == 0 => self.at_least(1),
            "=" => {
                self.at_least(number);
                self.at_most(number);
            }
            _ => return false,
        }
        true
    }
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
        let known = of("(length(TRIM(BOTH FROM status)) > 0) AND ((char_length((status)::text) = 8))");
        assert_eq!((known["status"].min_length, known["status"].max_length), (Some(8), Some(8)));
        assert_eq!(of("(status)::text <> ''::text")["status"].min_length, Some(1));
        assert_eq!(of("(age >= '-5'::integer)")["age"].min, Some(-5.0));
        let known = of("((age BETWEEN 1 AND 9))");
        assert_eq!((known["age"].min, known["age"].max), (Some(1.0), Some(9.0)));
        assert!(of("status IS NULL OR json_valid(status)")["status"].json);
    }

    #[test]
    fn patterns_are_read_in_the_spelling_of_each_engine() {
        for expression in [
            "((status)::text ~~ '%@%.__'::text)",
            "`status` like '%@%.__'",
            r"(status ~ '^.+@[a-z]+\.[a-z]{2}$'::text)",
            r"(status ~* '@.\..{2}$')",
            "status GLOB '*@*.??'",
        ] {
            let pattern = of(expression)["status"].pattern.clone().unwrap();
            for number in 0..20 {
                let text = pattern.text(&crate::canon::Seed::root(1), number).unwrap();
                let end = text.rsplit_once('.').map(|(start, end)| (start.contains('@'), end.chars().count()));
                assert_eq!(end, Some((true, 2)), "{expression}: {text}");
            }
        }
        assert!(of("status = lower(status)")["status"].lower);
        assert!(of("status !~ 'x'")["status"].pattern.is_none());
    }

    #[test]
    fn what_is_not_understood_is_known_to_constrain() {
        for expression in ["age > 3 AND status = 'x' OR age IS NULL", "status > other", "NOT (age > 3)"] {
            let known = of(expression);
            assert!(known.values().all(|known| known.constrained && known.labels.is_none()), "{expression}");
            assert!(known.values().all(|known| known.min.is_none()), "{expression}");
        }
    }
}
