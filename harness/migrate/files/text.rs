//! The characters of a file in any encoding, each with its place, in constant memory.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Where something is in a file; both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}:{}: {what}", at.line, at.column)]
pub(super) struct BadText {
    /// Where.
    pub at: At,
    /// What.
    pub what: String,
    /// Whether it is of one row alone, and the next one can be read.
    pub is_of_row: bool,
}

impl BadText {
    /// The same of one row alone.
    pub fn of_row(self) -> Self {
        Self { is_of_row: true, ..self }
    }
}

impl BadText {
    /// A file that could not be read at all.
    pub fn unreadable(error: io::Error) -> Self {
        Characters::bad(At { line: 1, column: 1 }, format!("cannot be read: {error}"))
    }
}

/// A file, character by character.
pub(super) struct Characters {
    file: File,
    encoding: &'static Encoding,
    decoder: Decoder,
    raw: Vec<u8>,
    is_at_end: bool,
    text: String,
    next: usize,
    /// What comes behind the text that is left.
    failed: Option<String>,
    at: At,
}

impl Characters {
    /// Opens a file. A byte order mark is left out; one of another encoding is told.
    pub fn open(path: &Path, encoding: &'static Encoding) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut raw = vec![0; CHUNK];
        let read = fill(&mut file, &mut raw)?;
        raw.truncate(read);
        let mark = Encoding::for_bom(&raw);
        let failed = mark.filter(|(of, _)| *of != encoding).map(|(of, _)| {
            format!("begins with a byte order mark of {}, and is said to be in {}", of.name(), encoding.name())
        });
        let decoder = encoding.new_decoder_with_bom_removal();
        let is_at_end = read < CHUNK;
        let at = At { line: 1, column: 1 };
        Ok(Self { file, encoding, decoder, raw, is_at_end, text: String::new(), next: 0, failed, at })
    }

    /// The place of the next character.
    pub const fn at(&self) -> At {
        self.at
    }

    /// A problem at a place.
    pub fn bad(at: At, what: impl Into<String>) -> BadText {
        BadText { at, what: what.into(), is_of_row: false }
    }

    /// The next character, without taking it.
    pub fn peek(&mut self) -> Result<Option<char>, BadText> {
        loop {
            if let Some(found) = self.text[self.next..].chars().next() {
                return Ok(Some(found));
            }
            if let Some(what) = &self.failed {
                return Err(Self::bad(self.at, what.clone()));
            }
            if self.raw.is_empty() && self.is_at_end {
                return Ok(None);
            }
            self.decode();
        }
    }

    /// Takes the next character.
    pub fn take(&mut self) -> Result<Option<char>, BadText> {
        let taken = self.peek()?;
        if let Some(found) = taken {
            self.next += found.len_utf8();
            self.at = match found {
                '\n' => At { line: self.at.line + 1, column: 1 },
                _ => At { column: self.at.column + 1, ..self.at },
            };
        }
        Ok(taken)
    }

    fn decode(&mut self) {
        self.text.clear();
        self.next = 0;
        self.text.reserve(4 * CHUNK);
        let (result, read) =
            self.decoder.decode_to_string_without_replacement(&self.raw, &mut self.text, self.is_at_end);
        self.raw.drain(..read);
        match result {
            DecoderResult::Malformed(..) => {
                self.failed = Some(format!("holds bytes that are no {}", self.encoding.name()));
            }
            DecoderResult::OutputFull => {}
            DecoderResult::InputEmpty if self.is_at_end => {}
            DecoderResult::InputEmpty => {
                self.raw.resize(CHUNK, 0);
                match fill(&mut self.file, &mut self.raw) {
                    Ok(read) => {
                        self.raw.truncate(read);
                        self.is_at_end = read < CHUNK;
                        if read == 0 {
                            // The decoder still has to be told that this was the end.
                            let (result, _) =
                                self.decoder.decode_to_string_without_replacement(&[], &mut self.text, true);
                            if matches!(result, DecoderResult::Malformed(..)) {
                                self.failed =
                                    Some(format!("ends in the middle of a character of {}", self.encoding.name()));
                            }
                        }
                    }
                    Err(error) => {
                        self.raw.clear();
                        self.failed = Some(format!("cannot be read: {error}"));
                    }
                }
            }
        }
    }
}

/// Reads until a buffer is full, or the file is over.
fn fill(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match file.read(&mut into[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Text in an encoding.
///
/// # Errors
/// The first character that the encoding does not have.
pub(super) fn encoded(text: &str, encoding: &'static Encoding, into: &mut Vec<u8>) -> Result<(), String> {
    if encoding == encoding_rs::UTF_8 {
        into.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let mut encoder = encoding.new_encoder();
    let mut rest = text;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len() * 4 + 16);
        into.reserve(room);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, into, true);
        rest = &rest[read..];
        match result {
            encoding_rs::EncoderResult::InputEmpty => return Ok(()),
            encoding_rs::EncoderResult::OutputFull => {}
            encoding_rs::EncoderResult::Unmappable(letter) => {
                return Err(format!("holds U+{:04X}, which {} does not have", u32::from(letter), encoding.name()));
            }
        }
    }
}
