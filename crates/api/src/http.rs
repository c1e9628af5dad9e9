//! HTTP: whether we live, whether we are ready, the API in [`crate::rest`], and the console in [`crate::assets`].

use crate::assets;
use crate::backend::Backend;
use crate::rest::{self, Api};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use exchange::{Answer, Command};

/// All that HTTP answers. Connections have to bring [`rest::Peer`] or axum's `ConnectInfo<SocketAddr>`.
pub fn router<B: Backend>(backend: B, api: Api) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready::<B>))
        .with_state(backend)
        .merge(rest::router(api))
        .fallback(assets::serve)
}

async fn ready<B: Backend>(State(backend): State<B>) -> (StatusCode, &'static str) {
    match backend.command(Command::Status).await {
        Ok(Answer::Status(status)) if status.draining => {
            (StatusCode::SERVICE_UNAVAILABLE, "draining: no new calls, because the exchange stops\n")
        }
        Ok(Answer::Status(status)) if status.store_ready => (StatusCode::OK, "ready\n"),
        Ok(Answer::Status(_)) => (StatusCode::SERVICE_UNAVAILABLE, "nothing can be stored\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the exchange does not answer\n"),
    }
}
