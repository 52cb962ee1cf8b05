//! Scenarios, and the paths that documents name.

use std::fs;

use rehearse::scenario;

use super::assert_none;
use crate::support::{files, root};

#[test]
fn every_scenario_is_valid_and_described() {
    let found = scenario::discover(&root().join("scenarios")).unwrap();
    let folders =
        fs::read_dir(root().join("scenarios")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), found.len(), "every folder of `scenarios/` is a scenario");
    assert!(!found.is_empty());
    for (name, folder) in found {
        let scenario = scenario::read(&folder).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, name);
        let readme = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        assert!(readme.starts_with("# ") && readme.len() > 200, "{name} has no README.md that describes it");
    }
}

#[test]
fn every_path_that_the_documents_name_is_there() {
    let documents = files(&root().join("harness")).into_iter().chain([root().join("README.md")]);
    let mut problems = Vec::new();
    for path in documents.filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        for (number, line) in text.lines().enumerate() {
            if is_rust && !line.trim_start().starts_with("//") {
                continue;
            }
            for named in line.split('`').skip(1).step_by(2) {
                let is_ours = ["harness/", "tests/", "fixtures/", "scenarios/", "ci/", "reports/"]
                    .iter()
                    .any(|folder| named.starts_with(folder));
                let is_plain = named.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
                if is_ours && is_plain && !named.starts_with("reports/runs") && !root().join(named).exists() {
                    problems.push(format!("{}:{}: `{named}` is not there", path.display(), number + 1));
                }
            }
        }
    }
    assert_none(&problems);
}
