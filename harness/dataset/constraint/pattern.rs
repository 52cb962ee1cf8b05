//! Texts that a pattern of a CHECK constraint lets pass.

use rand::{Rng, RngExt};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::token::Token;
use crate::{canon::Seed, dataset::draw::Draw};

/// Repetitions beyond the fewest that a pattern asks for, where it knows no most.
const MORE: u32 = 8;

/// What a text has to look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Box<Hir>);

impl Pattern {
    /// The pattern behind an operator or keyword; `None` for what is neither, or is no pattern.
    pub(super) fn of(operator: &Token, text: &str) -> Option<Self> {
        let keyword = |words: &[&str]| words.iter().any(|word| operator.keyword(word));
        let sign = match operator {
            Token::Sign(sign) => sign.as_str(),
            _ => "",
        };
        let expression = match sign {
            "~" | "~*" => text.to_owned(),
            "~~" | "~~*" => translated(text, '%', '_'),
            _ if keyword(&["like", "ilike"]) => translated(text, '%', '_'),
            _ if keyword(&["regexp", "rlike"]) => text.to_owned(),
            _ if keyword(&["glob"]) => translated(text, '*', '?'),
            _ => return None,
        };
        regex_syntax::parse(&expression).ok().map(|hir| Self(Box::new(hir)))
    }

    /// A text of this look; `None` if there is none. Another one for each number, as far as the pattern leaves a choice.
    pub fn text(&self, seed: &Seed, number: u64) -> Option<String> {
        let mut text = String::new();
        write(&self.0, &mut Draw::new(seed, number).rng(), &mut text)?;
        Some(text)
    }
}

/// A pattern with signs for any text and any character as a regular expression.
fn translated(text: &str, any: char, one: char) -> String {
    let mut expression = String::from("^");
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        match sign {
            sign if sign == any => expression.push_str("[a-z]*"),
            sign if sign == one => expression.push_str("[a-z]"),
            // A class of a glob is one of a regular expression.
            '[' | ']' | '-' if any == '*' => expression.push(sign),
            '\\' if any == '%' => expression.extend(rest.next().map(|next| regex_syntax::escape(&next.to_string()))),
            sign => expression.push_str(&regex_syntax::escape(&sign.to_string())),
        }
    }
    expression.push('$');
    expression
}

fn write(hir: &Hir, rng: &mut impl Rng, text: &mut String) -> Option<()> {
    match hir.kind() {
        // Where a text begins or ends is where it is written from or to.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(one_of(class, rng)?),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(MORE));
            // Rather more than fewer, so that texts differ.
            let least = repetition.min.max(most / 2);
            for _ in 0..rng.random_range(least..=most) {
                write(&repetition.sub, rng, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, rng, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, rng, text)?;
            }
        }
        HirKind::Alternation(branches) => write(&branches[rng.random_range(0..branches.len())], rng, text)?,
    }
    Some(())
}

/// A character of a class, a plain one if there is any.
fn one_of(class: &Class, rng: &mut impl Rng) -> Option<char> {
    let of = |letters: &[char], rng: &mut _| letters.get(RngExt::random_range(rng, 0..letters.len().max(1))).copied();
    let holds = |letter: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(letter)),
        Class::Bytes(class) => {
            u8::try_from(*letter).is_ok_and(|byte| class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&byte)))
        }
    };
    let plain: Vec<char> = ('a'..='z').chain('0'..='9').filter(holds).collect();
    let visible: Vec<char> = ('!'..='~').filter(holds).collect();
    of(&plain, rng).or_else(|| of(&visible, rng)).or_else(|| match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    })
}
