//! HTTP requests of our own, to addresses that people name: the host is looked up here, what it leads to is judged, and
//! the connection goes to the address that was judged (sec_14). No redirect is followed. A client takes one connection a
//! request; an [`HttpLine`] keeps its own.

use crate::destination::{Network, refusal};
use crate::locate::Locator;
use crate::reach;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
pub use hyper::{Method, body::Bytes};
use hyper::{Request, Response, Uri, Version, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For the body of an answer, which only people read.
const BODY_PATIENCE: Duration = Duration::from_secs(1);
/// Octets of such a body; the rest is not read.
const BODY: usize = 4_096;
/// Octets of an answer's head.
const HEAD: usize = 16 << 10;
/// Header lines of an answer.
const LINES: usize = 64;
/// Octets of a URL.
const URL: usize = 2_048;

/// What a client may do.
#[derive(Clone)]
pub struct HttpRules {
    /// Addresses of this machine and of private networks that may be reached.
    pub allow: Vec<Network>,
    /// Where those are set, for who has to; goes on after a refusal.
    pub hint: &'static str,
    /// Whether plain HTTP is spoken beyond this machine.
    pub clear: bool,
    /// From the look for the host to the head of the answer.
    pub patience: Duration,
    /// Who vouches for servers, or why nobody does.
    pub tls: Result<Arc<ClientConfig>, String>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// What it says about when to come again.
    pub retry_after: Option<String>,
    /// The beginning of its body; hostile text.
    pub body: String,
}

/// Sends requests; one for all who do.
#[derive(Clone)]
pub struct HttpClient {
    locator: Result<Locator, String>,
    rules: Arc<RwLock<Arc<HttpRules>>>,
}

/// Where a URL leads.
#[derive(Debug)]
struct Target {
    uri: Uri,
    secure: bool,
    host: String,
    port: u16,
}

impl HttpClient {
    /// A client that asks these name servers, or those of the system. To be made inside of the runtime.
    #[must_use]
    pub fn new(servers: &[SocketAddr], rules: HttpRules) -> HttpClient {
        HttpClient { locator: Locator::new(servers), rules: Arc::new(RwLock::new(Arc::new(rules))) }
    }

    /// Takes other rules, from the next request on.
    pub fn put(&self, rules: HttpRules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    fn rules(&self) -> Arc<HttpRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a URL can be sent to, as far as it can be told without asking for its name.
    ///
    /// # Errors
    /// Why not, in words, without the URL.
    pub fn judge(&self, url: &str) -> Result<(), String> {
        let rules = self.rules();
        let target = Target::parse(url)?;
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return target.judge(address, &rules);
        }
        if !target.secure && !rules.clear && target.host != "localhost" {
            return Err(CLEAR.into());
        }
        Ok(())
    }

    /// Posts a body, and waits for the head of the answer.
    ///
    /// # Errors
    /// Why there is no answer, in words, without the URL.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<HttpReply, String> {
        self.send(Method::POST, url, headers, body).await
    }

    /// Sends a request, and waits for the head of the answer.
    ///
    /// # Errors
    /// Why there is no answer, in words, without the URL.
    pub async fn send<N: AsRef<str>>(
        &self,
        method: Method,
        url: &str,
        headers: &[(N, String)],
        body: Bytes,
    ) -> Result<HttpReply, String> {
        let response = self.begin(method, url, headers, body).await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        // What is late is not worth to be waited for: the status has said it all.
        let _ = timeout(BODY_PATIENCE, read(response, &mut body)).await;
        Ok(HttpReply { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Sends a request, and waits for the head of the answer; whoever asked reads the body, or drops it.
    ///
    /// # Errors
    /// Why there is no answer, in words, without the URL.
    pub async fn begin<N: AsRef<str>>(
        &self,
        method: Method,
        url: &str,
        headers: &[(N, String)],
        body: Bytes,
    ) -> Result<Response<Incoming>, String> {
        let target = Target::parse(url)?;
        let request = target.request(method, headers, body, false)?;
        let rules = self.rules();
        let head = timeout(rules.patience, async {
            let mut sender = self.open(&target, &rules).await?;
            sender.send_request(request).await.map_err(no_answer)
        });
        head.await.map_err(|_| format!("no answer within {:?}", rules.patience))?
    }

    /// A connection to the first of its addresses that is allowed and answers.
    async fn open(&self, target: &Target, rules: &HttpRules) -> Result<Requests, String> {
        let addresses = self.addresses(target).await?;
        let stream = reach::first(&addresses, |address| target.judge(address, rules)).await?;
        target.speak(stream, rules).await
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, String> {
        reach::addresses(&self.locator, &target.host, target.port).await
    }
}

const CLEAR: &str =
    "plain http is spoken with this machine only; take https, or set clear = true in its section";

impl Target {
    fn parse(url: &str) -> Result<Target, String> {
        let wrong = "this is no URL; write it as in https://host.example/path";
        if url.len() > URL || url.contains('#') {
            return Err(format!("a URL has at most {URL} octets, and no #"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong.into()),
        };
        let authority = uri.authority().ok_or(wrong)?;
        if authority.as_str().contains('@') {
            return Err(
                "a URL has no name and no password in it; the signature is what proves who sends".into()
            );
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() || authority.as_str().ends_with(':') {
            return Err(wrong.into());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Target { secure, host, port, uri })
    }

    fn judge(&self, address: IpAddr, rules: &HttpRules) -> Result<(), String> {
        if let Some(why) = refusal(address, &rules.allow) {
            return Err(format!("nothing is sent to {address}, which {why}{}", rules.hint));
        }
        if !self.secure && !rules.clear && !address.to_canonical().is_loopback() {
            return Err(CLEAR.into());
        }
        Ok(())
    }

    fn request<N: AsRef<str>>(
        &self,
        method: Method,
        headers: &[(N, String)],
        body: Bytes,
        keep: bool,
    ) -> Result<Request<Full<Bytes>>, String> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let host = self.uri.authority().map_or("", |authority| authority.as_str());
        let mut request =
            Request::builder().method(method).version(Version::HTTP_11).uri(path).header(header::HOST, host);
        if !keep {
            request = request.header(header::CONNECTION, "close");
        }
        for (name, value) in headers {
            request = request.header(name.as_ref(), value);
        }
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }

    async fn speak(&self, stream: TcpStream, rules: &HttpRules) -> Result<Requests, String> {
        if !self.secure {
            return requests(stream).await;
        }
        let tls = rules.tls.clone()?;
        requests(reach::secure(&self.host, stream, tls).await?).await
    }
}

/// Where requests of one connection go in.
type Requests = http1::SendRequest<Full<Bytes>>;

fn no_answer(error: hyper::Error) -> String {
    format!("no answer: {error}")
}

async fn requests<S>(stream: S) -> Result<Requests, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = http1::Builder::new().max_buf_size(HEAD).max_headers(LINES).to_owned();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(no_answer)?;
    // Ends with the sender, or the answer's body.
    tokio::spawn(connection);
    Ok(sender)
}

async fn read(response: Response<Incoming>, body: &mut Vec<u8>) {
    let mut incoming = response.into_body();
    while let Some(Ok(frame)) = incoming.frame().await {
        let data = frame.into_data().unwrap_or_default();
        body.extend(data.iter().take(BODY - body.len()));
        if body.len() == BODY {
            return;
        }
    }
}

/// One connection that is kept between requests, to one server.
pub struct HttpLine {
    client: HttpClient,
    open: Option<Requests>,
}

impl HttpLine {
    /// A line that connects when it is asked to.
    #[must_use]
    pub fn new(client: HttpClient) -> HttpLine {
        HttpLine { client, open: None }
    }

    /// Asks, and reads the whole answer, of at most `most` octets; `patience` counts from now to its end. Nothing is asked
    /// twice: a connection that breaks is an error.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn ask(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
        most: usize,
        patience: Duration,
    ) -> Result<(u16, Bytes), String> {
        let target = Target::parse(url)?;
        let request = target.request(method, headers, body, true)?;
        let answer = timeout(patience, self.answer(&target, request, most)).await;
        answer.map_err(|_| format!("no answer within {patience:?}"))?
    }

    async fn answer(
        &mut self,
        target: &Target,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<(u16, Bytes), String> {
        // Taken out, so that a connection with half an answer on it is not used again.
        let mut kept = self.open.take();
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.client.open(target, &self.client.rules()).await?,
        };
        let response = sender.send_request(request).await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|error| format!("no whole answer: {error}"))?.to_bytes();
        self.open = Some(sender);
        Ok((status, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], clear: bool) -> HttpRules {
        let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
        HttpRules {
            allow,
            hint: "",
            clear,
            patience: Duration::from_secs(1),
            tls: Err("no authorities".into()),
        }
    }

    #[tokio::test]
    async fn sec_14_a_url_is_judged_before_anybody_is_asked() {
        let client = HttpClient::new(&["127.0.0.1:9".parse().unwrap()], rules(&["127.0.0.0/8"], false));
        for good in [
            "https://hooks.example/ringdown?k=v",
            "https://8.8.8.8:8443/",
            "http://127.0.0.1:80/x",
            "http://localhost/x",
            "https://127.0.0.1",
        ] {
            assert_eq!(client.judge(good), Ok(()), "{good}");
        }
        for (bad, words) in [
            ("http://hooks.example/", "clear = true"),
            ("http://8.8.8.8/", "clear = true"),
            ("https://me:secret@hooks.example/", "no password"),
            ("https://me@hooks.example/", "no password"),
            ("https://10.0.0.1/", "private network"),
            ("https://[::ffff:10.0.0.1]/", "private network"),
            ("https://[::1]/", "this machine"),
            ("https://169.254.169.254/latest/meta-data", "link-local"),
            ("https://[fe80::1]/", "link-local"),
            ("https://0.0.0.0/", "names no machine"),
            ("ftp://hooks.example/", "no URL"),
            ("file:///etc/passwd", "no URL"),
            ("/path", "no URL"),
            ("https://", "no URL"),
            ("https://hooks.example:/", "no URL"),
            ("https://hooks.example/#x", "no #"),
            ("https://hooks.example/ x", "no URL"),
            ("https://hooks.example/\r\nX: y", "no URL"),
        ] {
            let why = client.judge(bad).expect_err(bad);
            assert!(why.contains(words), "{bad}: {why}");
            assert!(!why.contains("secret"), "{why}");
            assert!(client.post(bad, &[], Bytes::new()).await.is_err(), "{bad}");
        }
        assert!(client.judge(&format!("https://hooks.example/{}", "x".repeat(URL))).is_err());
    }
}
