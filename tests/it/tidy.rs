//! The house is as its plan says: floors, registries, sizes, and words that have no place in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rehearse::scenario;

use crate::support::{files, root};

/// What each folder of `harness/` may import, besides itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("canon", &["model"]),
    ("document", &["model"]),
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
    ("engine", "Engine"),
    ("migrate", "StepKind"),
    ("provision", "Provisioner"),
    ("report", "ReportFormat"),
    ("migrate/layout", "Layout"),
];

/// Files that name an engine although they are on no floor of its own, and why.
const NAMES_AN_ENGINE: &[(&str, &str)] = &[
    ("cli/urls.rs", "a URL's scheme stands for an engine"),
    ("scenario/of_file.rs", "any SQLite file"),
    ("provision/local/account.rs", "the account that the distributions' packages make is called like that"),
];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// One file of the harness.
struct Source {
    /// Its path below `harness/`.
    name: String,
    /// Its text with comments blanked.
    text: String,
    /// That, with what is inside string and character literals blanked as well.
    code: String,
    /// It is compiled for tests alone.
    is_test: bool,
}

impl Source {
    fn folder(&self) -> &str {
        self.name.split_once('/').map_or("", |(folder, _)| folder)
    }

    /// Where its inline tests begin, in bytes.
    fn tests_at(&self) -> usize {
        if self.is_test { 0 } else { self.code.find("#[cfg(test)]\nmod tests {").unwrap_or(self.code.len()) }
    }

    /// What is compiled into the program, without strings and comments.
    fn product(&self) -> &str {
        &self.code[..self.tests_at()]
    }

    /// The same with strings.
    fn product_text(&self) -> &str {
        &self.text[..self.tests_at()]
    }
}

fn sources() -> Vec<Source> {
    let harness = root().join("harness");
    let paths = files(&harness).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&harness).unwrap().to_str().unwrap().to_owned();
        Source { text: blanked(&text, false), code: blanked(&text, true), is_test: false, name }
    };
    let mut sources: Vec<Source> = paths.map(read).collect();
    let behind = |source: &Source| -> Vec<String> {
        let declared = source.code.split("#[cfg(test)]\n").skip(1);
        declared.filter_map(|rest| declares(source, rest.lines().next()?)).collect()
    };
    let of_tests: BTreeSet<String> = sources.iter().flat_map(behind).collect();
    for source in &mut sources {
        source.is_test = of_tests.iter().any(|module| module_of(&source.name).starts_with(module.as_str()));
    }
    sources
}

/// A text of the same length and lines in which comments, and if `strings` also what literals hold, are spaces.
fn blanked(text: &str, strings: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let blank = |out: &mut Vec<u8>, from: usize, to: usize| {
        out[from..to].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    };
    let find = |from: usize, what: &str| {
        let mut windows = bytes[from..].windows(what.len());
        windows.position(|window| window == what.as_bytes()).map_or(bytes.len(), |at| from + at)
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let begins_word = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let hashes = rest.iter().skip(1).take_while(|byte| **byte == b'#').count();
        if rest.starts_with(b"//") {
            let end = find(at, "\n");
            blank(&mut out, at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = (find(at, "*/") + 2).min(bytes.len());
            blank(&mut out, at, end);
            at = end;
        } else if rest[0] == b'r' && rest.get(1 + hashes) == Some(&b'"') && (begins_word || bytes[at - 1] == b'b') {
            let start = at + 2 + hashes;
            let end = find(start, &format!("\"{}", "#".repeat(hashes)));
            if strings {
                blank(&mut out, start, end);
            }
            at = end + 1 + hashes;
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            if strings {
                blank(&mut out, at + 1, end.min(bytes.len()));
            }
            at = end + 1;
        } else if rest[0] == b'\'' && (rest.get(1) == Some(&b'\\') || text[at + 1..].chars().nth(1) == Some('\'')) {
            let end = find(at + 2 + usize::from(rest[1] == b'\\'), "'");
            blank(&mut out, at + 1, end);
            at = end + 1;
        } else {
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// The module that a file is: `run::journal` for `run/journal.rs`, `run` for `run/mod.rs`.
fn module_of(name: &str) -> String {
    name.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
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

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// The line of a byte.
fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

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

/// The module in a file of its own that a line declares.
fn declares(source: &Source, line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    let module = line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?;
    let parent = module_of(&source.name);
    Some(if parent == "lib" { module.to_owned() } else { format!("{parent}::{module}") })
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
        for source in sources.iter().filter(|source| source.name.starts_with(&format!("{folder}/"))) {
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
fn files_and_functions_are_of_a_size_to_read() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        let lines = source.product().lines().count();
        if lines > FILE_LINES {
            problems.push(format!("harness/{}: {lines} lines, at most {FILE_LINES}", source.name));
        }
        for (name, at, lines) in functions(source.product()) {
            if lines > FUNCTION_LINES {
                problems.push(format!("harness/{}:{at}: `{name}` has {lines} lines", source.name));
            }
        }
    }
    assert_none(&problems);
}

/// The functions of a text: name, line, lines.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name = word(&code[at + 3..]);
        let is_word = at == 0 || code[..at].ends_with(|before: char| before.is_whitespace() || before == '(');
        let Some(body) = code[at..].find(['{', ';']).map(|body| at + body) else { continue };
        if name.is_empty() || !is_word || code[body..].starts_with(';') {
            continue;
        }
        let mut depth = 0_usize;
        for (end, letter) in code[body..].char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                found.push((name, line(code, at), code[at..body + end].matches('\n').count() + 1));
                break;
            }
        }
    }
    found
}

#[test]
fn words_that_have_no_place_in_the_program_are_not_there() {
    let mut problems = Vec::new();
    for source in sources() {
        let (code, name) = (source.product(), &source.name);
        let mut forbid = |what: &str, why: &str| {
            for (at, _) in code.match_indices(what) {
                // `eprintln!` ends in `println!`, and is told once.
                if !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                    problems.push(format!("harness/{name}:{}: `{what}` {why}", line(code, at)));
                }
            }
        };
        if source.folder() != "cli" {
            for printing in ["println!", "eprintln!", "print!", "eprint!"] {
                forbid(printing, "is for `cli` alone");
            }
            forbid("std::env", "is for `cli` alone");
        }
        for unfinished in ["todo!", "unimplemented!", "dbg!"] {
            forbid(unfinished, "is unfinished work");
        }
        forbid("#[allow(", "should be `#[expect(…, reason)]`");
        forbid(".unwrap()", "says nothing");
    }
    assert_none(&problems);
}

#[test]
fn no_test_is_switched_off() {
    let tests = files(&root().join("tests")).into_iter().chain(files(&root().join("harness")));
    for path in tests.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let code = blanked(&fs::read_to_string(&path).unwrap(), true);
        assert!(!code.contains("#[ignore"), "{}", path.display());
    }
}

#[test]
fn every_expectation_says_why_it_holds() {
    let mut problems = Vec::new();
    for source in sources() {
        let text = source.product_text();
        for (at, _) in source.product().match_indices(".expect(") {
            let reason = text[at + ".expect(".len()..].trim_start();
            let told =
                reason.strip_prefix('"').and_then(|reason| reason.split_once('"')).map_or(0, |(told, _)| told.len());
            if told <= 10 {
                problems.push(format!("harness/{}:{}: says too little", source.name, line(text, at)));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn engines_are_named_on_their_own_floor_only() {
    let mut problems = Vec::new();
    let may = |name: &str| NAMES_AN_ENGINE.iter().any(|(file, _)| *file == name);
    for source in sources().iter().filter(|source| source.folder() != "engine" && !may(&source.name)) {
        for engine in rehearse::engine::ALL {
            for (at, _) in source.product_text().match_indices(&format!("\"{}\"", engine.id())) {
                problems.push(format!("harness/{}:{}: names `{}`", source.name, line(&source.text, at), engine.id()));
            }
        }
    }
    assert_none(&problems);
    for (file, _) in NAMES_AN_ENGINE {
        assert!(root().join("harness").join(file).is_file(), "{file} is gone, and its exception with it");
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    let all = ["harness", "tests"].map(|folder| files(&root().join(folder))).concat();
    for path in all {
        let names = path.strip_prefix(root()).unwrap().with_extension("");
        for name in names.components().filter_map(|part| part.as_os_str().to_str()) {
            assert!(
                !["utils", "util", "helpers", "helper", "common", "imp", "misc"].contains(&name),
                "{}",
                path.display()
            );
        }
    }
}

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
