//! Why values differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Shown;

/// How many of a finding's values or rows one cause explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseCount {
    /// The cause.
    pub cause: Cause,
    /// Its values or rows, exactly.
    pub total: u64,
}

/// A rule that, applied to the source's value, gives the target's exactly. What it tells of a row's value is at most a
/// length or a distance, and a value itself only as [`Shown`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The source's row has this value in another column of the target, and that column's in this one.
    Swapped {
        /// The other column, by the target's name.
        with: String,
    },
    /// Among rows that only one side has: the other side has the very same row, but not as often.
    Repeated,
    /// Among rows that only the target has: the source has a row that holds the same, once, under another key.
    LoadedAgain,
    /// NULL became empty.
    NullToEmpty,
    /// Empty became NULL.
    EmptyToNull,
    /// A value became NULL.
    Nulled,
    /// Something became empty.
    Emptied,
    /// Blanks at the end were taken away.
    BlanksLost,
    /// Blanks were added at the end.
    BlanksAdded,
    /// All letters became small.
    Lowercased,
    /// All letters became capitals.
    Uppercased,
    /// The first letter became a capital and all others small, of the text or of each word.
    Capitalised {
        /// Whether of each word.
        words: bool,
    },
    /// Letters changed in nothing but their case: both texts are the same in small letters.
    CaseChanged,
    /// All ends of lines became others.
    LineEnds {
        /// What ends a line now: `LF`, `CRLF` or `CR`.
        to: String,
    },
    /// Characters were composed or taken apart.
    Normalised {
        /// The Unicode form: `NFC`, `NFD`, `NFKC` or `NFKD`.
        form: String,
    },
    /// UTF-8 was read as if it were another character set.
    Mojibake {
        /// The other character set: `windows-1252` or `latin1`.
        charset: String,
        /// How many times over.
        times: u32,
    },
    /// Characters that the target could not hold were replaced.
    CharactersReplaced {
        /// What stands in their place.
        with: char,
    },
    /// Text was cut.
    Cut {
        /// Characters that were kept; none where it is several lengths together.
        characters: Option<u64>,
    },
    /// Bytes were cut.
    BytesCut {
        /// Bytes that were kept; none where it is several lengths together.
        bytes: Option<u64>,
    },
    /// Zero bytes were added at the end, as a `binary(n)` pads.
    ZerosAdded,
    /// Zero bytes at the end were taken away.
    ZerosLost,
    /// The zone that was written with an instant was dropped, and the local time kept.
    ZoneLost,
    /// A fraction of a second was cut.
    FractionCut {
        /// Digits that were kept.
        digits: u32,
    },
    /// A fraction of a second was rounded.
    FractionRounded {
        /// Digits that were kept.
        digits: u32,
    },
    /// The time of day was dropped, the day kept.
    TimeDropped,
    /// A time or day moved by a constant.
    Shifted {
        /// Microseconds from the source's to the target's; none where it is several shifts together.
        micros: Option<i64>,
    },
    /// Digits after the point were cut.
    DecimalsCut {
        /// Digits that were kept.
        scale: u32,
    },
    /// A number was rounded.
    DecimalsRounded {
        /// Digits that were kept after the point.
        scale: u32,
    },
    /// A number moved by a constant.
    Offset {
        /// From the source's to the target's, as a decimal; none where it is several together.
        by: Option<String>,
    },
    /// Among rows that only one side has, or that changed: the other side has the row with this key moved by a constant,
    /// all other values the same.
    KeyShifted {
        /// From the source's key to the target's.
        by: i64,
    },
    /// A number went through a single-precision float.
    SinglePrecision,
    /// A number went through a double-precision float.
    DoublePrecision,
    /// One value became another wherever it changed.
    Substituted {
        /// The two; none where it is several pairs together.
        pair: Option<Substitution>,
    },
    /// No rule gives the target's value.
    Unexplained,
}

/// A value and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Substitution {
    /// The source's value.
    pub source: Shown,
    /// The target's value.
    pub target: Shown,
}
