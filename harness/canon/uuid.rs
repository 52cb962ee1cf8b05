//! UUIDs: the spellings that PostgreSQL accepts, and the one that it prints.

/// Reads a UUID in any spelling that PostgreSQL accepts: either case, braces around it, a dash after any group of four
/// digits or none (`src/backend/utils/adt/uuid.c`, `string_to_uuid`).
pub fn parse(text: &[u8]) -> Option<[u8; 16]> {
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

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether this text, known to be a UUID, is spelled as [`format()`] spells it: lower case, 8-4-4-4-12.
pub fn is_plain(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
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
