//! TCP and TLS connections: accepted, framed, bounded in number, size and patience (RFC 3261 18, RFC 5626).
//!
//! Each connection has a task that reads whole messages and hands them to the core, and one that writes. A peer that
//! is slow to finish a message, says nothing at first, or sends what is no SIP is closed; a peer that does not read
//! what we send is closed too.

use crate::address::Advertised;
use crate::member::fingerprint_of;
use crate::seats::{Seat, Seats};
use crate::tls::TlsConfig;
use sip::{Flow, Transport};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use wire::sip::{Frame, Framer};

/// The bounds of stream connections.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub per_address: usize,
    /// From the connection to its first whole message, the TLS handshake included.
    pub first_message: Duration,
    /// From a message's first byte to its last.
    pub message: Duration,
    /// Without any byte, keep-alives included (RFC 5626 4.4.1 sends them every two minutes at most).
    pub idle: Duration,
    /// A WebSocket is asked whether it lives after this time of silence, and ends after twice as much and half (RFC
    /// 7118 6: pings keep what stands between open, and find out early that a page is gone).
    pub ping: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        StreamLimits {
            connections: 20_000,
            per_address: 256,
            first_message: Duration::from_secs(15),
            message: Duration::from_secs(10),
            idle: Duration::from_secs(3_700),
            ping: Duration::from_secs(25),
        }
    }
}

/// Messages that may wait for a connection to take them.
const WRITES: usize = 256;
/// How long a write may take before the peer counts as gone.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection of our own may take to open, and its handshake to end.
const CONNECT_PATIENCE: Duration = Duration::from_secs(4);

/// How long the answer to an unreadable message has to leave before its connection is closed.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What a connection tells the core.
#[derive(Debug)]
pub enum StreamEvent {
    /// One whole message.
    Message(Flow, Box<[u8]>),
    /// Framing is lost: what is left can at most be answered with a refusal, and the connection ends.
    Unframed(Flow, Box<[u8]>),
    /// A WebSocket is open, asked for by a page of this origin; `None` when it was no browser that asked.
    Opened(Flow, Option<Box<str>>),
    /// Who is at the other end of a connection by TLS showed this certificate (SHA-256) and proved to have its key.
    Proved(Flow, [u8; 32]),
    /// The connection is gone.
    Closed(Flow),
}

/// All connections, for sending.
#[derive(Clone)]
pub struct Streams {
    shared: Arc<Shared>,
}

struct Shared {
    writers: Mutex<HashMap<u64, Way>>,
    /// The connection on each path.
    paths: Mutex<HashMap<(Transport, SocketAddr, SocketAddr), u64>>,
    seats: Seats,
    next: AtomicU64,
    limits: StreamLimits,
}

impl Streams {
    /// No connections yet.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Streams {
        Streams {
            shared: Arc::new(Shared {
                writers: Mutex::default(),
                paths: Mutex::default(),
                seats: Seats::new(limits.connections, limits.per_address),
                next: AtomicU64::new(1),
                limits,
            }),
        }
    }

    /// Queues a message on a connection; one that is gone, or does not keep up, is told by its own `Closed`.
    pub fn send(&self, flow: Flow, bytes: Arc<[u8]>) {
        let mut writers = lock(&self.shared.writers);
        if let Some(way) = writers.get(&flow.connection)
            && way.queue.try_send(bytes).is_err()
        {
            way.end.notify_one();
            writers.remove(&flow.connection);
        }
    }

    /// Ends a connection, once what is queued for it had a moment to leave.
    pub fn close(&self, flow: Flow) {
        if let Some(way) = lock(&self.shared.writers).remove(&flow.connection) {
            way.end.notify_one();
        }
    }

    /// Opens a connection of our own, as to a trunk; `listener` is where the peer may open one to us. With a TLS
    /// configuration the peer must prove that it is `name` (RFC 5922, sec_21).
    ///
    /// # Errors
    /// Why there is no connection, in words.
    pub async fn connect<D: AsyncDeliver>(
        &self,
        remote: SocketAddr,
        listener: Option<u16>,
        tls: Option<(&str, Arc<rustls::ClientConfig>)>,
        deliver: D,
    ) -> Result<Flow, String> {
        let opened = timeout(CONNECT_PATIENCE, TcpStream::connect(remote)).await;
        let stream = opened
            .map_err(|_| format!("{remote} does not answer"))?
            .map_err(|error| format!("{remote}: {error}"))?;
        let _ = stream.set_nodelay(true);
        let mut local = stream.local_addr().map_err(|error| error.to_string())?;
        local.set_port(listener.unwrap_or(local.port()));
        let connection = self.number();
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let flow = Flow { transport, local, remote, connection };
        let began = tokio::time::Instant::now();
        let ways = Ways::new();
        match tls {
            None => {
                ways.open(self, flow);
                let streams = self.clone();
                tokio::spawn(async move { run(&streams, flow, stream, &deliver, began, ways).await });
            }
            Some((name, config)) => {
                let name = rustls::pki_types::ServerName::try_from(name.to_owned())
                    .map_err(|_| format!("\"{name}\" cannot stand in a certificate"))?;
                let connector = tokio_rustls::TlsConnector::from(config);
                let secured = timeout(CONNECT_PATIENCE, connector.connect(name, stream)).await;
                let stream = secured
                    .map_err(|_| format!("{remote} does not finish the TLS handshake"))?
                    .map_err(|error| format!("{remote}: {error}"))?;
                ways.open(self, flow);
                let streams = self.clone();
                tokio::spawn(async move { run(&streams, flow, stream, &deliver, began, ways).await });
            }
        }
        Ok(flow)
    }

    /// How many connections there are.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.writers).len()
    }

    /// A place for a connection from this address.
    pub(crate) fn seat(&self, peer: IpAddr) -> Option<Seat> {
        self.shared.seats.take(peer)
    }

    /// The number of a new connection.
    pub(crate) fn number(&self) -> u64 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn limits(&self) -> StreamLimits {
        self.shared.limits
    }

    /// A connection is gone.
    pub(crate) fn forget(&self, flow: Flow) {
        lock(&self.shared.writers).remove(&flow.connection);
        let path = (flow.transport, flow.local, flow.remote);
        let mut paths = lock(&self.shared.paths);
        if paths.get(&path) == Some(&flow.connection) {
            paths.remove(&path);
        }
    }

    /// The connection between two addresses, for who knows no more of it.
    #[must_use]
    pub fn between(&self, transport: Transport, local: SocketAddr, remote: SocketAddr) -> Option<Flow> {
        let connection = *lock(&self.shared.paths).get(&(transport, local, remote))?;
        Some(Flow { transport, local, remote, connection })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One TCP or TLS listener.
pub struct StreamListener {
    listener: TcpListener,
    bound: SocketAddr,
    public: Option<IpAddr>,
    tls: Option<TlsConfig>,
}

impl StreamListener {
    /// Binds; with a TLS configuration it speaks TLS.
    ///
    /// # Errors
    /// What the system says about the address.
    pub async fn bind(
        address: SocketAddr,
        public: Option<IpAddr>,
        tls: Option<TlsConfig>,
    ) -> io::Result<StreamListener> {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok(StreamListener { listener, bound, public, tls })
    }

    /// Where it listens.
    #[must_use]
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Accepts until the task is dropped. `deliver` hands an event to the core and may wait for room.
    pub async fn serve<D>(self, streams: Streams, deliver: D)
    where
        D: AsyncDeliver,
    {
        let mut advertised = Advertised::new(self.bound, self.public);
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: those who are connected go on; a pause keeps the loop from spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(seat) = streams.seat(peer.ip()) else {
                tracing::debug!("connection refused: too many");
                continue;
            };
            let transport = if self.tls.is_some() { Transport::Tls } else { Transport::Tcp };
            let connection = streams.number();
            let flow = Flow { transport, local: advertised.towards(peer.ip()), remote: peer, connection };
            let acceptor = self.tls.as_ref().map(|tls| {
                TlsAcceptor::from(Arc::clone(&tls.read().unwrap_or_else(PoisonError::into_inner)))
            });
            tokio::spawn(converse(streams.clone(), flow, stream, acceptor, deliver.clone(), seat));
        }
    }
}

/// Hands events to the core.
pub trait AsyncDeliver: Clone + Send + Sync + 'static {
    /// False when the core is gone or refuses; the connection is closed then.
    fn deliver(&self, event: StreamEvent) -> impl Future<Output = bool> + Send;
}

async fn converse<D: AsyncDeliver>(
    streams: Streams,
    flow: Flow,
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    deliver: D,
    seat: Seat,
) {
    let _ = stream.set_nodelay(true);
    let limits = streams.shared.limits;
    let began = tokio::time::Instant::now();
    let ways = Ways::new();
    match acceptor {
        None => run(&streams, flow, stream, &deliver, began, ways).await,
        Some(acceptor) => match timeout(limits.first_message, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream
                    .get_ref()
                    .1
                    .peer_certificates()
                    .and_then(|chain| chain.first().map(fingerprint_of));
                if let Some(shown) = shown
                    && !deliver.deliver(StreamEvent::Proved(flow, shown)).await
                {
                    return;
                }
                run(&streams, flow, stream, &deliver, began, ways).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake too slow"),
        },
    }
    drop(seat);
}

/// How the core reaches a connection.
#[derive(Clone)]
pub(crate) struct Way {
    queue: mpsc::Sender<Arc<[u8]>>,
    /// Rings when the connection shall end.
    pub(crate) end: Arc<Notify>,
}

impl Way {
    /// Queues bytes; false when the peer does not keep up.
    pub(crate) fn send(&self, bytes: &[u8]) -> bool {
        self.queue.try_send(Arc::from(bytes)).is_ok()
    }
}

/// The two ends of what leads to a connection.
pub(crate) struct Ways {
    pub(crate) way: Way,
    pub(crate) queue: mpsc::Receiver<Arc<[u8]>>,
}

impl Ways {
    pub(crate) fn new() -> Ways {
        let (sender, queue) = mpsc::channel(WRITES);
        Ways { way: Way { queue: sender, end: Arc::default() }, queue }
    }

    /// The way to send is open before anybody hears of the flow.
    pub(crate) fn open(&self, streams: &Streams, flow: Flow) {
        lock(&streams.shared.writers).insert(flow.connection, self.way.clone());
        lock(&streams.shared.paths).insert((flow.transport, flow.local, flow.remote), flow.connection);
    }
}

/// Returns when a connection shall end, after what is queued for it had its moment.
pub(crate) async fn ended(end: &Notify) {
    end.notified().await;
    tokio::time::sleep(LAST_WORDS).await;
}

async fn run<S, D>(
    streams: &Streams,
    flow: Flow,
    stream: S,
    deliver: &D,
    began: tokio::time::Instant,
    ways: Ways,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncDeliver,
{
    let (reader, writer) = tokio::io::split(stream);
    ways.open(streams, flow);
    let Ways { way, queue } = ways;
    let mut writing = tokio::spawn(write(writer, queue));
    tokio::select! {
        () = read(streams.shared.limits, flow, reader, deliver, &way, began) => {}
        () = ended(&way.end) => {}
        _ = &mut writing => {}
    }
    streams.forget(flow);
    writing.abort();
    let _ = deliver.deliver(StreamEvent::Closed(flow)).await;
}

async fn write<W: AsyncWrite + Unpin>(mut writer: W, mut queue: mpsc::Receiver<Arc<[u8]>>) {
    while let Some(bytes) = queue.recv().await {
        let done = timeout(WRITE_PATIENCE, async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        });
        if !matches!(done.await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn read<R: AsyncRead + Unpin, D: AsyncDeliver>(
    limits: StreamLimits,
    flow: Flow,
    mut reader: R,
    deliver: &D,
    pong: &Way,
    began: tokio::time::Instant,
) {
    let mut buffer: Vec<u8> = Vec::with_capacity(4_096);
    let mut framer = Framer::new();
    let mut served = false;
    let mut deadline = began + limits.first_message;
    loop {
        match framer.frame(&buffer) {
            Frame::Complete { len } => {
                let message: Box<[u8]> = buffer[..len].into();
                buffer.drain(..len);
                served = true;
                deadline = tokio::time::Instant::now() + limits.message;
                if !deliver.deliver(StreamEvent::Message(flow, message)).await {
                    return;
                }
            }
            // RFC 5626 4.4.1: a double CRLF asks, a single one answers.
            Frame::Keepalive { len } => {
                buffer.drain(..len);
                if !pong.send(b"\r\n") {
                    return;
                }
            }
            Frame::Pong { len } => {
                buffer.drain(..len);
            }
            Frame::Invalid(error) => {
                tracing::debug!(%error, "not SIP on a stream");
                let rest = std::mem::take(&mut buffer).into_boxed_slice();
                if deliver.deliver(StreamEvent::Unframed(flow, rest)).await {
                    tokio::time::sleep(LAST_WORDS).await;
                }
                return;
            }
            Frame::Incomplete => {
                let wait = if buffer.is_empty() && served {
                    deadline = tokio::time::Instant::now() + limits.idle;
                    deadline
                } else {
                    deadline
                };
                let was_empty = buffer.is_empty();
                match tokio::time::timeout_at(wait, reader.read_buf(&mut buffer)).await {
                    Ok(Ok(count)) if count > 0 => {
                        if was_empty && served {
                            deadline = tokio::time::Instant::now() + limits.message;
                        }
                    }
                    _ => return,
                }
            }
        }
    }
}
