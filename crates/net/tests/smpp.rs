//! Texts to an SMPP server and what becomes of them, against a listener that answers octet by octet as it is told.

use net::{Smpp, SmppAddress, SmppRefusal, SmppRules};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const RESPONSE: u32 = 0x8000_0000;
const BIND: u32 = 9;
const SUBMIT: u32 = 4;
const DELIVER: u32 = 5;
const UNBIND: u32 = 6;

fn pdu(command: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).expect("the test goes on");
    let words = [length, command, status, sequence].map(u32::to_be_bytes);
    [words.as_flattened(), body].concat()
}

fn receipt(sequence: u32, name: &str, state: &str) -> Vec<u8> {
    let text = format!("id:{name} stat:{state}");
    let mut body = b"\0\x01\x01861\0\x05\0Office\0\x04\0\0\0\0\0\0\0\0".to_vec();
    body.push(u8::try_from(text.len()).expect("the test goes on"));
    body.extend(text.bytes());
    pdu(DELIVER, 0, sequence, &body)
}

/// The server's side of a connection.
struct Server(TcpStream);

impl Server {
    /// The command, its status, its sequence number and its body.
    async fn next(&mut self) -> (u32, u32, u32, Vec<u8>) {
        let read = async {
            let length = self.0.read_u32().await?;
            let words = (self.0.read_u32().await?, self.0.read_u32().await?, self.0.read_u32().await?);
            let mut body = vec![0; length as usize - 16];
            self.0.read_exact(&mut body).await?;
            Ok::<_, std::io::Error>((words.0, words.1, words.2, body))
        };
        let read = timeout(Duration::from_secs(10), read).await;
        read.expect("something is said in time").expect("the connection stands")
    }

    async fn say(&mut self, octets: &[u8]) {
        self.0.write_all(octets).await.expect("the connection stands");
    }

    /// Lets the client in, with `more` in the same breath.
    async fn let_in(listener: &TcpListener, more: &[u8]) -> Server {
        let accepted = timeout(Duration::from_secs(10), listener.accept()).await;
        let (stream, _) = accepted.expect("it comes in time").expect("it comes");
        let mut server = Server(stream);
        let (command, _, sequence, body) = server.next().await;
        assert_eq!((command, &body[..14]), (BIND, &b"office\0secret\0"[..]));
        server.say(&[&pdu(BIND | RESPONSE, 0, sequence, b"smsc\0"), more].concat()).await;
        server
    }
}

async fn start() -> (TcpListener, Smpp, tokio::sync::mpsc::Receiver<net::SmppTold>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the test goes on");
    let (smpp, told) = Smpp::start(
        &[],
        SmppRules {
            host: "127.0.0.1".into(),
            port: listener.local_addr().expect("the test goes on").port(),
            tls: None,
            system_id: "office".into(),
            password: "secret".into(),
            source: SmppAddress { ton: 5, npi: 0, text: "Office".into() },
            destination: (1, 1),
        },
    );
    (listener, smpp, told)
}

fn submit(smpp: &Smpp, text: &str) -> tokio::task::JoinHandle<Result<Vec<String>, SmppRefusal>> {
    let (smpp, text) = (smpp.clone(), text.to_owned());
    tokio::spawn(async move { smpp.submit("+8613800138000", &text).await })
}

#[tokio::test]
async fn a_receipt_is_answered_when_it_is_kept_even_one_that_comes_with_the_welcome() {
    let (listener, _smpp, mut told) = start().await;
    let mut server = Server::let_in(&listener, &receipt(7, "m1", "DELIVRD")).await;
    for (sequence, kept, status) in [(7, true, 0), (8, false, 0x64)] {
        let one =
            timeout(Duration::from_secs(10), told.recv()).await.expect("in time").expect("there is one");
        assert_eq!((&*one.receipt.message_id, one.receipt.delivered), ("m1", Some(true)));
        let silent = timeout(Duration::from_millis(100), server.0.peek(&mut [0])).await;
        assert!(silent.is_err(), "nothing is said before it is kept");
        one.kept.send(kept).expect("somebody waits for it");
        let answer = server.next().await;
        assert_eq!((answer.0, answer.1, answer.2), (DELIVER | RESPONSE, status, sequence));
        server.say(&receipt(8, "m1", "DELIVRD")).await;
    }
    // One that changes nothing is answered at once.
    let _second = told.recv().await;
    server.say(&receipt(9, "m1", "ENROUTE")).await;
    let answer = server.next().await;
    assert_eq!((answer.0, answer.1, answer.2), (DELIVER | RESPONSE, 0, 9));
}

#[tokio::test]
async fn a_text_is_taken_when_all_of_its_parts_are() {
    let (listener, smpp, _told) = start().await;
    let mut server = Server::let_in(&listener, &[]).await;
    let text = "a".repeat(200);
    let refused = |status: u32| format!("status {status:#x}");
    // What is said to the second part, then to the first, and what comes of it.
    for (second, first, outcome) in [
        ((SUBMIT, 0, "m2"), (SUBMIT, 0, "m1"), Ok(vec!["m1".to_owned(), "m2".into()])),
        ((SUBMIT, 0, "m2"), (SUBMIT, 0, ""), Ok(vec![])),
        ((SUBMIT, 0, "m2"), (SUBMIT, 0x58, ""), Err(SmppRefusal::Later(refused(0x58)))),
        ((SUBMIT, 0x0b, ""), (SUBMIT, 0, "m1"), Err(SmppRefusal::Never(refused(0x0b)))),
        ((SUBMIT, 0, "m2"), (0, 0, ""), Err(SmppRefusal::Never(refused(1)))),
    ] {
        let asked = submit(&smpp, &text);
        let parts = [server.next().await, server.next().await];
        for part in &parts {
            assert_eq!((part.0, &part.3[..26]), (SUBMIT, &b"\0\x05\0Office\0\x01\x018613800138000\0"[..]));
        }
        for ((command, status, name), part) in [(second, &parts[1]), (first, &parts[0])] {
            let name = [name.as_bytes(), b"\0"].concat();
            server.say(&pdu(command | RESPONSE, status, part.2, &name)).await;
        }
        assert_eq!(asked.await.expect("it ends"), outcome);
    }
}

#[tokio::test]
async fn what_is_under_way_when_the_connection_ends_is_told_and_it_is_made_anew() {
    let (listener, smpp, _told) = start().await;
    let mut server = Server::let_in(&listener, &[]).await;
    let asked = submit(&smpp, "Hi");
    assert_eq!(server.next().await.0, SUBMIT);
    server.say(&pdu(UNBIND, 0, 3, b"")).await;
    let answer = server.next().await;
    assert_eq!((answer.0, answer.1, answer.2), (UNBIND | RESPONSE, 0, 3));
    assert!(matches!(asked.await.expect("it ends"), Err(SmppRefusal::Later(_))));
    let mut server = Server::let_in(&listener, &[]).await;
    let asked = submit(&smpp, "Hi");
    let (_, _, sequence, _) = server.next().await;
    server.say(&pdu(SUBMIT | RESPONSE, 0, sequence, b"m1\0")).await;
    assert_eq!(asked.await.expect("it ends"), Ok(vec!["m1".to_owned()]));
    // A length that no PDU has ends it once more.
    server.say(&[0, 0, 0, 3]).await;
    Server::let_in(&listener, &[]).await;
}
