//! JSON by value: one linear pass over the text, no tree.
//!
//! Numbers go by their decimal value (1 = 1.0 = 1e0, any number of digits), strings by their characters, objects by
//! their members in the order of keys. Duplicate keys are kept in the order in which they stand, so that
//! `{"a":1,"a":2}` is not `{"a":2}`. Keys are ordered as `jsonb` orders them (length, then bytes), which spares it the
//! sorting.

mod memo;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use super::decimal::{self, Number};
use memo::Memo;

/// Deeper nesting is refused: the scanner calls itself once for each level.
const DEPTH: usize = 512;

const END: u8 = 0;
const NULL: u8 = 1;
const TRUE: u8 = 2;
const FALSE: u8 = 3;
const NUMBER: u8 = 4;
const STRING: u8 = 5;
const ARRAY: u8 = 6;
const OBJECT: u8 = 7;

/// Tag and length before the bytes of a string.
const STRING_HEAD: usize = 5;

/// Appends the value of a JSON text, or tells by `None` that it is none (or is too deep; what was appended by then is
/// for the caller to take away). `Some(false)` if numbers, escapes or the order of keys were spelled in another way
/// than needed; blanks between tokens are no part of a value and not counted.
pub fn write_value(text: &[u8], out: &mut Vec<u8>) -> Option<bool> {
    MEMO.with_borrow_mut(|memo| memo.write(text, out, scan))
}

/// As [`write_value`], whatever was met before.
fn scan(text: &[u8], out: &mut Vec<u8>) -> Option<bool> {
    str::from_utf8(text).ok()?;
    let mut scanner = Scanner { members: MEMBERS.take(), ..Scanner::new(text, out) };
    scanner.blanks();
    let value = scanner.value(0);
    scanner.blanks();
    let exact = (value.is_some() && scanner.at == text.len()).then_some(scanner.plain);
    scanner.members.clear();
    MEMBERS.set(scanner.members);
    exact
}

thread_local! {
    static MEMO: RefCell<Memo> = RefCell::default();
    /// Room for the members of objects, used again for every text.
    static MEMBERS: Cell<Vec<Member>> = const { Cell::new(Vec::new()) };
}

/// A part of a JSON text, as [`walk`] meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// An array begins.
    Open,
    /// An array ends.
    Close,
    /// `null`
    Null,
    /// A number, `true` or `false`, as it is written.
    Word(&'a [u8]),
    /// The characters of a string.
    Text(&'a [u8]),
    /// An object, as it is written.
    Object(&'a [u8]),
}

/// Visits the elements of a JSON array, and of the arrays in it; `None` if the text is no array or the visitor says so.
pub fn walk(text: &[u8], visit: &mut dyn FnMut(Part<'_>) -> Option<()>) -> Option<()> {
    str::from_utf8(text).ok()?;
    let mut spare = Vec::new();
    let mut scanner = Scanner::new(text, &mut spare);
    scanner.blanks();
    (scanner.peek() == Some(b'[')).then_some(())?;
    scanner.visit(0, visit)?;
    scanner.blanks();
    (scanner.at == text.len()).then_some(())
}

/// Visits the members of a JSON object; `None` if the text is none or the visitor says so.
pub(super) fn members(text: &[u8], visit: &mut dyn FnMut(&[u8], Part<'_>) -> Option<()>) -> Option<()> {
    str::from_utf8(text).ok()?;
    let mut spare = Vec::new();
    let mut key = Vec::new();
    let mut scanner = Scanner::new(text, &mut spare);
    scanner.blanks();
    scanner.eat(b'{').then_some(())?;
    scanner.blanks();
    if !scanner.eat(b'}') {
        loop {
            scanner.blanks();
            (scanner.peek() == Some(b'"')).then_some(())?;
            scanner.out.clear();
            scanner.string()?;
            key.clear();
            key.extend_from_slice(&scanner.out[STRING_HEAD..]);
            scanner.blanks();
            scanner.eat(b':').then_some(())?;
            scanner.blanks();
            scanner.visit(0, &mut |part| visit(&key, part))?;
            scanner.blanks();
            if scanner.eat(b'}') {
                break;
            }
            scanner.eat(b',').then_some(())?;
        }
    }
    scanner.blanks();
    (scanner.at == text.len()).then_some(())
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    plain: bool,
    /// Members of the objects that are open, innermost last.
    members: Vec<Member>,
    scratch: Vec<u8>,
}

/// Where a member of an object was written.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl<'a> Scanner<'a> {
    const fn new(text: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self { text, at: 0, out, plain: true, members: Vec::new(), scratch: Vec::new() }
    }

    /// Visits a value; what the scanner writes is needed no longer than that.
    fn visit(&mut self, depth: usize, visit: &mut dyn FnMut(Part<'_>) -> Option<()>) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        let start = self.at;
        let first = self.peek()?;
        if first != b'[' {
            self.out.clear();
            self.value(depth)?;
            return match first {
                b'"' => visit(Part::Text(&self.out[STRING_HEAD..])),
                b'{' => visit(Part::Object(&self.text[start..self.at])),
                b'n' => visit(Part::Null),
                _ => visit(Part::Word(&self.text[start..self.at])),
            };
        }
        self.at += 1;
        visit(Part::Open)?;
        self.blanks();
        if !self.eat(b']') {
            loop {
                self.blanks();
                self.visit(depth + 1, visit)?;
                self.blanks();
                if self.eat(b']') {
                    break;
                }
                self.eat(b',').then_some(())?;
            }
        }
        visit(Part::Close)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'n' => self.word(b"null", NULL),
            b't' => self.word(b"true", TRUE),
            b'f' => self.word(b"false", FALSE),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], tag: u8) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            self.out.push(tag);
        })
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let is_whole = !matches!(rest.get(digits), Some(b'.' | b'e' | b'E' | b'+' | b'-'));
        if is_whole && (digits == 1 || digits > 1 && rest[0] != b'0') {
            self.at += digits;
            self.out.push(NUMBER);
            decimal::write_value(self.out, false, &rest[..digits], b"", 0);
            return Some(());
        }
        let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let token = &rest[..end.unwrap_or(rest.len())];
        let Number::Finite { negative, whole, fraction, exponent, plain } = decimal::parse(token)? else { return None };
        // JSON is stricter than PostgreSQL's numeric.
        let strict = token[0] != b'+'
            && !whole.is_empty()
            && (whole.len() == 1 || whole[0] != b'0')
            && token.contains(&b'.') != fraction.is_empty();
        if !strict {
            return None;
        }
        self.at += token.len();
        self.plain &= plain;
        self.out.push(NUMBER);
        decimal::write_value(self.out, negative, whole, fraction, exponent - fraction.len() as i64);
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        let start = self.out.len();
        self.out.extend([STRING; STRING_HEAD]);
        loop {
            let rest = &self.text[self.at..];
            let run = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            self.out.extend_from_slice(&rest[..run]);
            self.at += run + 1;
            match rest[run] {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        let length = u32::try_from(self.out.len() - start - STRING_HEAD).ok()?;
        self.out[start + 1..start + STRING_HEAD].copy_from_slice(&length.to_le_bytes());
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = self.peek()?;
        self.at += 1;
        let byte = match escaped {
            b'"' | b'\\' => escaped,
            b'/' => {
                self.plain = false;
                escaped
            }
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(),
            _ => return None,
        };
        self.out.push(byte);
        Some(())
    }

    /// The character of a `\u` escape and, for the first half of a surrogate pair, of the escape after it.
    fn unicode(&mut self) -> Option<()> {
        let unit = self.four_digits()?;
        self.plain &= unit < 0x20;
        if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let scalar = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                self.push(char::from_u32(scalar)?);
                return Some(());
            }
            self.at = back;
        }
        match char::from_u32(unit) {
            Some(character) => self.push(character),
            // Half a pair: its three bytes of generalised UTF-8, which no valid text has.
            None => {
                self.out.extend([0xe0 | (unit >> 12), 0x80 | (unit >> 6 & 0x3f), 0x80 | (unit & 0x3f)].map(|b| b as u8))
            }
        }
        Some(())
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    }

    fn push(&mut self, character: char) {
        self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        self.out.push(ARRAY);
        self.blanks();
        if !self.eat(b']') {
            loop {
                self.blanks();
                self.value(depth + 1)?;
                self.blanks();
                if self.eat(b']') {
                    break;
                }
                self.eat(b',').then_some(())?;
            }
        }
        self.out.push(END);
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        self.out.push(OBJECT);
        let first = self.members.len();
        self.blanks();
        if !self.eat(b'}') {
            loop {
                self.blanks();
                (self.peek() == Some(b'"')).then_some(())?;
                let start = self.out.len();
                self.string()?;
                let key_end = self.out.len();
                self.blanks();
                self.eat(b':').then_some(())?;
                self.blanks();
                self.value(depth + 1)?;
                self.members.push(Member { start, key_end, end: self.out.len() });
                self.blanks();
                if self.eat(b'}') {
                    break;
                }
                self.eat(b',').then_some(())?;
            }
        }
        self.sort_members(first);
        self.members.truncate(first);
        self.out.push(END);
        Some(())
    }

    fn sort_members(&mut self, first: usize) {
        let out = &*self.out;
        let order = |source: &Member, target: &Member| {
            let (source, target) =
                (&out[source.start + STRING_HEAD..source.key_end], &out[target.start + STRING_HEAD..target.key_end]);
            source.len().cmp(&target.len()).then_with(|| source.cmp(target))
        };
        let members = &mut self.members[first..];
        if members.is_sorted_by(|one, next| order(one, next).is_le()) {
            return;
        }
        self.plain = false;
        let from = members[0].start;
        members.sort_by(order);
        self.scratch.clear();
        for member in members.iter() {
            self.scratch.extend_from_slice(&out[member.start..member.end]);
        }
        self.out.truncate(from);
        self.out.extend_from_slice(&self.scratch);
    }
}
