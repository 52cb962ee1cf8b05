//! How a wanted version fits the one that a server tells.

/// Whether a version is the wanted one or one of its minor releases: `17` is also 17.2 and 17beta1, but not 170.
pub(super) fn is_version(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The numbers of a version, by which it is ordered.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_major_version_stands_for_its_minor_releases() {
        assert!(is_version("17.2", "17") && is_version("17beta1", "17") && is_version("17.2", "17.2"));
        assert!(!is_version("17.2", "1") && !is_version("17.20", "17.2") && !is_version("15.18", "17"));
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(numbers("9.6.24") < numbers("15.9") && numbers("15.9") < numbers("15.18"));
    }
}
