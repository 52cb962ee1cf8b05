//! CREATE INDEX.

use super::{Cursor, Token, items, normal, tokens};

/// What a CREATE INDEX statement says beyond the pragmas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexDdl {
    /// What it orders by, part by part, without collation and direction.
    pub parts: Vec<String>,
    /// The WHERE clause of a partial index.
    pub predicate: Option<String>,
}

/// Reads a CREATE INDEX statement; `None` if it is something else.
pub fn index(sql: &str) -> Option<IndexDdl> {
    let tokens = tokens(sql);
    let mut cursor = Cursor::new(&tokens);
    while !cursor.take(&["ON"]) {
        cursor.next()?;
    }
    cursor.name()?;
    let parts = items(cursor.group()?).into_iter().map(|part| normal(plain(part))).collect();
    let predicate = cursor.take(&["WHERE"]).then(|| normal(cursor.rest));
    Some(IndexDdl { parts, predicate })
}

/// A part without `COLLATE x`, `ASC` and `DESC` at its end.
fn plain<'a>(mut part: &'a [Token<'a>]) -> &'a [Token<'a>] {
    if let [before @ .., last] = part
        && (last.is("ASC") || last.is("DESC"))
    {
        part = before;
    }
    match part {
        [before @ .., word, _] if !before.is_empty() && word.is("COLLATE") => before,
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_and_predicates_are_read() {
        let index = index(
            "CREATE UNIQUE INDEX IF NOT EXISTS \"on\" ON [t (] (lower( a ) COLLATE NOCASE DESC, b ASC) WHERE a>0 AND b='x)'",
        );
        let index = index.unwrap();
        assert_eq!(index.parts, ["lower(a)", "b"]);
        assert_eq!(index.predicate.as_deref(), Some("a > 0 AND b = 'x)'"));
    }
}
