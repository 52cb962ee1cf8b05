//! Numbers, booleans and moments: kinds that are counted.

use super::{Distinct, Draw, Fake, Gives, Options, Takes};
use crate::{dataset::draw::below, model::Value};

pub(super) const FAKES: &[Fake] = &[
    Fake {
        name: "integer",
        summary: "whole number from `min` to `max`",
        gives: Gives::Integer,
        takes: Takes::Integers(0, 100_000),
        distinct: Distinct::Counted,
        make: |draw, options| Value::Integer(options.within(draw)),
    },
    Fake {
        name: "amount",
        summary: "exact decimal from `min` to `max` with `scale` digits after the point",
        gives: Gives::Decimal,
        takes: Takes::Amounts(0, 100_000, 2),
        distinct: Distinct::Counted,
        make: |draw, options| Value::Decimal(decimal(options.within(draw), options.scale)),
    },
    Fake {
        name: "real",
        summary: "double from `min` to `max` with `scale` digits after the point",
        gives: Gives::Real,
        takes: Takes::Amounts(0, 10_000, 3),
        distinct: Distinct::Counted,
        make: |draw, options| Value::Float(options.within(draw) as f64 / 10_i64.pow(options.scale) as f64),
    },
    Fake {
        name: "boolean",
        summary: "true in a share of `ratio`",
        gives: Gives::Boolean,
        takes: Takes::Ratio,
        distinct: Distinct::Counted,
        make: boolean,
    },
    Fake {
        name: "datetime",
        summary: "day and time from `from` to `to`, to the millisecond",
        gives: Gives::Instant,
        takes: Takes::Instants,
        distinct: Distinct::Counted,
        make: |draw, options| Value::TimestampTz(options.within(draw) * 1000),
    },
    Fake {
        name: "date",
        summary: "day from `from` to `to`",
        gives: Gives::Day,
        takes: Takes::Days,
        distinct: Distinct::Counted,
        make: |draw, options| {
            Value::Date(i32::try_from(options.within(draw)).expect("days are read from dates, which fit"))
        },
    },
];

fn boolean(draw: &Draw<'_>, options: &Options) -> Value {
    const STEPS: u64 = 1 << 32;
    if draw.is_distinct() {
        return Value::Boolean(draw.below(2) == 1);
    }
    Value::Boolean((below(draw.number(), STEPS) as f64) < options.ratio * STEPS as f64)
}

/// A number of units of the last digit, with its point.
pub(in crate::dataset) fn decimal(units: i64, scale: u32) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let unit = 10_u64.pow(scale);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, fraction) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
    format!("{sign}{whole}.{fraction:0width$}", width = scale as usize)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1_230, 3), "1.230");
        assert_eq!(decimal(7, 0), "7");
    }
}
