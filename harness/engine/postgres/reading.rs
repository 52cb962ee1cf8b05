//! Values in PostgreSQL's binary form as cells.

use super::{
    types::{Asked, PgType, oid},
    wire::{EPOCH_DAYS, EPOCH_MICROS},
};
use crate::canon::{
    Cell, Decimal, Nest, Sign,
    encode::{self, encode_own},
    nested::{self, Dimension},
};

/// How the wire form of a column is read; chosen once for each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Padded,
    Bytes,
    Uuid,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Json,
    Jsonb,
    Label,
    Bits,
    Network,
    MacAddress,
    Array(Box<Reading>),
    Composite(Vec<Reading>),
    Range(Box<Reading>),
    Multirange(Box<Reading>),
    Map,
    Opaque,
    /// Where a row lies: block and line.
    Address,
}

impl Reading {
    /// The reading for a type, in the form in which a scan asks for it.
    pub(super) fn of(kind: &PgType) -> Self {
        match kind.asked() {
            Asked::Binary => Self::of_binary(kind),
            Asked::Text => Self::Text,
            Asked::Numeric => Self::Numeric,
        }
    }

    fn of_binary(kind: &PgType) -> Self {
        match kind.oid {
            oid::BOOL => Self::Bool,
            oid::INT2 => Self::Int2,
            oid::INT4 => Self::Int4,
            oid::INT8 => Self::Int8,
            oid::OID => Self::Oid,
            oid::FLOAT4 => Self::Float4,
            oid::FLOAT8 => Self::Float8,
            oid::NUMERIC => Self::Numeric,
            oid::TEXT | oid::VARCHAR | oid::NAME | oid::CHAR => Self::Text,
            oid::BPCHAR => Self::Padded,
            oid::BYTEA => Self::Bytes,
            oid::UUID => Self::Uuid,
            oid::DATE => Self::Date,
            oid::TIME => Self::Time,
            oid::TIMETZ => Self::TimeTz,
            oid::TIMESTAMP => Self::Timestamp,
            oid::TIMESTAMPTZ => Self::TimestampTz,
            oid::INTERVAL => Self::Interval,
            oid::JSON => Self::Json,
            oid::JSONB => Self::Jsonb,
            oid::BIT | oid::VARBIT => Self::Bits,
            oid::INET | oid::CIDR => Self::Network,
            oid::MACADDR | oid::MACADDR8 => Self::MacAddress,
            _ if kind.is_citext() => Self::Text,
            _ if kind.is_hstore() => Self::Map,
            _ if kind.class == 'e' => Self::Label,
            _ if kind.class == 'c' => {
                Self::Composite(kind.fields.iter().map(|(_, kind)| Self::of_binary(kind)).collect())
            }
            _ => match (&kind.element, &kind.over) {
                (Some(element), _) => Self::Array(Box::new(Self::of_binary(element))),
                (None, Some(bounds)) if kind.class == 'r' => Self::Range(Box::new(Self::of_binary(bounds))),
                (None, Some(range)) => Self::Multirange(Box::new(Self::of_binary(range))),
                (None, None) => Self::Opaque,
            },
        }
    }

    /// The cell in these bytes, or `None` if they are not the form that this type has. `spare` holds what is made of
    /// values, whose form on the wire is full of OIDs.
    pub(super) fn cell<'a>(&self, bytes: &'a [u8], spare: &'a mut Vec<u8>) -> Option<Cell<'a>> {
        let nest = match self {
            Self::Array(_) => Nest::Array,
            Self::Composite(_) => Nest::Composite,
            Self::Range(_) => Nest::Range,
            Self::Multirange(_) => Nest::Multirange,
            Self::Map => Nest::Map,
            _ => return self.plain(bytes),
        };
        spare.clear();
        self.nested(bytes, spare)?;
        Some(Cell::Nested(nest, spare))
    }

    /// Appends what is in a value that is made of values.
    fn nested(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut wire = Wire { rest: bytes };
        match self {
            Self::Array(element) => {
                let [dimensions, _has_nulls, _element_oid] = [wire.word()?, wire.word()?, wire.word()?];
                let heads = wire.take(usize::try_from(dimensions).ok()?.checked_mul(8)?)?;
                let mut total = u64::from(dimensions > 0);
                for head in heads.chunks_exact(8) {
                    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
                    total = total.checked_mul(length.into())?;
                }
                nested::write_dimensions(
                    heads.chunks_exact(8).map(|head| Dimension {
                        length: u32::from_be_bytes([head[0], head[1], head[2], head[3]]),
                        lower: i32::from_be_bytes([head[4], head[5], head[6], head[7]]),
                    }),
                    out,
                );
                for _ in 0..total {
                    let value = wire.value()?;
                    element.inner(value, out)?;
                }
            }
            Self::Composite(fields) => {
                (usize::try_from(wire.word()?) == Ok(fields.len())).then_some(())?;
                nested::write_count(fields.len(), out);
                for field in fields {
                    wire.word()?;
                    let value = wire.value()?;
                    field.inner(value, out)?;
                }
            }
            Self::Range(bound) => bound.range(bytes, out).map(|()| wire.rest = &[])?,
            Self::Multirange(range) => {
                let Self::Range(bound) = &**range else { return None };
                let count = usize::try_from(wire.word()?).ok()?;
                nested::write_count(count, out);
                for _ in 0..count {
                    bound.range(wire.value()??, out)?;
                }
            }
            Self::Map => {
                let count = usize::try_from(wire.word()?).ok()?;
                nested::write_count(count, out);
                for _ in 0..count {
                    Self::Text.inner(Some(wire.value()??), out)?;
                    Self::Text.inner(wire.value()?, out)?;
                }
            }
            _ => return None,
        }
        wire.rest.is_empty().then_some(())
    }

    /// Appends one range of bounds of this type (`src/backend/utils/adt/rangetypes.c`, `range_send`).
    fn range(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let (&flags, rest) = bytes.split_first()?;
        let mut wire = Wire { rest };
        // The same bits as ours; higher ones say that a bound is NULL, which is not used.
        out.push(flags);
        for missing in [nested::EMPTY | nested::LOWER_INFINITE, nested::EMPTY | nested::UPPER_INFINITE] {
            if flags & missing == 0 {
                self.inner(Some(wire.value()??), out)?;
            }
        }
        wire.rest.is_empty().then_some(())
    }

    /// Appends the own form of a value inside of another one.
    fn inner(&self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
        let Some(bytes) = bytes else {
            encode_own(&Cell::Null, out);
            return Some(());
        };
        let nest = match self {
            Self::Array(_) => Nest::Array,
            Self::Composite(_) => Nest::Composite,
            Self::Range(_) => Nest::Range,
            Self::Multirange(_) => Nest::Multirange,
            Self::Map => Nest::Map,
            _ => {
                encode_own(&self.plain(bytes)?, out);
                return Some(());
            }
        };
        encode::nested(nest, out, |out| self.nested(bytes, out))
    }

    /// The cell of a value that is not made of values.
    fn plain<'a>(&self, bytes: &'a [u8]) -> Option<Cell<'a>> {
        Some(match self {
            Self::Bool => match bytes {
                [byte] => Cell::Boolean(*byte != 0),
                _ => return None,
            },
            Self::Int2 => Cell::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Int4 => Cell::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Int8 => Cell::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Oid => Cell::Integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Float4 => Cell::Float32(f32::from_be_bytes(bytes.try_into().ok()?)),
            Self::Float8 => Cell::Float64(f64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Numeric => Cell::Decimal(decimal(bytes)?),
            Self::Text => Cell::Text(bytes),
            Self::Padded => Cell::PaddedText(bytes),
            Self::Bytes => Cell::Bytes(bytes),
            Self::Uuid => Cell::Uuid(bytes.try_into().ok()?),
            Self::Date => match i32::from_be_bytes(bytes.try_into().ok()?) {
                infinity @ (i32::MAX | i32::MIN) => Cell::Date(infinity),
                // The last day of year 5,874,897 still fits; nothing later can be stored.
                days => Cell::Date(days.checked_add(EPOCH_DAYS)?),
            },
            Self::Time => Cell::Time(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::TimeTz => {
                let (micros, west) = bytes.split_at_checked(8)?;
                let west = i32::from_be_bytes(west.try_into().ok()?);
                Cell::TimeTz(i64::from_be_bytes(micros.try_into().ok()?), west.checked_neg()?)
            }
            Self::Timestamp => instant(bytes)?.map_or(Cell::Opaque(bytes), Cell::Timestamp),
            Self::TimestampTz => instant(bytes)?.map_or(Cell::Opaque(bytes), Cell::TimestampTz),
            Self::Interval => {
                let (micros, rest) = bytes.split_at_checked(8)?;
                let (days, months) = rest.split_at_checked(4)?;
                Cell::Interval {
                    months: i32::from_be_bytes(months.try_into().ok()?),
                    days: i32::from_be_bytes(days.try_into().ok()?),
                    micros: i64::from_be_bytes(micros.try_into().ok()?),
                }
            }
            Self::Json => Cell::Json(bytes),
            Self::Jsonb => match bytes {
                [1, text @ ..] => Cell::Jsonb(text),
                _ => return None,
            },
            Self::Label => Cell::Label(bytes),
            Self::Bits => {
                let (length, bytes) = bytes.split_first_chunk()?;
                let length = u32::from_be_bytes(*length);
                (bytes.len() == length.div_ceil(8) as usize).then_some(Cell::Bits { length, bytes })?
            }
            // Family, prefix, whether it is a `cidr`, length, address (`src/backend/utils/adt/network.c`, `network_send`).
            Self::Network => match bytes {
                [_, prefix, cidr, length, address @ ..] if usize::from(*length) == address.len() => {
                    Cell::Network { address, prefix: *prefix, network: *cidr == 1 }
                }
                _ => return None,
            },
            Self::MacAddress => Cell::MacAddress(bytes),
            Self::Opaque => Cell::Opaque(bytes),
            Self::Address => {
                let (block, line) = bytes.split_at_checked(4)?;
                let line = u16::from_be_bytes(line.try_into().ok()?);
                Cell::Integer(i64::from(u32::from_be_bytes(block.try_into().ok()?)) << 16 | i64::from(line))
            }
            Self::Array(_) | Self::Composite(_) | Self::Range(_) | Self::Multirange(_) | Self::Map => return None,
        })
    }
}

/// What is left of a value's bytes.
struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<i32> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i32::from_be_bytes(*word))
    }

    /// A length and as many bytes; a length of -1 is NULL.
    #[expect(clippy::option_option, reason = "bytes that are no value, and NULL, are two things")]
    fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.word()? {
            -1 => Some(None),
            length => self.take(usize::try_from(length).ok()?).map(Some),
        }
    }
}

/// Microseconds since 1970. The inner `None` stands for the years 294,247 to 294,276, which PostgreSQL can store and
/// 64 bits since 1970 cannot: such a value is handed out in its own form rather than bent.
#[expect(clippy::option_option, reason = "bytes that are no instant, and an instant that has no cell, end differently")]
fn instant(bytes: &[u8]) -> Option<Option<i64>> {
    match i64::from_be_bytes(bytes.try_into().ok()?) {
        infinity @ (i64::MAX | i64::MIN) => Some(Some(infinity)),
        micros => Some(micros.checked_add(EPOCH_MICROS)),
    }
}

/// `numeric_send`: count of groups, weight, sign, scale, groups; each two bytes.
fn decimal(bytes: &[u8]) -> Option<Decimal<'_>> {
    let (header, groups) = bytes.split_at_checked(8)?;
    let word = |at: usize| [header[at], header[at + 1]];
    let sign = match u16::from_be_bytes(word(4)) {
        0x0000 => Sign::Positive,
        0x4000 => Sign::Negative,
        0xC000 => Sign::NaN,
        0xD000 => Sign::Infinity,
        0xF000 => Sign::NegativeInfinity,
        _ => return None,
    };
    let count = usize::from(u16::from_be_bytes(word(0)));
    (groups.len() == 2 * count).then_some(Decimal {
        sign,
        weight: i16::from_be_bytes(word(2)),
        scale: u16::from_be_bytes(word(6)),
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_infinity_and_what_does_not_fit() {
        let read = |micros: i64| format!("{:?}", Reading::Timestamp.plain(&micros.to_be_bytes()).unwrap());
        assert_eq!(read(0), "Timestamp(946684800000000)");
        assert_eq!(read(i64::MAX), format!("Timestamp({})", i64::MAX));
        assert!(read(i64::MAX - 1).starts_with("Opaque"));
    }

    #[test]
    fn arrays_leave_their_oids_behind() {
        let array = |oid: u32, bytes: [u8; 4]| {
            let words: [&[u8]; 7] = [
                &1_i32.to_be_bytes(),
                &0_i32.to_be_bytes(),
                &oid.to_be_bytes(),
                &1_i32.to_be_bytes(),
                &0_i32.to_be_bytes(),
                &4_i32.to_be_bytes(),
                &bytes,
            ];
            words.concat()
        };
        let reading = Reading::Array(Box::new(Reading::Label));
        let read = |bytes: &[u8]| reading.cell(bytes, &mut Vec::new()).map(|cell| format!("{cell:?}"));
        let glad = read(&array(20_000, *b"glad"));
        assert!(glad.is_some());
        assert_eq!(glad, read(&array(30_000, *b"glad")));
        assert_ne!(glad, read(&array(20_000, *b"good")));
        // Cut short, or with something over.
        let bytes = array(20_000, *b"glad");
        assert_eq!(read(&bytes[..bytes.len() - 1]), None);
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
    }
}
