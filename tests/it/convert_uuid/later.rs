//! The failure cases on a later server, all in one container.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_case_on_a_later_server() {
    let Some(bench) = Bench::later("every_failure_case_on_a_later_server").await else { return };
    let version = ask(&bench.0.server.admin, "SHOW server_version").await.remove(0).remove(0).unwrap();
    assert!(version.starts_with("17"), "{version}");
    refused::rejected(&bench).await;
    refused::named(&bench).await;
    refused::assigned(&bench).await;
    refused::locked(&bench).await;
    refused::of_somebody_else(&bench).await;
    cut::cut_off(&bench).await;
    cut::without_rights(&bench).await;
    kinds::spelled(&bench).await;
    validated::spoiled(&bench).await;
    validated::worse(&bench).await;
}
