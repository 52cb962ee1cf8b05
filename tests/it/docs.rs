//! What the README says about checks and exit codes is what the program says.
//!
//! `REHEARSE_BLESS=1 cargo test --test it docs` writes those parts anew.

use std::{fs, path::PathBuf};

use rehearse::{check, cli::exit};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares the part of the README between `<!-- name -->` and `<!-- /name -->`, or writes it if `REHEARSE_BLESS=1`.
fn expect(name: &str, text: &str) {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (opening, closing) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = readme.find(&opening).expect("the README marks where the part begins") + opening.len();
    let end = start + readme[start..].find(&closing).expect("the README marks where the part ends");
    if std::env::var_os("REHEARSE_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, format!("{}{text}{}", &readme[..start], &readme[end..])).unwrap();
        return;
    }
    assert_eq!(&readme[start..end], text, "stale; to write it anew: REHEARSE_BLESS=1 cargo test --test it docs");
}

/// One test for all parts: two that write the same file at once would undo each other.
#[test]
fn the_readme_is_fresh() {
    let mut checks = "| check | stage | asserts |\n|---|---|---|\n".to_owned();
    for check in check::every() {
        let meta = check.meta();
        let stages: Vec<String> = meta.stages.iter().map(ToString::to_string).collect();
        checks.push_str(&format!("| `{}` | {} | {} |\n", meta.id, stages.join(", "), meta.asserts));
    }
    expect("checks", &checks);

    let mut codes = "| code | meaning |\n|---|---|\n".to_owned();
    for line in exit::HELP.lines().skip(1) {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        codes.push_str(&format!("| {code} | {} |\n", meaning.trim()));
    }
    expect("exit-codes", &codes);
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    for document in ["README.md", "CHANGELOG.md", "scenarios/pfa-vanguard/README.md"] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") && !link.starts_with('#') {
                assert!(path.with_file_name(link).exists(), "{document} links to {link}");
            }
        }
    }
}
