//! Against a server of our own making, which says what no real one says any more.

use super::*;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;

fn rules(port: u16, stream: bool) -> NatsRules {
    NatsRules {
        servers: vec![NatsServer { secure: false, host: "127.0.0.1".into(), port }],
        client: "test".into(),
        user: None,
        tls: Err("not by TLS".into()),
        subject: "office".into(),
        hints: true,
        stream: stream.then(|| NatsStream { name: "OFFICE".into(), keeps: Duration::from_secs(3_600) }),
        monitor: None,
    }
}

fn info(version: &str) -> String {
    format!(
        "INFO {{\"server_id\":\"A\",\"server_name\":\"old\",\"version\":\"{version}\",\"go\":\"go1\",\"host\":\"127.0.0.1\",\
         \"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1}}\r\n"
    )
}

/// Takes one guest after another: tells it `greeting`, and to each subscription `after`; hands on what it says, line by line.
async fn server(greeting: Vec<u8>, after: Vec<u8>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, said) = mpsc::channel(1_024);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (told, greeting, after) = (told.clone(), greeting.clone(), after.clone());
            tokio::spawn(async move {
                let (reader, mut writer) = stream.split();
                writer.write_all(&greeting).await?;
                let mut lines = BufReader::new(reader).lines();
                while let Some(line) = lines.next_line().await? {
                    match line.split(' ').next() {
                        Some("PING") => writer.write_all(b"PONG\r\n").await?,
                        Some("SUB") => writer.write_all(&after).await?,
                        _ => {}
                    }
                    if told.try_send(line).is_err() {
                        break;
                    }
                }
                std::io::Result::Ok(())
            });
        }
    });
    (port, said)
}

async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it takes too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn line(said: &mut Receiver<String>, begins: &str) -> String {
    let heard = timeout(Duration::from_secs(20), async {
        loop {
            let line = said.recv().await.expect("the server lives");
            if line.starts_with(begins) {
                return line;
            }
        }
    });
    heard.await.expect("it is said")
}

fn event() -> NatsEvent {
    NatsEvent { id: "e-1".into(), kind: "call.started".into(), text: "{}".into() }
}

#[tokio::test]
async fn show_4_an_old_server_keeps_nothing_and_carries_hints_all_the_same() {
    let hint = b"MSG office.look 1 0\r\n\r\n".to_vec();
    let (port, mut said) = server(info("2.9.10").into_bytes(), hint).await;
    let (nats, mut heard) = Nats::start(rules(port, true));
    let trouble = until(|| nats.state().trouble.filter(|why| why.contains("2.9.10"))).await;
    assert!(trouble.contains("2.10.23 and later"), "{trouble}");
    assert_eq!(nats.keep(event()).await, Err(NotKept::Yet));
    assert!(line(&mut said, "SUB").await.starts_with("SUB office.look "));
    assert_eq!(timeout(PATIENCE, heard.recv()).await, Ok(Some(())));
    nats.hint();
    assert_eq!(line(&mut said, "PUB").await, "PUB office.look 0");
    let state = until(|| Some(nats.state()).filter(|state| state.hints.0 > 0)).await;
    assert_eq!((state.connected, state.server.as_str(), state.kept), (true, "old 2.9.10", 0));
}

#[tokio::test]
async fn without_a_stream_an_event_is_told_and_its_subject_is_its_kind() {
    let (port, mut said) = server(info("2.9.10").into_bytes(), Vec::new()).await;
    let (nats, _heard) = Nats::start(rules(port, false));
    assert_eq!(nats.keep(event()).await, Err(NotKept::Yet), "before there is a connection");
    until(|| nats.state().connected.then_some(()).filter(|()| nats.state().server == "old 2.9.10")).await;
    assert_eq!(nats.keep(event()).await, Ok(()));
    assert_eq!(line(&mut said, "PUB").await, "PUB office.event.call.started 2");
    for kind in ["", "call..started", "call.*", "call.>", "call started", "call.started\r\nPUB x 0", "Call"] {
        let event = NatsEvent { kind: kind.into(), ..event() };
        assert_eq!(nats.keep(event).await, Err(NotKept::Ever), "{kind}");
    }
    let long = NatsEvent { text: "x".repeat(1 << 20), ..event() };
    assert_eq!(nats.keep(long).await, Err(NotKept::Ever), "longer than the server takes");
}

#[tokio::test]
async fn no_octet_of_a_nats_server_harms_us() {
    let whole = format!("{}MSG office.look 1 0\r\n\r\nPONG\r\n+OK\r\n-ERR 'no'\r\n", info("2.15.1"));
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % most as u64).unwrap()
    };
    let mut last = None;
    for _ in 0..60 {
        let mut octets = whole.clone().into_bytes();
        for _ in 0..1 + draw(6) {
            let place = draw(octets.len());
            octets[place] = u8::try_from(draw(256)).unwrap();
        }
        octets.truncate(1 + draw(octets.len()));
        let (port, said) = server(octets, b"MSG office.look 99999999 -1\r\n".to_vec()).await;
        let (nats, heard) = Nats::start(rules(port, true));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(nats.state().kept, 0);
        last = Some((nats, heard, said));
    }
    // Whoever talked with all of them still talks with one that makes sense.
    drop(last);
    let (port, mut said) = server(info("2.15.1").into_bytes(), Vec::new()).await;
    let (nats, _heard) = Nats::start(rules(port, false));
    until(|| nats.state().connected.then_some(())).await;
    nats.hint();
    assert_eq!(line(&mut said, "PUB").await, "PUB office.look 0");
}

#[test]
fn servers_are_read_and_written() {
    for (text, secure, host, port) in [
        ("tls://nats.example", true, "nats.example", 4222),
        ("nats://127.0.0.1:4223", false, "127.0.0.1", 4223),
        ("tls://[::1]:4224/", true, "::1", 4224),
    ] {
        let server: NatsServer = text.parse().unwrap();
        assert_eq!((server.secure, &*server.host, server.port), (secure, host, port), "{text}");
        assert_eq!(server.to_string().parse(), Ok(server));
    }
    for bad in ["", "nats", "http://x", "nats://", "nats://a b", "tls://u:p@host", "nats://host:99999"] {
        assert!(bad.parse::<NatsServer>().is_err(), "{bad}");
    }
}
