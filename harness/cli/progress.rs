//! Progress on stderr: a live line in a terminal, plain lines elsewhere.

use std::{
    env,
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    model::{Event, EventKind, Severity},
    report::prose,
    run::EventSink,
};

use super::tell::say;

/// The terminal's width in columns; 80 where there is no terminal.
pub fn width() -> u16 {
    let (_, columns) = console::Term::stdout().size();
    if io::stdout().is_terminal() { columns.clamp(60, 160) } else { 80 }
}

/// The sink for this terminal.
pub fn sink() -> Box<dyn EventSink> {
    let is_live = io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb");
    let bar = ProgressBar::with_draw_target(
        None,
        if is_live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
    );
    if is_live {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    Box::new(Progress { bar, is_live, head: None, reason: String::new(), doing: String::new() })
}

/// Follows the events of a run.
struct Progress {
    bar: ProgressBar,
    is_live: bool,
    /// The beginning of the first line, until the scenario and its target are known.
    head: Option<String>,
    /// Why the last check was skipped: many are for one cause, which is told once.
    reason: String,
    /// What the live line shows.
    doing: String,
}

impl Progress {
    fn say(&self, line: &str) {
        let line = prose::visible_lines(line);
        if self.is_live {
            self.bar.println(&*line);
        } else {
            say(&line);
        }
    }

    fn show(&mut self, doing: &str, done: u64, total: Option<u64>) {
        if self.doing != doing {
            doing.clone_into(&mut self.doing);
            self.bar.reset();
            let template = match total {
                Some(_) => "{spinner} {msg} {wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left",
                None => "{spinner} {msg} {human_pos} rows, {per_sec}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_message(doing.to_owned());
        }
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    fn idle(&mut self, doing: &str) {
        self.doing.clear();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_message(doing.to_owned());
    }
}

impl EventSink for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn accept(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted(start) => {
                self.head = Some(format!("run {} · root seed {}", start.id, start.root_seed));
            }
            EventKind::ScenarioStarted { name, target, .. } => {
                let head = self.head.take().map(|head| format!("{head} · ")).unwrap_or_default();
                let target = target.as_ref().map(|target| format!(" · {target}")).unwrap_or_default();
                self.say(&format!("{head}{name}{target}"));
            }
            EventKind::ScenarioSkipped { name, reason, .. } => {
                let head = self.head.take().map(|head| format!("{head} · ")).unwrap_or_default();
                self.say(&format!("{head}{name} skipped: {reason}"));
            }
            EventKind::StepStarted(stamp) => self.idle(&stamp.step),
            EventKind::Progress { doing, done, total } => self.show(doing, *done, *total),
            EventKind::StepFinished { step, outcome, rows, duration_ms, .. } => {
                let mut line = format!("{:<8} {step:<26} {}", outcome.word(), prose::duration(*duration_ms));
                if *rows > 0 {
                    line.push_str(&format!("  {} rows", prose::count(*rows)));
                }
                if let Some(reason) = outcome.reason() {
                    line.push_str(&format!("\n         {reason}"));
                }
                self.say(&line);
            }
            EventKind::CheckFinished(check) => {
                let name = format!("check {}", check.id);
                let mut line = format!("{:<8} {name:<26} {}", check.outcome.word(), prose::duration(check.duration_ms));
                let errors = check.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
                if errors > 0 {
                    line.push_str(&format!("  {}", prose::plural(errors as u64, "finding", "findings")));
                }
                if let Some(reason) = check.outcome.reason().filter(|reason| *reason != self.reason) {
                    line.push_str(&format!("\n         {reason}"));
                    reason.clone_into(&mut self.reason);
                }
                self.say(&line);
            }
            EventKind::MigrationRehearsed(migration) => {
                let severity = migration
                    .severity()
                    .map_or("", |severity| if severity == Severity::Note { "accepted" } else { "" });
                let word = if severity.is_empty() { migration.class.word() } else { severity };
                let mut line = format!("{word:<20} {} {}", migration.name, prose::duration(migration.duration_ms));
                if let Some(error) = &migration.error {
                    line.push_str(&format!("\n         {error}"));
                }
                for worse in migration.worsened.iter().filter(|worse| worse.severity() > Severity::Note) {
                    line.push_str(&format!("\n         behind it: {}", worse.finding.kind.sentence()));
                }
                self.say(&line);
            }
            EventKind::ChainRehearsed(chain) => {
                self.say(&format!("the whole chain {} {}", chain.sentence(), prose::duration(chain.duration_ms)));
            }
            EventKind::Note { text } => self.say(&format!("note     {text}")),
            EventKind::RunFinished { .. } => {
                self.bar.finish_and_clear();
            }
            _ => {}
        }
        Ok(())
    }
}
