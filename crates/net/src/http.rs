//! HTTP listeners, in clear or by TLS: connections are bounded in number and patience (sec_25); what a request means
//! is the business of the service that answers it.

use crate::address::Advertised;
use crate::seats::{Seat, Seats};
use crate::tls::TlsConfig;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// The bounds of HTTP connections.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address: an office may stand behind it, each page with a stream of events.
    pub per_address: usize,
    /// The TLS handshake.
    pub handshake: Duration,
    /// From a connection, or the answer before, to the end of a request's head.
    pub head: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            connections: 10_000,
            per_address: 1_000,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
        }
    }
}

/// Octets of a request's head.
const HEAD: usize = 32 << 10;
/// Header lines of a request.
const LINES: usize = 64;

/// Both ends of the connection that a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Where it reached us, as the peer knows us.
    pub local: SocketAddr,
    /// Whether it came by TLS.
    pub secure: bool,
}

/// One listener.
pub struct HttpListener {
    listener: TcpListener,
    bound: SocketAddr,
    public: Option<IpAddr>,
    tls: Option<TlsConfig>,
}

impl HttpListener {
    /// Binds; with a TLS configuration it speaks HTTPS. `public` is our address in the world, if a NAT stands between.
    ///
    /// # Errors
    /// What the system says about the address.
    pub async fn bind(
        address: SocketAddr,
        public: Option<IpAddr>,
        tls: Option<TlsConfig>,
    ) -> io::Result<HttpListener> {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok(HttpListener { listener, bound, public, tls })
    }

    /// Where it listens.
    #[must_use]
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Accepts until the task is dropped. Each request goes to `answer`, with the connection it came by.
    pub async fn serve<A, F, B>(self, limits: HttpLimits, seats: Seats, answer: A)
    where
        A: Fn(Peer, Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut advertised = Advertised::new(self.bound, self.public);
        loop {
            let (stream, remote) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an HTTP connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(seat) = seats.take(remote.ip()) else {
                tracing::debug!("HTTP connection refused: too many");
                continue;
            };
            let acceptor = self.tls.as_ref().map(|tls| {
                TlsAcceptor::from(Arc::clone(&tls.read().unwrap_or_else(PoisonError::into_inner)))
            });
            let local = advertised.towards(remote.ip());
            let peer = Peer { remote, local, secure: acceptor.is_some() };
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answered = answer(peer, request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            tokio::spawn(converse(limits, stream, acceptor, service, seat));
        }
    }
}

async fn converse<S>(
    limits: HttpLimits,
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    service: S,
    seat: Seat,
) where
    S: HttpService<Incoming, Error = Infallible> + Send,
    S::Future: Send,
    S::ResBody: Send + 'static,
    <S::ResBody as Body>::Data: Send,
    <S::ResBody as Body>::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => serve(limits, stream, service).await,
        Some(acceptor) => match timeout(limits.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => serve(limits, stream, service).await,
            Ok(Err(error)) => tracing::debug!(%error, "HTTPS handshake failed"),
            Err(_) => tracing::debug!("HTTPS handshake too slow"),
        },
    }
    drop(seat);
}

async fn serve<I, S>(limits: HttpLimits, stream: I, service: S)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, Error = Infallible>,
    S::ResBody: 'static,
    <S::ResBody as Body>::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(LINES)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}
