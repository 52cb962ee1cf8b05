//! One migration on its own: up, verified, recorded, looked at for what is worse than before; down and compared with before;
//! up again and compared with the first time.

use super::{judge, play::Play, recorded::Recorded, script::Stopped};
use crate::migrate::layout::Script;
use crate::model::{Address, MigrationClass, MigrationReport, Unchecked, Worsened, event::Direction};

/// How a round ended.
pub(super) enum Round {
    /// The way up failed.
    Failed(String),
    /// It went up; the report says what else.
    Up(Box<Went>),
}

/// What a round leaves.
pub(super) struct Went {
    /// The state behind the first way up.
    pub after: Recorded,
    /// A copy of the database as it was then; `None` where nobody needs one, or the engine makes none.
    pub copy: Option<Address>,
    /// The state behind the second way up, where it came so far.
    pub again: Option<Recorded>,
}

impl Play {
    /// Takes a migration around. The error is the run's own: that it is over, or its server gone.
    pub(super) async fn round(
        &mut self,
        here: &Address,
        at: usize,
        before: &Recorded,
        report: &mut MigrationReport,
    ) -> Result<Round, String> {
        let roles = self.databases.made_roles().await?;
        match self.up_and(here, at, true).await {
            Ok(ran) => (report.up_ms, report.footprint) = (Some(ran.ms), ran.footprint),
            Err(Stopped::Run(error)) => return Err(error),
            Err(Stopped::Migration(error)) => return Ok(Round::Failed(error)),
        }
        let verified = self.verify(here, at).await?;
        let after = self.record_rows(here, Some(before)).await?;
        report.worsened = after.defects.since(&after.state, before.known()).into_iter().map(Worsened::from).collect();
        for defects in [&before.defects, &after.defects] {
            report.leave_unchecked(&defects.unasked);
            judge::widest(&mut self.coverage.references, defects.references);
        }
        self.leaves_rows |= self.has_more_rows(before, &after);
        let has_down = self.subject.history.migrations[at].down.is_some();
        // A copy would hold on to roles that the way up made, and the way down could not drop them.
        let has_made_roles = self.databases.made_roles().await? != roles;
        let copy = if has_down && !has_made_roles { self.databases.copy(here).await? } else { None };
        let again = self.back_and_again(here, at, before, &after, report).await?;
        if let Err(error) = verified {
            report.class = report.class.max(MigrationClass::VerifyFails);
            report.error.get_or_insert(error);
        }
        Ok(Round::Up(Box::new(Went { after, copy, again })))
    }

    /// Whether a way down has no statement; what a command does is not known.
    fn is_blank(&self, down: &Script) -> bool {
        self.subject.history.commands.is_none() && down.is_blank(self.engine.dialect())
    }

    /// What the tool runs to verify a way up; the inner error is what the server said.
    async fn verify(&self, here: &Address, at: usize) -> Result<Result<(), String>, String> {
        let Some(script) = &self.subject.history.migrations[at].verify else { return Ok(Ok(())) };
        let verified = match &self.subject.history.commands {
            Some(commands) => self.command(commands, here, at, Direction::Setup, false).await,
            None => self.run_script(here, script, Vec::new(), false).await,
        };
        match verified {
            Ok(_) => Ok(Ok(())),
            Err(Stopped::Migration(error)) => Ok(Err(error)),
            Err(Stopped::Run(error)) => Err(error),
        }
    }

    async fn back_and_again(
        &mut self,
        here: &Address,
        at: usize,
        before: &Recorded,
        after: &Recorded,
        report: &mut MigrationReport,
    ) -> Result<Option<Recorded>, String> {
        let migration = &self.subject.history.migrations[at];
        let Some(down) = migration.down.clone() else {
            if !migration.is_repeatable {
                report.class = MigrationClass::NoDown;
                report.unchecked.push(Unchecked::new("down", migration.name.clone(), "there is no way down"));
            }
            return Ok(None);
        };
        match self.down(here, at, &down).await {
            Ok(ran) => report.down_ms = Some(ran.ms),
            Err(Stopped::Run(error)) => return Err(error),
            Err(Stopped::Migration(error)) => {
                (report.class, report.error) = (MigrationClass::DownFails, Some(error));
                return Ok(None);
            }
        }
        let restored = self.record(here).await?;
        let changes = self.changes(before, &restored, here).await?;
        let looked = judge::restored(&before.state, restored, &changes, &self.days);
        judge::cover(&mut self.coverage, &before.state, &looked.examined);
        report.class = match looked.class {
            MigrationClass::Differs | MigrationClass::LosesRows if self.is_blank(&down) => MigrationClass::BlankDown,
            class => class,
        };
        let is_restored = looked.class < MigrationClass::ReapplyDiffers;
        report.masked += looked.masked;
        report.findings.extend(looked.examined.findings);
        report.unchecked.extend(looked.examined.unchecked);
        let again = match self.up(here, at).await {
            Ok(_) => self.record_again(here, after.defects.clone()).await?,
            Err(Stopped::Run(error)) => return Err(error),
            Err(Stopped::Migration(error)) => {
                report.class = report.class.max(MigrationClass::ReapplyDiffers);
                report.error = Some(format!("the second time: {error}"));
                return Ok(None);
            }
        };
        let changes = self.changes(after, &again.state, here).await?;
        let second = (again.state.clone(), &changes);
        let looked = judge::reapplied(&after.state, second, is_restored, self.engine.dialect(), &self.days);
        report.class = report.class.max(looked.class);
        report.masked += looked.masked;
        report.findings.extend(looked.examined.findings);
        report.unchecked.extend(looked.examined.unchecked);
        Ok(Some(again))
    }
}
