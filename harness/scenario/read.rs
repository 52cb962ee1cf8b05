//! From the files of a scenario to the scenario, or to every problem in them.

use std::{collections::BTreeSet, fs, path::Path};

use super::{Expectation, FILE, Scenario, ScenarioError, SourceSpec, SqlFile, StepSpec, TargetSpec, is_plain};
use crate::{
    check,
    dataset::Dataset,
    document::{self, Document, Entry, Fields, Located, Problem, Problems},
    engine,
    migrate::{self, Around},
    model::{Bookkeeping, BookkeepingRule, EngineId, Sides, Verdict},
    provision,
};

/// Reads the scenario in a folder.
///
/// # Errors
/// All problems at once, with file, line, key, what was expected and the nearest name.
pub fn read(folder: &Path) -> Result<Scenario, ScenarioError> {
    let path = folder.join(FILE);
    let bytes = fs::read(&path).map_err(|source| ScenarioError::Unreadable { path: path.clone(), source })?;
    let file = path.display().to_string();
    let text = Document::decode(&file, bytes).map_err(|problems| ScenarioError::Invalid(vec![problems]))?;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("scenario").to_owned();
    let document = Document::parse(&file, &text);
    let mut reader = Reader { folder, other_files: Vec::new() };
    let scenario = reader.scenario(name, document.root());
    reader.other_files.extend(document.take_problems_of_others());
    match (document.finish(scenario), reader.other_files) {
        (Ok(scenario), others) if others.is_empty() => Ok(scenario),
        (Ok(_), others) => Err(ScenarioError::Invalid(others)),
        (Err(own), others) => Err(ScenarioError::Invalid([vec![own], others].concat())),
    }
}

struct Reader<'a> {
    folder: &'a Path,
    /// Problems of the files that the scenario names.
    other_files: Vec<Problems>,
}

impl Reader<'_> {
    fn scenario(&mut self, name: String, mut root: Fields<'_>) -> Option<Scenario> {
        root.format_version(1);
        let title = root.required_str("title");
        root.optional_str("system");
        let reason = root.optional_str("reason").map(|reason| reason.value);
        let changes_source = root.optional_str("changes_source").map(|why| why.value);
        let source = root.table("source").map(|fields| self.source(fields));
        let of_source = source.as_ref().and_then(|source| source.as_ref()).map(|source| source.engine.clone());
        let target = root.table("target").map(|fields| self.target(fields, of_source.as_ref()));
        for (key, table) in [("source", source.is_none()), ("target", target.is_none())] {
            if table {
                root.required(key, "a table");
            }
        }
        let of_target = target.as_ref().and_then(|target| target.as_ref()).map(|target| target.engine.clone());
        let engines = of_source.zip(of_target).map(|(source, target)| Sides::new(source, target));
        let steps = self.steps(&mut root, engines.as_ref());
        let mut stated = document::mapping::comparisons(&mut root, &self.folder.join(FILE).display().to_string());
        for step in &steps {
            let states = migrate::by_id(&step.kind).and_then(|kind| kind.states(&step.config));
            states.into_iter().for_each(|of_step| stated.add(of_step));
        }
        let in_place = target.as_ref().and_then(|target| target.as_ref()).is_some_and(|target| target.in_place);
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        let probes = check::probe::read(&mut root, &names, in_place);
        let expect = root.table("expect").map(expect).unwrap_or_default();
        let waivers = root.array_of_tables("unchecked").into_iter().filter_map(waiver).collect();
        let bookkeeping = root.array_of_tables("bookkeeping").into_iter().filter_map(bookkeeping).collect();
        root.finish();
        Some(Scenario {
            name,
            title: title?.value,
            reason,
            changes_source,
            source: source??,
            target: target??,
            steps,
            begins: 0,
            stated,
            probes,
            expect,
            waivers,
            bookkeeping,
        })
    }

    fn source(&mut self, mut fields: Fields<'_>) -> Option<SourceSpec> {
        let engine = engine_id(&mut fields);
        let version = fields.optional_str("version").and_then(|version| plain(&fields, version, "version"));
        let image = fields.optional_str("image").map(|image| image.value);
        let provider = provider(&mut fields);
        let schema = self.schema(&mut fields);
        let dataset = self.dataset(&mut fields);
        let rows = fields.optional_str("rows").and_then(|written| self.sql(&fields, &written));
        let scale = fields.optional_f64("scale").filter(|scale| {
            let is_one = scale.value > 0.0 && scale.value.is_finite();
            if !is_one {
                let message = format!("`{}` multiplies no rows", scale.value);
                fields.problem(Problem::new(&scale.place, message).expected("a number above 0"));
            }
            is_one
        });
        fields.finish();
        let scale = scale.map_or(1.0, |scale| scale.value);
        Some(SourceSpec { engine: engine?, version, image, provider, schema, dataset, rows, scale })
    }

    fn target(&mut self, mut fields: Fields<'_>, of_source: Option<&EngineId>) -> Option<TargetSpec> {
        let engine = engine_id(&mut fields);
        let versions = fields.str_list("versions").into_iter();
        let versions = versions.filter_map(|version| plain(&fields, version, "version")).collect();
        let image = fields.optional_str("image").map(|image| image.value);
        let provider = provider(&mut fields);
        let schema = self.schema(&mut fields);
        let in_place = fields.optional_bool("in_place");
        if let Some(written) = in_place.as_ref().filter(|in_place| in_place.value) {
            let unlike = of_source.zip(engine.as_ref()).is_some_and(|(source, target)| source != target);
            for (is_wrong, message, expected) in [
                (unlike, "source and target are of different engines", "one engine for both sides"),
                (
                    !schema.is_empty(),
                    "the target has a schema of its own",
                    "no `schema`: the target begins as the source",
                ),
            ] {
                if is_wrong {
                    fields.problem(Problem::new(&written.place, message).expected(expected));
                }
            }
        }
        fields.finish();
        let in_place = in_place.is_some_and(|written| written.value);
        Some(TargetSpec { engine: engine?, versions, image, provider, schema, in_place })
    }

    fn steps(&self, root: &mut Fields<'_>, engines: Option<&Sides<EngineId>>) -> Vec<StepSpec> {
        let names: Vec<&'static str> = migrate::ALL.iter().map(|kind| kind.id()).collect();
        let mut taken = BTreeSet::new();
        let (mut steps, mut earlier) = (Vec::new(), Vec::new());
        let tables = root.array_of_tables("step");
        if tables.is_empty() {
            root.problem(Problem::new(root.place(), "no [[step]]").expected("at least one step to migrate by"));
        }
        for mut fields in tables {
            let kind = fields.required_one_of("kind", "step kind", &names);
            let name = fields.optional_str("name").filter(|name| plain(&fields, name.clone(), "name").is_some());
            // Without a kind nobody knows which other keys are right.
            let Some(kind) = kind else { continue };
            let Some(of_kind) = migrate::by_id(kind.value) else { continue };
            let mut step = of_kind.configure(&mut fields);
            let around = engines.map(|engines| Around { engines, earlier: &earlier });
            if let Some(around) = &around {
                migrate::misplaced(&mut fields, of_kind.misplaced(&step, around));
            }
            migrate::rollback::configure(&mut fields, of_kind, around.as_ref(), &mut step);
            let place = name.as_ref().map_or(fields.place().clone(), |name| name.place.clone());
            let name = name.map_or(kind.value.to_owned(), |name| name.value);
            if !taken.insert(name.clone()) {
                fields.problem(
                    Problem::new(&place, format!("a second step is called `{name}`")).expected("a name of its own"),
                );
            }
            fields.finish();
            earlier.push((name.clone(), kind.value, step.clone()));
            steps.push(StepSpec { name, kind: kind.value.to_owned(), config: step });
        }
        steps
    }

    /// A file of SQL, or a list of such.
    fn schema(&self, fields: &mut Fields<'_>) -> Vec<SqlFile> {
        let Some(entry) = fields.optional("schema") else { return Vec::new() };
        let written = match entry.kind() {
            "array" => entry.list().unwrap_or_default().iter().filter_map(Entry::str).collect(),
            _ => entry.str().into_iter().collect::<Vec<_>>(),
        };
        written.iter().filter_map(|written| self.sql(fields, written)).collect()
    }

    fn sql(&self, fields: &Fields<'_>, written: &Located<String>) -> Option<SqlFile> {
        let path = self.folder.join(&written.value);
        match fs::read_to_string(&path) {
            Ok(text) => Some(SqlFile { path, text }),
            Err(error) => {
                let message = format!("failed to read `{}`: {error}", path.display());
                fields
                    .problem(Problem::new(&written.place, message).expected("a file of SQL, relative to the scenario"));
                None
            }
        }
    }

    fn dataset(&mut self, fields: &mut Fields<'_>) -> Option<Dataset> {
        let written = fields.optional_str("dataset")?;
        let path = self.folder.join(&written.value);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("failed to read `{}`: {error}", path.display());
                fields.problem(Problem::new(&written.place, message).expected("a dataset, relative to the scenario"));
                return None;
            }
        };
        let file = path.display().to_string();
        match Document::decode(&file, bytes).and_then(|text| Dataset::parse(&file, &text)) {
            Ok(dataset) => Some(dataset),
            Err(problems) => {
                self.other_files.push(problems);
                None
            }
        }
    }
}

/// A name that can be part of a file's name.
fn plain(fields: &Fields<'_>, written: Located<String>, what: &str) -> Option<String> {
    if is_plain(&written.value) {
        return Some(written.value);
    }
    let message = format!("`{}` is no {what}", written.value);
    let expected = "letters, digits, `.`, `-` and `_`, the first a letter or digit";
    fields.problem(Problem::new(&written.place, message).expected(expected));
    None
}

fn engine_id(fields: &mut Fields<'_>) -> Option<EngineId> {
    let names: Vec<&'static str> = engine::ALL.iter().map(|engine| engine.id()).collect();
    fields.required_one_of("engine", "engine", &names).map(|engine| EngineId::from(engine.value))
}

fn provider(fields: &mut Fields<'_>) -> Option<String> {
    let names: Vec<&'static str> = provision::ALL.iter().map(|provider| provider.id()).collect();
    fields.optional_one_of("provider", "provider", &names).map(|provider| provider.value.to_owned())
}

fn expect(mut fields: Fields<'_>) -> Expectation {
    let verdict = fields.optional_one_of("verdict", "verdict", &["pass", "inconclusive", "fail"]);
    let checks: Vec<&'static str> = check::every().map(|check| check.meta().id).collect();
    let mut failing = Vec::new();
    for id in fields.str_list("failing") {
        if checks.contains(&id.value.as_str()) {
            failing.push(id.value);
        } else {
            fields.problem(Problem::unknown(&id.place, "check", &id.value, checks.iter().copied()));
        }
    }
    fields.finish();
    let verdict = match verdict.map(|word| word.value) {
        Some("fail") => Verdict::Fail,
        Some("inconclusive") => Verdict::Inconclusive,
        _ => Verdict::Pass,
    };
    Expectation { verdict, failing }
}

/// `[[bookkeeping]] name = "…" rule = "grows" why = "…"`: what the migration keeps about itself.
fn bookkeeping(mut fields: Fields<'_>) -> Option<Bookkeeping> {
    let (name, why) = (fields.required_str("name"), fields.required_str("why"));
    let rule = fields.optional_one_of("rule", "rule", &BookkeepingRule::WORDS);
    fields.finish();
    let rule = rule.and_then(|word| BookkeepingRule::of_word(word.value)).unwrap_or_default();
    Some(Bookkeeping { name: name?.value, rule, why: why?.value })
}

/// `[[unchecked]] subject = "…" why = "…"`: left unchecked on purpose.
fn waiver(mut fields: Fields<'_>) -> Option<(String, String)> {
    let (subject, why) = (fields.required_str("subject"), fields.required_str("why"));
    fields.finish();
    Some((subject?.value, why?.value))
}
