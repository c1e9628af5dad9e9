//! What an app keeps: its key, its certificate, and the directory that it belongs to, each in a file of its own.

use crate::Failure;
use crate::directory::app_protocol::{Enrolled, FromApp, LONGEST, PATH, ToApp, challenged};
use crate::directory::{AppLink, hex, protocol::NAME, unhex, write};
use directory::{AccountName, DeviceId};
use net::{ClientConfig, Papers, TextSocket};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the directory may take for each word of an enrolment.
const PATIENCE: Duration = Duration::from_secs(10);

/// An app that enrolled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Our name.
    pub(super) device: DeviceId,
    /// Whose we are.
    pub(super) account: AccountName,
    /// Where the directory is: `host:port`.
    pub(super) directory: String,
    signing_key: String,
    #[serde(skip)]
    folder: PathBuf,
}

impl State {
    /// What is kept in a folder; with a link, and nothing there, the app enrols first.
    pub(super) fn open(folder: &Path, link: Option<&AppLink>) -> Result<State, Failure> {
        let path = folder.join("app.json");
        if path.exists() {
            let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = fs::read(&path).map_err(|error| at(&error))?;
            let state: State = serde_json::from_slice(&text).map_err(|error| at(&error))?;
            return Ok(State { folder: folder.into(), ..state });
        }
        let link = link
            .ok_or_else(|| format!("{}: no app has enrolled here; --app wants a link", folder.display()))?;
        let (key, _) = net::new_key()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let enrolled = runtime.block_on(enrol(link, &key))?;
        let at = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
        let state = State {
            device: enrolled.device,
            account: enrolled.account,
            directory: link.directory.clone(),
            signing_key: enrolled.directory,
            folder: folder.into(),
        };
        let papers = state.papers();
        write(&papers.key, key.as_bytes())?;
        write(&papers.root, enrolled.root.as_bytes())?;
        state.renew(&enrolled.certificate)?;
        // The one file that makes it an app comes last.
        write(&path, &serde_json::to_vec_pretty(&state)?)?;
        Ok(state)
    }

    /// What it proves itself with at exchanges.
    pub(super) fn papers(&self) -> Papers {
        Papers {
            certificate: self.folder.join("certificate.pem"),
            key: self.folder.join("key.pem"),
            root: self.folder.join("authority.pem"),
        }
    }

    /// A newer certificate.
    pub(super) fn renew(&self, certificate: &str) -> Result<(), Failure> {
        write(&self.papers().certificate, certificate.as_bytes())
    }

    /// The key that the directory signs with.
    pub(super) fn signing_key(&self) -> Result<[u8; 32], Failure> {
        unhex(&self.signing_key).ok_or_else(|| "app.json: signing_key is no key of 32 octets".into())
    }

    /// Connects, and proves who we are; a welcome follows.
    pub(super) async fn connect(&self) -> Result<TextSocket, String> {
        let say = |error: &dyn std::fmt::Display| error.to_string();
        let tls = self.papers().client().map_err(|error| say(&error))?;
        let (mut socket, challenge) =
            challenged_by(&self.directory, tls).await.map_err(|error| say(&error))?;
        let key = fs::read_to_string(self.papers().key).map_err(|error| say(&error))?;
        let (signature, _) = signed(&key, &challenge)?;
        let prove = FromApp::Prove { device: self.device.clone(), signature };
        let text = serde_json::to_string(&prove).map_err(|error| say(&error))?;
        socket.send(&text).await.map_err(|error| say(&error))?;
        Ok(socket)
    }
}

/// The signature of a challenge and the key that it is by, both in hexadecimal.
fn signed(key: &str, challenge: &str) -> Result<(String, String), String> {
    let (_, public_key) = net::sign(key, b"")?;
    let public_key = hex(&public_key);
    let (signature, _) = net::sign(key, &challenged(challenge, &public_key))?;
    Ok((hex(&signature), public_key))
}

async fn challenged_by(directory: &str, tls: Arc<ClientConfig>) -> Result<(TextSocket, String), Failure> {
    let at = |error: std::io::Error| format!("the directory at {directory}: {error}");
    let mut socket = TextSocket::connect(directory, NAME, PATH, tls, LONGEST).await.map_err(at)?;
    match heard(&mut socket).await? {
        ToApp::Challenge(challenge) => Ok((socket, challenge)),
        ToApp::Error(why) => Err(why.into()),
        _ => Err("the directory says something else than a challenge".into()),
    }
}

async fn enrol(link: &AppLink, key: &str) -> Result<Enrolled, Failure> {
    let tls = net::stranger_to(link.fingerprint)?;
    let (mut socket, challenge) = challenged_by(&link.directory, tls).await?;
    let (signature, public_key) = signed(key, &challenge)?;
    let enrol = FromApp::Enrol { key: link.key.clone(), public_key, signature };
    socket.send(&serde_json::to_string(&enrol)?).await?;
    let answer = heard(&mut socket).await?;
    socket.close().await;
    match answer {
        ToApp::Enrolled(enrolled) => Ok(enrolled),
        ToApp::Error(why) => Err(format!("the directory at {}: {why}", link.directory).into()),
        _ => Err("the directory answers something else".into()),
    }
}

async fn heard(socket: &mut TextSocket) -> Result<ToApp, Failure> {
    let text =
        tokio::time::timeout(PATIENCE, socket.next()).await.map_err(|_| "the directory says nothing")?;
    Ok(serde_json::from_str(&text?.ok_or("the directory closed the connection")?)?)
}
