//! Bits, addresses of networks and of cards.

use std::{
    io::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{VALUE, characters};
use crate::canon::{cell::Cell, encode::length_prefixed};

/// Appends the number that bits are, in as few bytes as it takes, the highest first.
pub(super) fn bits(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match *cell {
        Cell::Bits { length, bytes } => {
            // The last byte holds zeros below the last bit.
            let shift = (8 - length % 8) % 8;
            let shifted = |at: usize| {
                let above = if at == 0 { 0 } else { u16::from(bytes[at - 1]) << 8 };
                u8::try_from((above | u16::from(bytes[at])) >> shift & 0xff).expect("masked to a byte")
            };
            let is_shortest = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            put((0..bytes.len()).map(shifted), out);
            Some(is_shortest)
        }
        Cell::Integer(number) => {
            let number = u64::try_from(number).ok()?;
            put(number.to_be_bytes().into_iter(), out);
            Some(true)
        }
        Cell::Boolean(value) => {
            put(std::iter::once(u8::from(value)), out);
            Some(false)
        }
        // `bit(1)` is a byte to many drivers.
        Cell::Bytes(bytes) => {
            put(bytes.iter().copied(), out);
            Some(false)
        }
        Cell::Decimal(value) => {
            let text = crate::canon::decimal::text(&value);
            let number: u64 = text.parse().ok()?;
            put(number.to_be_bytes().into_iter(), out);
            Some(true)
        }
        _ => {
            let (text, _) = characters(cell)?;
            if !text.iter().all(|digit| matches!(digit, b'0' | b'1')) {
                return None;
            }
            let first = text.len() % 8;
            let number = |digits: &[u8]| digits.iter().fold(0, |byte, digit| byte << 1 | (digit - b'0'));
            put(std::iter::once(number(&text[..first])).chain(text[first..].chunks(8).map(number)), out);
            Some(false)
        }
    }
}

fn put(bytes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    out.push(VALUE);
    let start = out.len();
    out.extend([0; 8]);
    out.extend(bytes.skip_while(|byte| *byte == 0));
    let length = (out.len() - start - 8) as u64;
    out[start..start + 8].copy_from_slice(&length.to_le_bytes());
}

/// Appends the prefix and the address of a network.
pub(super) fn network(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let mut put = |address: &[u8], prefix: u8, exact: bool| {
        out.extend([VALUE, prefix]);
        length_prefixed(address, out);
        Some(exact)
    };
    match *cell {
        // That its type is for networks only is no part of the address.
        Cell::Network { address, prefix, network } => put(address, prefix, !network),
        Cell::Bytes(address @ ([_, _, _, _] | [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _])) => {
            put(address, if address.len() == 4 { 32 } else { 128 }, false)
        }
        Cell::Integer(number) => put(&u32::try_from(number).ok()?.to_be_bytes(), 32, false),
        _ => {
            let (text, stripped) = characters(cell)?;
            let text = str::from_utf8(text).ok()?;
            let (host, prefix) = text.split_once('/').map_or((text, None), |(host, prefix)| (host, Some(prefix)));
            let prefix = |whole: u8| match prefix {
                None => Some((whole, true)),
                Some(digits) => {
                    let prefix: u8 = digits.parse().ok().filter(|prefix| *prefix <= whole)?;
                    // A host has none where PostgreSQL prints it.
                    Some((prefix, prefix < whole && is_plain(digits, prefix)))
                }
            };
            if let Ok(address) = host.parse::<Ipv4Addr>() {
                let (prefix, plain) = prefix(32)?;
                return put(&address.octets(), prefix, plain && stripped);
            }
            let address = host.parse::<Ipv6Addr>().ok()?;
            let (prefix, plain) = prefix(128)?;
            put(&address.octets(), prefix, plain && stripped && is_plain(host, address))
        }
    }
}

/// Whether this text is what a value prints as.
fn is_plain(text: &str, value: impl std::fmt::Display) -> bool {
    let mut buffer = [0; 48];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{value}");
    let left = rest.len();
    written.is_ok() && &buffer[..buffer.len() - left] == text.as_bytes()
}

/// The eight bytes of a card's address; six get `ff:fe` in their middle.
pub(super) fn card(cell: &Cell<'_>) -> Option<([u8; 8], bool)> {
    match *cell {
        Cell::MacAddress(bytes) => widened(bytes).map(|eight| (eight, true)),
        Cell::Bytes(bytes) => widened(bytes).map(|eight| (eight, bytes.len() == 8)),
        _ => {
            let (text, stripped) = characters(cell)?;
            let mut bytes = [0; 8];
            let mut digits = 0;
            let mut plain = stripped;
            for (at, byte) in text.iter().enumerate() {
                if let Some(digit) = char::from(*byte).to_digit(16) {
                    let place: &mut u8 = bytes.get_mut(digits / 2)?;
                    *place = *place << 4 | u8::try_from(digit).expect("a hexadecimal digit fits a byte");
                    digits += 1;
                    plain &= !byte.is_ascii_uppercase();
                } else {
                    // Separators stand between pairs, or after four or six digits.
                    let is_between = matches!(byte, b':' | b'-' | b'.') && digits % 2 == 0 && digits > 0;
                    let is_alone = text.get(at + 1).is_some_and(u8::is_ascii_hexdigit);
                    (is_between && is_alone).then_some(())?;
                    plain &= *byte == b':';
                }
            }
            plain &= text.len() + 1 == digits / 2 * 3;
            let eight = match digits {
                12 => widened(&bytes[..6])?,
                16 => bytes,
                _ => return None,
            };
            // What could as well have been six bytes is not the only spelling.
            plain &= digits == 12 || eight[3..5] != [0xff, 0xfe];
            Some((eight, plain))
        }
    }
}

fn widened(bytes: &[u8]) -> Option<[u8; 8]> {
    match *bytes {
        [a, b, c, d, e, f] => Some([a, b, c, 0xff, 0xfe, d, e, f]),
        _ => bytes.try_into().ok(),
    }
}
