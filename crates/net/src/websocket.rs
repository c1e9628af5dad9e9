//! SIP over WebSocket (RFC 6455, RFC 7118): the upgrade of a request, and the connection that comes of it.
//!
//! One message holds one SIP message, as text or in binary. The connection has the bounds of every stream of ours.
//! In place of the phone's keep-alives, which pages do not send, we send pings: so a page that vanished is found out.

#![expect(clippy::result_large_err, reason = "a refusal is the whole answer, once a connection")]

use crate::http::Peer;
use crate::origin::Origins;
use crate::seats::Seat;
use crate::stream::{AsyncDeliver, StreamEvent, Streams, WRITE_PATIENCE, Way, Ways, ended};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use sip::{Flow, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use wire::sip::limits::MAX_MESSAGE_BYTES;

/// The subprotocol (RFC 7118 4.1).
const SUBPROTOCOL: &str = "sip";
/// How long a connection may take from our 101 to its first octet as a WebSocket.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(5);

/// Who may upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Pages of our own or of a listed origin: what a browser asks for.
    Pages,
    /// Those, and programs that are no browser and so name no origin.
    PagesAndPrograms,
}

/// A request that becomes a WebSocket once its answer has left.
struct Upgrade {
    upgraded: OnUpgrade,
    origin: Option<Box<str>>,
    peer: Peer,
    seat: Seat,
}

/// What is answered to an upgrade.
pub type Answer = Response<Full<Bytes>>;

impl Streams {
    /// Answers a request for SIP over WebSocket, by 101 or with why not: no WebSocket, no subprotocol `sip`, a
    /// foreign origin, too many connections. What comes of it is served until its end; `deliver` hands its events to
    /// the core. To be called in a runtime.
    pub fn answer_upgrade<B, D: AsyncDeliver>(
        &self,
        request: &mut Request<B>,
        peer: Peer,
        origins: &Origins,
        admitted: Admitted,
        deliver: D,
    ) -> Answer {
        match self.upgrade(request, peer, origins, admitted) {
            Ok((answer, upgrade)) => {
                let streams = self.clone();
                tokio::spawn(async move { streams.adopt(upgrade, deliver).await });
                answer
            }
            Err(answer) => {
                tracing::debug!(remote = %peer.remote, status = %answer.status(), "no WebSocket");
                answer
            }
        }
    }

    fn upgrade<B>(
        &self,
        request: &mut Request<B>,
        peer: Peer,
        origins: &Origins,
        admitted: Admitted,
    ) -> Result<(Answer, Upgrade), Answer> {
        let key = websocket_key(request)?;
        if !names(request.headers(), header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
            return Err(refusal(StatusCode::BAD_REQUEST, "ask for the subprotocol sip (RFC 7118)"));
        }
        let origin = origin(request.headers(), peer, origins, admitted)?;
        let Some(seat) = self.seat(peer.remote.ip()) else {
            return Err(refusal(StatusCode::SERVICE_UNAVAILABLE, "too many connections; try again later"));
        };
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.map_err(|_| not_a_websocket())?);
        let upgraded = hyper::upgrade::on(request);
        Ok((answer, Upgrade { upgraded, origin, peer, seat }))
    }

    /// Serves an upgraded connection until its end.
    async fn adopt<D: AsyncDeliver>(&self, upgrade: Upgrade, deliver: D) {
        let Upgrade { upgraded, origin, peer, seat } = upgrade;
        let Ok(Ok(upgraded)) = timeout(UPGRADE_PATIENCE, upgraded).await else {
            return tracing::debug!("a WebSocket was asked for and not begun");
        };
        let transport = if peer.secure { Transport::Wss } else { Transport::Ws };
        let flow = Flow { transport, local: peer.local, remote: peer.remote, connection: self.number() };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES))
            .max_write_buffer_size(4 * MAX_MESSAGE_BYTES);
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let ways = Ways::new();
        ways.open(self, flow);
        if deliver.deliver(StreamEvent::Opened(flow, origin)).await {
            self.converse(flow, socket, &deliver, ways).await;
            self.forget(flow);
            let _ = deliver.deliver(StreamEvent::Closed(flow)).await;
        }
        self.forget(flow);
        drop(seat);
    }

    async fn converse<D: AsyncDeliver>(&self, flow: Flow, socket: Socket, deliver: &D, ways: Ways) {
        let (sink, source) = socket.split();
        let (pings, asked) = mpsc::channel(1);
        let Ways { way, queue } = ways;
        let reader = Reader { streams: self, flow, source, deliver, way: &way, pings };
        tokio::select! {
            () = reader.read() => {}
            () = write(sink, queue, asked) => {}
            () = ended(&way.end) => {}
        }
    }
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

struct Reader<'a, D> {
    streams: &'a Streams,
    flow: Flow,
    source: SplitStream<Socket>,
    deliver: &'a D,
    way: &'a Way,
    /// Asks the writer for a ping.
    pings: mpsc::Sender<()>,
}

impl<D: AsyncDeliver> Reader<'_, D> {
    async fn read(mut self) {
        let limits = self.streams.limits();
        let first = Instant::now() + limits.first_message;
        let (mut served, mut silent) = (false, 0);
        loop {
            let wait = if served { Instant::now() + limits.ping } else { first };
            let message = match timeout_at(wait, self.source.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return tracing::debug!(%error, "a WebSocket failed"),
                Ok(None) => return,
                Err(_) if !served || silent == 2 => return tracing::debug!("a WebSocket is silent"),
                Err(_) => {
                    silent += 1;
                    // One that waits is enough.
                    let _ = self.pings.try_send(());
                    continue;
                }
            };
            silent = 0;
            let bytes = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes,
                // The library answers pings by itself.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
                Message::Close(_) => return,
            };
            // RFC 5626 4.4.1: a double line end asks, a single one answers.
            let alive = if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                bytes != b"\r\n\r\n" || self.way.send(b"\r\n")
            } else {
                served = true;
                self.deliver.deliver(StreamEvent::Message(self.flow, bytes.into())).await
            };
            if !alive {
                return;
            }
        }
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::Receiver<Arc<[u8]>>,
    mut pings: mpsc::Receiver<()>,
) {
    loop {
        let message = tokio::select! {
            bytes = queue.recv() => match bytes {
                Some(bytes) => outgoing(&bytes),
                None => return,
            },
            Some(()) = pings.recv() => Message::Ping(Bytes::new()),
        };
        let sent: Result<Result<(), tungstenite::Error>, _> =
            timeout(WRITE_PATIENCE, sink.send(message)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// Text where it can be: that is what pages expect.
fn outgoing(bytes: &[u8]) -> Message {
    match std::str::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(_) => Message::binary(bytes.to_vec()),
    }
}

/// RFC 6455 4.2.1: what an upgrade to WebSocket has to ask for; its key.
pub(crate) fn websocket_key<B>(request: &Request<B>) -> Result<String, Answer> {
    let headers = request.headers();
    let upgrades = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && names(headers, header::CONNECTION, "upgrade")
        && names(headers, header::UPGRADE, "websocket");
    let key = text(headers, header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let (true, Some(key)) = (upgrades, key) else { return Err(not_a_websocket()) };
    if !names(headers, header::SEC_WEBSOCKET_VERSION, "13") {
        let mut answer = not_a_websocket();
        answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(answer);
    }
    Ok(key.to_owned())
}

/// The origin of the page that asks, if it may come in.
fn origin(
    headers: &HeaderMap,
    peer: Peer,
    origins: &Origins,
    admitted: Admitted,
) -> Result<Option<Box<str>>, Answer> {
    let foreign = |words| refusal(StatusCode::FORBIDDEN, words);
    if !headers.contains_key(header::ORIGIN) {
        return match admitted {
            Admitted::PagesAndPrograms => Ok(None),
            Admitted::Pages => {
                Err(foreign("only pages open a socket here; programs use the listeners of [sip] ws and wss"))
            }
        };
    }
    let origin = text(headers, header::ORIGIN).unwrap_or_default();
    let host = text(headers, header::HOST).unwrap_or_default();
    if headers.get_all(header::ORIGIN).iter().count() != 1 || !origins.admit(origin, host, peer.secure) {
        return Err(foreign("pages of this origin may not open a socket here; [http] origins lists who may"));
    }
    Ok(crate::origin::plain_origin(origin))
}

pub(crate) fn not_a_websocket() -> Answer {
    let mut answer = refusal(StatusCode::UPGRADE_REQUIRED, "this is for WebSocket (RFC 6455)");
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer
}

fn refusal(status: StatusCode, words: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(Bytes::from(format!("{words}\n"))));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a list of tokens names one, without regard to case.
fn names(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name);
    let tokens = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tokens.map(str::trim).any(|token| token.eq_ignore_ascii_case(wanted))
}
