//! One connection of an exchange: its lines in, the directory's lines out. Who it is, its certificate says.

use super::folder::Folder;
use super::protocol::{FromExchange, LONGEST, ToExchange};
use super::server::Event;
use directory::Fingerprint;
use net::{Clock, LineListener, LineWriter, Lines};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Connections at once; each exchange has one.
const CONNECTIONS: usize = 2_048;
/// Lines that may wait for an exchange to read them.
const LINES: usize = 1_024;
/// How long one who wants to join may take to say so.
const PATIENCE: Duration = Duration::from_secs(10);
/// An exchange tells each second how it is.
const SILENCE: Duration = Duration::from_secs(15);

/// Takes whoever comes.
pub(super) async fn serve(
    listener: LineListener,
    (office, clock): (Arc<Folder>, Clock),
    events: mpsc::Sender<Event>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let guest = match listener.accept().await {
            Ok(guest) => guest,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(seat) = Arc::clone(&room).try_acquire_owned() else {
            tracing::debug!("connection refused: too many");
            continue;
        };
        let (events, office) = (events.clone(), Arc::clone(&office));
        tokio::spawn(async move {
            match guest.welcome(LONGEST).await {
                Ok(lines) => {
                    let remote = lines.remote;
                    if let Err(error) = talk(lines, (&office, clock), &events).await {
                        tracing::debug!(%remote, %error, "a connection ended");
                    }
                }
                Err(error) => tracing::debug!(%error, "a handshake failed"),
            }
            drop(seat);
        });
    }
}

async fn talk(
    lines: Lines,
    (office, clock): (&Arc<Folder>, Clock),
    events: &mpsc::Sender<Event>,
) -> Result<(), String> {
    let gone = |_| "the directory stops".to_owned();
    let Lines { mut reader, mut writer, remote, fingerprint } = lines;
    let Some(fingerprint) = fingerprint else {
        let line = tokio::time::timeout(PATIENCE, reader.next()).await.map_err(|_| "it said nothing")?;
        let line = line.map_err(|error| error.to_string())?.ok_or("it said nothing")?;
        let FromExchange::Join { key, public_key } = parse(&line)? else {
            return say(&mut writer, &ToExchange::Refused("who has no certificate can only join".into()))
                .await;
        };
        let office = Arc::clone(office);
        // Calls do not wait for what an invitation costs.
        let join =
            move || office.join(&key, &public_key, clock.now().wall).map_err(|error| error.to_string());
        let joined = tokio::task::spawn_blocking(join).await.map_err(|_| "the directory stops")?;
        let (known, joined) = match joined {
            Ok(joined) => joined,
            Err(why) => return say(&mut writer, &ToExchange::Refused(why)).await,
        };
        let (answer, answered) = oneshot::channel();
        events.send(Event::Joined { known, answer }).await.map_err(gone)?;
        answered.await.map_err(|_| "the directory stops")?;
        return say(&mut writer, &ToExchange::Joined(joined)).await;
    };
    let (to_exchange, mut queue): (_, mpsc::Receiver<Arc<str>>) = mpsc::channel(LINES);
    let (answer, answered) = oneshot::channel();
    let opened = Event::Opened { fingerprint: Fingerprint(fingerprint), lines: to_exchange, answer };
    events.send(opened).await.map_err(gone)?;
    let Ok(Ok((exchange, connection))) = answered.await else {
        let why = "this certificate is no exchange's of this office, or not its newest";
        return say(&mut writer, &ToExchange::Refused(why.into())).await;
    };
    tracing::info!(%exchange, %remote, "an exchange is connected");
    let writing = tokio::spawn(async move {
        while let Some(line) = queue.recv().await {
            writer.send(&line).await.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    });
    let ended = loop {
        let line = match tokio::time::timeout(SILENCE, reader.next()).await {
            Err(_) => break Err("it says nothing any more".to_owned()),
            Ok(Err(error)) => break Err(error.to_string()),
            Ok(Ok(None)) => break Ok(()),
            Ok(Ok(Some(line))) => line,
        };
        match parse(&line) {
            Ok(said) => {
                let said = Event::Said { exchange: exchange.clone(), connection, said };
                if events.send(said).await.is_err() {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
    };
    tracing::info!(%exchange, %remote, ended = ended.as_ref().err().map_or("closed", String::as_str), "an exchange left");
    let _ = events.send(Event::Closed { exchange, connection }).await;
    writing.abort();
    ended
}

fn parse(line: &str) -> Result<FromExchange, String> {
    serde_json::from_str(line).map_err(|error| format!("a line makes no sense: {error}"))
}

async fn say(writer: &mut LineWriter, what: &ToExchange) -> Result<(), String> {
    let line = serde_json::to_string(what).map_err(|error| error.to_string())?;
    writer.send(&line).await.map_err(|error| error.to_string())
}
