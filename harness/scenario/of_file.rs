//! The scenario of any SQLite file, for which nobody wrote one.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;

use super::{Expectation, Scenario, SourceSpec, StepSpec, TargetSpec};
use crate::{canon::comparison::Mapping, model::EngineId};

/// A scenario that carries a SQLite file into an engine: the schema is derived, rows go through verified files, keys come
/// after the rows. Orphans are carried, so that the checks can tell them.
pub fn of_file(file: &Path, to: &EngineId) -> Scenario {
    let stem = file.file_stem().map_or_else(|| "file".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect();
    let step = |name: &str, kind: &str, config| StepSpec { name: name.to_owned(), kind: kind.to_owned(), config };
    Scenario {
        name: format!("file-{plain}"),
        title: format!("{} into {to}", file.display()),
        reason: None,
        changes_source: None,
        source: SourceSpec {
            engine: EngineId::from("sqlite"),
            version: None,
            image: None,
            provider: None,
            schema: Vec::new(),
            dataset: None,
            rows: None,
            scale: 1.0,
        },
        target: TargetSpec {
            engine: to.clone(),
            versions: Vec::new(),
            image: None,
            provider: None,
            schema: Vec::new(),
            in_place: false,
        },
        steps: vec![
            step("tables", "create_schema", json!({ "part": "tables" })),
            step("transfer", "transfer", json!({ "batch_rows": 1000, "when_not_empty": "refuse", "orphans": "carry" })),
            step("keys", "create_schema", json!({ "part": "keys" })),
        ],
        begins: 0,
        stated: Mapping::default(),
        probes: Vec::new(),
        expect: Expectation::default(),
        waivers: BTreeMap::new(),
        bookkeeping: Vec::new(),
    }
}
