//! The parts of a URL, whatever they were read from, and the address that they make.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::{option_file, pass_file, service};
use crate::{
    document,
    engine::{self, Engine, Parameter, ServerSpec, UrlSpec},
    model::{Address, Endpoint, EngineId, Host, Secret, Tls, TlsMode},
};

/// The engine of connection strings without a scheme, of services and of pass files, which are all libpq's.
const LIBPQ: &str = "postgres";

/// What is known of a database's place so far.
pub(super) struct Parts {
    engine: &'static dyn Engine,
    spec: &'static ServerSpec,
    values: BTreeMap<Parameter, String>,
}

impl Parts {
    /// None, of PostgreSQL.
    pub(super) fn postgres() -> Self {
        Self::of(LIBPQ).expect("PostgreSQL is registered, and has servers")
    }

    /// None, of the engine whose URLs begin like this.
    pub(super) fn of(scheme: &str) -> Option<Self> {
        engine::ALL.iter().find_map(|engine| {
            let spec = engine.server().filter(|spec| spec.urls.schemes.contains(&scheme))?;
            Some(Self { engine: *engine, spec, values: BTreeMap::new() })
        })
    }

    /// The words of its URLs.
    pub(super) const fn urls(&self) -> &'static UrlSpec {
        &self.spec.urls
    }

    /// Whether it is PostgreSQL's.
    pub(super) fn is_postgres(&self) -> bool {
        self.engine.id() == LIBPQ
    }

    /// A parameter by its name. One that is not known is refused, for what is left out in silence may be what keeps a
    /// password or a connection safe.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some(parameter) = self.urls().parameter(name) else { return Err(self.unknown(name)) };
        if self.values.contains_key(&parameter) && parameter != Parameter::NoEffect {
            return Err(format!("`{name}` is given twice"));
        }
        self.values.insert(parameter, value.to_owned());
        Ok(())
    }

    /// What is not said yet. An empty value says nothing.
    pub(super) fn fill(&mut self, parameter: Parameter, value: &str) {
        if !value.is_empty() && self.get(parameter).is_none() {
            self.values.insert(parameter, value.to_owned());
        }
    }

    /// The host that a URL's query names counts, and not the one before it.
    pub(super) fn replace_host(&mut self, value: &str) {
        self.values.insert(Parameter::Host, value.to_owned());
    }

    /// What is said.
    pub(super) fn get(&self, parameter: Parameter) -> Option<&str> {
        self.values.get(&parameter).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether anything is said.
    pub(super) fn says(&self, parameter: Parameter) -> bool {
        self.get(parameter).is_some()
    }

    /// What is said, if nothing else is.
    pub(super) fn only(&self, parameter: Parameter) -> Option<String> {
        (self.values.len() == 1).then(|| self.get(parameter).map(str::to_owned)).flatten()
    }

    fn unknown(&self, name: &str) -> String {
        let known = self.urls().parameters.iter().map(|(name, _)| *name);
        let hint = match document::nearest(name, known.clone()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("expected one of {}", known.collect::<Vec<_>>().join(", ")),
        };
        format!("the parameter `{name}` is not known; {hint}")
    }

    /// With what services and files of options say besides.
    pub(super) fn whole(mut self) -> Result<Self, String> {
        if let Some(name) = self.values.remove(&Parameter::Service) {
            service::fill(&mut self, &name)?;
        }
        option_file::fill(&mut self)?;
        Ok(self)
    }

    /// The address, with its password from the pass file if nothing else says it.
    pub(super) fn address(mut self) -> Result<Address, String> {
        let example = format!("expected {}://user@host/database", self.urls().schemes[0]);
        let database =
            self.get(Parameter::Database).ok_or_else(|| format!("no database is named; {example}"))?.to_owned();
        let host = self.host()?.ok_or_else(|| format!("no host is named; {example}"))?;
        let user = match self.get(Parameter::User) {
            Some(user) => user.to_owned(),
            // Through a socket a server asks the system who we are.
            None if matches!(host, Host::Socket { .. }) => {
                account().ok_or_else(|| format!("no user is named; {example}"))?
            }
            None => return Err(format!("no user is named; {example}")),
        };
        if self.is_postgres() && !self.says(Parameter::Password) {
            let found = pass_file::find(self.get(Parameter::PassFile), &host, &database, &user);
            self.fill(Parameter::Password, found.as_deref().unwrap_or_default());
        }
        let password = self.get(Parameter::Password).map(Secret::new);
        let tls = self.tls(&host)?;
        let endpoint = Endpoint::Server { host, user, password, database, tls };
        Ok(Address { engine: EngineId::from(self.engine.id()), endpoint })
    }

    fn host(&self) -> Result<Option<Host>, String> {
        let host = self.get(Parameter::Host);
        if [host, self.get(Parameter::Port)].into_iter().flatten().any(|text| text.contains(',')) {
            return Err("several hosts are named, and each side is one server; name one".to_owned());
        }
        let port = match self.get(Parameter::Port) {
            None => self.spec.port,
            Some(text) => text
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("`{text}` is no port; expected a number from 1 to 65535"))?,
        };
        if let Some(socket) = self.get(Parameter::Socket) {
            let socket = PathBuf::from(socket);
            let directory = socket.parent().filter(|_| socket.is_absolute());
            let directory = directory.ok_or_else(|| format!("`{}` is no path of a socket", socket.display()))?;
            return Ok(Some(Host::Socket { directory: directory.to_owned(), port }));
        }
        Ok(host.map(|host| match host {
            directory if directory.starts_with('/') => Host::Socket { directory: directory.into(), port },
            // Square brackets are a URL's, and no part of an IPv6 address.
            host => Host::Tcp { host: host.trim_start_matches('[').trim_end_matches(']').to_owned(), port },
        }))
    }

    fn tls(&self, host: &Host) -> Result<Tls, String> {
        let urls = self.urls();
        let word = self.get(Parameter::TlsMode);
        let mode = match word {
            None => TlsMode::default(),
            Some(word) => urls
                .tls_modes
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(word))
                .map(|(_, mode)| *mode)
                .ok_or_else(|| {
                    let known: Vec<&str> = urls.tls_modes.iter().map(|(word, _)| *word).collect();
                    format!(
                        "`{}` cannot be `{word}`; expected one of {}",
                        urls.name_of(Parameter::TlsMode),
                        known.join(", ")
                    )
                })?,
        };
        if matches!(host, Host::Socket { .. }) {
            return match word {
                Some(word) if mode > TlsMode::Prefer => Err(format!(
                    "a socket is not encrypted; leave `{}={word}` away, or name a host",
                    urls.name_of(Parameter::TlsMode)
                )),
                _ => Ok(Tls::off()),
            };
        }
        let root = self.file(Parameter::TlsRoot)?;
        if mode == TlsMode::VerifyCa && root.is_none() {
            return Err(format!(
                "`{}={}` proves nothing with the system's authorities, who sign for everybody; give one of your own as \
                 `{}`, or take `{}`",
                urls.name_of(Parameter::TlsMode),
                urls.word_of(mode),
                urls.name_of(Parameter::TlsRoot),
                urls.word_of(TlsMode::VerifyFull)
            ));
        }
        let (certificate, key) = (self.file(Parameter::TlsCertificate)?, self.file(Parameter::TlsKey)?);
        if certificate.is_some() != key.is_some() {
            let [certificate, key] = [Parameter::TlsCertificate, Parameter::TlsKey].map(|name| urls.name_of(name));
            return Err(format!("`{certificate}` and `{key}` belong together, and one of them is missing"));
        }
        Ok(Tls { mode, root, certificate, key })
    }

    /// A file that is there; the word `system` stands for the system's authorities, as in libpq.
    fn file(&self, parameter: Parameter) -> Result<Option<PathBuf>, String> {
        let Some(path) = self.get(parameter).filter(|path| parameter != Parameter::TlsRoot || *path != "system") else {
            return Ok(None);
        };
        let path = PathBuf::from(super::absolute(path));
        match fs::File::open(&path) {
            Ok(_) => Ok(Some(path)),
            Err(error) => {
                Err(format!("failed to read `{}` of `{}`: {error}", path.display(), self.urls().name_of(parameter)))
            }
        }
    }
}

/// The account that this process runs under, which is who logs in through a socket where no user is named.
fn account() -> Option<String> {
    let own = rustix::process::geteuid().as_raw().to_string();
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == own).then(|| name.to_owned())
    })
}
