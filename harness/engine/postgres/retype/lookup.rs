//! How the server would find rows by a value, as its planner says.

use serde_json::Value as Json;

use super::{quote, table};
use crate::{
    engine::{EngineError, Session, retype::Lookup},
    model::TableName,
};

/// Asks for the plan of a value that is not known yet, so that it does not hang on which value that is; with sequential scans
/// made dear, so that the plan of a small table tells as well whether an index serves.
pub(super) async fn lookup(session: &mut dyn Session, name: &TableName, column: &str) -> Result<Lookup, EngineError> {
    session.begin(false).await?;
    let prepare = format!("PREPARE rehearse_lookup AS SELECT * FROM {} WHERE {} = $1", table(name), quote(column));
    let explained = async {
        for statement in ["SET LOCAL enable_seqscan = off", "SET LOCAL plan_cache_mode = force_generic_plan", &prepare]
        {
            session.execute(statement).await?;
        }
        let rows = session.query("EXPLAIN (FORMAT JSON) EXECUTE rehearse_lookup (NULL)").await?;
        // It would outlive the transaction.
        session.execute("DEALLOCATE rehearse_lookup").await?;
        Ok(rows)
    };
    let explained = explained.await;
    session.tx_rollback().await?;
    let text: Option<String> = explained?.into_iter().flatten().flatten().next();
    let plan = text.and_then(|text| serde_json::from_str::<Json>(&text).ok());
    read(plan.as_ref()).ok_or_else(|| EngineError::Unexpected {
        doing: format!("asking how rows of {name} are found by {column}"),
        what: "a plan that cannot be read".to_owned(),
    })
}

fn read(plan: Option<&Json>) -> Option<Lookup> {
    let top = plan?.get(0)?.get("Plan")?;
    let cost = top.get("Total Cost")?.as_f64()?;
    Some(Lookup { uses_index: is_found(top), cost: Some((cost * 100.0).round() as u64) })
}

/// Whether all that a plan reads is found by a condition on an index; an index that is read whole finds nothing.
fn is_found(node: &Json) -> bool {
    match node.get("Plans").and_then(Json::as_array) {
        Some(below) => below.iter().all(is_found),
        None => node.get("Index Cond").is_some(),
    }
}
