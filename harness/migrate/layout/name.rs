//! Names of migrations: a version, a separator, a title.

/// A file's name without its endings, cut after its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// The digits that it begins with.
    pub version: &'a str,
    /// What stands behind the separator.
    pub title: &'a str,
}

impl<'a> Named<'a> {
    /// Cuts `20240102_add_users` at its first underscore (or dash, or nothing where the name is digits alone).
    pub fn of(stem: &'a str) -> Option<Self> {
        let digits = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
        let (version, rest) = stem.split_at(digits);
        let title = rest.strip_prefix(['_', '-', '.']).or_else(|| rest.is_empty().then_some(""))?;
        (!version.is_empty()).then_some(Self { version, title })
    }

    /// The version as a number, so that 10 comes after 9.
    pub fn number(&self) -> u128 {
        // Forty digits and more name no version that any tool makes.
        self.version.parse().unwrap_or(u128::MAX)
    }
}

/// A version as it is compared with others: without zeros that say nothing, in front of a number or at the end of several.
pub(super) fn comparable(version: &str) -> String {
    let numbers: Option<Vec<u128>> = version.split('.').map(|part| part.parse().ok()).collect();
    let Some(mut numbers) = numbers else { return version.to_owned() };
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers.iter().map(u128::to_string).collect::<Vec<_>>().join(".")
}
