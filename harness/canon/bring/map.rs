//! Maps of texts.

use super::{VALUE, characters};
use crate::canon::{
    cell::{Cell, Nest},
    encode::{self, decode_own, length_prefixed},
    json::{self, Part},
    nested,
};

/// A key, and what stands behind it.
type Pair = (Vec<u8>, Option<Vec<u8>>);

/// Appends the number of keys, and each with its text or NULL, in the order of the keys. A key that is there twice is no
/// map.
pub(super) fn map(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let mut pairs = Vec::new();
    let mut exact = match *cell {
        Cell::Nested(Nest::Map, bytes) => stored(bytes, &mut pairs)?,
        Cell::Json(text) | Cell::Jsonb(text) => object(text, &mut pairs)?,
        _ => {
            let (text, _) = characters(cell)?;
            if text.trim_ascii_start().starts_with(b"{") {
                object(text, &mut pairs)?;
            } else {
                Printed { text }.pairs(&mut pairs)?;
            }
            false
        }
    };
    let order = |one: &Pair, other: &Pair| one.0.len().cmp(&other.0.len()).then_with(|| one.0.cmp(&other.0));
    exact &= pairs.is_sorted_by(|one, other| order(one, other).is_le());
    pairs.sort_by(order);
    if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
        return None;
    }
    out.push(VALUE);
    out.extend((pairs.len() as u64).to_le_bytes());
    for (key, value) in &pairs {
        length_prefixed(key, out);
        match value {
            None => out.push(encode::NULL),
            Some(value) => {
                out.push(VALUE);
                length_prefixed(value, out);
            }
        }
    }
    Some(exact)
}

fn stored(bytes: &[u8], pairs: &mut Vec<Pair>) -> Option<bool> {
    let (count, mut rest) = nested::count(bytes)?;
    for _ in 0..count {
        let (Cell::Text(key), after) = decode_own(rest)? else { return None };
        let (value, after) = decode_own(after)?;
        rest = after;
        let value = match value {
            Cell::Null => None,
            Cell::Text(value) => Some(value.to_owned()),
            _ => return None,
        };
        pairs.push((key.to_owned(), value));
    }
    Some(true)
}

/// A JSON object of texts and NULLs; numbers and booleans are what they are written as.
fn object(text: &[u8], pairs: &mut Vec<Pair>) -> Option<bool> {
    let mut exact = true;
    json::members(text, &mut |key, part| {
        let value = match part {
            Part::Null => None,
            Part::Text(value) => Some(value.to_owned()),
            Part::Word(value) => {
                exact = false;
                Some(value.to_owned())
            }
            Part::Open | Part::Close | Part::Object(_) => return None,
        };
        pairs.push((key.to_owned(), value));
        Some(())
    })?;
    Some(exact)
}

/// `"a"=>"b", "c"=>NULL`, and the other spellings that PostgreSQL takes.
struct Printed<'a> {
    text: &'a [u8],
}

impl Printed<'_> {
    fn pairs(mut self, pairs: &mut Vec<Pair>) -> Option<()> {
        self.blanks();
        while !self.text.is_empty() {
            let (key, _) = self.word()?;
            self.blanks();
            self.text = self.text.strip_prefix(b"=>")?;
            self.blanks();
            let (value, quoted) = self.word()?;
            let is_null = !quoted && value.eq_ignore_ascii_case(b"null");
            pairs.push((key, (!is_null).then_some(value)));
            self.blanks();
            match self.text {
                [] => {}
                [b',', rest @ ..] => {
                    self.text = rest;
                    self.blanks();
                    (!self.text.is_empty()).then_some(())?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn blanks(&mut self) {
        self.text = self.text.trim_ascii_start();
    }

    /// A word, and whether it stood in quotes.
    fn word(&mut self) -> Option<(Vec<u8>, bool)> {
        let mut word = Vec::new();
        let quoted = self.text.first() == Some(&b'"');
        let mut at = usize::from(quoted);
        loop {
            match self.text.get(at) {
                Some(b'"') if quoted => {
                    self.text = &self.text[at + 1..];
                    return Some((word, true));
                }
                Some(b'\\') => {
                    word.push(*self.text.get(at + 1)?);
                    at += 1;
                }
                Some(byte) if quoted || !(matches!(byte, b',' | b'=' | b'"') || byte.is_ascii_whitespace()) => {
                    word.push(*byte);
                }
                end => {
                    let ends = !quoted && !word.is_empty() && end != Some(&b'"');
                    self.text = &self.text[at..];
                    return ends.then_some((word, false));
                }
            }
            at += 1;
        }
    }
}
