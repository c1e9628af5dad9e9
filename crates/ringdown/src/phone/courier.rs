//! Fetches lists and uploads results, one after another, on a thread of its own.

use super::hub::{Ear, Heard};
use crate::Failure;
use ::phone::work::{Fetched, What};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use transfer::{Link, Rules, Transfer};

/// Errands that wait: one list, what is left of it, and one file out.
const ERRANDS: usize = 16;

/// One errand.
enum Errand {
    Fetch { link: String, what: What, tag: Option<String>, token: String },
    Put { link: String, file: PathBuf, token: String },
}

/// Who carries files.
pub(crate) struct Courier {
    errands: SyncSender<Errand>,
    ear: Ear,
}

impl Courier {
    /// Ready to go.
    pub(crate) fn start(rules: Rules, ear: Ear) -> Result<Courier, Failure> {
        let (errands, given) = sync_channel(ERRANDS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let told = ear.clone();
        let carry = move || runtime.block_on(async { carry(&Transfer::new(rules), &given, &told).await });
        std::thread::Builder::new().name("courier".into()).spawn(carry)?;
        Ok(Courier { errands, ear })
    }

    /// Fetches a file; the hub hears the answer.
    pub(crate) fn fetch(&self, link: String, what: What, tag: Option<String>, token: String) {
        if self.errands.try_send(Errand::Fetch { link, what, tag, token }).is_err() {
            let _ = self.ear.try_send(Heard::Fetched(what, Err("too much to fetch at once".to_owned())));
        }
    }

    /// Uploads a file; the hub hears the answer.
    pub(crate) fn put(&self, link: String, file: PathBuf, token: String) {
        if let Err(error) = self.errands.try_send(Errand::Put { link, file, token }) {
            let (std::sync::mpsc::TrySendError::Full(errand)
            | std::sync::mpsc::TrySendError::Disconnected(errand)) = error;
            if let Errand::Put { link, .. } = errand {
                let _ = self.ear.try_send(Heard::Uploaded(link, Err("too much to send at once".to_owned())));
            }
        }
    }
}

async fn carry(transfer: &Transfer, given: &Receiver<Errand>, ear: &Ear) {
    // Nothing else runs in this runtime, so it may stand still while there is no errand.
    while let Ok(errand) = given.recv() {
        let heard = match errand {
            Errand::Fetch { link, what, tag, token } => {
                Heard::Fetched(what, fetch(&transfer.with_token(&token), &link, tag.as_deref()).await)
            }
            Errand::Put { link, file, token } => {
                let put = put(&transfer.with_token(&token), &link, file).await;
                Heard::Uploaded(link, put)
            }
        };
        if ear.send(heard).is_err() {
            return;
        }
    }
}

async fn fetch(transfer: &Transfer, link: &str, tag: Option<&str>) -> Result<Fetched, String> {
    let link: Link = link.parse().map_err(|error: transfer::NoLink| error.to_string())?;
    Ok(match transfer.fetch(&link, tag).await? {
        transfer::Fetched::Bytes { bytes, tag } => Fetched::Bytes { bytes, tag },
        transfer::Fetched::Same => Fetched::Same,
        transfer::Fetched::Missing => Fetched::Missing,
    })
}

async fn put(transfer: &Transfer, link: &str, file: PathBuf) -> Result<(), String> {
    let link: Link = link.parse().map_err(|error: transfer::NoLink| error.to_string())?;
    let bytes = tokio::fs::read(&file).await.map_err(|error| format!("{}: {error}", file.display()))?;
    transfer.put(&link, &bytes).await
}
