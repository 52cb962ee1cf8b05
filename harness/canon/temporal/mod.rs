//! Days and times: civil dates, the text forms that databases and applications write, and epoch numbers.
//!
//! The calendar is the proleptic Gregorian one, as in PostgreSQL and SQLite. Text goes through one small scanner that
//! also notices whether the spelling is the plain one (PostgreSQL's own output), because any other spelling is a line
//! in the loss ledger.

mod scan;

use std::fmt::Write as _;

use scan::Scan;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// A point on a clock's line that was read from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00, brought to UTC if the text gave an offset. `i64::MAX` and `i64::MIN` are
    /// infinity and -infinity.
    pub micros: i64,
    /// Whether the text gave an offset (or is an infinity, which needs none).
    pub zoned: bool,
    /// Whether digits beyond the microsecond were rounded away.
    pub rounded: bool,
    /// Whether the text is spelled as PostgreSQL would print the same moment in UTC, with or without the offset `+00`.
    pub plain: bool,
}

/// A day or a time of day that was read from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// What was read.
    pub value: T,
    /// Whether the text is spelled as PostgreSQL would print the same value.
    pub plain: bool,
}

/// Reads a day and time: `T` or a blank between them, fractions of any length, `Z`, `UTC`, `+05`, `+0530`, `+05:30`, a
/// trailing `BC`, a year of sign and four to six digits, 24:00:00, a second of 60, `infinity`. A day alone is midnight.
/// Days that no calendar has (`2024-02-30`, `0000-00-00`) are refused.
pub fn parse_timestamp(text: &str) -> Option<Moment> {
    moment(text.as_bytes())
}

/// [`parse_timestamp`] on bytes.
pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    if let Some(micros) = infinite(text) {
        return Some(Moment {
            micros,
            zoned: true,
            rounded: false,
            plain: text == b"infinity" || text == b"-infinity",
        });
    }
    let mut scan = Scan::new(text);
    let days = scan.date()?;
    if scan.rest.is_empty() {
        return Some(Moment { micros: days.checked_mul(DAY)?, zoned: false, rounded: false, plain: false });
    }
    match scan.next()? {
        b' ' => {}
        b'T' | b't' => scan.plain = false,
        _ => return None,
    }
    let time = scan.time()?;
    // 24:00:00 is printed as the next day.
    scan.plain &= time < DAY;
    let offset = scan.offset()?;
    if !scan.rest.is_empty() {
        return None;
    }
    let shift = i64::from(offset.unwrap_or(0)) * 1_000_000;
    let micros = days.checked_mul(DAY)?.checked_add(time)?.checked_sub(shift)?;
    // The ends of the line stand for the infinities.
    (micros != i64::MAX && micros != i64::MIN).then_some(Moment {
        micros,
        zoned: offset.is_some(),
        rounded: scan.rounded,
        plain: scan.plain,
    })
}

/// Reads a day as days since 1970-01-01; `i32::MAX` and `i32::MIN` are infinity and -infinity.
pub fn parse_date(text: &str) -> Option<i32> {
    day(text.as_bytes()).map(|read| read.value)
}

/// [`parse_date`] on bytes, with the spelling.
pub(super) fn day(text: &[u8]) -> Option<Read<i32>> {
    if let Some(micros) = infinite(text) {
        let value = if micros > 0 { i32::MAX } else { i32::MIN };
        return Some(Read { value, plain: text == b"infinity" || text == b"-infinity" });
    }
    let mut scan = Scan::new(text);
    let value = i32::try_from(scan.date()?).ok()?;
    scan.rest.is_empty().then_some(Read { value, plain: scan.plain })
}

/// Reads a time of day (`HH:MM`, `HH:MM:SS`, fractions of any length, up to 24:00:00) as microseconds since midnight.
pub fn parse_time(text: &str) -> Option<i64> {
    time_of_day(text.as_bytes()).map(|read| read.value)
}

/// [`parse_time`] on bytes, with the spelling.
pub(super) fn time_of_day(text: &[u8]) -> Option<Read<i64>> {
    let mut scan = Scan::bare(text);
    let value = scan.time()?;
    (scan.rest.is_empty() && value <= DAY).then_some(Read { value, plain: scan.plain })
}

/// A time of day and the seconds east of UTC that stand behind it, if any do.
pub(super) fn time_with_offset(text: &[u8]) -> Option<(Read<i64>, Option<i32>)> {
    let mut scan = Scan::bare(text);
    let value = scan.time()?;
    let offset = scan.offset()?;
    (scan.rest.is_empty() && value <= DAY).then_some((Read { value, plain: scan.plain }, offset))
}

/// An epoch number as microseconds since 1970, its unit guessed by magnitude: below 10^11 seconds (to the year 5138), up
/// to the last of the year 9999 milliseconds, below 10^17 microseconds (from 1978 on), else nanoseconds. The last
/// millisecond of 9999 is how applications write "for ever", which outweighs microseconds before 1978.
pub const fn epoch_to_micros(number: i64) -> i64 {
    match number.unsigned_abs() {
        0..100_000_000_000 => number * 1_000_000,
        100_000_000_000..=253_402_300_799_999 => number * 1_000,
        253_402_300_800_000..100_000_000_000_000_000 => number,
        _ => number.div_euclid(1_000),
    }
}

/// Writes a moment without zone: `2024-01-02T03:04:05.123456`, `0044-03-15T00:00:00 BC`, `infinity`. Zeros at the end
/// of the fraction are left out.
pub fn format_timestamp(micros: i64) -> String {
    spell(micros, 'T', "")
}

/// Writes an instant: `2024-01-02T03:04:05.123456Z`.
pub fn format_instant(micros: i64) -> String {
    spell(micros, 'T', "Z")
}

/// Writes a moment as PostgreSQL prints it, with a blank before the time and this after it.
pub(super) fn spell(micros: i64, between: char, zone: &str) -> String {
    match micros {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (date, era) = spell_day(micros.div_euclid(DAY));
    format!("{date}{between}{}{zone}{era}", format_time(micros.rem_euclid(DAY)))
}

/// Writes a day: `2024-01-02`, `0044-03-15 BC`, `infinity`.
pub fn format_date(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".to_owned(),
        i32::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (date, era) = spell_day(i64::from(days));
    date + era
}

fn spell_day(days: i64) -> (String, &'static str) {
    let (year, month, day) = civil_from_days(days);
    let (shown, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    (format!("{shown:04}-{month:02}-{day:02}"), era)
}

/// Writes a time of day: `03:04:05.123456`, zeros at the end of the fraction left out.
pub fn format_time(micros: i64) -> String {
    let mut text = String::new();
    push_time(&mut text, micros);
    text
}

/// [`format_time`] behind what a text holds already.
pub fn push_time(text: &mut String, micros: i64) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(text, "{hour:02}:{minute:02}:{second:02}").expect("a String takes everything");
    if fraction > 0 {
        write!(text, ".{fraction:06}").expect("a String takes everything");
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Days since 1970-01-01 of a day, or `None` if no calendar has it. The year is astronomical: 0 is 1 BC.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years start in March here, so that the leap day is their last (Hinnant, "chrono-compatible low-level date
    // algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year (astronomical), month and day of so many days since 1970-01-01.
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

fn infinite(text: &[u8]) -> Option<i64> {
    if text.eq_ignore_ascii_case(b"infinity") {
        return Some(i64::MAX);
    }
    text.eq_ignore_ascii_case(b"-infinity").then_some(i64::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: i64 = 1_704_164_645_000_000; // 2024-01-02 03:04:05

    #[test]
    fn all_spellings_of_one_moment_are_read() {
        for (text, zoned, plain) in [
            ("2024-01-02 03:04:05", false, true),
            ("2024-01-02T03:04:05", false, false),
            ("2024-01-02 03:04:05.000", false, false),
            ("2024-01-02 03:04:05+00", true, true),
            ("2024-01-02T03:04:05Z", true, false),
            ("2024-01-02 03:04:05 UTC", true, false),
            ("2024-01-02 03:04:05 +0000 UTC", true, false),
            ("2024-01-02T08:34:05+05:30", true, false),
            ("2024-01-02 08:34:05+0530", true, false),
            ("2024-01-02 08:04:05+05", true, false),
            ("2024-01-01 22:04:05-05", true, false),
        ] {
            let expected = Moment { micros: BASE, zoned, rounded: false, plain };
            assert_eq!(parse_timestamp(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for text in [
            "",
            "abc",
            "2024-02-30",
            "2023-02-29",
            "0000-00-00",
            "2024-00-15",
            "2024-13-01",
            "2024-01-02 24:00:01",
            "2024-01-02 23:60:00",
            "2024-01-02 03:04:05.",
            "2024-01-02 03:04:05 x",
            "2024-01-02x03:04:05",
            "0000-01-01 BC",
            "24-01-02",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_round_as_in_postgresql() {
        let micros = |text: &str| parse_timestamp(text).map(|moment| (moment.micros - BASE, moment.rounded));
        assert_eq!(micros("2024-01-02 03:04:05.1"), Some((100_000, false)));
        assert_eq!(micros("2024-01-02 03:04:05.1234567"), Some((123_457, true)));
        assert_eq!(micros("2024-01-02 03:04:05.1234560"), Some((123_456, false)));
        assert_eq!(micros("2024-01-02 03:04:05.0000005"), Some((0, true)));
        assert_eq!(micros("2024-01-02 03:04:05.0000015"), Some((2, true)));
        assert_eq!(micros("2024-01-02 03:04:05.9999999"), Some((1_000_000, true)));
    }

    #[test]
    fn the_ends_of_the_calendar_survive() {
        for text in
            ["0044-03-15 BC", "4714-11-24 BC", "0001-01-01", "9999-12-31", "10000-01-01", "infinity", "-infinity"]
        {
            assert_eq!(parse_date(text).map(format_date).as_deref(), Some(text));
        }
        assert_eq!(parse_date("-0043-03-15"), parse_date("0044-03-15 BC"));
        assert_eq!(
            format_timestamp(parse_timestamp("0044-03-15 12:00:00 BC").unwrap().micros),
            "0044-03-15T12:00:00 BC"
        );
        assert_eq!(parse_timestamp("infinity").unwrap().micros, i64::MAX);
        assert_eq!(parse_time("24:00:00"), Some(DAY));
        assert_eq!(parse_time("23:59:60"), Some(DAY));
        assert_eq!(parse_time("24:00:00.000001"), None);
    }

    #[test]
    fn days_and_civil_dates_are_inverse() {
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 2, 29), Some(11_016));
        for days in (-2_500_000..110_000_000).step_by(997) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
    }

    #[test]
    fn epochs_go_by_magnitude() {
        for number in [1_600_000_000, 1_600_000_000_000, 1_600_000_000_000_000, 1_600_000_000_000_000_000] {
            assert_eq!(format_instant(epoch_to_micros(number)), "2020-09-13T12:26:40Z");
        }
        assert_eq!(epoch_to_micros(-1), -1_000_000);
        assert_eq!(format_instant(epoch_to_micros(253_402_300_799_999)), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn text_of_a_moment_drops_needless_zeros() {
        assert_eq!(format_timestamp(BASE + 120_000), "2024-01-02T03:04:05.12");
        assert_eq!(format_time(1), "00:00:00.000001");
    }
}
