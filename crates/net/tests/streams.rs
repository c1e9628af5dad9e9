//! Slow, silent, half-open, huge and deaf connections are bounded (sec_25); short patience stands in for long. And who is
//! asked for a name must prove it (sec_21).

mod seen;

use net::{Identity, StreamEvent, StreamLimits, StreamListener, Streams};
use seen::{Door, Seen};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const OPTIONS: &[u8] =
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
    To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

async fn door(tls: Option<Arc<RwLock<Arc<net::ServerConfig>>>>) -> Door {
    let limits = StreamLimits {
        connections: 40,
        per_address: 10,
        first_message: Duration::from_millis(400),
        message: Duration::from_millis(300),
        idle: Duration::from_millis(800),
        ping: Duration::from_millis(200),
    };
    let streams = Streams::new(limits);
    let listener = StreamListener::bind("127.0.0.1:0".parse().expect("the test goes on"), None, tls)
        .await
        .expect("the test goes on");
    let (address, seen) = (listener.bound(), Seen::default());
    tokio::spawn(listener.serve(streams.clone(), seen.clone()));
    Door { address, streams, seen }
}

impl Door {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the test goes on")
    }

    fn messages(&self) -> usize {
        let seen = self.seen.0.lock().expect("the test goes on");
        seen.iter().filter(|event| matches!(event, StreamEvent::Message(..))).count()
    }
}

/// How long until the other side closes; it must within three seconds.
async fn closed_after(stream: &mut TcpStream, began: Instant) -> Duration {
    let mut rest = [0; 4_096];
    let over = async { while !matches!(stream.read(&mut rest).await, Ok(0) | Err(_)) {} };
    timeout(Duration::from_secs(3), over).await.expect("the connection is closed");
    began.elapsed()
}

/// Sends a byte every 20 ms until the other side closes.
async fn drip(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn sec_25_a_silent_and_a_dripping_stranger_are_closed_after_the_same_time() {
    let door = door(None).await;
    let began = Instant::now();
    let mut silent = door.connect().await;
    let mut keeper = door.connect().await;
    let mut slow = door.connect().await;
    tokio::join!(
        async { assert!(closed_after(&mut silent, began).await >= Duration::from_millis(350)) },
        // Keep-alives are no message.
        drip(&mut keeper, b"\r\n\r\n"),
        drip(&mut slow, b"INVITE sip:a@b SIP/2.0\r\nX: y\r\nZ: "),
    );
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    assert_eq!((door.messages(), door.streams.count()), (0, 0));
}

#[tokio::test]
async fn sec_25_after_a_good_message_the_next_has_its_time_limit_too() {
    let door = door(None).await;
    let mut stream = door.connect().await;
    stream.write_all(OPTIONS).await.expect("the test goes on");
    sleep(Duration::from_millis(500)).await;
    assert_eq!((door.messages(), door.streams.count()), (1, 1), "idle, and still there");
    let began = Instant::now();
    drip(&mut stream, b"OPTIONS sip:a@b SIP/2.0\r\nX: ").await;
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(250) && took < Duration::from_millis(750), "{took:?}");
    let mut idle = door.connect().await;
    idle.write_all(OPTIONS).await.expect("the test goes on");
    assert!(closed_after(&mut idle, Instant::now()).await >= Duration::from_millis(750));
}

#[tokio::test]
async fn sec_25_a_huge_message_is_refused_by_its_announcement_and_an_endless_head_by_its_size() {
    let door = door(None).await;
    let mut huge = door.connect().await;
    let text = String::from_utf8_lossy(OPTIONS).replace("Length: 0", "Length: 999999999");
    huge.write_all(text.as_bytes()).await.expect("the test goes on");
    closed_after(&mut huge, Instant::now()).await;
    let mut endless = door.connect().await;
    endless.write_all(b"OPTIONS sip:a@b SIP/2.0\r\n").await.expect("the test goes on");
    let mut sent = 0;
    while endless.write_all(&[b'a'; 4_096]).await.is_ok() && sent < 64 {
        sent += 1;
        sleep(Duration::from_millis(5)).await;
    }
    assert!(sent < 64, "closed long before 256 KiB");
    assert_eq!(door.messages(), 0);
}

#[tokio::test]
async fn sec_25_a_handshake_that_never_comes_ends_and_one_address_has_its_share() {
    let folder = std::env::temp_dir().join(format!("ringdown-streams-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the test goes on");
    let identity = Identity::self_signed(&folder, vec!["localhost".into()]).expect("the test goes on");
    let config = Arc::new(RwLock::new(net::server_config(&identity).expect("the test goes on")));
    std::fs::remove_dir_all(&folder).expect("the test goes on");
    let door = door(Some(config)).await;
    let began = Instant::now();
    let mut half_open = Vec::new();
    for _ in 0..30 {
        half_open.push(door.connect().await);
    }
    sleep(Duration::from_millis(100)).await;
    let mut closed_at_once = 0;
    for stream in &mut half_open {
        let mut byte = [0];
        closed_at_once +=
            usize::from(timeout(Duration::from_millis(5), stream.read(&mut byte)).await.is_ok());
    }
    assert_eq!(closed_at_once, 20, "ten of one address may wait");
    for stream in &mut half_open {
        let took = closed_after(stream, began).await;
        assert!(took < Duration::from_millis(1_500), "{took:?}");
    }
}

#[tokio::test]
async fn sec_25_a_peer_that_does_not_read_is_let_go() {
    let door = door(None).await;
    let mut deaf = door.connect().await;
    deaf.write_all(OPTIONS).await.expect("the test goes on");
    while door.messages() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let flow = match door.seen.0.lock().expect("the test goes on").first() {
        Some(StreamEvent::Message(flow, _)) => *flow,
        other => panic!("{other:?}"),
    };
    let answer: Arc<[u8]> = vec![b'x'; 65_536].into();
    for _ in 0..2_000 {
        door.streams.send(flow, Arc::clone(&answer));
    }
    assert_eq!(door.streams.count(), 0, "what waits for it is bounded");
}

#[tokio::test]
async fn sec_21_a_peer_must_prove_the_name_that_we_asked_for() {
    let folder = std::env::temp_dir().join(format!("ringdown-names-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the test goes on");
    let identity = Identity::self_signed(&folder, vec!["trunk.test".into()]).expect("the test goes on");
    let config = Arc::new(RwLock::new(net::server_config(&identity).expect("the test goes on")));
    let trusting = net::client_config(&[identity.certificate.as_path()]).expect("the test goes on");
    std::fs::remove_dir_all(&folder).expect("the test goes on");
    // Somebody else whom nobody vouches for.
    std::fs::create_dir_all(&folder).expect("the test goes on");
    let other = Identity::self_signed(&folder, vec!["trunk.test".into()]).expect("the test goes on");
    let strange = net::client_config(&[other.certificate.as_path()]).expect("the test goes on");
    std::fs::remove_dir_all(&folder).expect("the test goes on");
    let door = door(Some(config)).await;
    let connect = |name: &'static str, config: &Arc<net::ClientConfig>| {
        let (streams, tls) = (door.streams.clone(), Some((name, Arc::clone(config))));
        let (address, seen) = (door.address, door.seen.clone());
        async move { streams.connect(address, None, tls, seen).await }
    };
    let proved = connect("trunk.test", &trusting).await.expect("its own name");
    // The address is the same, and a connection is there already: neither counts for another name.
    for name in ["other.test", "127.0.0.1", "sub.trunk.test", "test"] {
        let refused = connect(name, &trusting).await.expect_err(name);
        assert!(refused.contains("certificate"), "{name}: {refused}");
    }
    assert!(connect("trunk.test", &strange).await.is_err(), "nobody vouches for it");
    let again = connect("trunk.test", &trusting).await.expect("its own name");
    assert_ne!(proved.connection, again.connection, "no connection is shared by two names");
}
