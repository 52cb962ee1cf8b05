//! Foreign keys inside an export, verified in bounded memory: key digests go to partition files, and partitions are
//! compared one at a time.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use crate::model::{TableName, catalogue::Reference};

/// Keys a partition holds in memory at most, roughly: 16 bytes each.
const KEYS_A_PARTITION: u64 = 100_000;
/// More partitions than this would use up file descriptors: each reference has as many files, all open at once.
const MOST_PARTITIONS: u64 = 32;

/// A parent key: table and columns, in the source's names.
type KeyName = (TableName, Vec<String>);

/// Collects keys and references while the files are read, and tells at the end which references dangle.
pub(super) struct ReferenceCheck {
    folder: PathBuf,
    parents: BTreeMap<KeyName, Partitions>,
    children: Vec<(Reference, Partitions)>,
}

/// References that dangle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dangling {
    /// Which reference.
    pub reference: Reference,
    /// How many rows.
    pub rows: u64,
    /// The first of them by its number in the file, from 1.
    pub first_row: u64,
}

/// The digest of a key's values.
pub(super) type KeyDigest = [u8; 16];

impl ReferenceCheck {
    /// Prepares partition files for these references; `rows` tells how many rows a table has.
    pub fn new(folder: &Path, references: &[Reference], rows: impl Fn(&TableName) -> u64) -> io::Result<Self> {
        let folder = folder.join("keys");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut check = Self { folder, parents: BTreeMap::new(), children: Vec::new() };
        for (index, reference) in references.iter().enumerate() {
            let partitions = (rows(&reference.parent) / KEYS_A_PARTITION + 1).min(MOST_PARTITIONS);
            let key = (reference.parent.clone(), reference.parent_columns.clone());
            let number = check.parents.len();
            if !check.parents.contains_key(&key) {
                let parent = Partitions::create(&check.folder.join(format!("parent-{number}")), partitions)?;
                check.parents.insert(key, parent);
            }
            let child = Partitions::create(&check.folder.join(format!("child-{index}")), partitions)?;
            check.children.push((reference.clone(), child));
        }
        Ok(check)
    }

    /// The keys that others refer to in this table.
    pub fn keys_of(&self, table: &TableName) -> Vec<Vec<String>> {
        self.parents.keys().filter(|(parent, _)| parent == table).map(|(_, columns)| columns.clone()).collect()
    }

    /// The references of this table, by their position.
    pub fn references_of(&self, table: &TableName) -> Vec<(usize, Reference)> {
        let numbered = self.children.iter().enumerate();
        numbered.filter(|(_, (one, _))| one.child == *table).map(|(at, (one, _))| (at, one.clone())).collect()
    }

    /// Notes a parent's key.
    pub fn parent(&mut self, table: &TableName, columns: &[String], key: &KeyDigest) -> io::Result<()> {
        match self.parents.get_mut(&(table.clone(), columns.to_vec())) {
            Some(partitions) => partitions.put(key, &[]),
            None => Ok(()),
        }
    }

    /// Notes a child's reference.
    pub fn child(&mut self, reference: usize, key: &KeyDigest, row: u64) -> io::Result<()> {
        self.children[reference].1.put(key, &row.to_le_bytes())
    }

    /// Compares partition by partition, and removes the files.
    pub fn finish(mut self) -> io::Result<Vec<Dangling>> {
        for partitions in self.parents.values_mut().chain(self.children.iter_mut().map(|(_, child)| child)) {
            partitions.flush()?;
        }
        let mut all = Vec::new();
        for (reference, child) in &self.children {
            let key = (reference.parent.clone(), reference.parent_columns.clone());
            let (mut rows, mut first_row) = (0, u64::MAX);
            for (parents, children) in self.parents[&key].paths.iter().zip(&child.paths) {
                let mut known = HashSet::new();
                each_record::<16>(parents, |record| {
                    known.insert(*record);
                })?;
                each_record::<24>(children, |record| {
                    let (digest, row) = record.split_at(16);
                    if !known.contains(digest) {
                        rows += 1;
                        first_row = first_row.min(u64::from_le_bytes(row.try_into().expect("eight bytes")));
                    }
                })?;
            }
            if rows > 0 {
                all.push(Dangling { reference: reference.clone(), rows, first_row });
            }
        }
        fs::remove_dir_all(&self.folder)?;
        Ok(all)
    }
}

/// Records spread over files by their digest.
struct Partitions {
    paths: Vec<PathBuf>,
    files: Vec<BufWriter<File>>,
}

impl Partitions {
    fn create(stem: &Path, count: u64) -> io::Result<Self> {
        let paths: Vec<PathBuf> = (0..count).map(|part| stem.with_extension(part.to_string())).collect();
        let files = paths.iter().map(|path| File::create(path).map(BufWriter::new)).collect::<io::Result<_>>()?;
        Ok(Self { paths, files })
    }

    fn put(&mut self, key: &KeyDigest, extra: &[u8]) -> io::Result<()> {
        let part = usize::from(u16::from_le_bytes([key[0], key[1]])) % self.files.len();
        self.files[part].write_all(key)?;
        self.files[part].write_all(extra)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.files.iter_mut().try_for_each(Write::flush)
    }
}

fn each_record<const N: usize>(path: &Path, mut with: impl FnMut(&[u8; N])) -> io::Result<()> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut record = [0; N];
    loop {
        match file.read_exact(&mut record) {
            Ok(()) => with(&record),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_exactly_the_dangling_references() {
        let folder = tempfile::tempdir().unwrap();
        let reference = Reference {
            child: TableName::new("child"),
            columns: vec!["parent_id".into()],
            parent: TableName::new("parent"),
            parent_columns: vec!["id".into()],
            match_full: false,
        };
        let digest = |n: u64| *blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk::<16>().unwrap();
        // Enough rows to make several partitions.
        let mut check =
            ReferenceCheck::new(folder.path(), std::slice::from_ref(&reference), |_| 3 * KEYS_A_PARTITION).unwrap();
        assert_eq!(check.keys_of(&reference.parent), [vec!["id".to_owned()]]);
        for n in 0..1000 {
            check.parent(&reference.parent, &reference.parent_columns, &digest(n)).unwrap();
        }
        for (row, n) in [5, 999, 1000, 7, 2000, 2000].into_iter().enumerate() {
            check.child(0, &digest(n), row as u64 + 1).unwrap();
        }
        assert_eq!(check.finish().unwrap(), [Dangling { reference, rows: 3, first_row: 3 }]);
        assert!(!folder.path().join("keys").exists());
    }
}
