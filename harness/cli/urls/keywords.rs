//! libpq's connection strings: `host=localhost dbname='my db' user=me`
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE>).

use super::parts::Parts;

/// Whether a text looks like one: it begins with a word and an equals sign, and is no URL.
pub(super) fn is_one(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else { return false };
    let name = name.trim();
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Reads one into its parts.
pub(super) fn read(text: &str) -> Result<Parts, String> {
    let mut parts = Parts::postgres();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=').ok_or("a keyword has no `=` and no value behind it")?;
        let name = name.trim();
        if name.contains(char::is_whitespace) {
            // What stands there may be the end of a password with a blank in it, and is not repeated.
            return Err("a keyword has no `=` behind it; a value with blanks stands in '…'".to_owned());
        }
        let (value, behind) = value(behind.trim_start())?;
        parts.set(name, &value)?;
        rest = behind.trim_start();
    }
    Ok(parts)
}

/// Takes a value from the front: a word, or a text in single quotes; a backslash makes the next sign a plain one.
fn value(text: &str) -> Result<(String, &str), String> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |text| (true, text));
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => value.extend(signs.next().map(|(_, sign)| sign)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            sign if sign.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            sign => value.push(sign),
        }
    }
    if quoted { Err("a value begins with a quote and does not end with one".to_owned()) } else { Ok((value, "")) }
}
