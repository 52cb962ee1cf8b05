//! Rows for columns that came later.
//!
//! A column that is added to a table with rows holds NULL or its default in all of them, and whoever loses such a column
//! loses nothing that anybody sees. So a table gets a few rows more than wanted as long as one of its columns says nothing.

use std::collections::BTreeMap;

use super::{
    attempt::{is_told, load},
    recipe::{How, Recipe},
    row::Way,
};
use crate::{
    engine::{Dialect, EngineError, Session},
    model::{LogicalType, TableName, Value},
};

/// A table that holds so many times the rows wanted is left as it is, whatever its columns hold.
const MOST: u64 = 8;

/// Tries for one row.
const TRIES: u64 = 8;

/// Tables that are asked about by one statement.
const ASKED_AT_ONCE: usize = 50;

/// What is known of a table: the rows that it holds, up to a bound, and its columns that say nothing in them.
struct Said {
    rows: u64,
    silent: Vec<usize>,
}

/// Loads rows until every column of these tables says something, and tells how many into each.
pub(super) async fn vary(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    recipes: &mut [Recipe<'_>],
    wanted: u64,
) -> Result<BTreeMap<TableName, u64>, EngineError> {
    let most = wanted.saturating_mul(MOST);
    let mut loaded = BTreeMap::new();
    for recipes in recipes.chunks_mut(ASKED_AT_ONCE) {
        // What cannot be asked is left as it is; it holds the rows that were wanted.
        let said = match ask(session, dialect, recipes, most).await {
            Err(error) if is_told(&error) => continue,
            said => said?,
        };
        for (recipe, said) in recipes.iter_mut().zip(said) {
            let rows = vary_one(session, dialect, recipe, said, most).await?;
            if rows > 0 {
                loaded.insert(recipe.table.name.clone(), rows);
            }
        }
    }
    Ok(loaded)
}

async fn vary_one(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    recipe: &mut Recipe<'_>,
    mut said: Said,
    most: u64,
) -> Result<u64, EngineError> {
    let mut loaded = 0;
    // One row is enough for all columns that can have a value, but for numbers that happen to be their default.
    while !said.silent.is_empty() && said.rows < most {
        recipe.look_up(session).await?;
        let mut is_loaded = false;
        for number in said.rows..said.rows + TRIES {
            let Ok(row) = recipe.row(number, Way::Full) else { break };
            // Rows that would say no more than those that are there are not loaded.
            let says = |at: &usize| row[*at].as_ref().is_some_and(|value| *value != Value::Null);
            if said.silent.iter().any(says) && load(session, recipe, vec![row]).await?.is_ok() {
                is_loaded = true;
                break;
            }
        }
        if !is_loaded {
            break;
        }
        loaded += 1;
        let rows = said.rows;
        let now = ask(session, dialect, std::slice::from_ref(recipe), most).await?;
        said = now.into_iter().next().unwrap_or(Said { rows: most, silent: Vec::new() });
        if said.rows <= rows {
            break;
        }
    }
    Ok(loaded)
}

/// What these tables say.
async fn ask(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    recipes: &[Recipe<'_>],
    most: u64,
) -> Result<Vec<Said>, EngineError> {
    let asked: Vec<Vec<usize>> = recipes.iter().map(Recipe::may_be_silent).collect();
    let width = asked.iter().map(Vec::len).max().unwrap_or(0);
    if width == 0 {
        return Ok(asked.into_iter().map(|silent| Said { rows: 0, silent }).collect());
    }
    let question = |(at, (recipe, columns)): (usize, (&Recipe<'_>, &Vec<usize>))| {
        let distinct = |slot: &usize| {
            let column = dialect.quote(&recipe.slots[*slot].column.name);
            format!("count(DISTINCT {})", dialect.as_text(&column))
        };
        let mut counts: Vec<String> = columns.iter().map(distinct).collect();
        // As many for every table, since they are the rows of one answer.
        counts.resize(width, "0".to_owned());
        let (counts, table) = (counts.join(", "), dialect.table(&recipe.table.name));
        format!("SELECT {at}, count(*), {counts} FROM (SELECT * FROM {table} LIMIT {most}) AS held{at}")
    };
    let questions: Vec<String> = recipes.iter().zip(&asked).enumerate().map(question).collect();
    let answers = session.query(&questions.join(" UNION ALL ")).await?;
    let mut said: Vec<Said> = recipes.iter().map(|_| Said { rows: 0, silent: Vec::new() }).collect();
    for answer in answers {
        let mut counts = answer.into_iter().map(|count| count.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0));
        let (Some(at), Some(rows)) = (counts.next(), counts.next()) else { continue };
        let at = at as usize;
        let is_silent =
            |(slot, count): &(usize, u64)| *count == 0 || (*count == 1 && recipes[at].has_number_by_default(*slot));
        let silent = asked[at].iter().copied().zip(counts).filter(is_silent).map(|(slot, _)| slot).collect();
        said[at] = Said { rows, silent };
    }
    Ok(said)
}

impl Recipe<'_> {
    /// Columns that may hold the same in all rows without anybody having said so, and that a row could give a value.
    fn may_be_silent(&self) -> Vec<usize> {
        let may_be = |at: &usize| {
            let slot = &self.slots[*at];
            let is_made = matches!(slot.how, How::Made(..) | How::Patterned(..) | How::Spelled) || self.refers(*at);
            is_made && (slot.nullable || self.has_number_by_default(*at))
        };
        (0..self.slots.len()).filter(may_be).collect()
    }

    fn refers(&self, at: usize) -> bool {
        self.references.iter().any(|reference| reference.slots.contains(&at))
    }

    /// Whether a column's default is a number, a truth or a moment: any other of them would be as good.
    fn has_number_by_default(&self, at: usize) -> bool {
        let slot = &self.slots[at];
        let is_free = match &slot.how {
            How::Made(generator, _) => generator.capacity().is_none_or(|all| all > 1),
            _ => false,
        };
        let kind = &slot.column.kind;
        let is_number = matches!(
            kind,
            LogicalType::Boolean | LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::TimestampTz
        );
        is_free && is_number && !self.refers(at) && slot.column.default.is_some()
    }
}
