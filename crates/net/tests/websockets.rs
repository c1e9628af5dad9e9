//! SIP over WebSocket (RFC 7118): who may upgrade, what arrives, and the bounds of it (sec_25).

mod seen;

use futures_util::{SinkExt as _, StreamExt as _};
use net::{Admitted, HttpLimits, HttpListener, Origins, Seats, StreamEvent, StreamLimits, Streams};
use seen::{Door, Seen};
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const OPTIONS: &str = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
    To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

async fn door(admitted: Admitted) -> Door {
    let limits = StreamLimits {
        connections: 40,
        per_address: 3,
        first_message: Duration::from_millis(400),
        message: Duration::from_millis(300),
        idle: Duration::from_millis(800),
        ping: Duration::from_millis(200),
    };
    let streams = Streams::new(limits);
    let address = "127.0.0.1:0".parse().expect("an address");
    let listener = HttpListener::bind(address, None, None).await.expect("bound");
    let (address, seen) = (listener.bound(), Seen::default());
    let origins = Origins::new(vec!["https://portal.example".into()]);
    let http = HttpLimits { head: Duration::from_millis(300), ..HttpLimits::default() };
    let (inner, deliver) = (streams.clone(), seen.clone());
    tokio::spawn(listener.serve(http, Seats::new(20, 10), move |peer, mut request| {
        let answer = inner.answer_upgrade(&mut request, peer, &origins, admitted, deliver.clone());
        async move { answer }
    }));
    Door { address, streams, seen }
}

/// What a client asks with; `change` spoils it.
fn asking(address: SocketAddr, origin: Option<&str>, change: &[(&str, &str)]) -> Request {
    let mut headers = vec![
        ("Host", address.to_string()),
        ("Connection", "keep-alive, Upgrade".into()),
        ("Upgrade", "websocket".into()),
        ("Sec-WebSocket-Version", "13".into()),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".into()),
        ("Sec-WebSocket-Protocol", "chat, sip".into()),
    ];
    headers.extend(origin.map(|origin| ("Origin", origin.to_owned())));
    for (name, value) in change {
        headers.retain(|(known, _)| known != name);
        headers.push((name, (*value).to_owned()));
    }
    let builder = Request::builder().uri(format!("ws://{address}/sip"));
    let built = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value));
    built.body(()).expect("a request")
}

type Client = WebSocketStream<TcpStream>;

impl Door {
    async fn open(&self, origin: Option<&str>) -> Result<Client, u16> {
        self.open_with(origin, &[]).await
    }

    async fn open_with(&self, origin: Option<&str>, change: &[(&str, &str)]) -> Result<Client, u16> {
        let stream = TcpStream::connect(self.address).await.expect("connected");
        match client_async(asking(self.address, origin, change), stream).await {
            Ok((client, answer)) => {
                assert_eq!(answer.headers()["sec-websocket-protocol"], "sip");
                Ok(client)
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    fn own_origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn messages(&self) -> usize {
        let seen = self.seen.0.lock().expect("the test goes on");
        seen.iter().filter(|event| matches!(event, StreamEvent::Message(..))).count()
    }

    fn opened(&self) -> Option<(Flow, Option<Box<str>>)> {
        let seen = self.seen.0.lock().expect("the test goes on");
        seen.iter().find_map(|event| match event {
            StreamEvent::Opened(flow, origin) => Some((*flow, origin.clone())),
            _ => None,
        })
    }

    async fn until(&self, what: &str, done: impl Fn(&Door) -> bool) {
        let limit = Instant::now() + Duration::from_secs(5);
        while !done(self) {
            assert!(Instant::now() < limit, "never: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// How long until the other side closes; it must within three seconds.
async fn closed_after(client: &mut Client, began: Instant) -> Duration {
    let all = async { while let Some(Ok(_)) = client.next().await {} };
    timeout(Duration::from_secs(3), all).await.expect("it is closed");
    began.elapsed()
}

#[tokio::test]
async fn s0_1_one_message_a_frame_as_text_or_binary_and_the_origin_is_told() {
    let door = door(Admitted::Pages).await;
    let mut client = door.open(Some(&door.own_origin())).await.expect("opened");
    client.send(Message::text(OPTIONS)).await.expect("sent");
    client.send(Message::binary(OPTIONS.as_bytes())).await.expect("sent");
    door.until("two messages", |door| door.messages() == 2).await;
    let (flow, origin) = door.opened().expect("opened");
    assert_eq!((flow.transport, flow.local), (Transport::Ws, door.address));
    assert_eq!(origin.as_deref(), Some(&*door.own_origin()));
    door.streams.send(flow, Arc::from(*b"SIP/2.0 200 OK\r\n\r\n"));
    let text = client.next().await.expect("a frame").expect("sound");
    assert_eq!(text, Message::text("SIP/2.0 200 OK\r\n\r\n"));
    door.streams.send(flow, Arc::from(*b"\xFF\xFE"));
    assert!(client.next().await.expect("a frame").expect("sound").is_binary(), "what is no text");
    // RFC 5626 4.4.1, RFC 6455 5.5.2.
    client.send(Message::text("\r\n\r\n")).await.expect("sent");
    assert_eq!(client.next().await.expect("a frame").expect("sound"), Message::text("\r\n"));
    client.send(Message::Ping(b"x"[..].into())).await.expect("sent");
    assert!(client.next().await.expect("a frame").expect("sound").is_pong());
}

#[tokio::test]
async fn sec_25_only_pages_of_our_own_or_listed_origins_come_in() {
    let pages = door(Admitted::Pages).await;
    let any = door(Admitted::PagesAndPrograms).await;
    assert_eq!(pages.open(None).await.err(), Some(403), "a program at the pages' door");
    assert!(any.open(None).await.is_ok(), "a program at its own door");
    for door in [&pages, &any] {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", ""] {
            assert_eq!(door.open(Some(origin)).await.err(), Some(403), "{origin}");
        }
        assert!(door.open(Some("https://portal.example")).await.is_ok(), "listed");
    }
    let own = pages.own_origin();
    for (change, status) in [
        (("Sec-WebSocket-Protocol", "chat"), 400),
        (("Sec-WebSocket-Version", "8"), 426),
        (("Sec-WebSocket-Key", "short"), 426),
        (("Upgrade", "h2c"), 426),
        (("Connection", "close"), 426),
        (("Host", "evil.example"), 403),
    ] {
        assert_eq!(pages.open_with(Some(&own), &[change]).await.err(), Some(status), "{change:?}");
    }
}

#[tokio::test]
async fn sec_25_silent_slow_huge_and_many_sockets_are_bounded() {
    let door = door(Admitted::Pages).await;
    let own = door.own_origin();
    let began = Instant::now();
    let mut mute = door.open(Some(&own)).await.expect("opened");
    let waited = closed_after(&mut mute, began).await;
    assert!(waited >= Duration::from_millis(350), "{waited:?}: a first message has its time");
    // Keep-alives are no message.
    let mut hollow = door.open(Some(&own)).await.expect("opened");
    hollow.send(Message::text("\r\n\r\n")).await.expect("sent");
    closed_after(&mut hollow, began).await;
    assert_eq!(door.messages(), 0);
    let mut huge = door.open(Some(&own)).await.expect("opened");
    let _ = huge.send(Message::text("x".repeat(200_000))).await;
    closed_after(&mut huge, began).await;
    assert_eq!(door.messages(), 0);
    door.until("all are gone", |door| door.streams.count() == 0).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = door.open(Some(&own)).await.expect("opened");
        client.send(Message::text(OPTIONS)).await.expect("sent");
        held.push(client);
    }
    assert_eq!(door.open(Some(&own)).await.err(), Some(503), "a fourth from one address");
    // Half a request's head, and no more.
    let mut slow = TcpStream::connect(door.address).await.expect("connected");
    slow.write_all(b"GET /sip HTTP/1.1\r\nHost:").await.expect("sent");
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(3), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a slow head is not waited for");
}

#[tokio::test]
async fn r11_a_page_that_vanished_is_found_out_by_pings() {
    let door = door(Admitted::Pages).await;
    let own = door.own_origin();
    let mut alive = door.open(Some(&own)).await.expect("opened");
    alive.send(Message::text(OPTIONS)).await.expect("sent");
    let mut vanished = door.open(Some(&own)).await.expect("opened");
    vanished.send(Message::text(OPTIONS)).await.expect("sent");
    door.until("both are served", |door| door.messages() == 2).await;
    // Who reads answers the pings; who does not is gone after three silences of 200 ms.
    let reading = tokio::spawn(async move { while let Some(Ok(_)) = alive.next().await {} });
    door.until("one is gone", |door| door.streams.count() == 1).await;
    sleep(Duration::from_millis(900)).await;
    assert_eq!(door.streams.count(), 1, "the other lives");
    reading.abort();
    drop(vanished);
}

#[tokio::test]
async fn s0_1_a_socket_is_closed_on_demand_after_the_last_words() {
    let door = door(Admitted::Pages).await;
    let mut client = door.open(Some(&door.own_origin())).await.expect("opened");
    client.send(Message::text(OPTIONS)).await.expect("sent");
    door.until("it is served", |door| door.messages() == 1).await;
    let (flow, _) = door.opened().expect("opened");
    let began = Instant::now();
    door.streams.send(flow, Arc::from(*b"BYE"));
    door.streams.close(flow);
    assert_eq!(client.next().await.expect("a frame").expect("sound"), Message::text("BYE"));
    assert!(closed_after(&mut client, began).await < Duration::from_secs(1));
    let closed = |door: &Door| {
        let seen = door.seen.0.lock().expect("the test goes on");
        seen.iter().any(|event| matches!(event, StreamEvent::Closed(gone) if *gone == flow))
    };
    door.until("its end is told", closed).await;
}

#[tokio::test]
async fn sec_25_an_https_handshake_that_never_comes_ends_and_one_address_has_its_share() {
    let folder = std::env::temp_dir().join(format!("ringdown-https-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let identity = net::Identity::self_signed(&folder, vec!["localhost".into()]).expect("an identity");
    let config = net::server_config(&identity).expect("a configuration");
    assert_eq!(net::fingerprint(&identity.certificate).expect("a fingerprint").len(), 32 * 3 - 1);
    std::fs::remove_dir_all(&folder).expect("removed");
    let tls = Some(Arc::new(std::sync::RwLock::new(config)));
    let address = "127.0.0.1:0".parse().expect("an address");
    let listener = HttpListener::bind(address, None, tls).await.expect("bound");
    let address = listener.bound();
    let limits = HttpLimits { handshake: Duration::from_secs(1), ..HttpLimits::default() };
    let (streams, origins) = (Streams::new(StreamLimits::default()), Origins::default());
    tokio::spawn(listener.serve(limits, Seats::new(20, 2), move |peer, mut request| {
        assert!(peer.secure);
        let answer = streams.answer_upgrade(&mut request, peer, &origins, Admitted::Pages, Seen::default());
        async move { answer }
    }));
    let began = Instant::now();
    let mut rest = Vec::new();
    let mut silent = TcpStream::connect(address).await.expect("connected");
    let _other = TcpStream::connect(address).await.expect("connected");
    sleep(Duration::from_millis(50)).await;
    let mut third = TcpStream::connect(address).await.expect("connected");
    let ended = timeout(Duration::from_secs(3), third.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && began.elapsed() < Duration::from_millis(900), "no place for a third");
    let ended = timeout(Duration::from_secs(3), silent.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && began.elapsed() >= Duration::from_millis(950), "a handshake has its time");
}
