//! The scanner of days, times and offsets.

use super::{DAY, days_from_civil};

/// What is left of a text, and what was noticed on the way.
pub(super) struct Scan<'a> {
    /// What was not read yet.
    pub rest: &'a [u8],
    /// Whether everything so far is spelled as PostgreSQL would print it.
    pub plain: bool,
    /// Whether digits beyond the microsecond were rounded away.
    pub rounded: bool,
    /// Whether the text ended with ` BC`.
    before_christ: bool,
}

impl<'a> Scan<'a> {
    /// Begins a text that may end with an era.
    pub fn new(text: &'a [u8]) -> Self {
        let (rest, before_christ) = match text {
            [rest @ .., b' ', b'B', b'C'] => (rest, true),
            _ => (text, false),
        };
        Self { rest, plain: true, rounded: false, before_christ }
    }

    /// Begins a text without an era.
    pub const fn bare(text: &'a [u8]) -> Self {
        Self { rest: text, plain: true, rounded: false, before_christ: false }
    }

    pub fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, prefix: &[u8]) -> bool {
        self.rest.strip_prefix(prefix).map(|rest| self.rest = rest).is_some()
    }

    fn two(&mut self) -> Option<i64> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.rest else { return None };
        self.rest = rest;
        Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    }

    fn run(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    /// Days since 1970-01-01.
    pub fn date(&mut self) -> Option<i64> {
        let negative = self.eat(b"-");
        let signed = negative || self.eat(b"+");
        let digits = self.run();
        if !(4..=6).contains(&digits.len()) || (signed && self.before_christ) {
            return None;
        }
        let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        let year = match (self.before_christ, negative) {
            (true, _) if number == 0 => return None,
            (true, _) => 1 - number,
            (false, true) => -number,
            (false, false) => number,
        };
        self.plain &= !signed && number > 0 && (digits.len() == 4 || digits[0] != b'0');
        let month = self.eat(b"-").then(|| self.two())??;
        let day = self.eat(b"-").then(|| self.two())??;
        days_from_civil(year, month, day)
    }

    /// Microseconds since midnight.
    pub fn time(&mut self) -> Option<i64> {
        let hour = self.two()?;
        let minute = self.eat(b":").then(|| self.two())??;
        let (mut second, mut micros) = (0, 0);
        if self.eat(b":") {
            second = self.two()?;
            micros = if self.eat(b".") { self.fraction()? } else { 0 };
        } else {
            self.plain = false;
        }
        let total = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
        // A second of 60 is the next minute, as in PostgreSQL; its spelling is not what PostgreSQL prints then.
        self.plain &= second < 60;
        (minute < 60 && second <= 60 && hour <= 24 && (hour < 24 || total == DAY)).then_some(total)
    }

    /// Microseconds of the digits after the point.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.run();
        let last = digits.last()?;
        self.plain &= *last != b'0' && digits.len() <= 6;
        if digits.len() <= 6 {
            let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
            return Some(number * 10_i64.pow(6 - u32::try_from(digits.len()).expect("at most six")));
        }
        self.rounded = digits[6..].iter().any(|digit| *digit != b'0');
        // By way of a double and to even, because PostgreSQL rounds this way (`ParseFractionalSecond` in
        // `src/backend/utils/adt/datetime.c`): ties go where its double puts them.
        let fraction: f64 = format!("0.{}", str::from_utf8(digits).ok()?).parse().ok()?;
        Some((fraction * 1_000_000.0).round_ties_even() as i64)
    }

    /// Seconds east of UTC; `None` inside if there is no offset.
    pub fn offset(&mut self) -> Option<Option<i32>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        let blank = self.eat(b" ");
        if self.eat(b"Z") || self.eat(b"z") || self.eat(b"UTC") || self.eat(b"GMT") {
            self.plain = false;
            return Some(Some(0));
        }
        let sign = match self.next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let mut parts = [self.two()?, 0, 0];
        for part in &mut parts[1..] {
            if self.eat(b":") || self.rest.first().is_some_and(u8::is_ascii_digit) {
                *part = self.two()?;
                self.plain = false;
            }
        }
        let [hours, minutes, seconds] = parts;
        let size = i32::try_from((hours * 60 + minutes) * 60 + seconds).ok()?;
        self.plain &= !blank && sign == 1 && size == 0;
        // Go's default spelling of a time says both: `+0000 UTC`.
        if size == 0 && self.eat(b" UTC") {
            self.plain = false;
        }
        (hours < 16 && minutes < 60 && seconds < 60).then_some(Some(sign * size))
    }
}
