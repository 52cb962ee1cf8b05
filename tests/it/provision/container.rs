//! Servers in containers.

use super::*;

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What Docker still has of a run: containers in any state.
fn containers_of(request: &Request) -> String {
    docker(&[
        "ps",
        "-a",
        "--filter",
        &format!("label=rehearse.run={}", request.run),
        "--format",
        "{{.Names}} {{.Status}}",
    ])
}

fn volumes_of(name: &str) -> Vec<String> {
    let names = docker(&["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", name]);
    names.split_whitespace().map(str::to_owned).collect()
}

fn name_of(lease: &Lease) -> &str {
    match &lease.kind {
        LeaseKind::Container { name, .. } => name,
        other => panic!("{other:?} is no container"),
    }
}

async fn acquire(request: &Request, leases: &mut Announced) -> Result<Server, ProvisionError> {
    provision::by_id("container").unwrap().acquire(request, leases).await
}

#[tokio::test]
async fn a_container_answers_and_leaves_nothing() {
    let work = work();
    let request = Request { memory_bytes: Some(256 << 20), cpus: Some(1.5), ..request(work.path()) };
    if offered("a_container_answers_and_leaves_nothing", "container", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let server = acquire(&request, &mut leases).await.unwrap();
    assert!(server.version.starts_with("17") && server.why.contains("postgres:17 (sha256:"), "{server:?}");
    assert_eq!(ask(&server.admin, "SELECT 1").await, "1");

    let name = name_of(&leases.0[0]).to_owned();
    let limits = docker(&[
        "inspect",
        "--format",
        "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.NetworkSettings.Ports}}",
        &name,
    ]);
    assert!(limits.starts_with("268435456 268435456 1500000000 ") && limits.contains("127.0.0.1"), "{limits}");
    assert!(!limits.contains("0.0.0.0"), "{limits}");

    let volumes = volumes_of(&name);
    leases.release(&Urls::default()).await;
    assert_eq!(containers_of(&request), "");
    let left = docker(&["volume", "ls", "--quiet"]);
    assert!(volumes.iter().all(|volume| !left.contains(volume)), "{volumes:?}");
}

#[tokio::test]
async fn an_interrupted_start_leaves_no_container_at_any_moment() {
    let work = work();
    if offered("an_interrupted_start_leaves_no_container_at_any_moment", "container", &request(work.path()))
        .await
        .is_none()
    {
        return;
    }
    for milliseconds in [5, 30, 60, 100, 150, 250, 600, 1200] {
        let request = request(work.path());
        let mut leases = Announced::default();
        let limit = Duration::from_millis(milliseconds);
        let _ = tokio::time::timeout(limit, acquire(&request, &mut leases)).await;
        leases.release(&Urls::default()).await;
        assert_eq!(containers_of(&request), "", "after {milliseconds} ms");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(containers_of(&request), "", "some time after {milliseconds} ms");
    }
}

#[tokio::test]
async fn a_stopped_container_is_found_again_with_its_rows() {
    let work = work();
    let request = request(work.path());
    if offered("a_stopped_container_is_found_again_with_its_rows", "container", &request).await.is_none() {
        return;
    }
    let provisioner = provision::by_id("container").unwrap();
    let mut leases = Announced::default();
    let server = acquire(&request, &mut leases).await.unwrap();
    assert_eq!(provisioner.reattach(&leases.0[0], &request).await.unwrap(), server.admin);

    let address = scratch::create(&server, request.engine, "rehearse_kept", &mut leases, None).await.unwrap();
    docker(&["kill", name_of(&leases.0[0])]);
    assert!(request.engine.connect(&address).await.is_err());
    let again = provisioner.reattach(&leases.0[0], &request).await.unwrap();
    assert_eq!(ask(&again.with_database("rehearse_kept"), "SELECT current_database()").await, "rehearse_kept");
    let lease = leases.0[0].clone();
    leases.release(&Urls::default()).await;

    let error = provisioner.reattach(&lease, &request).await.unwrap_err();
    assert!(error.to_string().contains("is not there any more"), "{error}");
}

/// An image whose server says that it does not know its argument, and exits; gone at the end.
struct Refusing(String);

impl Refusing {
    fn make(request: &Request) -> Self {
        let name = format!("rehearse-test/refusing:{}", request.run);
        let container = docker(&["create", "postgres:17"]);
        docker(&["commit", "--change", r#"CMD ["postgres", "--no-such-argument"]"#, &container, &name]);
        docker(&["rm", "-v", &container]);
        Self(name)
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        docker(&["rmi", &self.0]);
    }
}

#[tokio::test]
async fn a_container_that_exits_is_noticed_with_its_log() {
    let work = work();
    let request = request(work.path());
    if offered("a_container_that_exits_is_noticed_with_its_log", "container", &request).await.is_none() {
        return;
    }
    let image = Refusing::make(&request);
    let request = Request { image: Some(image.0.clone()), ..request };
    let start = std::time::Instant::now();
    let mut leases = Announced::default();
    let error = acquire(&request, &mut leases).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(error.to_string().contains("did not come up: the container exited with status"), "{error}");
    assert!(matches!(&error, ProvisionError::DidNotStart { log_tail, .. } if !log_tail.is_empty()), "{error:?}");
    leases.release(&Urls::default()).await;
    assert_eq!(containers_of(&request), "");
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_said_beforehand() {
    let work = work();
    let base = request(work.path());
    if offered("an_image_that_cannot_be_had_is_said_beforehand", "container", &base).await.is_none() {
        return;
    }
    let request = Request { image: Some("localhost:1/rehearse/absent:1".to_owned()), ..base };
    let mut leases = Announced::default();
    let error = acquire(&request, &mut leases).await.unwrap_err();
    assert!(leases.0.is_empty(), "nothing was taken");
    assert!(
        error.to_string().starts_with("image localhost:1/rehearse/absent:1 is not here and cannot be pulled"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--provider local"));
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let work = work();
    let (_listener, port) = taken_port();
    let request = Request { port: Some(port), ..request(work.path()) };
    if offered("a_port_in_use_is_named", "container", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let error = acquire(&request, &mut leases).await.unwrap_err();
    assert!(error.to_string().ends_with(&format!("port {port} on 127.0.0.1 is in use")), "{error}");
    leases.release(&Urls::default()).await;
    assert_eq!(containers_of(&request), "");
}
