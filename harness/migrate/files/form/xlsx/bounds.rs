//! What a workbook may unpack to: a file of a few kilobytes can hold what fills a machine.

use std::{
    fs::File,
    io::{self, BufReader, Read as _},
    path::Path,
};

use zip::ZipArchive;

use super::super::{super::text::At, BadText, Characters};

/// Bytes that a workbook may unpack to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// All of its sheets, which are read piece by piece.
    pub sheets: u64,
    /// Everything else, which is kept in memory: texts that cells share, formats.
    pub rest: u64,
    /// Its parts.
    pub parts: usize,
}

/// What a sheet of a million full rows stays below.
pub(super) const USUAL: Bounds = Bounds { sheets: 4 << 30, rest: 256 << 20, parts: 10_000 };

/// Unpacks every part to nowhere, as far as its bound goes. What a file says of its own sizes is believed only where that is
/// too much.
pub(super) fn examine(path: &Path, bounds: &Bounds) -> Result<(), BadText> {
    let bad = |what: String| Characters::bad(At { line: 1, column: 1 }, what);
    let file = File::open(path).map_err(BadText::unreadable)?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| bad(format!("is no workbook, or one that a password protects: {error}")))?;
    if archive.len() > bounds.parts {
        return Err(bad(format!("has {} parts, and {} are the most that are read", archive.len(), bounds.parts)));
    }
    let (mut sheets, mut rest) = (bounds.sheets, bounds.rest);
    for number in 0..archive.len() {
        let mut part = archive.by_index(number).map_err(|error| bad(format!("is a damaged workbook: {error}")))?;
        let is_sheet = part.name().contains("worksheets/");
        let (left, bound) = if is_sheet { (&mut sheets, bounds.sheets) } else { (&mut rest, bounds.rest) };
        let too_much = format!("unpacks to more than {bound} bytes: `{}`", part.name());
        if part.size() > *left {
            return Err(bad(too_much));
        }
        let unpacked = io::copy(&mut (&mut part).take(*left + 1), &mut io::sink());
        let unpacked = unpacked.map_err(|error| bad(format!("is a damaged workbook: {error}")))?;
        *left = left.checked_sub(unpacked).ok_or_else(|| bad(too_much))?;
    }
    Ok(())
}
