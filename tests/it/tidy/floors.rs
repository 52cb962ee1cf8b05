//! Floors, the top of the repository, modules and registries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{
    assert_none,
    source::{Source, blanked, declares, module_of, sources, word},
};
use crate::support::root;

/// What each folder of `harness/` may import, besides itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("canon", &["model"]),
    ("document", &["model", "canon"]),
    ("engine", &["model", "canon", "document"]),
    ("provision", &["model", "canon", "document", "engine"]),
    ("dataset", &["model", "canon", "document", "engine", "provision"]),
    ("migrate", &["model", "canon", "document", "engine", "provision"]),
    ("check", &["model", "canon", "document", "engine", "provision", "dataset", "migrate"]),
    ("scenario", &["model", "canon", "document", "engine", "provision", "dataset", "migrate", "check"]),
    ("report", &["model"]),
    (
        "run",
        &["model", "canon", "document", "engine", "provision", "dataset", "migrate", "check", "scenario", "report"],
    ),
    (
        "cli",
        &[
            "model",
            "canon",
            "document",
            "engine",
            "provision",
            "dataset",
            "migrate",
            "check",
            "scenario",
            "report",
            "run",
        ],
    ),
];

/// Everything that may lie at the top of the repository, besides what begins with a dot.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "ci",
    "fixtures",
    "harness",
    "reports",
    "rustfmt.toml",
    "scenarios",
    "target",
    "tests",
];

/// The trait whose implementations each folder registers in its `ALL`.
const REGISTRIES: &[(&str, &str)] = &[
    ("check", "Check"),
    ("check/preflight", "Check"),
    ("engine", "Engine"),
    ("migrate", "StepKind"),
    ("provision", "Provisioner"),
    ("report", "ReportFormat"),
    ("migrate/layout", "Layout"),
    ("migrate/rollback", "RollbackKind"),
    ("migrate/files/form", "Form"),
];

#[test]
fn a_floor_imports_only_what_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = FLOORS.iter().copied().collect();
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.folder().is_empty()) {
        let folder = source.folder();
        let Some(may) = allowed.get(folder) else { panic!("harness/{folder} is on no floor") };
        for name in imports(&source.code) {
            if allowed.contains_key(name.as_str()) && name != folder && !may.contains(&name.as_str()) {
                problems.push(format!("{}: `{folder}` may not import `{name}`", source.name));
            }
        }
        // Whoever climbs out of the folder by `super` gets around the rule.
        let depth = module_of(&source.name).matches("::").count() + 1;
        if source.product().contains(&"super::".repeat(depth)) {
            problems.push(format!("{}: climbs out of its folder", source.name));
        }
    }
    assert_none(&problems);
}

/// The first names behind every `crate::`, also of a list in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut begins) = (0_usize, true);
        for (at, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                letter if depth == 0 && begins && !letter.is_whitespace() => {
                    found.insert(word(&list[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn imports_are_read_as_the_compiler_does() {
    let code = "use crate::{\n    model::{Event, Side},\n    run,\n};\nfn f() { crate::check::by_id() }";
    assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["check", "model", "run"]);
    let text = "a // x\nb \"c\\\" // d\" 'e' r#\"f\"# &'g str /* h */ '\\'' \"é\" i";
    assert_eq!(blanked(text, true), "a     \nb \"        \" ' ' r#\" \"# &'g str         '  ' \"  \" i");
    assert_eq!(blanked("\"x\" // y", false), "\"x\"     ");
}

#[test]
fn the_top_of_the_repository_is_as_planned() {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strangers: Vec<String> = names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect();
    assert_eq!(strangers, Vec::<String>::new());
}

#[test]
fn every_file_is_a_module_of_its_folder() {
    let sources = sources();
    let of = |source: &Source| source.code.lines().filter_map(|line| declares(source, line)).collect::<Vec<_>>();
    let declared: BTreeSet<String> = sources.iter().flat_map(of).collect();
    let mut problems = Vec::new();
    for source in &sources {
        let module = module_of(&source.name);
        if !["lib", "main"].contains(&module.as_str()) && !declared.contains(&module) {
            problems.push(format!("harness/{} is no module: nothing compiles it", source.name));
        }
    }
    assert_none(&problems);
}

#[test]
fn everything_that_can_be_registered_is() {
    let sources = sources();
    for (folder, of) in REGISTRIES {
        let registry = sources.iter().find(|source| source.name == format!("{folder}/mod.rs")).unwrap();
        let all = registry.code.split_once("pub const ALL").unwrap().1.split_once("];").unwrap().0;
        let registered: BTreeSet<String> =
            all.split('&').skip(1).map(|entry| word(entry.rsplit("::").next().unwrap_or(entry))).collect();
        let mut implemented = BTreeSet::new();
        // What lies in a folder with a registry of its own is registered there.
        let inner = |name: &str| {
            let is_inner = |(other, _): &&(&str, &str)| other.starts_with(&format!("{folder}/"));
            REGISTRIES.iter().filter(is_inner).any(|(other, _)| name.starts_with(&format!("{other}/")))
        };
        let own = |source: &&Source| source.name.starts_with(&format!("{folder}/")) && !inner(&source.name);
        for source in sources.iter().filter(own) {
            for rest in source.product().split(&format!("impl {of} for ")).skip(1) {
                implemented.insert(word(rest));
            }
        }
        assert!(!implemented.is_empty(), "{folder}");
        let missing: Vec<&String> = implemented.difference(&registered).collect();
        assert!(missing.is_empty(), "{missing:?} are missing in {folder}::ALL");
    }
}

#[test]
fn the_expected_folders_are_all_there() {
    let folders: BTreeSet<String> = fs::read_dir(root().join("harness"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path: PathBuf| name_of(&path))
        .collect();
    let floors: BTreeSet<String> = FLOORS.iter().map(|(floor, _)| (*floor).to_owned()).collect();
    assert_eq!(folders, floors);
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
