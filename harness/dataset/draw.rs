//! What one value is drawn from: the column's seed and the row's position, nothing else.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::canon::Seed;

/// The drawing of one value. Two drawings of the same seed and row give the same value, in any order.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'s> {
    seed: &'s Seed,
    row: u64,
    ordinal: Option<u64>,
}

/// Rows that a table may have: drawings within one value are told apart above this bit.
pub const ROW_LIMIT: u64 = 1 << 40;

impl<'s> Draw<'s> {
    /// A drawing that may repeat.
    pub fn new(seed: &'s Seed, row: u64) -> Self {
        Self { seed, row, ordinal: None }
    }

    /// A drawing in which [`Draw::below`] gives another number for every ordinal.
    pub fn distinct(seed: &'s Seed, row: u64, ordinal: u64) -> Self {
        Self { seed, row, ordinal: Some(ordinal) }
    }

    /// A number that no other row of this seed has.
    pub fn number(&self) -> u64 {
        self.seed.number(self.row)
    }

    /// A further, independent drawing for the same value.
    #[must_use]
    pub fn further(&self, position: u64) -> Self {
        Self { seed: self.seed, row: self.row + (position + 1) * ROW_LIMIT, ordinal: None }
    }

    /// A number from 0 to below `range`; in a distinct drawing the ordinal's own, as long as ordinals are below `range`.
    pub fn below(&self, range: u64) -> u64 {
        match self.ordinal {
            Some(ordinal) => permute(self.seed, ordinal, range),
            None => below(self.number(), range),
        }
    }

    /// Whether values must not repeat.
    pub fn is_distinct(&self) -> bool {
        self.ordinal.is_some()
    }

    /// A generator for values that take many draws. Not the seed tree's own: a ChaCha block costs more than a value.
    pub fn rng(&self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.number())
    }
}

/// Maps a 64-bit number to 0 up to below `range` (Lemire's multiplication, whose bias of range / 2^64 does not matter here).
pub fn below(number: u64, range: u64) -> u64 {
    let product = u128::from(number) * u128::from(range);
    (product >> 64) as u64
}

/// A permutation of the numbers below `range`, by a Feistel network over the next even number of bits and walking on
/// until the number is below `range` (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
pub fn permute(seed: &Seed, position: u64, range: u64) -> u64 {
    debug_assert!(position < range, "position {position} of {range}");
    if range < 2 {
        return 0;
    }
    let half = (u64::BITS - (range - 1).leading_zeros()).div_ceil(2);
    let mask = (1_u64 << half) - 1;
    let mut number = position;
    loop {
        let (mut high, mut low) = (number >> half, number & mask);
        for round in 0..4 {
            (high, low) = (low, high ^ (seed.number(low + (round + 1) * ROW_LIMIT) & mask));
        }
        number = (high << half) | low;
        if number < range {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_give_every_number_once() {
        for range in [1, 2, 3, 7, 64, 196, 1000] {
            let seed = Seed::root(range);
            let mut seen: Vec<u64> = (0..range).map(|position| permute(&seed, position, range)).collect();
            assert!(range < 7 || seen.windows(2).any(|pair| pair[0] > pair[1]), "{range} is not mixed");
            seen.sort_unstable();
            assert_eq!(seen, (0..range).collect::<Vec<_>>());
        }
        assert!(permute(&Seed::root(1), u64::MAX - 1, u64::MAX) < u64::MAX);
    }
}
