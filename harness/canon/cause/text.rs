//! Text: blanks, case, Unicode forms, character sets.

use unicode_normalization::UnicodeNormalization as _;

use crate::model::Cause;

/// The rewriting of the whole text that gives the target's.
pub(super) fn rewritten(source: &str, target: &str) -> Option<Cause> {
    let form = |form: &str| Some(Cause::Normalised { form: form.to_owned() });
    if source.trim_end_matches(' ') == target {
        return Some(Cause::BlanksLost);
    }
    if target.strip_prefix(source).is_some_and(|rest| rest.bytes().all(|byte| byte == b' ')) {
        return Some(Cause::BlanksAdded);
    }
    if source.to_lowercase() == target {
        return Some(Cause::Lowercased);
    }
    if source.to_uppercase() == target {
        return Some(Cause::Uppercased);
    }
    if let Some(cause) = line_ends(source, target).or_else(|| recased(source, target)) {
        return Some(cause);
    }
    if source.is_ascii() {
        return None;
    }
    match () {
        () if source.nfc().eq(target.chars()) => form("NFC"),
        () if source.nfd().eq(target.chars()) => form("NFD"),
        () if source.nfkc().eq(target.chars()) => form("NFKC"),
        () if source.nfkd().eq(target.chars()) => form("NFKD"),
        () => None,
    }
}

/// All ends of lines as another one.
fn line_ends(source: &str, target: &str) -> Option<Cause> {
    if !source.contains(['\r', '\n']) {
        return None;
    }
    let plain = source.replace("\r\n", "\n").replace('\r', "\n");
    let ends = [("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r")];
    let (to, _) = ends.into_iter().find(|(_, end)| plain.replace('\n', end) == target)?;
    Some(Cause::LineEnds { to: to.to_owned() })
}

/// The first letters as capitals, or any other change of nothing but the case.
fn recased(source: &str, target: &str) -> Option<Cause> {
    let small = source.to_lowercase();
    if small != target.to_lowercase() {
        return None;
    }
    let capitalised = |words: bool| {
        let mut text = String::with_capacity(small.len());
        let mut begins = true;
        for c in small.chars() {
            if begins && c.is_alphabetic() {
                text.extend(c.to_uppercase());
                begins = false;
            } else {
                text.push(c);
                begins |= words && !c.is_alphanumeric();
            }
        }
        text
    };
    let words = [false, true].into_iter().find(|words| capitalised(*words) == target);
    Some(words.map_or(Cause::CaseChanged, |words| Cause::Capitalised { words }))
}

/// The character sets as which UTF-8 may have been read, and how often.
const READINGS: [(&str, u32); 4] = [("windows-1252", 1), ("latin1", 1), ("windows-1252", 2), ("latin1", 2)];

/// The readings of the source's bytes that give the target's text, as bits.
pub(super) fn mojibake(source: &str, target: &str) -> u64 {
    if source.is_ascii() {
        return 0;
    }
    let mut options = 0;
    for (option, (charset, times)) in READINGS.into_iter().enumerate() {
        let mut read = source.to_owned();
        for _ in 0..times {
            read =
                read.bytes().map(|byte| if charset == "latin1" { char::from(byte) } else { windows(byte) }).collect();
        }
        options |= u64::from(read == target) << option;
    }
    options
}

/// The cause of an option of [`mojibake`].
pub(super) fn mojibake_cause(option: u32) -> Cause {
    let (charset, times) = READINGS[option as usize % READINGS.len()];
    Cause::Mojibake { charset: charset.to_owned(), times }
}

/// A byte in windows-1252, by the table of the WHATWG's Encoding Standard, which leaves no byte out.
fn windows(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

/// What stands in place of all characters beyond ASCII, Latin-1 or the basic plane, once for each or once for each of
/// its bytes.
pub(super) fn replaced(source: &str, target: &str) -> Option<char> {
    let largest = source.chars().max()?;
    ['?', '\u{fffd}'].into_iter().find(|with| {
        ['\u{7f}', '\u{ff}', '\u{ffff}'].into_iter().filter(|limit| largest > *limit).any(|limit| {
            let replace = |per_byte: bool| {
                let times = move |c: char| {
                    if c <= limit {
                        1
                    } else if per_byte {
                        c.len_utf8()
                    } else {
                        1
                    }
                };
                source.chars().flat_map(move |c| std::iter::repeat_n(if c > limit { *with } else { c }, times(c)))
            };
            replace(false).eq(target.chars()) || replace(true).eq(target.chars())
        })
    })
}
