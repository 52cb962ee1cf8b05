//! `sql`: a script of the user's, and the script that takes it back.
//!
//! In one transaction where the engine has such for all that the script does (nothing of it stays when it fails), or
//! statement by statement (`transaction = false`). Whether a script whose process was killed was carried out is asked of
//! the server, by the name of its transaction; where no server can tell, nobody guesses: the step is refused.

mod past;

use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    StepDone, StepError, StepKind, StepTask, StepVoice, engine_of,
    layout::{Placed, Script, Transaction},
    rollback,
};
use crate::{
    canon::comparison::Mapping,
    document::{self, Fields, Place, Problem, Problems},
    engine::EngineError,
    model::{
        Address, Side, chain,
        event::{Direction, Figure},
    },
};
use past::{Mark, Past, became};

/// A script, and the one that takes it back.
pub struct Sql;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Whose database it changes.
    side: Side,
    /// The way up.
    up: Text,
    /// The way down; `None` where the scenario states another way back.
    down: Option<Text>,
    /// Whether each is one transaction, where that is stated; otherwise, whether the engine's transactions hold all that a
    /// script may do.
    transaction: Option<bool>,
    /// How what the script did compares, as far as that is stated in a mapping file.
    #[serde(default)]
    mapping: Mapping,
}

/// A file of SQL, as it was when the scenario was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Text {
    /// The file, relative to the scenario.
    file: String,
    /// What it holds.
    text: String,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }

    fn text(&self, direction: Direction) -> &Text {
        match &self.down {
            Some(down) if direction == Direction::Back => down,
            _ => &self.up,
        }
    }

    fn script(&self, direction: Direction) -> Script {
        let text = self.text(direction);
        Script::of_file(Path::new(&text.file), text.text.clone(), Transaction::Nothing)
    }
}

#[async_trait]
impl StepKind for Sql {
    fn id(&self) -> &'static str {
        "sql"
    }

    fn summary(&self) -> &'static str {
        "runs a script of SQL, and the script that takes it back"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let up = text(fields, "up");
        let goes_back_otherwise = !fields.present(&[rollback::KEY]).is_empty();
        let has_down = !goes_back_otherwise || !fields.present(&["down"]).is_empty();
        let down = if has_down { text(fields, "down") } else { None };
        let side = fields.optional_one_of("side", "side", &["target", "source"]).map_or("target", |side| side.value);
        let transaction = fields.optional_bool("transaction").map(|written| written.value);
        let mapping = fields.optional_str("mapping").and_then(|written| document::mapping::of_step(fields, &written));
        let (mapping, copying) = mapping.unwrap_or_default();
        if let Some(one) = copying.tables.first().map(|one| &one.at).or(copying.dropped.first().map(|one| &one.at)) {
            let place = Place { line: one.line, column: 0, key: one.key.clone() };
            let mut problems = Problems::new(copying.file.clone());
            problems.add(
                Problem::new(&place, "no rows are copied by a script")
                    .expected("[[compare]], [[ignore]] or [[reference]]"),
            );
            fields.problems_of_another(problems);
        }
        json!({ "side": side, "up": up, "down": down, "transaction": transaction, "mapping": mapping })
    }

    fn writes_source(&self, config: &Json) -> bool {
        Settings::of(config).is_ok_and(|settings| settings.side == Side::Source)
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        let how = match settings.transaction {
            Some(true) => ", in one transaction",
            Some(false) => ", statement by statement",
            None => "",
        };
        vec![format!("run `{}` on the {}{how}", settings.text(direction).file, settings.side)]
    }

    fn states(&self, config: &Json) -> Option<Mapping> {
        Settings::of(config).ok().map(|settings| settings.mapping)
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match Past::of(task, &settings, voice).await? {
            Past::Done => Ok(StepDone::default()),
            Past::Nothing => run(task, &settings, Direction::Forward, voice).await,
            Past::Unknown(place) => Err(StepError::Refused {
                what: format!("an earlier process ended at {place}, and nobody can tell whether that was carried out"),
            }),
        }
    }

    /// From a state that nobody knows the way down is taken as well: what is left then, the check of the traces tells.
    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match Past::of(task, &settings, voice).await? {
            Past::Nothing => Ok(StepDone::default()),
            Past::Done | Past::Unknown(_) => run(task, &settings, Direction::Back, voice).await,
        }
    }
}

/// The file that a key names.
fn text(fields: &mut Fields<'_>, key: &str) -> Option<Text> {
    let expected = "a file of SQL, relative to the scenario";
    let written = fields.required(key, expected)?.str()?;
    let path = fields.folder().join(&written.value);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(Text { file: written.value, text }),
        Err(error) => {
            let message = format!("failed to read `{}`: {error}", path.display());
            fields.problem(Problem::new(&written.place, message).expected(expected));
            None
        }
    }
}

/// Runs one of the scripts.
async fn run(
    task: &StepTask,
    settings: &Settings,
    direction: Direction,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let dialect = engine_of(address(task, settings))?.dialect();
    let script = settings.script(direction);
    let statements = script.statements(dialect).map_err(|error| StepError::Rejected {
        what: format!("{}:{}: {}", script.file.display(), error.line, error.problem),
    })?;
    let is_whole = settings.transaction.unwrap_or_else(|| dialect.transactions_hold_ddl());
    if is_whole && script.has_own_transaction(dialect) {
        let file = script.file.display();
        let what = format!("{file} begins or ends transactions itself; `transaction = false` lets it");
        return Err(StepError::Rejected { what });
    }
    let run = Run { task, settings, direction, script: &script, statements: &statements };
    if is_whole {
        run.whole(voice).await?
    } else {
        run.one_by_one(voice).await?
    };
    let statements = Figure { name: "statements".to_owned(), value: statements.len() as f64 };
    Ok(StepDone { figures: vec![statements], ..StepDone::default() })
}

/// A script that is run.
struct Run<'a> {
    task: &'a StepTask,
    settings: &'a Settings,
    direction: Direction,
    script: &'a Script,
    statements: &'a [Placed<'a>],
}

impl Run<'_> {
    /// All statements in one transaction, whose name is on disk before it is committed.
    async fn whole(&self, voice: &mut dyn StepVoice) -> Result<(), StepError> {
        let direction = self.direction;
        let mut session = self.task.connect(address(self.task, self.settings)).await?;
        session.begin(false).await?;
        for one in self.statements {
            // A transaction that fails ends with its session.
            session.execute(one.text).await.map_err(|error| self.failed(one, error))?;
        }
        let transaction = session.transaction_name().await?;
        voice.mark(Mark::Committing { direction, transaction: transaction.clone() }.json()).await?;
        match session.commit().await {
            Ok(()) => {}
            // The answer was lost, and the transaction may be there.
            Err(error @ EngineError::Unavailable { .. }) => {
                if became(self.task, self.settings, transaction.as_deref()).await? != Some(true) {
                    return Err(error.into());
                }
            }
            Err(error) => {
                voice.mark(Mark::Nothing { direction }.json()).await?;
                return Err(error.into());
            }
        }
        voice.mark(Mark::Ran { direction }.json()).await
    }

    /// Each statement on its own. What ran before one that fails stays, and that is told.
    async fn one_by_one(&self, voice: &mut dyn StepVoice) -> Result<(), StepError> {
        let direction = self.direction;
        let mut session = self.task.connect(address(self.task, self.settings)).await?;
        for (at, one) in self.statements.iter().enumerate() {
            voice.mark(Mark::Running { direction, line: one.line }.json()).await?;
            let Err(error) = session.execute(one.text).await else { continue };
            let error = self.failed(one, error);
            if at == 0 {
                voice.mark(Mark::Nothing { direction }.json()).await?;
                return Err(error);
            }
            let source = "each statement stood on its own".into();
            return Err(StepError::Unrestored { what: chain(&error), source });
        }
        voice.mark(Mark::Ran { direction }.json()).await
    }

    fn failed(&self, one: &Placed<'_>, error: EngineError) -> StepError {
        StepError::broken(format!("run {}:{}", self.script.file.display(), one.line), error)
    }
}

/// Where the script runs.
fn address<'t>(task: &'t StepTask, settings: &Settings) -> &'t Address {
    task.addresses.get(settings.side)
}
