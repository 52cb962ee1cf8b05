//! Names that the target takes.

use std::collections::BTreeSet;

/// Bytes of the longest name that PostgreSQL keeps; it cuts longer ones without a word.
const LONGEST: usize = 63;

/// Names of columns that every table of PostgreSQL has already.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// The names of one space (a schema's relations, a table's columns), no two of which are the same.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The names of a table's columns.
    pub fn of_columns() -> Self {
        Self { taken: SYSTEM_COLUMNS.map(str::to_owned).into() }
    }

    /// Takes this name or, where it is too long, empty or taken, one that begins like it and ends in a digest of it.
    pub fn claim(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut round = 0;
        while name.is_empty() || name.len() > LONGEST || self.taken.contains(&name) {
            let digest = blake3::hash(format!("{round} {wanted}").as_bytes()).to_hex();
            // `str::floor_char_boundary` came after the oldest compiler that has to build this.
            let room = (0..=LONGEST - 9).rev().find(|end| wanted.is_char_boundary(*end)).unwrap_or(0);
            name = format!("{}_{}", &wanted[..room], &digest[..8]);
            round += 1;
        }
        self.taken.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_where_they_can_be() {
        let mut names = Names::default();
        for name in ["users", "Users", "odd \"name\"", "été 🎉", &"x".repeat(63)] {
            assert_eq!(names.claim(name), name);
        }
    }

    #[test]
    fn the_rest_gets_a_digest_and_stays_apart() {
        let mut names = Names::of_columns();
        let long = "🎉".repeat(20);
        let claimed = [names.claim(&long), names.claim(&long), names.claim(""), names.claim("ctid")];
        assert!(claimed.iter().all(|name| (1..=63).contains(&name.len())), "{claimed:?}");
        assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 4);
        assert!(claimed[0].starts_with("🎉🎉") && claimed[3].starts_with("ctid_"));
        assert_eq!(Names::of_columns().claim(&long), claimed[0], "the same every time");
    }
}
