//! Provisioners against the real thing: what they start answers, and what they give back is gone.

use std::{collections::HashMap, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use async_trait::async_trait;
use rehearse::{
    engine,
    model::{Address, Endpoint, Host, Lease, LeaseKind, Side},
    provision::{self, External, ProvisionError, Request, Server, scratch},
};

use crate::support::server::{self, Announced, Started, Urls, offered, request, work};

mod container;
mod external;
mod local;
mod local_mariadb;

/// The only value of a query.
async fn ask(address: &Address, sql: &str) -> String {
    server::ask(address, sql).await[0][0].clone().unwrap()
}

/// A TCP port that is in use as long as the listener lives.
fn taken_port() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
