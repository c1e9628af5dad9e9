//! One connection of an app: it proves to have its key, and then both sides talk. Whoever asks for anything else there gets the
//! web app.

use super::super::folder::{hex, octets, random};
use super::super::server::Event;
use super::protocol::{FromApp, LONGEST, PATH, ToApp, challenged};
use super::{AppEvent, Desk};
use axum::body::Body;
use directory::DeviceId;
use hyper::Response;
use net::{HttpLimits, HttpListener, Seat, Seats, TextSocket, TextUpgrade};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Connections at once, and of one address: an office may stand behind it.
const CONNECTIONS: (usize, usize) = (10_000, 1_000);
/// Texts that may wait for an app to read them.
const TEXTS: usize = 64;
/// How long one may take to prove who it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Texts that one app may send in a second.
const RATE: u32 = 20;
/// What an app is told that is none.
pub(super) const NO_APP: &str = "there is no such app";

/// Takes whoever comes.
pub(crate) async fn serve(listener: HttpListener, desk: Desk, events: mpsc::Sender<Event>) {
    let seats = Seats::new(CONNECTIONS.0, CONNECTIONS.1);
    let limits =
        HttpLimits { connections: CONNECTIONS.0, per_address: CONNECTIONS.1, ..HttpLimits::default() };
    let requests = Seats::new(limits.connections, limits.per_address);
    let answer = move |peer: net::Peer, mut request| {
        let (events, desk, seats) = (events.clone(), desk.clone(), seats.clone());
        async move { upgrade(peer, &mut request, (&events, &desk), &seats) }
    };
    listener.serve(limits, requests, answer).await;
}

fn upgrade<B>(
    peer: net::Peer,
    request: &mut hyper::Request<B>,
    (events, desk): (&mpsc::Sender<Event>, &Desk),
    seats: &Seats,
) -> Response<Body> {
    if request.uri().path() != PATH {
        return api::web_app(request.method(), request.uri().path(), request.headers()).map(Body::from);
    }
    let Some(seat) = seats.take(peer.remote.ip()) else {
        return refusal(hyper::StatusCode::SERVICE_UNAVAILABLE);
    };
    match TextUpgrade::answer(request, LONGEST) {
        Ok((answer, upgrade)) => {
            tokio::spawn(adopt(upgrade, peer, (events.clone(), desk.clone()), seat));
            answer.map(Body::new)
        }
        Err(answer) => answer.map(Body::new),
    }
}

fn refusal(status: hyper::StatusCode) -> Response<Body> {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}

async fn adopt(
    upgrade: TextUpgrade,
    peer: net::Peer,
    (events, desk): (mpsc::Sender<Event>, Desk),
    seat: Seat,
) {
    let ended = match upgrade.begin().await {
        Ok(socket) => talk(socket, &events, &desk).await,
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = ended {
        tracing::debug!(remote = %peer.remote, error, "the connection of an app ended");
    }
    drop(seat);
}

async fn talk(mut socket: TextSocket, events: &mpsc::Sender<Event>, desk: &Desk) -> Result<(), String> {
    let challenge = hex(&random::<32>().map_err(|error| error.to_string())?);
    say(&mut socket, &ToApp::Challenge(challenge.clone())).await?;
    let text = tokio::time::timeout(PATIENCE, socket.next()).await.map_err(|_| "it proved nothing")?;
    let text = text.map_err(|error| error.to_string())?.ok_or("it proved nothing")?;
    let (answers, mut queue): (_, mpsc::Receiver<Arc<str>>) = mpsc::channel(TEXTS);
    let (device, connection) = match proven(&text, &challenge, (events, desk), answers).await {
        Ok(known) => known,
        Err(why) => {
            say(&mut socket, &ToApp::Error(why)).await?;
            socket.close().await;
            return Ok(());
        }
    };
    let ended = converse(&mut socket, events, &device, connection, &mut queue).await;
    let _ = events.send(AppEvent::Closed { device, connection }.into()).await;
    if ended.is_ok() {
        socket.close().await;
    }
    ended
}

/// Who it is, and which of its connections this is.
async fn proven(
    text: &str,
    challenge: &str,
    (events, desk): (&mpsc::Sender<Event>, &Desk),
    texts: mpsc::Sender<Arc<str>>,
) -> Result<(DeviceId, u64), String> {
    let stops = "the directory stops";
    let wrong = "this key has not signed the challenge";
    let (public_key, signature, invitation, device) = match parse(text)? {
        FromApp::Enrol { key, public_key, signature } => (public_key, signature, Some(key), None),
        FromApp::Prove { device, signature } => {
            let (answer, answered) = oneshot::channel();
            let asked = AppEvent::KeyOf { device: device.clone(), answer };
            events.send(asked.into()).await.map_err(|_| stops)?;
            let public_key = answered.await.map_err(|_| stops)?.ok_or(NO_APP)?;
            if !desk.has(device.clone()).await {
                return Err(NO_APP.into());
            }
            (public_key, signature, None, Some(device))
        }
        _ => return Err("an app enrols, or proves who it is, before it says anything else".into()),
    };
    let key = octets(&public_key).ok_or("the public key is not in hexadecimal")?;
    let signature = octets(&signature).ok_or("the signature is not in hexadecimal")?;
    if !net::is_signed_by(&key, &challenged(challenge, &public_key), &signature) {
        return Err(wrong.into());
    }
    let (answer, answered) = oneshot::channel();
    let opened = match (invitation, device) {
        (Some(key), _) => {
            let account = desk.redeem(key).await?;
            let (room, found) = oneshot::channel();
            let asked = AppEvent::Room { account: account.clone(), answer: room };
            events.send(asked.into()).await.map_err(|_| stops)?;
            if !found.await.map_err(|_| stops)? {
                return Err(format!("{account} has as many apps as there is room for"));
            }
            let (enrolment, enrolled) = desk.enrol(account, public_key).await?;
            AppEvent::Enrolled { enrolment, enrolled, texts, answer }
        }
        (None, Some(device)) => AppEvent::Opened { device, texts, answer },
        (None, None) => return Err(wrong.into()),
    };
    events.send(opened.into()).await.map_err(|_| stops)?;
    answered.await.map_err(|_| stops)?
}

async fn converse(
    socket: &mut TextSocket,
    events: &mpsc::Sender<Event>,
    device: &DeviceId,
    connection: u64,
    queue: &mut mpsc::Receiver<Arc<str>>,
) -> Result<(), String> {
    let (mut since, mut count) = (Instant::now(), 0);
    loop {
        tokio::select! {
            text = socket.next() => {
                let Some(text) = text.map_err(|error| error.to_string())? else { return Ok(()) };
                if since.elapsed() >= Duration::from_secs(1) {
                    (since, count) = (Instant::now(), 0);
                }
                count += 1;
                if count > RATE {
                    return say(socket, &ToApp::Error(format!("more than {RATE} texts in a second"))).await;
                }
                match parse(&text) {
                    Ok(FromApp::Enrol { .. } | FromApp::Prove { .. }) => {
                        say(socket, &ToApp::Error("this connection has proved who it is".into())).await?;
                    }
                    Ok(said) => {
                        let said = AppEvent::Said { device: device.clone(), connection, said };
                        if events.send(said.into()).await.is_err() {
                            return Ok(());
                        }
                    }
                    Err(why) => say(socket, &ToApp::Error(why)).await?,
                }
            }
            // None: the app has a newer connection, does not read, or is no app any more.
            text = queue.recv() => match text {
                Some(text) => socket.send(&text).await.map_err(|error| error.to_string())?,
                None => return Ok(()),
            },
        }
    }
}

fn parse(text: &str) -> Result<FromApp, String> {
    serde_json::from_str(text).map_err(|error| format!("this text makes no sense: {error}"))
}

async fn say(socket: &mut TextSocket, what: &ToApp) -> Result<(), String> {
    let text = serde_json::to_string(what).map_err(|error| error.to_string())?;
    socket.send(&text).await.map_err(|error| error.to_string())
}
