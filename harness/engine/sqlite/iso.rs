//! Dates and times as SQLite keeps them: ISO 8601 text.
//!
//! The form is that of SQLite's own functions, `2024-01-02 03:04:05.123456`: a space, and a fraction
//! without zeros at its end, so that texts of one column sort by time. Instants are written in UTC with `+00:00` after
//! them. Years before 0 have a minus sign (the year before 1 is `0000`), years from 10000 on more digits; infinities are
//! the words `infinity` and `-infinity`, as PostgreSQL writes them.

use std::fmt::Write as _;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A day: days since 1970-01-01.
pub(super) fn date(text: &mut String, days: i32) {
    match days {
        i32::MAX => text.push_str("infinity"),
        i32::MIN => text.push_str("-infinity"),
        _ => civil(text, i64::from(days)),
    }
}

/// A time of day: microseconds since midnight, 24:00:00 included.
pub(super) fn time(text: &mut String, micros: i64) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    push(text, format_args!("{hour:02}:{minute:02}:{second:02}"));
    if fraction != 0 {
        push(text, format_args!(".{fraction:06}"));
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// A day and time: microseconds since 1970-01-01 00:00.
pub(super) fn timestamp(text: &mut String, micros: i64) {
    match micros {
        i64::MAX => text.push_str("infinity"),
        i64::MIN => text.push_str("-infinity"),
        _ => {
            civil(text, micros.div_euclid(DAY));
            text.push(' ');
            time(text, micros.rem_euclid(DAY));
        }
    }
}

/// An instant: microseconds since 1970-01-01 00:00 UTC.
pub(super) fn instant(text: &mut String, micros: i64) {
    timestamp(text, micros);
    if micros != i64::MAX && micros != i64::MIN {
        text.push_str("+00:00");
    }
}

/// Year, month and day of a day in the proleptic Gregorian calendar, by eras of 400 years that begin on 1 March
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn civil(text: &mut String, days: i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let sign = if year < 0 { "-" } else { "" };
    push(text, format_args!("{sign}{:04}-{month:02}-{day:02}", year.abs()));
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T>(write: fn(&mut String, T), value: T) -> String {
        let mut text = String::new();
        write(&mut text, value);
        text
    }

    #[test]
    fn dates_agree_with_sqlite() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for days in [-719_528, -719_162, -25_567, -1, 0, 58, 59, 60, 11_016, 19_782, 19_783, 47_540, 2_932_896] {
            let sql = "SELECT strftime('%Y-%m-%d', ?1 * 86400, 'unixepoch')";
            let expected: String = connection.query_row(sql, [days], |row| row.get(0)).unwrap();
            assert_eq!(written(date, days), expected);
        }
    }

    #[test]
    fn the_ends_of_time_have_words() {
        assert_eq!(written(date, i32::MAX), "infinity");
        assert_eq!(written(instant, i64::MIN), "-infinity");
        assert_eq!(written(date, 2_932_897), "10000-01-01");
        assert_eq!(written(date, -719_529), "-0001-12-31");
    }

    #[test]
    fn fractions_have_no_zeros_at_their_end() {
        assert_eq!(written(timestamp, -1), "1969-12-31 23:59:59.999999");
        assert_eq!(written(timestamp, 1_704_164_645_123_456), "2024-01-02 03:04:05.123456");
        assert_eq!(written(instant, 1_704_164_645_000_000), "2024-01-02 03:04:05+00:00");
        assert_eq!(written(time, 500_000), "00:00:00.5");
        assert_eq!(written(time, DAY), "24:00:00");
    }
}
