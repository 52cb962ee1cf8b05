//! Numbers that count days, as spreadsheets keep days and moments.

use crate::canon::temporal;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The day of a sheet that never was: 1900-02-29.
const NO_DAY: f64 = 60.0;
/// What 9999-12-31 is, the last day.
const LAST: f64 = 2_958_465.0;

/// From when days are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Epoch {
    /// 1900-01-01 is 1, and 1900 is taken for a leap year.
    Of1900,
    /// 1904-01-01 is 0.
    Of1904,
}

/// A number that may count days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Serial {
    pub value: f64,
    pub epoch: Epoch,
}

impl Serial {
    /// The number that says exactly this day.
    pub fn of_day(text: &str) -> Option<Self> {
        let days = temporal::parse_date(text)?;
        let serial = Self { value: f64::from(days) + 25_569.0, epoch: Epoch::Of1900 };
        (serial.value > NO_DAY && serial.day()? == text).then_some(serial)
    }

    /// The number that says exactly this moment, to the microsecond.
    pub fn of_moment(text: &str) -> Option<Self> {
        let moment = temporal::parse_timestamp(text).filter(|moment| !moment.zoned && !moment.rounded)?;
        let (days, micros) = (moment.micros.div_euclid(DAY), moment.micros.rem_euclid(DAY));
        let value = days as f64 + 25_569.0 + micros as f64 / DAY as f64;
        let serial = Self { value, epoch: Epoch::Of1900 };
        (serial.value > NO_DAY && serial.micros()? == moment.micros).then_some(serial)
    }

    /// Days since 1970, if it counts days that there are.
    fn days(self) -> Option<f64> {
        let Self { value, epoch } = self;
        match epoch {
            _ if !(0.0..LAST + 1.0).contains(&value) => None,
            Epoch::Of1904 => Some(value - 24_107.0),
            Epoch::Of1900 if value >= NO_DAY + 1.0 => Some(value - 25_569.0),
            Epoch::Of1900 if (1.0..NO_DAY).contains(&value) => Some(value - 25_568.0),
            Epoch::Of1900 => None,
        }
    }

    fn micros(self) -> Option<i64> {
        let days = self.days()?;
        Some(days.floor() as i64 * DAY + (self.value.fract() * DAY as f64).round() as i64)
    }

    /// The day, where nothing is behind the point.
    pub fn day(self) -> Option<String> {
        let days = self.days().filter(|days| days.fract() == 0.0)?;
        Some(temporal::format_date(days as i32))
    }

    /// The moment, with this behind it.
    pub fn moment(self, zone: &str) -> Option<String> {
        Some(temporal::format_timestamp(self.micros()?) + zone)
    }

    /// The time of a day.
    pub fn time(self) -> Option<String> {
        let micros = (self.value * DAY as f64).round();
        (0.0..DAY as f64).contains(&micros).then(|| temporal::format_time(micros as i64))
    }
}
