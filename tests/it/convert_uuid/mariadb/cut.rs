//! The connection is lost between any two statements, as it is when the process is killed: what then stands is gone on from
//! and back from.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use super::*;

on_each!(cut_off_in_turn, cut_off_beside_an_application);

/// A way to a server that is cut instead of carrying the so-manyth message, and how many it has carried.
fn cut_after(address: &Address, messages: u64) -> (Address, Arc<AtomicU64>) {
    let carried = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&carried);
    let Endpoint::Server { host: Host::Tcp { host, port }, .. } = &address.endpoint else {
        unreachable!("a container")
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = listener.local_addr().unwrap().port();
    let far = (host.clone(), *port);
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(far).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let answers = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            // A client that says goodbye waits for the server to go.
            let _ = to.shutdown(Shutdown::Both);
        });
        let (mut from, mut to) = (client, server);
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..messages {
            match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(length) if to.write_all(&buffer[..length]).is_err() => break,
                Ok(_) => drop(counter.fetch_add(1, Ordering::Relaxed)),
            }
        }
        // The message that follows is read and goes nowhere.
        let _ = from.read(&mut buffer);
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both), answers.join());
    });
    let mut near_address = address.clone();
    if let Endpoint::Server { host: Host::Tcp { port, .. }, .. } = &mut near_address.endpoint {
        *port = near;
    }
    (near_address, carried)
}

/// Waits until nobody but us is in a database, so that locks of the lost session are gone.
async fn alone(address: &Address) {
    let others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    while !ask(address, others).await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Cut at so many points of the way forward on each version, other ones on each, and wherever that leads to on the way back.
const POINTS: u64 = 4;
/// Messages by which a session begins.
const BEGINNING: u64 = 8;

async fn from_many_cuts(home: &Home, settings: &Settings, first: u64) {
    let whole = home.database("whole", SCHEMA).await;
    let before = state(&whole).await;
    let (way, carried) = cut_after(&whole, u64::MAX);
    perform_whole(&way, settings, Operation::FullMigration).await.unwrap();
    let after = state(&whole).await;
    // The last ones end the session.
    let messages = carried.load(Ordering::Relaxed) - BEGINNING - 2;
    for point in 0..POINTS {
        let cut_at = BEGINNING + (messages - first) * (point * 4 + home.turn * 2 + 1) / (POINTS * 4) + first;
        let (name, when) = (format!("cut_{cut_at}"), format!("cut at {cut_at} of {messages} messages"));
        let address = home.database(&name, SCHEMA).await;
        perform_whole(&cut_after(&address, cut_at).0, settings, Operation::FullMigration).await.unwrap_err();
        alone(&address).await;
        if point % 2 == 0 {
            let on = perform_whole(&address, settings, Operation::FullMigration).await;
            on.unwrap_or_else(|error| panic!("on, {when}: {error:?}"));
            same(&after, &state(&address).await, &format!("on, {when}"));
        }
        let _ = perform_whole(&cut_after(&address, BEGINNING + cut_at / 2).0, settings, Operation::Rollback).await;
        alone(&address).await;
        let back = perform_whole(&address, settings, Operation::Rollback).await;
        back.unwrap_or_else(|error| panic!("back, {when}: {error:?}"));
        same(&before, &state(&address).await, &format!("back, {when}"));
        home.assert_no_backup(&name).await;
        execute(&home.admin, &format!("DROP DATABASE {name}")).await;
    }
}

async fn cut_off_in_turn(home: &Home) {
    from_many_cuts(home, &settings(), 0).await;
}

async fn cut_off_beside_an_application(home: &Home) {
    from_many_cuts(home, &online(), 5).await;
}
