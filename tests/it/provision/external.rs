//! Databases of the user's own; a throw-away cluster plays the user's server.

use super::*;

/// A request for a database on a server of the user's.
fn on(users: &Started, address: &Address, disposable: bool) -> Request {
    let external = External { address: address.clone(), reference: "env:USERS_URL".to_owned(), disposable };
    Request { external: Some(external), ..users.request.clone() }
}

async fn acquire(request: &Request) -> Result<Server, ProvisionError> {
    let mut leases = Announced::default();
    let outcome = provision::by_id("external").unwrap().acquire(request, &mut leases).await;
    assert!(leases.0.is_empty(), "the user's server is no lease");
    outcome
}

#[tokio::test]
async fn only_what_is_declared_disposable_is_used() {
    let Some(users) = Started::local("only_what_is_declared_disposable_is_used").await else { return };
    let address = &users.server.admin;

    let error = acquire(&on(&users, address, false)).await.unwrap_err();
    assert!(matches!(error, ProvisionError::NotDisposable { .. }), "{error}");
    assert!(error.hint().unwrap().contains("rehearse_disposable"));

    assert_eq!(acquire(&on(&users, address, true)).await.unwrap().version, users.server.version);
    users.execute("CREATE TABLE rehearse_disposable ()").await;
    acquire(&on(&users, address, false)).await.unwrap();

    let request = Request { version: Some("9.1".to_owned()), ..on(&users, address, true) };
    assert!(acquire(&request).await.unwrap_err().to_string().ends_with("and 9.1 was asked for"));
    users.leases.release(&Urls::default()).await;
}

#[tokio::test]
async fn the_right_to_create_databases_is_asked_for_first() {
    let Some(users) = Started::local("the_right_to_create_databases_is_asked_for_first").await else { return };
    users.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'").await;
    let mut address = users.server.admin.clone();
    if let rehearse::model::Endpoint::Server { user, password, .. } = &mut address.endpoint {
        *user = "modest".to_owned();
        *password = Some(rehearse::model::Secret::new("modest"));
    }
    let error = acquire(&on(&users, &address, true)).await.unwrap_err();
    assert!(error.to_string().ends_with("may not create databases"), "{error}");
    users.execute("ALTER ROLE modest CREATEDB").await;
    acquire(&on(&users, &address, true)).await.unwrap();
    users.leases.release(&Urls::default()).await;
}

#[tokio::test]
async fn scratch_databases_are_announced_and_dropped_even_in_use() {
    let Some(users) = Started::local("scratch_databases_are_announced_and_dropped_even_in_use").await else {
        return;
    };
    let request = on(&users, &users.server.admin, true);
    let server = acquire(&request).await.unwrap();
    let name = scratch::name(&request.run, request.side);
    let mut leases = Announced::default();
    let address =
        scratch::create(&server, request.engine, &name, &mut leases, request.external.as_ref()).await.unwrap();
    assert_eq!(ask(&address, "SHOW server_encoding").await, "UTF8");
    assert_eq!(provision::by_id("external").unwrap().reattach(&leases.0[0], &request).await.unwrap(), address);

    let error = provision::release(&leases.0[0], &Urls::default()).await.unwrap_err();
    assert!(error.to_string().contains("env:USERS_URL"), "{error}");

    let session = request.engine.connect(&address).await.unwrap();
    let urls = Urls(HashMap::from([("env:USERS_URL".to_owned(), server.admin.clone())]));
    leases.release(&urls).await;
    drop(session);
    assert_eq!(ask(&server.admin, "SELECT count(*) FROM pg_database WHERE datname LIKE 'rehearse%'").await, "0");

    // Interrupted while the server creates it: it is gone as well.
    for milliseconds in [1, 10, 20, 40, 80] {
        let mut leases = Announced::default();
        let create = scratch::create(&server, request.engine, &name, &mut leases, request.external.as_ref());
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), create).await;
        leases.release(&urls).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = ask(&server.admin, "SELECT count(*) FROM pg_database WHERE datname LIKE 'rehearse%'").await;
        assert_eq!(left, "0", "after {milliseconds} ms");
    }
    users.leases.release(&Urls::default()).await;
}

#[tokio::test]
async fn a_provider_is_chosen_with_its_reason() {
    let work = work();
    let request = request(work.path());
    let Err(error) = provision::choose(Some("contaner"), &request).await else { panic!("there is no such provider") };
    assert_eq!(error.to_string(), "there is no provider `contaner`");
    assert_eq!(error.hint().unwrap(), "use one of auto, container, local, external, perhaps `container`");

    let absent = Request { version: Some("1".to_owned()), image: Some("localhost:1/absent:1".to_owned()), ..request };
    let Err(error) = provision::choose(None, &absent).await else { panic!("nothing can serve this") };
    assert!(error.to_string().starts_with("no PostgreSQL 1 can be had here: "), "{error}");
    println!("{error}\nhint: {}", error.hint().unwrap());
}
