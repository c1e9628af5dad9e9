//! Sockets: UDP in batches, TCP, TLS and WebSocket connections, HTTP listeners and requests, and the media workers that own
//! the RTP ports.
//!
//! The core thread owns an [`Udp`] for each listener and polls it together with a [`Mailbox`], through which
//! everything else (streams, media workers, commands) reaches it. Nothing here knows what a call is.

mod address;
mod authority;
mod batch;
mod certificate;
mod destination;
mod dial;
mod http;
mod http_client;
mod lines;
mod locate;
mod mailbox;
mod media_worker;
mod member;
mod mqtt;
mod nats;
mod origin;
mod poll;
mod proof;
mod reach;
mod rtp_socket;
mod seats;
mod smpp;
mod stream;
mod text_socket;
mod tls;
mod udp;
mod websocket;

pub use address::{Advertised, route_address};
pub use authority::{Authority, LEAF_LIFE, new_key};
pub use batch::{Outbox, ReceiveBatch};
pub use certificate::{Validity, fingerprint, validity, validity_of_pem};
pub use destination::Network;
pub use dial::Stream as ByteStream;
pub use http::{HttpLimits, HttpListener, Peer};
pub use http_client::{Bytes, HttpClient, HttpLine, HttpReply, HttpRules, Method};
pub use lines::{LineListener, LineReader, LineWriter, Lines};
pub use locate::{Located, Locator, Wanted};
pub use mailbox::{Full, Mailbox, Sender, mailbox};
pub use media_worker::{MediaInbox, MediaWorker, Started, WorkerConfig};
pub use member::{KnownCertificates, Papers, fingerprint_of_pem, stranger_to};
pub use mqtt::{Broker, Mqtt, MqttMessage, MqttRules, MqttState};
pub use nats::{Nats, NatsEvent, NatsRules, NatsServer, NatsState, NatsStream, NotKept};
pub use origin::{Origins, plain_origin};
pub use poll::{Poll, Token};
pub use proof::{is_signed_by, sign};
pub use reach::{Reach, secure};
pub use rustls::{ClientConfig, ServerConfig};
pub use seats::{Seat, Seats};
pub use smpp::{Smpp, SmppAddress, SmppReceipt, SmppRefusal, SmppRules, SmppTold};
pub use stream::{AsyncDeliver, StreamEvent, StreamLimits, StreamListener, Streams};
pub use text_socket::{TextSocket, TextUpgrade};
pub use tls::{
    Identity, TlsConfig, TlsError, client_config, dtls_identity, server_config, server_config_by_name,
};
pub use udp::{Udp, WANTED_BUFFER};
pub use websocket::{Admitted, Answer};

use clock::{Mono, Now, Wall};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks; the only place in the exchange that does.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic side begins a second after zero, so that "a second ago" is a time.
    #[must_use]
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Now { mono: self.mono(), wall: Wall(i64::try_from(wall).unwrap_or(i64::MAX)) }
    }

    /// The monotonic clock alone, for whoever asks once a packet.
    #[must_use]
    #[inline]
    pub fn mono(&self) -> Mono {
        let elapsed = self.start.elapsed();
        Mono(1_000_000 + elapsed.as_secs() * 1_000_000 + u64::from(elapsed.subsec_micros()))
    }
}
