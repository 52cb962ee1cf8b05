//! Arrays for columns of JSON, and JSON for columns of arrays.

use crate::canon::{Cell, decode_own, json, nested, text_of};

/// An array as `array_in` reads it, of a JSON array. `None` if the text is none, or holds an object, which is no element.
///
/// Every element is quoted: the column's type says what it is.
pub(in super::super) fn literal(text: &[u8]) -> Option<String> {
    let mut literal = String::with_capacity(text.len());
    json::walk(text, &mut |part| {
        if !matches!(part, json::Part::Close) && !literal.is_empty() && !literal.ends_with('{') {
            literal.push(',');
        }
        match part {
            json::Part::Open => literal.push('{'),
            json::Part::Close => literal.push('}'),
            json::Part::Null => literal.push_str("NULL"),
            json::Part::Text(element) | json::Part::Word(element) => {
                literal.push('"');
                for character in str::from_utf8(element).ok()?.chars() {
                    if matches!(character, '"' | '\\') {
                        literal.push('\\');
                    }
                    literal.push(character);
                }
                literal.push('"');
            }
            json::Part::Object(_) => return None,
        }
        Some(())
    })?;
    Some(literal)
}

/// An array as JSON, of its own form: numbers and truth values as such, everything else as strings. `None` if it does not
/// begin with the first element, of which JSON knows nothing.
pub(in super::super) fn json(bytes: &[u8]) -> Option<String> {
    let (dimensions, mut rest) = nested::dimensions(bytes)?;
    let lengths: Vec<u32> = dimensions.clone().map(|dimension| dimension.length).collect();
    if dimensions.clone().any(|dimension| dimension.lower != 1) {
        return None;
    }
    let mut text = String::new();
    write(&lengths, &mut rest, &mut text)?;
    rest.is_empty().then_some(text)
}

/// One array of these dimensions. PostgreSQL has six of them at most.
fn write(lengths: &[u32], rest: &mut &[u8], text: &mut String) -> Option<()> {
    text.push('[');
    let (length, inner) = lengths.split_first().unwrap_or((&0, &[]));
    for at in 0..*length {
        if at > 0 {
            text.push(',');
        }
        if inner.is_empty() {
            let (cell, after) = decode_own(rest)?;
            *rest = after;
            element(&cell, text)?;
        } else {
            write(inner, rest, text)?;
        }
    }
    text.push(']');
    Some(())
}

/// Appends one value as JSON.
pub(super) fn element(cell: &Cell<'_>, text: &mut String) -> Option<()> {
    if *cell == Cell::Null {
        text.push_str("null");
        return Some(());
    }
    let shown = text_of(cell)?;
    let is_word = match cell {
        Cell::Boolean(_) | Cell::Integer(_) => true,
        // What is not finite is no number in JSON.
        Cell::Decimal(_) | Cell::Float32(_) | Cell::Float64(_) => {
            serde_json::from_str::<serde_json::Number>(&shown).is_ok()
        }
        _ => false,
    };
    text.push_str(&if is_word { shown } else { serde_json::to_string(&shown).ok()? });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::{
        encode_own,
        nested::{Dimension, write_dimensions},
    };

    fn array(lengths: &[u32], lower: i32, elements: &[Cell<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_dimensions(lengths.iter().map(|length| Dimension { length: *length, lower }), &mut bytes);
        elements.iter().for_each(|element| encode_own(element, &mut bytes));
        bytes
    }

    #[test]
    fn json_becomes_what_the_server_reads() {
        for (json, expected) in [
            ("[]", "{}"),
            (r#" ["a", "b c", null, "NULL", ""] "#, r#"{"a","b c",NULL,"NULL",""}"#),
            (r#"["x\"y\\z", "{,}", "é\u00e9\n"]"#, "{\"x\\\"y\\\\z\",\"{,}\",\"éé\n\"}"),
            ("[1, 2.50, true]", r#"{"1","2.50","true"}"#),
            ("[[1, 2], [3, 4]]", r#"{{"1","2"},{"3","4"}}"#),
        ] {
            assert_eq!(literal(json.as_bytes()).as_deref(), Some(expected), "{json}");
        }
        for json in ["{}", "[{}]", "[1", "x", ""] {
            assert_eq!(literal(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn an_array_becomes_json() {
        let text = Cell::Text;
        let of = |lengths: &[u32], elements: &[Cell<'_>]| json(&array(lengths, 1, elements));
        assert_eq!(of(&[], &[]).as_deref(), Some("[]"));
        assert_eq!(of(&[3], &[text(b"a\"b"), Cell::Null, text(b"1")]).as_deref(), Some(r#"["a\"b",null,"1"]"#));
        let four = [Cell::Integer(1), Cell::Float64(0.5), Cell::Float64(f64::NAN), Cell::Boolean(true)];
        assert_eq!(of(&[2, 2], &four).as_deref(), Some(r#"[[1,0.5],["NaN",true]]"#));
        assert_eq!(json(&array(&[1], 0, &[Cell::Integer(1)])), None);
        assert_eq!(json(b"no array"), None);
    }
}
