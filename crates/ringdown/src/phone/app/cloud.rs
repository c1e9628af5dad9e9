//! The way to the directory: a connection that stands, or, for an app that sleeps, a broker that wakes it and a connection when
//! it has something to say.

use super::super::hub::{Ear, Heard};
use super::state::State;
use crate::Failure;
use crate::directory::app_protocol::{FromApp, ToApp};
use clock::Wall;
use directory::{Message, Push, Wake, Way};
use net::{Broker, Clock, Mqtt, MqttMessage, MqttRules, TextSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Words that may wait for the directory.
const WORDS: usize = 64;
/// From a lost connection to the next try, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// How long an app that sleeps stays connected after the last word: a request for a call is answered in that time.
const LINGERS: Duration = Duration::from_secs(60);
/// How long the directory may take to say that it knows us, and how we are woken.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is heard of the directory.
#[derive(Debug)]
pub(in crate::phone) enum Cloud {
    /// It knows us; whether we sleep from now on, until somebody wakes us.
    Connected,
    /// The broker wakes us.
    Asleep,
    /// There is no connection to it, in words.
    Away(String),
    /// A message that it signed.
    Push(Push),
    /// The answer to a call.
    Told(Message),
    /// What we said was refused.
    Refused(String),
}

/// How an app is woken that sleeps.
#[derive(Clone, Debug)]
pub(super) struct Broking {
    pub(super) broker: Broker,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: Result<Arc<net::ClientConfig>, String>,
}

/// Says something to the directory; it waits while there is no connection.
pub(super) type Words = mpsc::Sender<FromApp>;

/// Looks for the directory, on a thread of its own, for as long as somebody may say something to it.
pub(super) fn start(
    state: State,
    broking: Option<Broking>,
    clock: Clock,
    ear: Ear,
) -> Result<Words, Failure> {
    let (words, said) = mpsc::channel(WORDS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let key = state.signing_key()?;
    let way = Telling { state, key, clock, ear, offset: Arc::default() };
    let run = move || {
        runtime.block_on(async {
            match broking {
                Some(broking) => way.asleep(broking, said).await,
                None => way.awake(said).await,
            }
        });
    };
    std::thread::Builder::new().name("directory".into()).spawn(run)?;
    Ok(words)
}

struct Telling {
    state: State,
    key: [u8; 32],
    clock: Clock,
    ear: Ear,
    /// The directory's clock less ours, in milliseconds.
    offset: Arc<AtomicI64>,
}

/// Why a connection ended.
enum Ended {
    /// Nobody will say anything any more.
    Done,
    /// Nothing was said for a while.
    Idle,
    /// It broke.
    Broken(String),
}

impl Telling {
    fn tell(&self, heard: Cloud) {
        // The phone ends before we do.
        let _ = self.ear.send(Heard::Cloud(heard));
    }

    /// A connection that stands.
    async fn awake(mut self, mut said: mpsc::Receiver<FromApp>) {
        let mut wait = AGAIN.0;
        loop {
            let began = Instant::now();
            match self.once(&[], None, &mut said).await {
                Ended::Done => return,
                Ended::Idle => {}
                Ended::Broken(why) => self.tell(Cloud::Away(why)),
            }
            wait = if began.elapsed() > AGAIN.1 { AGAIN.0 } else { (wait * 2).min(AGAIN.1) };
            sleep(wait).await;
        }
    }

    /// The directory is told how we are woken, and we listen to the broker.
    async fn asleep(mut self, broking: Broking, mut said: mpsc::Receiver<FromApp>) {
        let topic = format!("ringdown/wake/{}", self.state.device);
        let Broking { broker, user, password, tls } = broking;
        let client = self.state.device.to_string();
        let rules = MqttRules { broker, client, user, password, tls, hears: topic.clone() };
        let (_mqtt, mut heard) = Mqtt::start(&[], rules);
        let ways = [Way { provider: Wake::Mqtt, param: "".into(), prid: topic.into() }];
        let ear = Listening {
            ear: self.ear.clone(),
            key: self.key,
            clock: self.clock,
            offset: Arc::clone(&self.offset),
        };
        let mut wait = AGAIN.0;
        let mut first = None;
        loop {
            let told = tokio::select! {
                ended = self.once(&ways, first.take(), &mut said) => ended,
                () = ear.listen(&mut heard) => return,
            };
            match told {
                Ended::Done => return,
                Ended::Broken(why) => {
                    self.tell(Cloud::Away(why));
                    wait = (wait * 2).min(AGAIN.1);
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = ear.listen(&mut heard) => return,
                    }
                }
                Ended::Idle => {
                    wait = AGAIN.0;
                    self.tell(Cloud::Asleep);
                    first = tokio::select! {
                        word = said.recv() => word,
                        () = ear.listen(&mut heard) => return,
                    };
                    if first.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// One connection.
    async fn once(
        &mut self,
        ways: &[Way],
        first: Option<FromApp>,
        said: &mut mpsc::Receiver<FromApp>,
    ) -> Ended {
        let sleeps = !ways.is_empty();
        let mut socket = match self.state.connect().await {
            Ok(socket) => socket,
            Err(why) => return Ended::Broken(why),
        };
        if let Err(why) = self.welcomed(&mut socket, ways).await {
            return Ended::Broken(why);
        }
        self.tell(Cloud::Connected);
        let mut idle = Instant::now() + if first.is_some() { LINGERS } else { Duration::ZERO };
        if let Some(word) = first
            && let Err(why) = say(&mut socket, &word).await
        {
            return Ended::Broken(why);
        }
        loop {
            tokio::select! {
                text = socket.next() => match self.hear(text) {
                    Ok(()) => {}
                    Err(why) => return Ended::Broken(why),
                },
                word = said.recv() => {
                    let Some(word) = word else {
                        socket.close().await;
                        return Ended::Done;
                    };
                    idle = Instant::now() + LINGERS;
                    if let Err(why) = say(&mut socket, &word).await {
                        return Ended::Broken(why);
                    }
                }
                () = sleep_until(idle), if sleeps => {
                    socket.close().await;
                    return Ended::Idle;
                }
            }
        }
    }

    async fn welcomed(&mut self, socket: &mut TextSocket, ways: &[Way]) -> Result<(), String> {
        say(socket, &FromApp::Ways(ways.to_vec())).await?;
        let known = async {
            loop {
                let text = socket.next().await.map_err(|error| error.to_string())?;
                match parse(&text.ok_or("it closed the connection")?)? {
                    ToApp::Welcome { time, certificate, .. } => {
                        let offset = time.saturating_sub(self.clock.now().wall.0);
                        self.offset.store(offset, Ordering::Relaxed);
                        if let Some(certificate) = certificate {
                            self.state.renew(&certificate).map_err(|error| error.to_string())?;
                        }
                    }
                    ToApp::Ways(_) => return Ok(()),
                    ToApp::Error(why) => return Err(why),
                    other => self.heard(other),
                }
            }
        };
        timeout(PATIENCE, known).await.map_err(|_| "the directory says nothing")?
    }

    fn hear(&self, text: std::io::Result<Option<String>>) -> Result<(), String> {
        let text = text.map_err(|error| error.to_string())?.ok_or("it closed the connection")?;
        self.heard(parse(&text)?);
        Ok(())
    }

    fn heard(&self, said: ToApp) {
        match said {
            ToApp::Push(text) => {
                match Push::open(&self.key, directorys_time(self.clock, &self.offset), &text) {
                    Ok(push) => self.tell(Cloud::Push(push)),
                    Err(error) => tracing::warn!(%error, "a message of the directory"),
                }
            }
            ToApp::Told(message) => self.tell(Cloud::Told(message)),
            ToApp::Error(why) => self.tell(Cloud::Refused(why)),
            // What we know by now.
            ToApp::Challenge(_)
            | ToApp::Enrolled(_)
            | ToApp::Welcome { .. }
            | ToApp::Media(_)
            | ToApp::Ways(_) => {}
        }
    }
}

/// Who listens to the broker.
struct Listening {
    ear: Ear,
    key: [u8; 32],
    clock: Clock,
    offset: Arc<AtomicI64>,
}

impl Listening {
    /// What comes, until the broker is gone for good. Whoever may write there is believed for what the directory signed.
    async fn listen(&self, heard: &mut mpsc::Receiver<MqttMessage>) {
        while let Some(message) = heard.recv().await {
            let text = String::from_utf8_lossy(&message.payload);
            match Push::open(&self.key, directorys_time(self.clock, &self.offset), &text) {
                Ok(push) => drop(self.ear.send(Heard::Cloud(Cloud::Push(push)))),
                Err(error) => tracing::warn!(%error, "a message of the broker"),
            }
        }
    }
}

fn directorys_time(clock: Clock, offset: &AtomicI64) -> Wall {
    Wall(clock.now().wall.0.saturating_add(offset.load(Ordering::Relaxed)))
}

fn parse(text: &str) -> Result<ToApp, String> {
    serde_json::from_str(text).map_err(|error| format!("it says what makes no sense: {error}"))
}

async fn say(socket: &mut TextSocket, what: &FromApp) -> Result<(), String> {
    let text = serde_json::to_string(what).map_err(|error| error.to_string())?;
    socket.send(&text).await.map_err(|error| error.to_string())
}
