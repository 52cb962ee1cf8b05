//! Days and instants as numbers and as text.

use std::fmt::Write as _;

/// How an instant is written where the column has no type of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `2024-02-29T23:59:59.123Z`
    Iso,
    /// `2024-02-29 23:59:59.123`
    IsoSpace,
    /// Milliseconds since 1970, as a number.
    EpochMs,
    /// Seconds since 1970, as a number.
    EpochS,
}

impl Form {
    /// The names in a dataset file.
    pub const NAMES: &[&str] = &["iso", "iso_space", "epoch_ms", "epoch_s"];

    /// The form of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Iso, Self::IsoSpace, Self::EpochMs, Self::EpochS]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, known)| **known == name)
            .map(|(form, _)| form)
    }
}

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// Year, month and day of a number of days since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `2024-02-29`
pub fn date_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `23:59:59.123`; six digits after the point only where three would lose some.
pub fn time_text(micros: i64) -> String {
    let mut text = String::with_capacity(15);
    write_time(&mut text, micros);
    text
}

/// An ISO 8601 text with three digits after the point, six where three would lose some.
pub fn instant_text(micros: i64, form: Form) -> String {
    let mut text = String::with_capacity(27);
    let (year, month, day) = civil(micros.div_euclid(DAY));
    let separator = if form == Form::Iso { 'T' } else { ' ' };
    write!(text, "{year:04}-{month:02}-{day:02}{separator}").expect("a string takes whatever is written");
    write_time(&mut text, micros.rem_euclid(DAY));
    if form == Form::Iso {
        text.push('Z');
    }
    text
}

fn write_time(text: &mut String, micros: i64) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let written = match (fraction / 1000, fraction % 1000) {
        (millis, 0) => write!(text, "{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
        _ => write!(text, "{hours:02}:{minutes:02}:{seconds:02}.{fraction:06}"),
    };
    written.expect("a string takes whatever is written");
}

/// Milliseconds since 1970 of `2024-02-29` or `2024-02-29T23:59:59Z`.
pub fn parse_millis(text: &str) -> Option<i64> {
    let civil: jiff::civil::DateTime = text.strip_suffix('Z').unwrap_or(text).parse().ok()?;
    i64::try_from(civil.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_calendar_has_them() {
        for (text, written) in [
            ("2024-02-29T23:59:59.123Z", "2024-02-29T23:59:59.123Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"),
            ("2000-03-01", "2000-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(instant_text(parse_millis(text).unwrap() * 1000, Form::Iso), written);
        }
        assert_eq!(instant_text(1, Form::IsoSpace), "1970-01-01 00:00:00.000001");
        assert_eq!(date_text(-1), "1969-12-31");
        assert_eq!(parse_millis("2024-02-30"), None);
    }
}
