//! Throw-away clusters of PostgreSQL.

use rehearse::engine::{Dialect, Engine, EngineError, ServerSpec, Session};

use super::*;

/// The processes that work in a directory, by their command lines.
pub(super) fn processes_in(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let place = std::fs::read_link(entry.path().join("cwd"));
        if place.is_ok_and(|place| place.to_string_lossy().starts_with(&*directory.to_string_lossy())) {
            let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            found.push(format!("{}: {}", entry.file_name().to_string_lossy(), line.replace('\0', " ")));
        }
    }
    found
}

/// The servers that are zombies, children of this very process.
fn zombies() -> usize {
    let me = std::process::id().to_string();
    let children = Command::new("ps").args(["-o", "stat=,comm=", "--ppid", &me]).output().unwrap();
    String::from_utf8(children.stdout)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with('Z') && line.contains("postgres"))
        .count()
}

fn postmaster(work: &Path) -> String {
    let text = std::fs::read_to_string(work.join("cluster-target/data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

/// The shared memory that the system keeps for a server: the number of a segment, and files.
fn shared_memory(work: &Path) -> Vec<String> {
    let lock = std::fs::read_to_string(work.join("cluster-target/data/postmaster.pid")).unwrap();
    let segment = lock.lines().nth(6).unwrap().split_whitespace().last().unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", postmaster(work))).unwrap();
    let files = maps.split_whitespace().filter(|word| word.starts_with("/dev/shm/")).map(str::to_owned);
    files.chain([segment.to_owned()]).collect()
}

fn is_there(memory: &str) -> bool {
    let segments = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    Path::new(memory).exists() || segments.lines().any(|line| line.split_whitespace().nth(1) == Some(memory))
}

pub(super) fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

pub(super) async fn acquire(request: &Request, leases: &mut Announced) -> Result<Server, ProvisionError> {
    provision::by_id("local").unwrap().acquire(request, leases).await
}

#[tokio::test]
async fn a_cluster_answers_and_leaves_nothing() {
    let work = work();
    let request = request(work.path());
    if offered("a_cluster_answers_and_leaves_nothing", "local", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let server = acquire(&request, &mut leases).await.unwrap();
    assert_eq!((server.provider, leases.0.len()), ("local", 1));
    assert!(server.why.starts_with(&format!("PostgreSQL {} ", server.version)), "{}", server.why);

    for setting in ["fsync", "full_page_writes", "synchronous_commit", "data_checksums"] {
        assert_eq!(ask(&server.admin, &format!("SHOW {setting}")).await, "on", "{setting}");
    }
    assert_eq!(ask(&server.admin, "SHOW listen_addresses").await, "");
    assert_eq!(ask(&server.admin, "SHOW server_encoding").await, "UTF8");
    let directory = work.path().join("cluster-target");
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(directory.join("password")).unwrap().permissions().mode() & 0o777, 0o600);

    let name = scratch::name(&request.run, request.side);
    let address = scratch::create(&server, request.engine, &name, &mut leases, None).await.unwrap();
    assert_eq!(ask(&address, "SELECT current_database()").await, name);
    assert_eq!(leases.0.len(), 1, "a database of our own server is no lease");

    leases.release(&Urls::default()).await;
    assert_nothing_left(work.path(), "at the end");
}

#[tokio::test]
async fn an_interrupted_start_leaves_nothing_at_any_moment() {
    const TEST: &str = "an_interrupted_start_leaves_nothing_at_any_moment";
    interrupted(TEST, request, &[0, 5, 30, 200, 500, 1000, 1500]).await;
}

/// Starts that are interrupted after so many milliseconds leave nothing.
pub(super) async fn interrupted(test: &str, request: fn(&Path) -> Request, moments: &[u64]) {
    let probe = work();
    if offered(test, "local", &request(probe.path())).await.is_none() {
        return;
    }
    for milliseconds in moments {
        let work = work();
        let request = request(work.path());
        let mut leases = Announced::default();
        let limit = Duration::from_millis(*milliseconds);
        let _ = tokio::time::timeout(limit, acquire(&request, &mut leases)).await;
        leases.release(&Urls::default()).await;
        assert_nothing_left(work.path(), &format!("after {milliseconds} ms"));
    }
}

/// Neither files nor processes are left of clusters that were here.
pub(super) fn assert_nothing_left(work: &Path, when: &str) {
    assert_eq!(std::fs::read_dir(work).unwrap().count(), 0, "{when}");
    assert_eq!(processes_in(work), Vec::<String>::new(), "{when}");
}

#[tokio::test]
async fn a_killed_server_is_started_again_and_cleaned_up() {
    let work = work();
    let request = request(work.path());
    if offered("a_killed_server_is_started_again_and_cleaned_up", "local", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let server = acquire(&request, &mut leases).await.unwrap();
    let identity = "SELECT system_identifier::text FROM pg_control_system()";
    started_again(&request, &server, &leases, postmaster, identity).await;

    let memory = shared_memory(work.path());
    assert!(memory.iter().all(|memory| is_there(memory)), "{memory:?}");
    kill("-KILL", &postmaster(work.path()));
    leases.release(&Urls::default()).await;
    assert_nothing_left(work.path(), "at the end");
    assert!(!memory.iter().any(|memory| is_there(memory)), "{memory:?}");
    assert_eq!(zombies(), 0);
}

/// A server that runs is reached again, and one that was killed is started again on the same rows.
pub(super) async fn started_again(
    request: &Request,
    server: &Server,
    leases: &Announced,
    process: fn(&Path) -> String,
    identity: &str,
) {
    let local = provision::by_id("local").unwrap();
    let before = ask(&server.admin, identity).await;
    let first = process(&request.work);
    assert_eq!(local.reattach(&leases.0[0], request).await.unwrap(), server.admin);
    assert_eq!(process(&request.work), first);
    kill("-KILL", &first);
    let address = local.reattach(&leases.0[0], request).await.unwrap();
    assert_ne!(process(&request.work), first);
    assert_eq!(ask(&address, identity).await, before);
}

#[tokio::test]
async fn a_port_is_listened_on_and_one_in_use_is_named() {
    listens("a_port_is_listened_on_and_one_in_use_is_named", request).await;
}

/// A port that is in use is named; a free one is listened on, and lets in whoever has the password.
pub(super) async fn listens(test: &str, request: fn(&Path) -> Request) {
    let work = work();
    let mut request = request(work.path());
    if offered(test, "local", &request).await.is_none() {
        return;
    }
    let (listener, port) = taken_port();
    request.port = Some(port);

    let mut leases = Announced::default();
    let error = acquire(&request, &mut leases).await.unwrap_err();
    assert!(error.to_string().contains(&format!("port {port} on 127.0.0.1 is in use")), "{error}");
    assert!(error.hint().is_some());
    assert!(matches!(error, ProvisionError::DidNotStart { log_tail, .. } if !log_tail.is_empty()));
    leases.release(&Urls::default()).await;

    drop(listener);
    let mut leases = Announced::default();
    let started = acquire(&request, &mut leases).await.unwrap();
    // As an application would come in.
    let mut by_port = started.admin.clone();
    let Endpoint::Server { host, .. } = &mut by_port.endpoint else { panic!("{by_port}") };
    *host = Host::Tcp { host: "127.0.0.1".to_owned(), port };
    assert_eq!(ask(&by_port, "SELECT CONCAT(1)").await, "1");
    leases.release(&Urls::default()).await;
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn what_is_not_installed_or_cannot_be_reached_is_said_beforehand() {
    let work = work();
    let base = request(work.path());
    if offered("what_is_not_installed_or_cannot_be_reached_is_said_beforehand", "local", &base).await.is_none() {
        return;
    }
    let refusal = |request: Request| async move {
        let mut leases = Announced::default();
        let error = acquire(&request, &mut leases).await.unwrap_err();
        assert!(leases.0.is_empty(), "nothing was taken");
        assert!(error.hint().is_some());
        error.to_string()
    };

    let text = refusal(Request { version: Some("9.1".to_owned()), ..base.clone() }).await;
    assert!(text.contains("PostgreSQL 9.1 is not installed here, only "), "{text}");

    let long = work.path().join("x".repeat(100));
    let text = refusal(Request { work: long, ..base.clone() }).await;
    assert!(text.contains("the system allows 107"), "{text}");
}

#[tokio::test]
async fn no_two_sides_get_in_each_others_way() {
    let work = work();
    let target = request(work.path());
    if offered("no_two_sides_get_in_each_others_way", "local", &target).await.is_none() {
        return;
    }
    let source = Request { side: Side::Source, ..target.clone() };
    let (mut of_source, mut of_target) = (Announced::default(), Announced::default());
    let (first, second) = tokio::join!(acquire(&source, &mut of_source), acquire(&target, &mut of_target));
    let (first, second) = (first.unwrap(), second.unwrap());
    of_source.release(&Urls::default()).await;
    assert!(source.engine.connect(&first.admin).await.is_err());
    assert_eq!(ask(&second.admin, "SELECT 1").await, "1");
    of_target.release(&Urls::default()).await;
    assert_eq!(processes_in(work.path()), Vec::<String>::new());
}

/// PostgreSQL with programs from another folder.
struct Replaced(&'static ServerSpec);

#[async_trait]
impl Engine for Replaced {
    fn id(&self) -> &'static str {
        "postgres"
    }
    fn title(&self) -> &'static str {
        "PostgreSQL"
    }
    fn dialect(&self) -> &'static dyn Dialect {
        engine::by_id("postgres").unwrap().dialect()
    }
    fn server(&self) -> Option<&'static ServerSpec> {
        Some(self.0)
    }
    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError> {
        engine::by_id("postgres").unwrap().connect(address).await
    }
}

/// An engine whose programs are these shell scripts.
fn scripts(folder: &Path, initdb: &str, postgres: &str) -> &'static dyn Engine {
    let told = r#"[ "$1" = --version ] && echo "postgres (PostgreSQL) 99.1" && exit"#;
    for (name, script) in [("initdb", initdb), ("postgres", postgres)] {
        std::fs::write(folder.join(name), format!("#!/bin/sh\n{told}\n{script}\n")).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let real = engine::by_id("postgres").unwrap().server().unwrap();
    let folder: &'static str = Box::leak(folder.to_str().unwrap().to_owned().into_boxed_str());
    let folders: &'static [&'static str] = Box::leak(Box::new([folder]));
    let spec = ServerSpec { program_folders: folders, ..*real };
    Box::leak(Box::new(Replaced(Box::leak(Box::new(spec)))))
}

#[tokio::test]
async fn programs_that_fail_are_told_with_their_last_words() {
    let base = work();
    if offered("programs_that_fail_are_told_with_their_last_words", "local", &request(base.path())).await.is_none() {
        return;
    }
    for (initdb, postgres, problem, word) in [
        ("echo no such symbol; exit 127", "exit", "initdb exited with status 127", "no such symbol"),
        ("mkdir data", "echo bad page; exit 3", "the server exited with status 3", "bad page"),
        ("mkdir data", "kill -SEGV $$", "the server was ended by signal 11", ""),
        ("echo could not write: No space left on device; exit 1", "exit", "no space is left on the device of", "write"),
        ("mkdir data", "while :; do sleep 0.1; done", "no answer within the deadline", ""),
    ] {
        let work = work();
        let engine = scripts(base.path(), initdb, postgres);
        let deadline = Duration::from_secs(3);
        let request = Request { engine, version: Some("99".to_owned()), deadline, ..request(work.path()) };
        let mut leases = Announced::default();
        let error = acquire(&request, &mut leases).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        let ProvisionError::DidNotStart { log_tail, .. } = error else { panic!("{error}") };
        assert!(log_tail.concat().contains(word), "{log_tail:?}");
        leases.release(&Urls::default()).await;
        assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn an_engine_without_a_server_says_so_with_a_way_out() {
    let work = work();
    let request = Request { engine: engine::by_id("sqlite").unwrap(), ..request(work.path()) };
    let unable = provision::by_id("local").unwrap().offer(&request).await.unwrap_err();
    assert_eq!(unable.reason, "SQLite has no server that could be started or asked");
    assert_eq!(unable.hint, "give the path of its file");
}
