//! Getting a session.

use rehearse::{
    engine::EngineError,
    model::{Address, Endpoint, Host, Secret, Tls},
};

use super::{Place, rows};

pub(super) async fn who_is_not_there_is_unavailable(place: &Place) {
    let address = place.fresh().await;
    let mut session = place.engine.connect(&address).await.unwrap();
    assert!(session.version().await.unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(rows::one(session.as_mut(), "SELECT 1").await, "1");
    session.close().await.unwrap();
    match &address.endpoint {
        Endpoint::File(_) => files(place, &address).await,
        Endpoint::Server { .. } => servers(place, &address).await,
    }
}

async fn refusal(place: &Place, address: &Address) -> EngineError {
    let Err(error) = place.engine.connect(address).await else { panic!("connected to {address}") };
    error
}

async fn files(place: &Place, address: &Address) {
    let Endpoint::File(path) = &address.endpoint else { unreachable!() };
    let at = |path| Address { engine: address.engine.clone(), endpoint: Endpoint::File(path) };
    let error = refusal(place, &at(path.join("in/a/file"))).await;
    assert!(matches!(error, EngineError::Unavailable { .. }), "{error:?}");
    let garbage = path.with_extension("garbage");
    std::fs::write(&garbage, [7; 4096]).unwrap();
    let error = refusal(place, &at(garbage)).await;
    assert!(matches!(error, EngineError::BadFile { .. }), "{error:?}");
    let host = Host::Tcp { host: "127.0.0.1".to_owned(), port: 1 };
    let (user, database, tls) = ("u".to_owned(), "d".to_owned(), Tls::default());
    let endpoint = Endpoint::Server { host, user, password: None, database, tls };
    let error = refusal(place, &Address { engine: address.engine.clone(), endpoint }).await;
    assert!(matches!(error, EngineError::Unavailable { .. } | EngineError::BadFile { .. }), "{error:?}");
}

async fn servers(place: &Place, address: &Address) {
    let error = refusal(place, &address.with_database("rehearse_nobody_made_this")).await;
    assert!(matches!(error, EngineError::Refused { code: Some(_), .. }), "{error:?}");

    let mut stranger = address.clone();
    let Endpoint::Server { user, password, .. } = &mut stranger.endpoint else { unreachable!() };
    "rehearse_stranger".clone_into(user);
    *password = Some(Secret::new("p4ss-that-must-not-show"));
    let error = refusal(place, &stranger).await;
    assert!(matches!(error, EngineError::Refused { code: Some(_), .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("p4ss-that"), "{error:?}");

    // A port that was free a moment ago, and a folder without a socket.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let nowhere = tempfile::TempDir::new().unwrap();
    for nobody in [
        Host::Tcp { host: "127.0.0.1".to_owned(), port },
        Host::Socket { directory: nowhere.path().to_owned(), port: 5432 },
    ] {
        let mut silent = address.clone();
        let Endpoint::Server { host, .. } = &mut silent.endpoint else { unreachable!() };
        *host = nobody;
        let error = refusal(place, &silent).await;
        assert!(matches!(error, EngineError::Unavailable { .. }), "{error:?}");
    }
    let file = Address { engine: address.engine.clone(), endpoint: Endpoint::File("/nowhere".into()) };
    let error = refusal(place, &file).await;
    assert!(matches!(error, EngineError::Unavailable { .. } | EngineError::BadFile { .. }), "{error:?}");
}
