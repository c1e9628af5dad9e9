//! Requests of our own, against real listeners: who is believed, what is read, how long is waited (sec_14, sec_21).

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use net::{HttpClient, HttpLimits, HttpListener, HttpRules, Identity, Seats};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ringdown-client-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the test goes on");
    folder
}

fn client(authorities: &Path, allow: &[&str]) -> HttpClient {
    let allow = allow.iter().map(|text| text.parse().expect("the test goes on")).collect();
    let tls = net::client_config(&[authorities]).map_err(|error| error.to_string());
    HttpClient::new(
        &[],
        HttpRules {
            allow,
            hint: "; [webhooks] allow",
            clear: false,
            patience: Duration::from_millis(500),
            tls,
        },
    )
}

/// A receiver that counts requests and answers with what it got.
async fn receiver(tls: Option<&Identity>, seen: &Arc<AtomicUsize>) -> SocketAddr {
    let tls =
        tls.map(|identity| Arc::new(RwLock::new(net::server_config(identity).expect("the test goes on"))));
    let at = "127.0.0.1:0".parse().expect("the test goes on");
    let listener = HttpListener::bind(at, None, tls).await.expect("the test goes on");
    let (bound, seen) = (listener.bound(), Arc::clone(seen));
    let answer = move |_, request: Request<Incoming>| {
        seen.fetch_add(1, Ordering::Relaxed);
        answer(request)
    };
    tokio::spawn(listener.serve(HttpLimits::default(), Seats::new(100, 100), answer));
    bound
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let said = format!("{} {path} {} {} ", request.method(), header("host"), header("ringdown-signature"));
    let body = request.into_body().collect().await.expect("the test goes on").to_bytes();
    let response = Response::builder();
    let made = match path.as_str() {
        "/redirect" => response.status(307).header("location", "/other").body(Full::default()),
        "/busy" => response.status(503).header("retry-after", "7").body(Full::default()),
        "/huge" => response.body(Full::from(vec![b'x'; 1 << 20])),
        _ => response.body(Full::from([said.into_bytes(), body.to_vec()].concat())),
    };
    made.expect("the test goes on")
}

#[tokio::test]
async fn sec_21_a_receiver_must_prove_its_name_and_is_told_all_of_it() {
    let folder = folder("names");
    let identity = Identity::self_signed(&folder, vec!["127.0.0.1".into()]).expect("the test goes on");
    let strange = folder.join("strange");
    std::fs::create_dir_all(&strange).expect("the test goes on");
    let other = Identity::self_signed(&strange, vec!["127.0.0.1".into()]).expect("the test goes on");
    let seen = Arc::default();
    let at = receiver(Some(&identity), &seen).await;
    let (trusting, wary) =
        (client(&identity.certificate, &["127.0.0.1"]), client(&other.certificate, &["127.0.0.1"]));
    std::fs::remove_dir_all(&folder).expect("the test goes on");
    let headers = [("ringdown-signature", "t=1,v1=2".to_owned())];
    let url = format!("https://{at}/hook?k=v");
    let reply = trusting.post(&url, &headers, "{}".into()).await.expect("it is believed");
    assert_eq!((reply.status, reply.body), (200, format!("POST /hook {at} t=1,v1=2 {{}}")));
    let refused = wary.post(&url, &headers, "{}".into()).await.expect_err("nobody vouches for it");
    assert!(refused.contains("certificate") && !refused.contains("hook"), "{refused}");
    let localhost = format!("https://localhost:{}/", at.port());
    let refused = trusting.post(&localhost, &[], Bytes::new()).await.expect_err("another name");
    assert!(refused.contains("certificate"), "{refused}");
    assert_eq!(seen.load(Ordering::Relaxed), 1, "nothing was sent to who did not prove it");
}

#[tokio::test]
async fn sec_14_no_redirect_is_followed_and_of_an_answer_only_the_beginning_is_read() {
    let seen = Arc::default();
    let at = receiver(None, &seen).await;
    let client = client(Path::new("/nowhere.pem"), &["127.0.0.0/8"]);
    let post = |path: &str| {
        let (client, url) = (client.clone(), format!("http://{at}{path}"));
        async move { client.post(&url, &[], "{}".into()).await.expect(&url) }
    };
    assert_eq!(post("/redirect").await.status, 307);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    let busy = post("/busy").await;
    assert_eq!((busy.status, busy.retry_after.as_deref()), (503, Some("7")));
    assert_eq!(post("/huge").await.body.len(), 4_096);
    let secret = format!("https://{at}/");
    let why = client.post(&secret, &[], Bytes::new()).await.expect_err("there is no authority");
    assert!(why.contains("/nowhere.pem"), "{why}");
}

#[tokio::test]
async fn sec_14_a_name_that_leads_inside_is_refused_where_it_leads_and_rules_can_change() {
    let seen = Arc::default();
    let at = receiver(None, &seen).await;
    let client = client(Path::new("/nowhere.pem"), &[]);
    let url = format!("http://localhost:{}/", at.port());
    assert_eq!(client.judge(&url), Ok(()), "only the DNS knows where a name leads");
    let why = client.post(&url, &[], Bytes::new()).await.expect_err("it leads to this machine");
    assert!(why.contains("this machine") && why.contains("[webhooks] allow"), "{why}");
    let allow = ["127.0.0.0/8", "::1"].iter().map(|text| text.parse().expect("the test goes on")).collect();
    client.put(HttpRules {
        allow,
        hint: "; [webhooks] allow",
        clear: false,
        patience: Duration::from_secs(5),
        tls: Err(String::new()),
    });
    assert_eq!(client.post(&url, &[], Bytes::new()).await.map(|reply| reply.status), Ok(200));
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn sec_25_who_says_nothing_or_drips_its_head_is_not_waited_for() {
    for drips in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the test goes on");
        let at = listener.local_addr().expect("the test goes on");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("the test goes on");
            let mut heard = [0; 4_096];
            let _ = stream.read(&mut heard).await;
            let head = b"HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
            for octet in head.iter().cycle() {
                if drips && stream.write_all(&[*octet]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let client = client(Path::new("/nowhere.pem"), &["127.0.0.0/8"]);
        let began = Instant::now();
        let why = client.post(&format!("http://{at}/"), &[], Bytes::new()).await.expect_err("no answer");
        assert!(why.contains("no answer within 500ms"), "{why}");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}
