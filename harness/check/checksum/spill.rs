//! Suspects of one side, in memory as long as there is room, else in a file without a name.

use std::{fs::File, io, ops::ControlFlow, os::unix::fs::FileExt, path::PathBuf};

use crate::canon::{
    Keep,
    suspect::{Ordered, Slice},
};

/// The least that a partition gathers before it is written out.
pub(super) const LEAST: usize = 16 * 1024;

/// Keeps records in partitions. Every partition gathers its own in memory, and writes them out when it has too many.
#[derive(Debug)]
pub(in crate::check) struct Spill {
    partitions: Vec<Partition>,
    /// Bytes that each partition may gather.
    limit: usize,
    folder: PathBuf,
    /// Has no name from the start: whatever becomes of this process, nothing of it stays.
    file: Option<File>,
    written: u64,
    failed: Option<io::Error>,
}

#[derive(Clone, Debug, Default)]
struct Partition {
    gathered: Vec<u8>,
    /// Where in the file its records are: from, and how many bytes.
    extents: Vec<(u64, usize)>,
}

impl Spill {
    /// So many partitions within so many bytes of memory.
    pub fn new(partitions: usize, bytes: u64, folder: PathBuf) -> Self {
        let limit = usize::try_from(bytes).unwrap_or(usize::MAX) / partitions.max(1);
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        Self { partitions, limit: limit.max(LEAST), folder, file: None, written: 0, failed: None }
    }

    /// How many partitions may gather something at once within so many bytes.
    pub const fn most_partitions(bytes: u64) -> u64 {
        bytes / LEAST as u64
    }

    /// What kept a record from being kept, if anything did.
    ///
    /// # Errors
    /// That.
    pub fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// How many bytes were written out.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// How many bytes a partition has.
    pub fn held(&self, partition: usize) -> u64 {
        let Partition { gathered, extents } = &self.partitions[partition];
        (gathered.len() + extents.iter().map(|(_, length)| length).sum::<usize>()) as u64
    }

    /// Adds the records of a slice of a partition. With the last slice the partition is gone from here. Where records become
    /// more than so many bytes, equal ones are made one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn take(&mut self, partition: usize, slice: Slice, bytes: usize, records: &mut Vec<u8>) -> io::Result<()> {
        let held = usize::try_from(self.held(partition) / slice.of).unwrap_or(usize::MAX);
        records.reserve(held.min(bytes));
        let partition = &mut self.partitions[partition];
        let Partition { gathered, extents } =
            if slice.is_last() { std::mem::take(partition) } else { partition.clone() };
        let mut fold_at = bytes;
        let mut fold = |records: &mut Vec<u8>| {
            if records.len() > fold_at {
                *records = Ordered::new(std::mem::take(records)).into_records();
                fold_at = bytes.max(2 * records.len());
            }
        };
        let at = records.len();
        records.extend_from_slice(&gathered);
        drop(gathered);
        slice.cut(records, at);
        for (from, length) in extents {
            fold(records);
            let Some(file) = &self.file else { continue };
            let at = records.len();
            records.resize(at + length, 0);
            file.read_exact_at(&mut records[at..], from)?;
            slice.cut(records, at);
        }
        Ok(())
    }

    fn write(&mut self, partition: usize) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let Partition { gathered, extents } = &mut self.partitions[partition];
        file.write_all_at(gathered, self.written)?;
        extents.push((self.written, gathered.len()));
        self.written += gathered.len() as u64;
        gathered.clear();
        // What one long row needed is not kept for the next.
        gathered.shrink_to(self.limit);
        Ok(())
    }
}

impl Keep for Spill {
    fn keep(&mut self, partition: usize, record: &[u8]) -> ControlFlow<()> {
        let gathered = &self.partitions[partition].gathered;
        if !gathered.is_empty()
            && gathered.len() + record.len() > self.limit
            && let Err(error) = self.write(partition)
        {
            self.failed = Some(error);
            return ControlFlow::Break(());
        }
        let gathered = &mut self.partitions[partition].gathered;
        if gathered.capacity() < gathered.len() + record.len() && gathered.capacity() * 2 > self.limit {
            gathered.reserve_exact(self.limit.max(record.len()).saturating_sub(gathered.len()));
        }
        gathered.extend_from_slice(record);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of a row whose one cell is this text.
    fn record(group: u64, text: &[u8]) -> Vec<u8> {
        let mut record = group.to_le_bytes().to_vec();
        record.extend(1_u64.to_le_bytes());
        record.extend((text.len() as u64).to_le_bytes());
        record.extend(text);
        record
    }

    #[test]
    fn what_was_kept_comes_back_from_memory_and_from_the_file() {
        let mut spill = Spill::new(3, 1, std::env::temp_dir());
        let mut expected: Vec<Vec<u8>> = vec![Vec::new(); 3];
        for number in 0..2_000_u32 {
            let partition = [0, 0, 2][number as usize % 3];
            let text = vec![b'x'; if number == 900 { 5 * LEAST } else { number as usize % 90 }];
            let record = record(u64::from(number), &text);
            assert!(spill.keep(partition, &record).is_continue());
            expected[partition].extend(record);
        }
        assert!(spill.written() > 0);
        for (partition, expected) in expected.into_iter().enumerate() {
            let mut records = Vec::new();
            spill.take(partition, Slice::ALL, usize::MAX, &mut records).unwrap();
            // What was still in memory comes first.
            assert_eq!(Ordered::new(records).into_records(), Ordered::new(expected).into_records());
        }
        spill.check().unwrap();
    }

    #[test]
    fn slices_are_all_of_a_partition() {
        let mut spill = Spill::new(1, 1, std::env::temp_dir());
        // Hashes of keys that fall into one partition have their upper bits in common.
        let mut expected: Vec<_> = (0..2_000).map(|number| record((7 << 60) + number * 977, &[b'x'; 40])).collect();
        expected.iter().for_each(|record| assert!(spill.keep(0, record).is_continue()));
        assert!(spill.written() > 0 && spill.held(0) == 2_000 * 64);
        let mut found = Vec::new();
        for at in 0..7 {
            let mut records = Vec::new();
            spill.take(0, Slice { at, of: 7 }, usize::MAX, &mut records).unwrap();
            assert!((200..400).contains(&(records.len() / 64)), "{}", records.len() / 64);
            found.extend(records.chunks_exact(64).map(<[u8]>::to_vec));
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(spill.held(0), 0);
    }

    #[test]
    fn equal_rows_do_not_fill_the_memory() {
        let mut spill = Spill::new(1, 1, std::env::temp_dir());
        let one = record(7, &[b'x'; 1000]);
        for _ in 0..1_000 {
            assert!(spill.keep(0, &one).is_continue());
        }
        let mut records = Vec::new();
        spill.take(0, Slice::ALL, 20_000, &mut records).unwrap();
        assert!(records.capacity() < 100_000, "{}", records.capacity());
        assert_eq!(Ordered::new(records).into_records().len(), one.len());
    }

    #[test]
    fn a_file_that_cannot_be_made_is_told() {
        let mut spill = Spill::new(1, 1, "/nowhere/at/all".into());
        let one = record(7, &[b'x'; LEAST]);
        assert!(spill.keep(0, &one).is_continue());
        assert!(spill.keep(0, &one).is_break());
        assert_eq!(spill.check().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
