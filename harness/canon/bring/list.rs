//! Lists: arrays and their text, JSON arrays, words with commas between them.

use super::{VALUE, bring, characters};
use crate::canon::{
    cell::{Cell, Nest},
    encode::{self, decode_own, length_prefixed},
    json::{self, Part},
    nested, printed,
    rule::{Fit, Rule},
};

/// An element that is not NULL; its common form follows.
const ELEMENT: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 3;
/// Lower bounds that are not 1: how many, and each.
const BOUNDS: u8 = 4;

/// Writes a list, part by part.
struct Writer<'a> {
    elements: Rule,
    out: &'a mut Vec<u8>,
    exact: bool,
}

impl Writer<'_> {
    fn open(&mut self) {
        self.out.push(OPEN);
    }

    fn close(&mut self) {
        self.out.push(CLOSE);
    }

    fn bounds(&mut self, lower: impl ExactSizeIterator<Item = i32> + Clone) {
        if lower.clone().any(|lower| lower != 1) {
            self.out.push(BOUNDS);
            self.out.extend((lower.len() as u64).to_le_bytes());
            lower.for_each(|lower| self.out.extend(lower.to_le_bytes()));
        }
    }

    /// An element; `None` if it is not of the elements' type, because then the whole is not of the list's.
    fn element(&mut self, cell: &Cell<'_>) -> Option<()> {
        if *cell == Cell::Null {
            self.out.push(encode::NULL);
            return Some(());
        }
        self.out.push(ELEMENT);
        match bring(self.elements, cell, self.out) {
            Fit::Exact => {}
            Fit::Normalised => self.exact = false,
            Fit::Unfit => return None,
        }
        Some(())
    }

    fn part(&mut self, part: Part<'_>) -> Option<()> {
        match part {
            Part::Open => self.open(),
            Part::Close => self.close(),
            Part::Null => return self.element(&Cell::Null),
            Part::Text(text) => return self.element(&Cell::Text(text)),
            // A number in a list of texts is another value than its digits, which the list's text cannot tell.
            Part::Word(word) => {
                self.exact &= !matches!(self.elements, Rule::Text | Rule::Padded);
                return self.element(&Cell::Text(word));
            }
            Part::Object(_) => return None,
        }
        Some(())
    }
}

/// Appends the elements of a list, lists within it, and its bounds where they are not the usual ones.
pub(super) fn list(elements: Rule, cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    let mut writer = Writer { elements, out, exact: true };
    match *cell {
        Cell::Nested(Nest::Array, bytes) => stored(bytes, &mut writer)?,
        Cell::Json(text) | Cell::Jsonb(text) => json::walk(text, &mut |part| writer.part(part))?,
        _ => {
            let (text, stripped) = characters(cell)?;
            writer.exact &= stripped;
            let start = writer.out.len();
            let inner = text.trim_ascii();
            if inner.starts_with(b"{") || is_bounded(inner) {
                Printed::new(text).array(&mut writer)?;
            } else if !inner.starts_with(b"[") || json::walk(text, &mut |part| writer.part(part)).is_none() {
                writer.out.truncate(start);
                words(text, &mut writer)?;
                writer.exact = false;
            } else {
                writer.exact = false;
            }
        }
    }
    Some(writer.exact)
}

/// Appends the different words of a list in the order of their bytes.
pub(super) fn set(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let (text, stripped) = characters(cell)?;
    let mut members: Vec<&[u8]> = if text.is_empty() { Vec::new() } else { text.split(|byte| *byte == b',').collect() };
    let exact = members.is_sorted_by(|one, other| one < other);
    members.sort_unstable();
    members.dedup();
    out.push(VALUE);
    out.extend((members.len() as u64).to_le_bytes());
    members.into_iter().for_each(|member| length_prefixed(member, out));
    Some(exact && stripped)
}

/// Words with commas between them, as a SET prints its members; nothing is no word.
fn words(text: &[u8], writer: &mut Writer<'_>) -> Option<()> {
    writer.open();
    if !text.is_empty() {
        text.split(|byte| *byte == b',').try_for_each(|word| writer.element(&Cell::Text(word)))?;
    }
    writer.close();
    Some(())
}

fn stored(bytes: &[u8], writer: &mut Writer<'_>) -> Option<()> {
    let (dimensions, mut rest) = nested::dimensions(bytes)?;
    writer.bounds(dimensions.clone().map(|dimension| dimension.lower));
    if dimensions.len() == 0 {
        writer.open();
        writer.close();
        return rest.is_empty().then_some(());
    }
    let total = dimensions.clone().try_fold(1_u64, |product, one| product.checked_mul(one.length.into()))?;
    // How many dimensions begin (end) with this element; the last one is the innermost.
    let ends = |at: u64| {
        let (mut ends, mut size) = (0, 1);
        for index in (0..dimensions.len()).rev() {
            size *= dimensions.clone().nth(index).map_or(1, |one| u64::from(one.length));
            if !at.is_multiple_of(size) {
                break;
            }
            ends += 1;
        }
        ends
    };
    for at in 0..total {
        (0..ends(at)).for_each(|_| writer.open());
        let (cell, after) = decode_own(rest)?;
        rest = after;
        writer.element(&cell)?;
        (0..ends(at + 1)).for_each(|_| writer.close());
    }
    rest.is_empty().then_some(())
}

/// Whether a text begins with the bounds of an array: `[0:1]=`, which no JSON array does.
fn is_bounded(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"[") else { return false };
    let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+')).unwrap_or(rest.len());
    end > 0 && rest.get(end) == Some(&b':')
}

/// An array as PostgreSQL prints it and reads it (`src/backend/utils/adt/arrayfuncs.c`, `array_in`).
struct Printed<'a> {
    rest: &'a [u8],
    spare: Vec<u8>,
}

impl<'a> Printed<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, spare: Vec::new() }
    }

    fn array(mut self, writer: &mut Writer<'_>) -> Option<()> {
        self.blanks(writer);
        if self.rest.first() == Some(&b'[') {
            let mut lower = Vec::new();
            while self.eat(b'[') {
                let end = self.rest.iter().position(|byte| *byte == b']')?;
                let bounds = str::from_utf8(&self.rest[..end]).ok()?;
                self.rest = &self.rest[end + 1..];
                let (first, last) = bounds.split_once(':')?;
                let (first, last): (i32, i32) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(())?;
                lower.push(first);
            }
            self.eat(b'=').then_some(())?;
            // Bounds that go without saying are another spelling.
            writer.exact &= lower.iter().any(|lower| *lower != 1);
            writer.bounds(lower.into_iter());
        }
        self.braces(writer)?;
        self.blanks(writer);
        self.rest.is_empty().then_some(())
    }

    fn braces(&mut self, writer: &mut Writer<'_>) -> Option<()> {
        let mut depth = 0;
        loop {
            self.blanks(writer);
            while self.eat(b'{') {
                writer.open();
                depth += 1;
                self.blanks(writer);
            }
            // Only an empty array closes before anything came.
            if self.rest.first() != Some(&b'}') {
                self.element(writer)?;
            }
            self.blanks(writer);
            while self.eat(b'}') {
                writer.close();
                depth -= 1;
                self.blanks(writer);
                if depth == 0 {
                    return Some(());
                }
            }
            self.eat(b',').then_some(())?;
            self.blanks(writer);
            (self.rest.first() != Some(&b'}')).then_some(())?;
        }
    }

    fn element(&mut self, writer: &mut Writer<'_>) -> Option<()> {
        self.spare.clear();
        if self.eat(b'"') {
            loop {
                let (byte, rest) = self.rest.split_first()?;
                self.rest = rest;
                match byte {
                    b'"' => break,
                    b'\\' => {
                        let (escaped, rest) = self.rest.split_first()?;
                        self.rest = rest;
                        writer.exact &= matches!(escaped, b'"' | b'\\');
                        self.spare.push(*escaped);
                    }
                    other => self.spare.push(*other),
                }
            }
            writer.exact &= printed::needs_quotes(&self.spare);
            return writer.element(&Cell::Text(&self.spare));
        }
        let end = self.rest.iter().position(|byte| matches!(byte, b',' | b'{' | b'}' | b'"'))?;
        let word = self.rest[..end].trim_ascii_end();
        writer.exact &= word.len() == end;
        self.rest = &self.rest[end..];
        if word.is_empty() {
            return None;
        }
        if word.eq_ignore_ascii_case(b"NULL") {
            writer.exact &= word == b"NULL";
            return writer.element(&Cell::Null);
        }
        if !word.contains(&b'\\') {
            return writer.element(&Cell::Text(word));
        }
        writer.exact = false;
        let mut escaped = false;
        for byte in word {
            if *byte == b'\\' && !escaped {
                escaped = true;
            } else {
                self.spare.push(*byte);
                escaped = false;
            }
        }
        writer.element(&Cell::Text(&self.spare))
    }

    fn blanks(&mut self, writer: &mut Writer<'_>) {
        let trimmed = self.rest.trim_ascii_start();
        writer.exact &= trimmed.len() == self.rest.len();
        self.rest = trimmed;
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}
