//! `ringdown reload` and SIGHUP: the whole file is judged first, then taken at once, or refused whole.

use super::core::CoreInput;
use super::profiles;
use super::tls::{Tls, identity};
use crate::check::{self, file::Places};
use crate::config::profile::Wrong;
use crate::config::{Administrators, Background, Config, Http, Sip};
use crate::log::Level;
use exchange::{Answer, Command, LiveConfig, Profile, ProfileAsking};
use net::{HttpClient, Origins, Sender};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, oneshot};
use transfer::{Fetched, Link, NoLink, Transfer};

/// All that a reload touches.
pub(crate) struct Reload {
    pub(crate) path: Option<PathBuf>,
    pub(crate) data: PathBuf,
    /// What is in use now; held during a reload, so that two do not mix.
    pub(crate) current: Mutex<Config>,
    pub(crate) tls: Option<Arc<Tls>>,
    /// The pages of others that may open a WebSocket.
    pub(crate) origins: Origins,
    pub(crate) level: Level,
    pub(crate) core: Sender<CoreInput>,
    /// Whether what takes an administrator answers beyond this machine; the API looks at it.
    pub(crate) administrators_anywhere: Arc<AtomicBool>,
    /// What posts to webhooks.
    pub(crate) client: HttpClient,
}

impl Reload {
    /// Reads the file again. Returns the keys whose change waits for a restart.
    ///
    /// # Errors
    /// Why nothing was changed, with file and line.
    pub(crate) async fn reload(&self) -> Result<Vec<String>, String> {
        let mut current = self.current.lock().await;
        let (new, source) = match &self.path {
            Some(path) => {
                let (new, source) = Config::read(path)?;
                (new, Some(source))
            }
            // Without a file there may still be a new certificate.
            None => (current.clone(), None),
        };
        let places = Places(source.as_ref());
        if let Some(refusal) = check::refusal(&check::file::judge(&new, places)) {
            return Err(refusal);
        }
        let certificate = match &self.tls {
            Some(_) => {
                let identity = identity(&new, &self.data).map_err(|error| error.to_string())?;
                let read = net::server_config(&identity);
                Some(read.map_err(|error| format!("{}: {error}", places.of("sip", "certificate")))?)
            }
            None => None,
        };
        let profiles = profiles::read(&self.data).map_err(first)?;
        // The one step that can still be refused comes first; what follows cannot fail.
        self.ask(Command::Reconfigure(Box::new(live(&new))))
            .await
            .map_err(|why| format!("{}: {why}", places.of("calls", "echo_number")))?;
        self.ask(put(profiles)).await?;
        if let (Some(tls), Some(certificate)) = (&self.tls, certificate) {
            tls.put(certificate);
        }
        self.origins.put(new.http.listed_origins());
        self.client.put(new.webhooks.rules());
        self.level.put(&new.log.level);
        self.administrators_anywhere
            .store(new.http.administrators == Administrators::Anywhere, Ordering::Relaxed);
        let waits = waits_for_restart(&current, &new);
        *current = taken(&current, new);
        Ok(waits)
    }

    /// The file behind a link, by the rules for new call lists.
    ///
    /// # Errors
    /// Why it did not come, in words.
    pub(crate) async fn fetch(&self, link: &str) -> Result<Vec<u8>, String> {
        let link: Link = link.parse().map_err(|why: NoLink| why.to_string())?;
        if let Link::Local(_) = link {
            return Err("it is a file of this machine; upload it".to_owned());
        }
        let rules = self.current.lock().await.lists.rules();
        let runtime = tokio::runtime::Handle::current();
        // What speaks FTP stays on one thread.
        let fetch = move || runtime.block_on(async { Transfer::new(rules).fetch(&link, None).await });
        match tokio::task::spawn_blocking(fetch).await.map_err(|error| error.to_string())?? {
            Fetched::Bytes { bytes, .. } => Ok(bytes),
            Fetched::Same | Fetched::Missing => Err("there is no such file".to_owned()),
        }
    }

    /// How long running calls may go on when we are told to stop.
    pub(crate) async fn drain_limit(&self) -> std::time::Duration {
        self.current.lock().await.calls.drain_limit()
    }

    /// Reads the profiles again; how many there are.
    ///
    /// # Errors
    /// Why those of before go on.
    pub(crate) async fn profiles(&self) -> Result<usize, NotTaken> {
        let profiles = profiles::read(&self.data).map_err(NotTaken::Wrong)?;
        let count = profiles.len();
        self.ask(put(profiles)).await.map(|()| count).map_err(NotTaken::Busy)
    }

    async fn ask(&self, command: Command) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let busy = || "the exchange is stopping or too busy; try again".to_owned();
        self.core.send(CoreInput::Command { command, reply }).map_err(|_| busy())?;
        match answer.await.map_err(|_| busy())? {
            Answer::Refused(refusal) => Err(refusal.to_string()),
            _ => Ok(()),
        }
    }
}

/// Why profiles were not taken.
pub(crate) enum NotTaken {
    /// What is wrong with their files.
    Wrong(Vec<Wrong>),
    /// The exchange took none now.
    Busy(String),
}

/// As the configuration's: the first fault, with file and line.
fn first(wrong: Vec<Wrong>) -> String {
    wrong.first().map(|Wrong { place, what }| format!("{place}: {what}")).unwrap_or_default()
}

fn put(profiles: Vec<Profile>) -> Command {
    Command::Profiles(Box::new(ProfileAsking::Put(profiles)))
}

/// What the office itself is told.
pub(crate) fn live(config: &Config) -> LiveConfig {
    let echo_number = Some(config.calls.echo_number.as_str()).filter(|number| !number.is_empty());
    LiveConfig {
        domain: config.sip.domain.as_deref().map(Into::into),
        echo_number: echo_number.map(Into::into),
        ring_limit: config.calls.ring_limit(),
        challenge: config.sip.challenge.into(),
        no_answer_limit: config.calls.no_answer_limit(),
        outside_limit: config.calls.outside_limit(),
        park: config.calls.park_numbers(),
        park_limit: config.calls.park_limit(),
        seats: config.seats.policy(),
        numbering: config.numbers.numbering(),
        codes: config.codes.0.clone(),
        emergency: config.emergency.plan(&config.numbers),
        badges: config.badges.policy(),
        background: config.background.policy(),
        agents: config.agents.policy(),
        lists: config.lists.policy(),
    }
}

/// The configuration that is in use after a reload: sockets stay as they were bound.
fn taken(old: &Config, new: Config) -> Config {
    // Every field is named, so that a new one makes somebody think.
    let Config {
        sip,
        media: _,
        http,
        webhooks,
        notices: _,
        nats: _,
        calls,
        codes,
        seats,
        numbers,
        emergency,
        badges,
        background,
        messages: _,
        agents,
        lists,
        platforms: _,
        directory: _,
        cluster: _,
        store: _,
        dns: _,
        log,
    } = new;
    let Http { listen: _, tls: _, administrators, origins } = http;
    let Sip {
        udp: _,
        tcp: _,
        tls: _,
        ws: _,
        wss: _,
        advertise: _,
        domain,
        challenge,
        certificate,
        key,
        authorities: _,
    } = sip;
    let Sip { udp, tcp, tls, ws, wss, advertise, authorities, .. } = old.sip.clone();
    Config {
        sip: Sip { udp, tcp, tls, ws, wss, advertise, domain, challenge, certificate, key, authorities },
        media: old.media.clone(),
        http: Http { administrators, origins, ..old.http.clone() },
        webhooks,
        notices: old.notices.clone(),
        nats: old.nats.clone(),
        calls,
        codes,
        seats,
        numbers,
        emergency,
        badges,
        background: Background { zone: old.background.zone.clone(), ..background },
        agents,
        lists,
        messages: old.messages.clone(),
        platforms: old.platforms.clone(),
        directory: old.directory.clone(),
        cluster: old.cluster.clone(),
        store: old.store.clone(),
        dns: old.dns.clone(),
        log,
    }
}

/// The keys that differ and are read at the start alone.
fn waits_for_restart(old: &Config, new: &Config) -> Vec<String> {
    let differs = [
        ("[sip] udp", old.sip.udp != new.sip.udp),
        ("[sip] tcp", old.sip.tcp != new.sip.tcp),
        ("[sip] tls", old.sip.tls != new.sip.tls),
        ("[sip] ws", old.sip.ws != new.sip.ws),
        ("[sip] wss", old.sip.wss != new.sip.wss),
        ("[store]", old.store != new.store),
        ("[directory]", old.directory != new.directory),
        ("[cluster]", old.cluster != new.cluster),
        ("[sip] advertise", old.sip.advertise != new.sip.advertise),
        ("[sip] authorities", old.sip.authorities != new.sip.authorities),
        ("[media] address", old.media.address != new.media.address),
        ("[media] ports", old.media.ports != new.media.ports),
        ("[media] advertise", old.media.advertise != new.media.advertise),
        ("[media] workers", old.media.workers != new.media.workers),
        ("[http] listen", old.http.listen != new.http.listen),
        ("[http] tls", old.http.tls != new.http.tls),
        ("[background] zone", old.background.zone != new.background.zone),
        ("[notices] broker", old.notices.broker != new.notices.broker),
        ("[notices] user", old.notices.user != new.notices.user),
        ("[notices] password", old.notices.password != new.notices.password),
        ("[notices] topic", old.notices.topic != new.notices.topic),
        ("[notices] authorities", old.notices.authorities != new.notices.authorities),
        ("[notices] contact", old.notices.contact != new.notices.contact),
        ("[nats]", old.nats != new.nats),
        ("[messages]", old.messages != new.messages),
        ("[platforms]", old.platforms != new.platforms),
        ("[dns] servers", old.dns.servers != new.dns.servers),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named_until_it_comes() {
        let old = Config::default();
        let new = Config::parse(
            "[sip]\nudp = \"127.0.0.1:5070\"\ndomain = \"x.example\"\n[http]\nlisten = []\n[calls]\nring_seconds = 9\n",
        )
        .unwrap();
        assert_eq!(waits_for_restart(&old, &new), ["[sip] udp", "[http] listen"]);
        let used = taken(&old, new.clone());
        assert_eq!((&used.sip.udp, used.calls.ring_seconds), (&old.sip.udp, 9));
        assert_eq!(used.sip.domain.as_deref(), Some("x.example"));
        assert_eq!(waits_for_restart(&used, &new), ["[sip] udp", "[http] listen"], "still");
        assert_eq!(waits_for_restart(&used, &used), Vec::<String>::new());
    }
}
