//! Days, times and spans.

use super::{VALUE, characters};
use crate::canon::{
    cell::Cell,
    interval::{self, Span},
    temporal,
};

/// Days since 1970-01-01.
pub(super) fn date(cell: &Cell<'_>) -> Option<(i32, bool)> {
    match *cell {
        Cell::Date(days) => Some((days, true)),
        _ => {
            let (text, stripped) = characters(cell).unwrap_or_default();
            if let Some(day) = temporal::day(text) {
                return Some((day.value, day.plain && stripped));
            }
            let (micros, _) = moment(cell, false)?;
            match micros {
                i64::MAX => Some((i32::MAX, false)),
                i64::MIN => Some((i32::MIN, false)),
                _ if micros.rem_euclid(temporal::DAY) != 0 => None,
                _ => i32::try_from(micros.div_euclid(temporal::DAY)).ok().map(|days| (days, false)),
            }
        }
    }
}

/// Microseconds since midnight; before it and beyond the day for what is a span in other engines.
pub(super) fn time(cell: &Cell<'_>) -> Option<(i64, bool)> {
    match *cell {
        Cell::Time(micros) | Cell::Interval { months: 0, days: 0, micros } => Some((micros, true)),
        _ => {
            let (text, stripped) = characters(cell)?;
            if let Some(time) = temporal::time_of_day(text) {
                return Some((time.value, time.plain && stripped));
            }
            // Hours alone, as MariaDB prints them.
            let read = interval::parse(text).filter(|read| read.value.months == 0 && read.value.days == 0)?;
            Some((read.value.micros, read.plain && stripped))
        }
    }
}

/// Microseconds since midnight in UTC.
pub(super) fn zoned_time(cell: &Cell<'_>) -> Option<(i64, bool)> {
    let at_offset = |micros: i64, offset: i32, plain: bool| {
        let utc = micros - i64::from(offset) * 1_000_000;
        // 24:00:00 in UTC is the day's end and no other time.
        let utc = if (0..=temporal::DAY).contains(&utc) { utc } else { utc.rem_euclid(temporal::DAY) };
        (utc, plain && offset == 0)
    };
    match *cell {
        Cell::TimeTz(micros, offset) => Some(at_offset(micros, offset, true)),
        Cell::Time(micros) => Some((micros, false)),
        _ => {
            let (text, stripped) = characters(cell)?;
            let (time, offset) = temporal::time_with_offset(text)?;
            let zoned = offset.is_some();
            let (micros, plain) = at_offset(time.value, offset.unwrap_or(0), time.plain);
            Some((micros, plain && zoned && stripped))
        }
    }
}

/// Microseconds of a moment, and whether its zone (or that it has none) and its spelling are the rule's own.
pub(super) fn moment(cell: &Cell<'_>, instant: bool) -> Option<(i64, bool)> {
    let infinite = |micros: i64| micros == i64::MAX || micros == i64::MIN;
    match *cell {
        Cell::Timestamp(micros) => Some((micros, !instant || infinite(micros))),
        Cell::TimestampTz(micros) => Some((micros, instant || infinite(micros))),
        Cell::Date(i32::MAX) => Some((i64::MAX, true)),
        Cell::Date(i32::MIN) => Some((i64::MIN, true)),
        Cell::Date(days) => i64::from(days).checked_mul(temporal::DAY).map(|micros| (micros, !instant)),
        Cell::Integer(number) => Some((temporal::epoch_to_micros(number), false)),
        // Seconds with a fraction, from 1973 to 5138; smaller numbers may as well be Julian days.
        Cell::Float64(number) if (1e8..1e11).contains(&number.abs()) => {
            Some(((number * 1e6).round_ties_even() as i64, false))
        }
        _ => {
            let (text, stripped) = characters(cell)?;
            let moment = temporal::moment(text)?;
            let zone = moment.zoned == instant || infinite(moment.micros);
            Some((moment.micros, moment.plain && zone && stripped))
        }
    }
}

/// Microseconds of an instant that integers count in a known unit, so that nothing has to be guessed by magnitude.
pub(super) fn epoch(cell: &Cell<'_>, unit: i64) -> Option<(i64, bool)> {
    match *cell {
        Cell::Integer(count) => count.checked_mul(unit).map(|micros| (micros, true)),
        Cell::Timestamp(micros) | Cell::TimestampTz(micros) => Some((micros, true)),
        Cell::Float64(_) => None,
        _ => moment(cell, true),
    }
}

/// Appends months, days and microseconds.
pub(super) fn span(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let (Span { months, days, micros }, exact) = match *cell {
        Cell::Interval { months, days, micros } => (Span { months, days, micros }, true),
        Cell::Time(micros) => (Span { months: 0, days: 0, micros }, true),
        _ => {
            let (text, stripped) = characters(cell)?;
            interval::parse(text).map(|read| (read.value, read.plain && stripped))?
        }
    };
    out.push(VALUE);
    out.extend(months.to_le_bytes());
    out.extend(days.to_le_bytes());
    out.extend(micros.to_le_bytes());
    Some(exact)
}
