//! How the checks reach the databases: by fresh sessions for each check, or by one pair of sessions for all.

use std::sync::{Mutex, PoisonError};

use crate::{
    check::{Manner, Readers},
    engine::{EngineError, Standpoint},
    model::{Address, Side, Sides, chain},
};

/// How the checks reach the databases.
pub(in crate::run) struct Sessions {
    addresses: Sides<Option<Address>>,
    /// `None`: each check has fresh sessions, and sees what stands there when it begins. Otherwise all checks see the state of
    /// one moment, and the sessions are here while no check has them.
    shared: Option<Mutex<Option<Readers>>>,
    manner: Manner,
}

impl Sessions {
    /// Fresh sessions for each check, once the sides are there.
    pub fn fresh() -> Self {
        Self { addresses: Sides::default(), shared: None, manner: Manner::default() }
    }

    /// One pair of sessions for all checks.
    pub fn shared(addresses: Sides<Address>, readers: Readers, manner: Manner) -> Self {
        Self { addresses: addresses.map(Some), shared: Some(Mutex::new(Some(readers))), manner }
    }

    /// Says where a side is.
    pub fn set(&mut self, side: Side, address: Address) {
        *self.addresses.get_mut(side) = Some(address);
    }

    /// Where a side is.
    ///
    /// # Errors
    /// If it is not there yet.
    pub fn address(&self, side: Side) -> Result<&Address, String> {
        self.addresses.get(side).as_ref().ok_or_else(|| format!("the {side} is not there"))
    }

    /// Whether both sides are of one engine.
    pub(super) fn same_engine(&self) -> Result<bool, String> {
        Ok(self.address(Side::Source)?.engine == self.address(Side::Target)?.engine)
    }

    /// Sessions for a check. A check that broke keeps its sessions: whoever is next has new ones.
    pub async fn readers(&mut self) -> Result<Readers, String> {
        if let Some(readers) = self.kept().and_then(Option::take) {
            return Ok(readers);
        }
        let addresses = Sides::new(self.address(Side::Source)?.clone(), self.address(Side::Target)?.clone());
        let readers = match self.shared {
            Some(_) => Readers::open_again(&addresses, &self.manner).await,
            None => Readers::open_with(&addresses, &self.manner).await,
        };
        readers.map_err(|error| chain(&error))
    }

    /// The sides that the kept sessions see in a later snapshot than those before them, each told once, with what they see.
    pub async fn renewed(&mut self) -> Result<Vec<(Side, Standpoint)>, EngineError> {
        let Some(readers) = self.kept().and_then(Option::as_mut) else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        for side in readers.take_renewed() {
            told.push((side, readers.side(side)?.standpoint().await?));
        }
        Ok(told)
    }

    /// Takes the sessions of a check back, or ends them.
    pub async fn give_back(&mut self, readers: Readers) -> Result<(), String> {
        match self.kept() {
            Some(place) => {
                *place = Some(readers);
                Ok(())
            }
            None => readers.close().await.map_err(|error| chain(&error)),
        }
    }

    /// The place of sessions that are kept. The lock is there for the compiler alone: a session cannot be used by two at once.
    fn kept(&mut self) -> Option<&mut Option<Readers>> {
        Some(self.shared.as_mut()?.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the sessions that are kept.
    pub async fn close(&mut self) -> Result<(), String> {
        match self.kept().and_then(Option::take) {
            Some(readers) => readers.close().await.map_err(|error| chain(&error)),
            None => Ok(()),
        }
    }
}
