//! Dates and times as SQLite keeps them: ISO 8601 text.
//!
//! The form is that of SQLite's own functions, `2024-01-02 03:04:05.123456`: a space, and a fraction
//! without zeros at its end, so that texts of one column sort by time. Instants are written in UTC with `+00:00` after
//! them. Years before 0 have a minus sign (the year before 1 is `0000`), years from 10000 on more digits; infinities are
//! the words `infinity` and `-infinity`, as PostgreSQL writes them.

use std::fmt::Write as _;

/// A time of day: microseconds since midnight, 24:00:00 included.
pub(super) use crate::canon::temporal::push_time as time;
use crate::canon::temporal::{self, DAY};

/// A day: days since 1970-01-01.
pub(super) fn date(text: &mut String, days: i32) {
    match days {
        i32::MAX => text.push_str("infinity"),
        i32::MIN => text.push_str("-infinity"),
        _ => civil(text, i64::from(days)),
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

fn civil(text: &mut String, days: i64) {
    let (year, month, day) = temporal::civil_from_days(days);
    let sign = if year < 0 { "-" } else { "" };
    write!(text, "{sign}{:04}-{month:02}-{day:02}", year.abs()).expect("writing to a string does not fail");
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
