//! The contract of an engine, kept by every engine of the registry without being asked.
//!
//! A place is an engine on something that can be had here: a file, a server of the machine's own, a container of each
//! version. Every topic is played in a fresh database of every place; what cannot be had is said to be skipped.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use rehearse::{
    engine::{self, Engine, Session},
    model::{Address, Endpoint, EngineId, RunId},
    provision::{self, Provisioner, Request, Server, scratch},
};

use crate::support::server::{self, Announced, Urls, work};

mod catalogue;
mod changes;
mod connecting;
mod identifiers;
mod loading;
pub mod mariadb_changes;
mod mariadb_values;
mod peculiar;
mod postgres_changes;
mod questions;
mod rows;
mod sequences;
mod shapes;
mod sqlite_changes;
mod values;

/// Versions of servers in containers, by engine; an engine that is not listed is asked for its own default.
const VERSIONS: &[(&str, &[&str])] = &[("postgres", &["15", "17"]), ("mariadb", &["10.11", "11.8"])];

type Topic = for<'a> fn(&'a Place) -> LocalBoxFuture<'a, ()>;

macro_rules! topics {
    ($($module:ident :: $topic:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($topic)), |place| Box::pin($module::$topic(place)))),*]
    };
}

const TOPICS: &[(&str, Topic)] = topics![
    connecting::who_is_not_there_is_unavailable,
    identifiers::hostile_names_go_round,
    identifiers::a_nul_is_refused,
    values::every_type_gives_back_what_was_loaded,
    values::nothing_and_almost_nothing_are_told_apart,
    values::a_megabyte_goes_both_ways,
    peculiar::values_that_one_engine_has_are_read,
    shapes::narrow_wide_and_empty_tables_go_both_ways,
    shapes::a_scan_ends_early_and_the_session_goes_on,
    loading::what_fails_leaves_nothing,
    loading::rows_may_come_before_those_that_they_refer_to,
    loading::who_only_reads_cannot_write,
    loading::truncating_empties_what_is_named,
    sequences::counters_go_on_behind_the_rows,
    questions::dangling_references_are_counted,
    questions::duplicates_and_spellings_are_counted,
    catalogue::what_was_created_is_read_back_and_dropped,
    changes::every_change_is_seen_and_its_undoing_too,
];

/// An engine on something that can be had here.
struct Place {
    label: String,
    engine: &'static dyn Engine,
    home: Home,
    databases: AtomicU32,
}

/// What some engines do not have; whatever is asked for instead is stated where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feature {
    /// Indexes of a part of the rows.
    PartialIndexes,
    /// Keys that are looked at when the transaction ends.
    DeferrableKeys,
    /// Unique constraints that are not indexes.
    UniqueConstraints,
    /// Names with characters outside of Unicode's basic plane.
    AllOfUnicodeInNames,
}

const LACKING: &[(&str, &[Feature])] = &[(
    "mariadb",
    &[Feature::PartialIndexes, Feature::DeferrableKeys, Feature::UniqueConstraints, Feature::AllOfUnicodeInNames],
)];

enum Home {
    Folder(tempfile::TempDir),
    Server(Box<Server>),
}

impl Place {
    fn has(&self, feature: Feature) -> bool {
        !LACKING.iter().any(|(id, lacking)| *id == self.engine.id() && lacking.contains(&feature))
    }

    /// The address of a database that nobody else uses, not yet there if it is a file.
    async fn fresh(&self) -> Address {
        let name = format!("rehearse_conformance_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        match &self.home {
            Home::Folder(folder) => {
                let endpoint = Endpoint::File(folder.path().join(name));
                Address { engine: EngineId::from(self.engine.id()), endpoint }
            }
            Home::Server(server) => {
                scratch::create(server, self.engine, &name, &mut Announced::default(), None).await.unwrap()
            }
        }
    }

    /// A session in a fresh database.
    async fn open(&self) -> Box<dyn Session> {
        self.engine.connect(&self.fresh().await).await.unwrap()
    }
}

/// A place that may or may not be had here.
struct Wanted {
    engine: &'static dyn Engine,
    provisioner: Option<&'static dyn Provisioner>,
    version: Option<&'static str>,
}

fn wanted() -> Vec<Wanted> {
    let mut all = Vec::new();
    for engine in engine::ALL.iter().copied() {
        if engine.server().is_none() {
            all.push(Wanted { engine, provisioner: None, version: None });
            continue;
        }
        let versions = VERSIONS.iter().find(|(id, _)| *id == engine.id()).map_or(&[][..], |(_, versions)| versions);
        for provisioner in provision::ALL.iter().copied().filter(|provisioner| provisioner.is_automatic()) {
            let provisioner_ = Some(provisioner);
            if provisioner.id() == "container" && !versions.is_empty() {
                let each = versions.iter().map(|version| Some(*version));
                all.extend(each.map(|version| Wanted { engine, provisioner: provisioner_, version }));
            } else {
                all.push(Wanted { engine, provisioner: provisioner_, version: None });
            }
        }
    }
    all
}

#[test]
fn every_engine_keeps_the_contract() {
    // A thread and a runtime for each place: topics need not be `Send`, and places do not wait for each other.
    let visit = |wanted| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(visit(wanted))
    };
    let places: Vec<_> = wanted().into_iter().map(|wanted| std::thread::spawn(move || visit(wanted))).collect();
    let broken: Vec<String> = places.into_iter().flat_map(|place| place.join().unwrap()).collect();
    assert!(broken.is_empty(), "the contract is broken:\n{}", broken.join("\n"));
}

/// Plays every topic in a place, and says which of them broke.
async fn visit(wanted: Wanted) -> Vec<String> {
    let Some(provisioner) = wanted.provisioner else {
        let label = format!("{} in a file", wanted.engine.id());
        let home = Home::Folder(tempfile::TempDir::new().unwrap());
        return play(&Place { label, engine: wanted.engine, home, databases: AtomicU32::default() }).await;
    };
    let work = work();
    let request = request(&wanted, provisioner, work.path());
    let said = wanted.version.map_or_else(String::new, |version| format!(" {version}"));
    let label = format!("{}{said} from {}", wanted.engine.id(), provisioner.id());
    if let Err(why) = provisioner.offer(&request).await {
        let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
        let is_required = [wanted.engine.id(), provisioner.id()].iter().any(|word| required.contains(word));
        println!("skipped: conformance of {label}: {}", why.reason);
        return if is_required { vec![format!("{label} is required: {}", why.reason)] } else { Vec::new() };
    }
    let mut leases = Announced::default();
    let broken = match provisioner.acquire(&request, &mut leases).await {
        Ok(server) => {
            // What differs between versions is told by the one that runs, whichever was asked for.
            let label = format!("{} {} from {}", wanted.engine.id(), server.version, provisioner.id());
            let home = Home::Server(Box::new(server));
            play(&Place { label, engine: wanted.engine, home, databases: AtomicU32::default() }).await
        }
        Err(error) => vec![format!("{label}: {error}")],
    };
    leases.release(&Urls::default()).await;
    broken
}

fn request(wanted: &Wanted, provisioner: &dyn Provisioner, work: &std::path::Path) -> Request {
    let version = wanted.version.unwrap_or("any");
    Request {
        run: RunId(format!("20260101t000000-c{}{}{version}", std::process::id(), provisioner.id())),
        engine: wanted.engine,
        version: wanted.version.map(str::to_owned),
        ..server::request(work)
    }
}

async fn play(place: &Place) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, topic) in TOPICS {
        if let Err(panic) = AssertUnwindSafe(topic(place)).catch_unwind().await {
            broken.push(format!("{}: {name}: {}", place.label, text_of(&*panic)));
        }
    }
    broken
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
