//! HTTP: its sockets, and what answers there.

use super::backend::Roof;
use super::cannot_listen;
use crate::Failure;
use crate::config::{Administrators, Config};
use api::Api;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Document;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(super) async fn bind(config: &Config) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for address in &config.http.listen.0 {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.map_err(|error| cannot_listen("http", *address, &error))?);
    }
    Ok(listeners)
}

/// The API with what it kept before.
pub(super) fn api(roof: &Roof, documents: Vec<Document>, config: &Config, anywhere: &Arc<AtomicBool>) -> Api {
    let kept: Vec<api::Document> = documents
        .into_iter()
        .map(|one| api::Document { kind: one.kind, id: one.id, text: one.text })
        .collect();
    anywhere.store(config.http.administrators == Administrators::Anywhere, Ordering::Relaxed);
    Api::new(roof.clone(), &kept, Arc::clone(anywhere))
}

pub(super) fn serve(runtime: &Runtime, listeners: Vec<TcpListener>, roof: &Roof, api: &Api) {
    for listener in listeners {
        let router = api::router(roof.clone(), api.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, service).await });
    }
}
