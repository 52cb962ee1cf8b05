//! Makes a history anew: on an empty database, by its ways up alone.

use super::{play::Play, script::Stopped};
use crate::model::Address;

impl Play {
    /// Puts a database on which only the first so many ways up ran in the place of the one in which the history stands. The
    /// answer is whether they all ran.
    pub(super) async fn anew(&mut self, upto: usize, with_given: bool) -> Result<bool, String> {
        self.state = None;
        self.keeps_bottom = false;
        let done = self.here.clone();
        let has_roles = !self.databases.made_roles().await?.is_empty();
        if has_roles {
            // They would be there already, as they are not where the history begins.
            self.databases.drop(&done).await?;
            self.databases.forget_roles().await?;
        }
        let Some(anew) = self.replay(upto, with_given).await? else { return Ok(false) };
        if !has_roles {
            self.databases.drop(&done).await?;
        }
        self.here = anew;
        Ok(true)
    }

    /// A database on which only the first so many ways up ran, with the rows given for them or without; `None` if one of them
    /// fails.
    pub(super) async fn replay(&mut self, upto: usize, with_given: bool) -> Result<Option<Address>, String> {
        let anew = self.databases.fresh().await?;
        self.begin(&anew).await?;
        for at in 0..upto {
            match self.up(&anew, at).await {
                Ok(_) if with_given => _ = self.give(&anew, at).await?,
                Ok(_) => {}
                Err(Stopped::Run(error)) => return Err(error),
                Err(Stopped::Migration(error)) => {
                    let name = &self.subject.history.migrations[at].name;
                    self.note(format!("`{name}` went up before, and does not on an empty database: {error}"))?;
                    self.databases.drop(&anew).await?;
                    return Ok(None);
                }
            }
        }
        Ok(Some(anew))
    }
}
