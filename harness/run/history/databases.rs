//! The databases of a history under rehearsal: made, copied and dropped by name.

use std::{collections::BTreeSet, fs, io, path::Path};

use crate::{
    engine::{Engine, RoleSql},
    model::{Address, Endpoint, RunId, Side, chain},
    provision::{External, scratch},
    run::recorder::Recorder,
};

/// The databases of one run, on one server or in one folder.
pub(super) struct Databases {
    engine: &'static dyn Engine,
    run: RunId,
    /// The first of them, which its provisioner made.
    first: Address,
    /// From where the others are made; `None` for an embedded engine.
    admin: Option<Address>,
    external: Option<External>,
    recorder: Recorder,
    /// Names that are in use.
    taken: BTreeSet<String>,
    /// Names that were announced.
    announced: BTreeSet<String>,
    /// Roles that the server had before, on a server of our own; `None` where roles are not ours to look after.
    roles: Option<BTreeSet<String>>,
}

impl Databases {
    /// Goes on from the database that was got.
    pub fn new(
        engine: &'static dyn Engine,
        run: &RunId,
        first: Address,
        external: Option<External>,
        recorder: &Recorder,
    ) -> Self {
        let admin = engine.server().map(|spec| match &external {
            Some(external) => external.address.clone(),
            None => first.with_database(spec.maintenance_database),
        });
        let name = scratch::name(run, Side::Target);
        let known = BTreeSet::from([name]);
        Self {
            engine,
            run: run.clone(),
            first,
            admin,
            external,
            recorder: recorder.clone(),
            taken: known.clone(),
            announced: known,
            roles: None,
        }
    }

    /// Has a server of our own not wait for its disk, for there is a copy for each migration; and notes its roles.
    pub async fn hasten(&mut self) -> Result<(), String> {
        if let (Some(admin), None) = (&self.admin, &self.external) {
            scratch::unsynced(admin, self.engine).await.map_err(|error| chain(&error))?;
            self.roles = self.all_roles().await?;
        }
        Ok(())
    }

    /// The roles that migrations made and that are there now. Roles belong to the whole server: what one database has of
    /// them, all others have.
    pub async fn made_roles(&self) -> Result<BTreeSet<String>, String> {
        let Some(before) = &self.roles else { return Ok(BTreeSet::new()) };
        let now = self.all_roles().await?.unwrap_or_default();
        Ok(now.difference(before).cloned().collect())
    }

    /// Drops the roles that migrations made, of which no database may hold anything any more.
    pub async fn forget_roles(&self) -> Result<(), String> {
        let made = self.made_roles().await?;
        let (Some(admin), Some(sql), false) = (&self.admin, self.role_sql(), made.is_empty()) else { return Ok(()) };
        let mut session = self.engine.connect(admin).await.map_err(|error| chain(&error))?;
        for role in made {
            let dropped = session.execute(&(sql.drop)(&self.engine.dialect().quote(&role))).await;
            dropped
                .map_err(|error| format!("failed to drop the role `{role}` between two plays: {}", chain(&error)))?;
        }
        session.close().await.map_err(|error| chain(&error))
    }

    fn role_sql(&self) -> Option<RoleSql> {
        self.engine.server()?.databases.roles
    }

    async fn all_roles(&self) -> Result<Option<BTreeSet<String>>, String> {
        let (Some(admin), Some(sql)) = (&self.admin, self.role_sql()) else { return Ok(None) };
        let mut session = self.engine.connect(admin).await.map_err(|error| chain(&error))?;
        let rows = session.query(sql.list).await.map_err(|error| chain(&error))?;
        session.close().await.map_err(|error| chain(&error))?;
        Ok(Some(rows.into_iter().flatten().flatten().collect()))
    }

    /// An empty database.
    pub async fn fresh(&mut self) -> Result<Address, String> {
        let name = self.name().await?;
        let address = self.address(&name);
        match (&self.admin, &address.endpoint) {
            (Some(admin), _) => scratch::make(admin, self.engine, &name).await.map_err(|error| chain(&error))?,
            (None, Endpoint::File(path)) => gone(path)?,
            (None, Endpoint::Server { .. }) => {}
        }
        self.taken.insert(name);
        Ok(address)
    }

    /// A copy of a database in which nobody is; `None` if the engine makes none.
    pub async fn copy(&mut self, of: &Address) -> Result<Option<Address>, String> {
        let name = self.name().await?;
        let address = self.address(&name);
        let is_there = match (&self.admin, &of.endpoint, &address.endpoint) {
            (Some(admin), Endpoint::Server { database, .. }, _) => {
                scratch::copy(admin, self.engine, &name, database).await.map_err(|error| chain(&error))?
            }
            (None, Endpoint::File(from), Endpoint::File(to)) => {
                gone(to)?;
                copied(from, to)?;
                true
            }
            _ => false,
        };
        if is_there {
            self.taken.insert(name);
        }
        Ok(is_there.then_some(address))
    }

    /// Drops a database and whoever is in it.
    pub async fn drop(&mut self, address: &Address) -> Result<(), String> {
        match (&self.admin, &address.endpoint) {
            (Some(admin), Endpoint::Server { database, .. }) => {
                scratch::drop(admin, self.engine, database).await.map_err(|error| chain(&error))?;
                self.taken.remove(database);
            }
            (_, Endpoint::File(path)) => {
                gone(path)?;
                let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
                // The first one has the name of its side.
                let name = name.unwrap_or_default();
                let is_first = *address == self.first;
                self.taken.remove(&if is_first { scratch::name(&self.run, Side::Target) } else { name });
            }
            (None, Endpoint::Server { .. }) => {}
        }
        Ok(())
    }

    /// Gives a database the first name again, under which the run's report knows it; where the engine makes no copies, it
    /// keeps its own. The answer is where it is.
    pub async fn settle(&mut self, here: Address) -> Result<Address, String> {
        if here == self.first {
            return Ok(here);
        }
        if self.taken.contains(&scratch::name(&self.run, Side::Target)) {
            let first = self.first.clone();
            self.drop(&first).await?;
        }
        match self.copy(&here).await? {
            Some(copy) => {
                self.drop(&here).await?;
                Ok(copy)
            }
            None => Ok(here),
        }
    }

    /// A place of a tool's own beside the databases of the migrations: a file of their folder, or a database of their server,
    /// which is made; `None` on a server of the user's, where nobody knows whose a database of that name would be.
    pub async fn beside(&self, name: &str) -> Result<Option<Address>, String> {
        match (&self.admin, &self.first.endpoint) {
            (_, Endpoint::File(path)) => {
                let ending = path.extension().unwrap_or_default();
                let path = path.with_file_name(name).with_extension(ending);
                Ok(Some(Address { engine: self.first.engine.clone(), endpoint: Endpoint::File(path) }))
            }
            (Some(admin), Endpoint::Server { .. }) if self.external.is_none() => {
                scratch::make(admin, self.engine, name).await.map_err(|error| chain(&error))?;
                Ok(Some(self.first.with_database(name)))
            }
            (_, Endpoint::Server { .. }) => Ok(None),
        }
    }

    /// A name that is free, announced before it is used for the first time.
    async fn name(&mut self) -> Result<String, String> {
        let base = scratch::name(&self.run, Side::Target);
        let names = std::iter::once(base.clone()).chain((2_u32..).map(|number| format!("{base}_{number}")));
        let name = names.into_iter().find(|name| !self.taken.contains(name)).unwrap_or(base);
        if self.announced.insert(name.clone()) {
            let mut leases = self.recorder.clone();
            let announced = scratch::announce(&name, &mut leases, self.external.as_ref()).await;
            announced.map_err(|error| chain(&error))?;
        }
        Ok(name)
    }

    fn address(&self, name: &str) -> Address {
        match &self.first.endpoint {
            _ if *name == scratch::name(&self.run, Side::Target) => self.first.clone(),
            Endpoint::Server { .. } => self.first.with_database(name),
            Endpoint::File(path) => Address {
                engine: self.first.engine.clone(),
                endpoint: Endpoint::File(path.with_file_name(format!("{name}.db"))),
            },
        }
    }
}

/// What an embedded engine may keep beside a file: its endings.
const BESIDE: &[&str] = &["", "-wal", "-journal", "-shm"];

fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn gone(path: &Path) -> Result<(), String> {
    for ending in BESIDE {
        let path = beside(path, ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("failed to remove `{}`: {error}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn copied(from: &Path, to: &Path) -> Result<(), String> {
    for ending in BESIDE.iter().filter(|ending| **ending != "-shm") {
        let (from, to) = (beside(from, ending), beside(to, ending));
        match fs::copy(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound || ending.is_empty() => {
                return Err(format!("failed to copy `{}`: {error}", from.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
