//! HTTP: its sockets, in clear and by TLS, what answers there, and the way to SIP over WebSocket (`/sip`).

use super::backend::Roof;
use super::cannot_listen;
use super::core::Deliver;
use super::foreign::Foreign;
use super::tls::Tls;
use crate::Failure;
use crate::config::{Administrators, Config};
use api::Api;
use api::rest::{Peer, SessionEnded};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use exchange::Command;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use net::{Admitted, HttpLimits, HttpListener, Origins, Seats, Streams};
use sip::Transport;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Document;
use tokio::runtime::Runtime;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Where SIP over WebSocket is on the listeners of HTTP.
pub(super) const SIP: &str = "/sip";

/// All listeners that speak HTTP.
pub(super) struct Listeners {
    /// For pages and programs: the console and the API.
    http: Vec<HttpListener>,
    /// For SIP over WebSocket alone: `[sip] ws` and `wss`.
    sockets: Vec<HttpListener>,
}

/// What WebSockets lead to.
#[derive(Clone)]
pub(super) struct Sockets {
    pub(super) streams: Streams,
    pub(super) deliver: Deliver,
    pub(super) origins: Origins,
}

pub(super) async fn bind(config: &Config, tls: Option<&Tls>) -> Result<Listeners, Failure> {
    let secret = || tls.map(|tls| Arc::clone(&tls.current));
    Ok(Listeners {
        http: bind_all(
            [("http", &config.http.listen.0, None), ("https", &config.http.tls.0, secret())],
            None,
        )
        .await?,
        sockets: bind_all(
            [("ws", &config.sip.ws.0, None), ("wss", &config.sip.wss.0, secret())],
            config.sip.advertise,
        )
        .await?,
    })
}

type Wanted<'a> = (&'static str, &'a Vec<SocketAddr>, Option<net::TlsConfig>);

async fn bind_all(
    kinds: [Wanted<'_>; 2],
    public: Option<std::net::IpAddr>,
) -> Result<Vec<HttpListener>, Failure> {
    let mut listeners = Vec::new();
    for (what, addresses, tls) in kinds {
        for address in addresses {
            let listener = HttpListener::bind(*address, public, tls.clone()).await;
            listeners.push(listener.map_err(|error| cannot_listen(what, *address, &error))?);
        }
    }
    Ok(listeners)
}

impl Listeners {
    /// The first address of a kind: `http`, `https`, `ws` or `wss`.
    pub(super) fn bound(&self, kind: &str) -> Option<SocketAddr> {
        let list = if kind.starts_with("http") { &self.http } else { &self.sockets };
        let secure = kind.ends_with('s') && kind != "ws";
        list.iter().find(|listener| listener.is_secure() == secure).map(HttpListener::bound)
    }

    /// Where browsers reach SIP by TLS.
    pub(super) fn secure(&self) -> Option<SocketAddr> {
        self.bound("https").or_else(|| self.bound("wss"))
    }

    /// Where SIP over WebSocket comes in: at sockets of its own, and beside pages.
    pub(super) fn doors(&self) -> impl Iterator<Item = (Transport, SocketAddr)> {
        self.http.iter().chain(&self.sockets).map(|listener| {
            let transport = if listener.is_secure() { Transport::Wss } else { Transport::Ws };
            (transport, listener.bound())
        })
    }

    /// All addresses at which a contact would point at us (R12).
    pub(super) fn all(&self) -> impl Iterator<Item = SocketAddr> {
        self.http.iter().chain(&self.sockets).map(HttpListener::bound)
    }
}

/// A document of the store as the API has it.
pub(super) fn document(one: Document) -> api::Document {
    api::Document { kind: one.kind, id: one.id, text: one.text }
}

/// The API with what it kept before.
pub(super) fn api(roof: &Roof, documents: Vec<Document>, config: &Config, anywhere: &Arc<AtomicBool>) -> Api {
    let kept: Vec<api::Document> = documents.into_iter().map(document).collect();
    anywhere.store(config.http.administrators == Administrators::Anywhere, Ordering::Relaxed);
    Api::new(roof.clone(), &kept, Arc::clone(anywhere))
}

pub(super) fn serve(runtime: &Runtime, listeners: Listeners, roof: &Roof, api: &Api, sockets: &Sockets) {
    let limits = HttpLimits::default();
    let seats = Seats::new(limits.connections, limits.per_address);
    let router = TowerToHyperService::new(api::router(roof.clone(), api.clone()));
    for listener in listeners.http {
        let (router, sockets) = (router.clone(), sockets.clone());
        let answer = move |peer, request| answer(router.clone(), sockets.clone(), peer, request);
        runtime.spawn(listener.serve(limits, seats.clone(), answer));
    }
    for listener in listeners.sockets {
        let sockets = sockets.clone();
        let answer = move |peer, mut request| {
            let answer = sockets.answer(peer, &mut request, Admitted::PagesAndPrograms);
            async move { answer }
        };
        runtime.spawn(listener.serve(limits, seats.clone(), answer));
    }
    runtime.spawn(end_phones(roof.clone(), api.ended()));
    runtime.spawn(api.clone().end_by_time());
}

async fn answer(
    router: TowerToHyperService<Router>,
    sockets: Sockets,
    peer: net::Peer,
    request: hyper::Request<hyper::body::Incoming>,
) -> Response<Body> {
    let mut request: Request = request.map(Body::new);
    if request.uri().path() == SIP {
        return sockets.answer(peer, &mut request, Admitted::Pages);
    }
    let foreign = Foreign::of(&sockets.origins, &request);
    if let Some(answer) = foreign.as_ref().and_then(|page| page.preflight(&request)) {
        return answer;
    }
    request.extensions_mut().insert(Peer { address: peer.remote.ip(), secure: peer.secure });
    let mut response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if let Some(page) = foreign {
        page.permit(response.headers_mut());
    }
    response
}

impl Sockets {
    fn answer<B>(
        &self,
        peer: net::Peer,
        request: &mut hyper::Request<B>,
        admitted: Admitted,
    ) -> Response<Body> {
        let deliver = self.deliver.clone();
        self.streams.answer_upgrade(request, peer, &self.origins, admitted, deliver).map(Body::new)
    }
}

/// How soon the core is asked again that had no room.
const AGAIN: Duration = Duration::from_millis(20);

/// Sessions end, and their web phones with them.
async fn end_phones(roof: Roof, mut ended: Receiver<SessionEnded>) {
    loop {
        let session = match ended.recv().await {
            Ok(SessionEnded { session, .. }) => Some(session.into()),
            // So many ended at once that we do not know which: pages whose session lives open theirs again.
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        while api::Backend::command(&roof, Command::EndSession(session.clone())).await.is_err() {
            tokio::time::sleep(AGAIN).await;
        }
    }
}
