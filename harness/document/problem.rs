//! What is wrong with a document, and where.

use std::fmt;

/// A place in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1; 0 where there is no line to show.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// The path of keys that leads there: `step[0].kind`. Empty for the document itself.
    pub key: String,
}

impl Place {
    /// A place of no line, for inputs that were derived and not written.
    pub fn unwritten(key: impl Into<String>) -> Self {
        Self { line: 0, column: 0, key: key.into() }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

impl<T> Located<T> {
    /// Another value at the same place.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: with(self.value), place: self.place }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What would be right, where that can be said.
    pub expected: Option<String>,
    /// The known name that is nearest to what was written.
    pub nearest: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), expected: None, nearest: None }
    }

    /// A name that is not known, among those that are: ``unknown {what} `{name}` `` with the list and the nearest.
    pub fn unknown<'n>(place: &Place, what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        Self {
            place: place.clone(),
            message: format!("unknown {what} `{name}`"),
            expected: list(&known),
            nearest: nearest(name, known),
        }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
}

/// ``one of `x`, `y` ``; past thirty names the list says less than the nearest name does.
fn list(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        few if few.len() <= 30 => Some(format!("one of {}", few.join(", "))),
        many => Some(format!("one of {} names", many.len())),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.key.is_empty() {
            write!(f, "{}: ", self.place.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

/// Every problem of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The document's name as its reader knows it; empty for an input that was not written.
    pub file: String,
    list: Vec<Problem>,
}

impl Problems {
    /// None yet.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), list: Vec::new() }
    }

    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order in which they were added; after [`Problems::or`], in the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The value, if there is no problem.
    ///
    /// # Errors
    /// The problems in the order of their lines, if there are any.
    pub fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.list.is_empty() {
            return Ok(value);
        }
        self.list.sort_by_key(|problem| (problem.place.line, problem.place.column));
        Err(self)
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.list.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            match (self.file.is_empty(), problem.place.line) {
                (true, _) => {}
                (false, 0) => write!(f, "{}: ", self.file)?,
                (false, line) => write!(f, "{}:{line}: ", self.file)?,
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// The known name nearest to what was written, if one is near enough to have been meant.
pub fn nearest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let written = plain(written);
    let far = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &plain(name)), name))
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        assert_eq!(nearest("transfr", ["sql", "transfer"]).as_deref(), Some("transfer"));
        assert_eq!(nearest("Batch-Rows", ["batch_rows"]).as_deref(), Some("batch_rows"));
        assert_eq!(nearest("zebra", ["sql", "transfer"]), None);
    }

    #[test]
    fn problems_of_an_unwritten_input_name_no_line() {
        let mut problems = Problems::new("");
        problems.add(Problem::new(&Place::unwritten("table.users"), "has too many rows"));
        assert_eq!(problems.to_string(), "table.users: has too many rows");
        assert!(problems.or(()).is_err());
    }
}
