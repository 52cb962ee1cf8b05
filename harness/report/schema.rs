//! The JSON Schema of `report.json`, derived from the types, committed as `reports/report.schema.json`.

use schemars::schema_for;
use serde_json::Value as Json;

use crate::model::{Report, report::FORMAT_VERSION};

/// The schema of a report of [`FORMAT_VERSION`].
pub fn schema() -> Json {
    let mut schema = schema_for!(Report);
    schema.insert("title".to_owned(), format!("Rehearse report, format version {FORMAT_VERSION}").into());
    schema.to_value()
}
