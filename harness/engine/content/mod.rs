//! What columns really hold, seen in one pass over their rows.
//!
//! A declared type is a promise that some engines do not keep: a SQLite column may hold five storage classes side by side.
//! Whoever derives a schema for another engine asks this profile which type every value of a column would fit.

mod form;

use std::ops::ControlFlow;

use crate::{
    canon::{
        Cell, RowSink,
        decimal::{self, Number},
    },
    engine::{EngineError, Rowset, Session},
};

/// Profiles the columns of a rowset.
///
/// # Errors
/// Those of the scan.
pub async fn profile(session: &mut dyn Session, rowset: &Rowset) -> Result<ContentProfile, EngineError> {
    let mut profile = ContentProfile::new(rowset.columns.len());
    session.scan(rowset, &mut profile).await?;
    Ok(profile)
}

/// The content of each column of a rowset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContentProfile {
    /// Number of rows.
    pub rows: u64,
    /// The columns, in the order of the rowset.
    pub columns: Vec<ColumnContent>,
}

impl ContentProfile {
    /// A profile of so many columns and no rows yet.
    pub fn new(columns: usize) -> Self {
        Self { rows: 0, columns: vec![ColumnContent::default(); columns] }
    }
}

impl RowSink for ContentProfile {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.columns[column].add(cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows += 1;
        ControlFlow::Continue(())
    }
}

/// The content of one column: how many values there are of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnContent {
    /// NULLs.
    pub nulls: u64,
    /// Integers.
    pub integers: u64,
    /// Smallest and largest integer.
    pub integer_range: Option<(i64, i64)>,
    /// Floating-point numbers.
    pub reals: u64,
    /// Floating-point numbers without a fraction that an integer of 64 bits can hold.
    pub whole_reals: u64,
    /// Infinities and NaN.
    pub not_finite: u64,
    /// Most digits before and after the point, over finite reals (by their shortest digits) and texts that are decimals.
    pub digits: (u64, u64),
    /// Texts.
    pub texts: u64,
    /// Length of the longest text that is valid UTF-8, in characters.
    pub longest_text: u64,
    /// How many of the texts have each form.
    pub forms: TextForms,
    /// What the texts look like, as long as they all look the same.
    pub shape: Shape,
    /// Texts that are not valid UTF-8.
    pub invalid_utf8: u64,
    /// Texts that hold a NUL character, which PostgreSQL cannot store.
    pub with_nul: u64,
    /// Byte strings.
    pub blobs: u64,
    /// Byte strings of exactly 16 bytes, as UUIDs have.
    pub blobs_of_16: u64,
    /// Values of a kind that the engine has a type of its own for.
    pub native: u64,
}

/// How many texts have the form of something else. A text may have several forms: `20240101` is a decimal and JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextForms {
    /// A UUID: 32 hexadecimal digits, with dashes in the usual places or without any, in braces or not.
    pub uuids: u64,
    /// A word that stands for true or false, in any case: `t`, `yes`, `off`, `0`.
    pub booleans: u64,
    /// An integer of 64 bits, spelled the one plain way: `-7`, not `007`.
    pub integers: u64,
    /// A day that exists, `2024-02-29`.
    pub dates: u64,
    /// A time of day to the microsecond, `12:30[:59[.123456]]`.
    pub times: u64,
    /// A day and time without zone to the microsecond, `2024-02-29 12:30[:59[.123456]]`, with a blank or a `T`.
    pub timestamps: u64,
    /// A day and time with `Z` or an offset.
    pub instants: u64,
    /// An exact number, `-12.50` or `1e30`.
    pub decimals: u64,
    /// A JSON object or array.
    pub json_containers: u64,
    /// Any JSON document, a bare number or `null` included.
    pub json: u64,
}

/// The look of texts: every digit stands for any digit. Texts of one shape that are read as numbers or moments of one zone
/// are never two spellings of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// No text yet.
    #[default]
    Unknown,
    /// All texts look like this, digits as `0`.
    One(String),
    /// Texts differ in their look, or are longer than any number or moment.
    Many,
}

impl Shape {
    /// Longest text that is looked at, in bytes: more than any number or moment of one column needs.
    const LONGEST: usize = 48;

    fn add(&mut self, text: &str) {
        let looks = |shown: &str| {
            shown.len() == text.len()
                && shown
                    .bytes()
                    .zip(text.bytes())
                    .all(|(one, byte)| one == if byte.is_ascii_digit() { b'0' } else { byte })
        };
        match self {
            Self::Unknown if text.len() <= Self::LONGEST => {
                *self = Self::One(text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect());
            }
            Self::One(shown) if looks(shown) => {}
            Self::Many => {}
            Self::Unknown | Self::One(_) => *self = Self::Many,
        }
    }
}

impl ColumnContent {
    /// Values that are not NULL.
    pub const fn values(&self) -> u64 {
        self.integers + self.reals + self.texts + self.blobs + self.native
    }

    /// Whether the column holds texts, nothing else but NULLs, and this form is that of each of them:
    /// `content.is_all(|forms| forms.uuids)`.
    pub fn is_all(&self, form: impl Fn(&TextForms) -> u64) -> bool {
        self.texts > 0 && self.texts == self.values() && form(&self.forms) == self.texts
    }

    fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => self.nulls += 1,
            Cell::Integer(integer) => {
                self.integers += 1;
                let (least, most) = self.integer_range.unwrap_or((integer, integer));
                self.integer_range = Some((least.min(integer), most.max(integer)));
            }
            Cell::Float32(real) => self.add_real(f64::from(real)),
            Cell::Float64(real) => self.add_real(real),
            Cell::Text(text) | Cell::PaddedText(text) => self.add_text(text),
            Cell::Bytes(bytes) => {
                self.blobs += 1;
                self.blobs_of_16 += u64::from(bytes.len() == 16);
            }
            _ => self.native += 1,
        }
    }

    fn add_real(&mut self, real: f64) {
        self.reals += 1;
        // 2^63 itself is the first double that no integer of 64 bits can hold.
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&real);
        self.whole_reals += u64::from(fits && real.fract() == 0.0);
        if real.is_finite() {
            self.add_digits(format!("{real:e}").as_bytes());
        } else {
            self.not_finite += 1;
        }
    }

    /// Notes the digits of a number; `false` if no decimal type has as many.
    fn add_digits(&mut self, number: &[u8]) -> bool {
        let Some(read @ Number::Finite { whole, fraction, exponent, .. }) = decimal::parse(number) else {
            return false;
        };
        let zeros = whole.iter().chain(fraction).take_while(|digit| **digit == b'0').count();
        let before =
            if zeros == whole.len() + fraction.len() { 0 } else { whole.len() as i64 + exponent - zeros as i64 };
        let (most_before, most_after) = self.digits;
        self.digits = (most_before.max(u64::try_from(before).unwrap_or(0)), most_after.max(read.scale()));
        true
    }

    fn add_text(&mut self, bytes: &[u8]) {
        self.texts += 1;
        self.with_nul += u64::from(bytes.contains(&0));
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.invalid_utf8 += 1;
            return;
        };
        self.longest_text = self.longest_text.max(text.chars().count() as u64);
        self.shape.add(text);
        self.forms.decimals += u64::from(form::is_decimal(bytes) && self.add_digits(bytes));
        let forms = &mut self.forms;
        forms.uuids += u64::from(form::is_uuid(bytes));
        forms.booleans += u64::from(form::is_boolean(text));
        forms.integers += u64::from(form::is_integer(text));
        forms.times += u64::from(form::is_time(bytes));
        match form::moment(bytes) {
            Some(form::Moment::Date) => forms.dates += 1,
            Some(form::Moment::Timestamp) => forms.timestamps += 1,
            Some(form::Moment::Instant) => forms.instants += 1,
            None => {}
        }
        if form::is_json(bytes) {
            forms.json += 1;
            forms.json_containers +=
                u64::from(bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"["));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(cells: &[Cell<'_>]) -> ColumnContent {
        let mut profile = ContentProfile::new(1);
        for cell in cells {
            profile.cell(0, *cell);
            assert!(profile.end_row().is_continue());
        }
        assert_eq!(profile.rows, cells.len() as u64);
        profile.columns.remove(0)
    }

    fn forms(text: &str) -> TextForms {
        content(&[Cell::Text(text.as_bytes())]).forms
    }

    #[test]
    fn storage_classes_are_counted_apart() {
        let mixed = content(&[
            Cell::Null,
            Cell::Integer(-7),
            Cell::Integer(9),
            Cell::Float64(2.0),
            Cell::Float64(9_223_372_036_854_775_808.0),
            Cell::Text("é\0".as_bytes()),
            Cell::Text(b"\xff"),
            Cell::Bytes(&[0; 16]),
            Cell::Bytes(b""),
        ]);
        assert_eq!((mixed.nulls, mixed.integers, mixed.reals, mixed.texts, mixed.blobs), (1, 2, 2, 2, 2));
        assert_eq!(mixed.integer_range, Some((-7, 9)));
        assert_eq!((mixed.whole_reals, mixed.blobs_of_16), (1, 1));
        assert_eq!((mixed.longest_text, mixed.with_nul, mixed.invalid_utf8), (2, 1, 1));
    }

    #[test]
    fn moments_must_exist() {
        for date in ["2024-02-29", "0001-01-01", "2000-02-29"] {
            assert_eq!(forms(date), TextForms { dates: 1, ..TextForms::default() }, "{date}");
        }
        for timestamp in ["2024-01-02 03:04", "2024-01-02T03:04:05.1234560", "2024-01-02 24:00:00"] {
            assert_eq!(forms(timestamp), TextForms { timestamps: 1, ..TextForms::default() }, "{timestamp}");
        }
        for instant in ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05+05:30", "2024-01-02 03:04:05.5 -08"] {
            assert_eq!(forms(instant), TextForms { instants: 1, ..TextForms::default() }, "{instant}");
        }
        for nothing in [
            "2023-02-29",
            "1900-02-29",
            "0000-00-00",
            "2024-13-01",
            "2024-1-2",
            "2024-01-02 25:00",
            "2024-01-02 03:04:05+99",
            "2024-01-02 03:04:05.1234567",
        ] {
            assert_eq!(forms(nothing), TextForms::default(), "{nothing}");
        }
    }

    #[test]
    fn numbers_json_and_uuids_are_told_apart() {
        for uuid in ["{A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11"] {
            assert_eq!(forms(uuid), TextForms { uuids: 1, ..TextForms::default() }, "{uuid}");
        }
        assert_eq!(forms("a0eebc99-9c0b4-ef8-bb6d-6bb9bd380a11").uuids, 0);
        for (text, decimals, json) in
            [("007", 1, 0), (".5", 1, 0), ("1e30", 1, 1), ("-", 0, 0), ("1.2.3", 0, 0), ("null", 0, 1)]
        {
            assert_eq!((forms(text).decimals, forms(text).json), (decimals, json), "{text}");
        }
        assert_eq!(forms(" [1, {}]").json_containers, 1);
        assert_eq!(forms("{broken").json, 0);
    }

    #[test]
    fn all_means_every_value_but_null() {
        let uuid = Cell::Text(b"a0eebc999c0b4ef8bb6d6bb9bd380a11");
        assert!(content(&[uuid, Cell::Null]).is_all(|forms| forms.uuids));
        assert!(!content(&[uuid, Cell::Bytes(&[0; 16])]).is_all(|forms| forms.uuids));
        assert!(!content(&[uuid, Cell::Text(b"")]).is_all(|forms| forms.uuids));
        assert!(!content(&[Cell::Null]).is_all(|forms| forms.uuids));
    }
}
