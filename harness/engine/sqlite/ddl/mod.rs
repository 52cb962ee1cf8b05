//! Reading CREATE statements for what the pragmas do not tell: names of constraints, CHECKs, expressions of generated
//! columns, collations, deferrability, predicates of indexes.
//!
//! SQLite keeps the text of each statement as it was written and has parsed it once already, so this reader may trust
//! that it is well-formed; where it meets something that it does not know it leaves it out and goes on.

mod index;
mod table;
mod token;

pub use index::{IndexDdl, index};
pub use table::{CheckDdl, ColumnDdl, ForeignKeyDdl, KeyDdl, TableDdl, table};
pub use token::{Token, TokenKind, normal, tokens};

/// A place in a list of tokens.
struct Cursor<'a> {
    rest: &'a [Token<'a>],
}

impl<'a> Cursor<'a> {
    const fn new(rest: &'a [Token<'a>]) -> Self {
        Self { rest }
    }

    const fn peek(&self) -> Option<&'a Token<'a>> {
        self.rest.first()
    }

    const fn next(&mut self) -> Option<&'a Token<'a>> {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                Some(first)
            }
            None => None,
        }
    }

    /// Takes these keywords if they come next.
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.rest.len() >= words.len() && self.rest.iter().zip(words).all(|(token, word)| token.is(word));
        if found {
            self.rest = &self.rest[words.len()..];
        }
        found
    }

    /// Takes a name, with the quotes of whichever kind removed.
    fn name(&mut self) -> Option<String> {
        let name = self.peek()?.name()?;
        self.next();
        Some(name)
    }

    /// Takes a group in parentheses and gives what is inside.
    fn group(&mut self) -> Option<&'a [Token<'a>]> {
        if !self.peek()?.is("(") {
            return None;
        }
        let mut depth = 0_usize;
        for (position, token) in self.rest.iter().enumerate() {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inside = &self.rest[1..position];
                self.rest = &self.rest[position + 1..];
                return Some(inside);
            }
        }
        None
    }
}

/// Cuts a list at its outermost commas.
fn items<'a>(list: &'a [Token<'a>]) -> Vec<&'a [Token<'a>]> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (position, token) in list.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                items.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    items
}
