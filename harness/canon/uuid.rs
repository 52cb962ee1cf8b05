//! UUIDs: the spellings that PostgreSQL accepts, and the one that it prints.

/// Reads a UUID in any spelling that PostgreSQL accepts: either case, braces around it, a dash after any group of four
/// digits or none (`src/backend/utils/adt/uuid.c`, `string_to_uuid`).
pub fn parse(text: &[u8]) -> Option<[u8; 16]> {
    if let Some(bytes) = text.try_into().ok().and_then(dashed) {
        return Some(bytes);
    }
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        _ => text,
    };
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let [high, low, after @ ..] = rest else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
        rest = match after {
            [b'-', after @ ..] if at % 2 == 1 && at < 15 => after,
            _ => after,
        };
    }
    rest.is_empty().then_some(bytes)
}

/// Where the digits of each byte stand in a text that is spelled 8-4-4-4-12.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The values of hexadecimal digits; of what is none, a value that no digit has.
const DIGITS: [u8; 256] = {
    let (mut values, mut value) = ([NONE; 256], 0);
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        values[digit as usize] = value as u8;
        values[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};
const NONE: u8 = 0xff;

/// Reads the spelling that almost every UUID has, without a branch for each digit.
fn dashed(text: &[u8; 36]) -> Option<[u8; 16]> {
    let (mut bytes, mut seen) = ([0; 16], 0);
    for (byte, at) in bytes.iter_mut().zip(PLACES) {
        let (high, low) = (DIGITS[usize::from(text[at])], DIGITS[usize::from(text[at + 1])]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16 && has_dashes(text)).then_some(bytes)
}

fn has_dashes(text: &[u8; 36]) -> bool {
    [8, 13, 18, 23].iter().all(|at| text[*at] == b'-')
}

fn nibble(digit: u8) -> Option<u8> {
    Some(DIGITS[usize::from(digit)]).filter(|value| *value != NONE)
}

/// Whether this text, known to be a UUID, is spelled as [`format()`] spells it: lower case, 8-4-4-4-12.
pub fn is_plain(text: &[u8]) -> bool {
    // Digits, small letters and the dash have a bit that capital letters have not.
    text.try_into().is_ok_and(|text| has_dashes(text) && text.iter().fold(0x20, |bits, byte| bits & byte) == 0x20)
}

/// Writes a UUID in lower case with dashes.
pub fn format(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 16] =
        [0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0x00, 0x00];

    #[test]
    fn every_accepted_spelling_is_read() {
        for text in [
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400-E29B-41D4-A716-446655440000",
            "{550e8400-e29b-41d4-a716-446655440000}",
            "550e8400e29b41d4a716446655440000",
            "550e-8400-e29b-41d4-a716-4466-5544-0000",
            "550e8400-e29b41d4-a716446655440000",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(BYTES), "{text}");
            assert_eq!(is_plain(text.as_bytes()), text == format(&BYTES), "{text}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "550e8400-e29b-41d4-a716-44665544000g",
            "550e8400-e29b-41d4-a716-4466554400",
            "550e8400-e29b-41d4-a716-446655440000-",
            "550e8400-e29b-41d4-a716-44665544000000",
            "{550e8400-e29b-41d4-a716-446655440000",
            "550e8400--e29b-41d4-a716-446655440000",
            "55-0e8400e29b41d4a716446655440000",
            " 550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
