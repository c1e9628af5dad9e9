//! A client of one SMPP 3.4 server: hands texts over, hears what became of them, connects again for ever.
//!
//! ```text
//! submit --bounded queue--> task: submit_sm ... submit_sm_resp --> answer
//! receipts <--bounded queue-- deliver_sm      deliver_sm_resp <-- kept
//! ```
//! Whoever submits while there is no connection hears so at once: what waits, waits in the store.

mod session;

use crate::dial::connect;
use crate::locate::Locator;
use rustls::ClientConfig;
use session::{Link, Session};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
pub use wire::smpp::{Address as SmppAddress, Receipt as SmppReceipt};

/// Texts on their way to the task, and receipts on their way from it.
const QUEUE: usize = 64;
/// To connect and be bound, and for the answer to a question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to connect; doubled up to the second, until a connection has lasted that long.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How the server is spoken to. There is a secret in it, so nothing prints it.
#[derive(Clone)]
pub struct SmppRules {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who vouches for it, or why nobody does; `None` for a connection in clear.
    pub tls: Option<Result<Arc<ClientConfig>, String>>,
    /// Who we are there.
    pub system_id: String,
    /// How we prove it.
    pub password: String,
    /// Who texts come from.
    pub source: SmppAddress,
    /// Type and plan of the numbers that they go to.
    pub destination: (u8, u8),
}

/// Why a text was not taken, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmppRefusal {
    /// Not now, or nobody knows.
    Later(String),
    /// Never.
    Never(String),
}

/// A receipt, and who hears whether it was kept: then the server forgets it.
#[derive(Debug)]
pub struct SmppTold {
    /// What became of a part.
    pub receipt: SmppReceipt,
    /// True when it is kept.
    pub kept: oneshot::Sender<bool>,
}

/// The names of the parts, none if the server gives none, or why it is not taken.
type Answer = oneshot::Sender<Result<Vec<String>, SmppRefusal>>;

struct Order {
    to: String,
    text: String,
    answer: Answer,
}

/// The way to the server.
#[derive(Clone, Debug)]
pub struct Smpp {
    orders: mpsc::Sender<Order>,
}

impl Smpp {
    /// Connects, for as long as anybody has this; receipts come out of the other end. To be called inside of the runtime.
    #[must_use]
    pub fn start(servers: &[SocketAddr], rules: SmppRules) -> (Smpp, mpsc::Receiver<SmppTold>) {
        let (orders, ordered) = mpsc::channel(QUEUE);
        let (told, receipts) = mpsc::channel(QUEUE);
        tokio::spawn(Task { locator: Locator::new(servers), rules, ordered, told, texts: 0 }.run());
        (Smpp { orders }, receipts)
    }

    /// Hands a text over, and waits for the names that the server gives to its parts; there are none if it does not name all.
    ///
    /// # Errors
    /// [`SmppRefusal`] when it is not taken.
    pub async fn submit(&self, to: &str, text: &str) -> Result<Vec<String>, SmppRefusal> {
        let (answer, answered) = oneshot::channel();
        let order = Order { to: to.to_owned(), text: text.to_owned(), answer };
        let gone = || SmppRefusal::Later("the connection is gone".into());
        self.orders.send(order).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

struct Task {
    locator: Result<Locator, String>,
    rules: SmppRules,
    ordered: mpsc::Receiver<Order>,
    told: mpsc::Sender<SmppTold>,
    /// Texts so far: tells the parts of one from those of another.
    texts: u8,
}

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        let server = format!("{}:{}", self.rules.host, self.rules.port);
        let mut complained = String::new();
        loop {
            let why = match timeout(PATIENCE, self.bound()).await {
                Ok(Ok(link)) => {
                    tracing::info!(server, "the SMPP server has us");
                    let since = Instant::now();
                    match self.serve(link).await {
                        Ok(()) => return,
                        Err(why) => {
                            if since.elapsed() > PAUSES.1 {
                                (pause, complained) = (PAUSES.0, String::new());
                            }
                            why
                        }
                    }
                }
                Ok(Err(why)) => why,
                Err(_) => "nobody answers".into(),
            };
            if complained != why {
                tracing::warn!(server, why, "no SMPP server; tried again");
                complained.clone_from(&why);
            }
            if !self.rest(pause, &why).await {
                return;
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Takes nothing for a while. Returns whether anybody has us still.
    async fn rest(&mut self, pause: Duration, why: &str) -> bool {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                order = self.ordered.recv() => {
                    let Some(order) = order else { return false };
                    // Who asked may be gone.
                    let _ = order.answer.send(Err(SmppRefusal::Later(why.to_owned())));
                }
            }
        }
    }

    async fn bound(&self) -> Result<Link, String> {
        let locator = self.locator.as_ref().map_err(Clone::clone)?;
        let tls = self.rules.tls.clone().transpose()?;
        let stream = connect(locator, &self.rules.host, self.rules.port, tls).await?;
        Link::bound(stream, &self.rules).await
    }

    async fn serve(&mut self, link: Link) -> Result<(), String> {
        Session::new(link, self.told.clone()).serve(&self.rules, &mut self.ordered, &mut self.texts).await
    }
}
