//! BLAKE3 of many rows at once.
//!
//! A processor that can hash sixteen rows side by side takes about as long for them as for three one after the other.
//! Rows go by their number of blocks, and wait until as many of one number have come together.

use blake3::{IncrementCounter, platform::Platform};

/// Bytes of a block.
const BLOCK: usize = 64;
/// Blocks of a chunk: longer rows are hashed alone.
const CHUNK: usize = 16;
/// Rows that are hashed side by side.
pub(super) const ROWS: usize = 16;
/// Bytes of a digest.
const DIGEST: usize = 32;

/// What every BLAKE3 hash without a key begins with, and the flags of the first and the last block of one that is a
/// single chunk (<https://github.com/BLAKE3-team/BLAKE3-specs>, sections 2.1 and 2.2).
const IV: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const FIRST: u8 = 1;
const LAST: u8 = 2 | 8;

/// Rows that wait for company.
#[derive(Clone, Debug)]
pub(super) struct Batch<T> {
    platform: Platform,
    /// By the number of blocks less one.
    lanes: [Lane<T>; CHUNK],
}

/// Rows of one number of blocks, and the mark that each came with.
#[derive(Clone, Debug)]
struct Lane<T> {
    rows: Vec<u8>,
    marks: Vec<T>,
}

impl<T: Copy> Batch<T> {
    pub fn new() -> Self {
        let lane = |_| Lane { rows: Vec::new(), marks: Vec::new() };
        Self { platform: Platform::detect(), lanes: std::array::from_fn(lane) }
    }

    /// Takes a row and a mark, and gives digests with their marks as soon as they are there, several at once: of the row
    /// with zeros behind it up to a whole block.
    pub fn add(&mut self, row: &[u8], mark: T, mut give: impl FnMut(&[[u8; DIGEST]], &[T])) {
        debug_assert!(!row.is_empty(), "every row says how many columns it has");
        let blocks = row.len().div_ceil(BLOCK);
        let Some(lane) = self.lanes.get_mut(blocks - 1) else {
            return give(&[digest(row)], &[mark]);
        };
        lane.rows.extend_from_slice(row);
        lane.marks.push(mark);
        lane.rows.resize(lane.marks.len() * blocks * BLOCK, 0);
        if lane.marks.len() == ROWS {
            lane.hash(self.platform, blocks, give);
        }
    }

    /// Gives what still waits.
    pub fn finish(&mut self, mut give: impl FnMut(&[[u8; DIGEST]], &[T])) {
        for (lane, blocks) in self.lanes.iter_mut().zip(1..) {
            lane.hash(self.platform, blocks, &mut give);
        }
    }
}

/// The digest of one row alone, with zeros behind it up to a whole block.
pub(super) fn digest(row: &[u8]) -> [u8; DIGEST] {
    let padding = row.len().next_multiple_of(BLOCK) - row.len();
    *blake3::Hasher::new().update(row).update(&[0; BLOCK][..padding]).finalize().as_bytes()
}

impl<T: Copy> Lane<T> {
    fn hash(&mut self, platform: Platform, blocks: usize, mut give: impl FnMut(&[[u8; DIGEST]], &[T])) {
        let mut digests = [0; ROWS * DIGEST];
        let digests = &mut digests[..self.marks.len() * DIGEST];
        HASHES[blocks - 1](platform, &self.rows, digests);
        let (digests, _) = digests.as_chunks::<DIGEST>();
        give(digests, &self.marks);
        self.rows.clear();
        self.marks.clear();
    }
}

/// Hashes rows that have as many bytes as the function is for.
type Hash = fn(Platform, &[u8], &mut [u8]);

/// For rows of one block, of two, and so on.
const HASHES: [Hash; CHUNK] = [
    hash::<64>,
    hash::<128>,
    hash::<192>,
    hash::<256>,
    hash::<320>,
    hash::<384>,
    hash::<448>,
    hash::<512>,
    hash::<576>,
    hash::<640>,
    hash::<704>,
    hash::<768>,
    hash::<832>,
    hash::<896>,
    hash::<960>,
    hash::<1024>,
];

fn hash<const N: usize>(platform: Platform, rows: &[u8], digests: &mut [u8]) {
    let (rows, _) = rows.as_chunks::<N>();
    let Some(first) = rows.first() else { return };
    let mut inputs = [first; ROWS];
    inputs.iter_mut().zip(rows).for_each(|(input, row)| *input = row);
    platform.hash_many(&inputs[..rows.len()], &IV, 0, IncrementCounter::No, 0, FIRST, LAST, digests);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_blake3() {
        let (mut batch, mut seen) = (Batch::new(), 0);
        let row = |number: u64| -> Vec<u8> {
            let length = 1 + number as usize * 37 % 1200;
            (0..length).map(|at| (at as u64 * 31 + number * 17) as u8).collect()
        };
        let mut check = |digests: &[[u8; 32]], words: &[u64]| {
            assert_eq!(digests.len(), words.len());
            for (digest, word) in digests.iter().zip(words) {
                let mut padded = row(*word);
                padded.resize(padded.len().next_multiple_of(BLOCK), 0);
                assert_eq!(*digest, *blake3::hash(&padded).as_bytes(), "row {word}");
                assert_eq!(*digest, super::digest(&row(*word)), "row {word}");
                seen += 1;
            }
        };
        for number in 0..700 {
            batch.add(&row(number), number, &mut check);
        }
        batch.finish(&mut check);
        batch.finish(&mut check);
        assert_eq!(seen, 700);
    }
}
