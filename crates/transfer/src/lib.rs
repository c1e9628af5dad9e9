//! Files from and to the servers that call lists lie on (S3.3): a whole file comes, or none; a file is there whole, or as it
//! was before.
//!
//! ```text
//! Link --> Transfer::fetch --> Fetched     Link + octets --> Transfer::put
//! ```
//!
//! A link is named by others, so it is judged: it leads into this machine's own networks only where that is allowed, and what
//! comes has bounds of size and time.

mod dhcp;
mod ftp;
mod http;
mod limits;
mod link;
mod local;
mod patience;
mod range;
mod ssh;

pub use dhcp::link_by_dhcp;
pub use link::{FtpSecurity, Link, NoLink, Place, shown};
pub use ssh::{PASSWORD, SshRules};

use http::Web;
use net::{ClientConfig, HttpClient, HttpRules, Network, Reach};
use ssh::scp::Scp;
use ssh::sftp::Sftp;
use std::sync::Arc;

/// Why a file is not taken that somebody writes at this moment.
const CHANGED: &str = "it changed while it was read";

/// Why the names in a folder are not taken.
const TOO_MANY: &str = "more lies in the folder than is looked at";

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The file, whole, and what its server names this state of it by.
    Bytes {
        /// The file.
        bytes: Vec<u8>,
        /// `ETag`
        tag: Option<String>,
    },
    /// It is still the one with the tag that was given.
    Same,
    /// There is no such file.
    Missing,
}

/// What may be reached, and who is believed.
#[derive(Clone)]
pub struct Rules {
    /// Addresses of this machine and of private networks that may be reached.
    pub allow: Vec<Network>,
    /// For who has to allow a network: how that is done.
    pub hint: &'static str,
    /// Who vouches for servers, or why nobody does.
    pub tls: Result<Arc<ClientConfig>, String>,
    /// What https servers let us in by; empty for nothing.
    pub token: String,
    /// Who is believed by SSH, and how one logs in.
    pub ssh: SshRules,
}

/// Fetches and uploads.
#[derive(Clone)]
pub struct Transfer {
    web: HttpClient,
    reach: Reach,
    rules: Rules,
}

impl Transfer {
    /// By these rules. To be made inside of the runtime.
    #[must_use]
    pub fn new(rules: Rules) -> Transfer {
        let web = HttpRules {
            allow: rules.allow.clone(),
            hint: rules.hint,
            clear: true,
            patience: limits::SENT,
            tls: rules.tls.clone(),
        };
        let reach = Reach::new(&[], rules.allow.clone(), rules.hint);
        Transfer { web: HttpClient::new(&[], web), reach, rules }
    }

    /// The same with another token for https servers.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Transfer {
        let mut other = self.clone();
        token.clone_into(&mut other.rules.token);
        other
    }

    /// The file that a link leads to, unless it is still the one with this tag.
    ///
    /// # Errors
    /// Why it did not come, in words, without the link.
    pub async fn fetch(&self, link: &Link, tag: Option<&str>) -> Result<Fetched, String> {
        within(async {
            match link {
                Link::Local(path) => local::fetch(path).await,
                Link::Http(url) => self.web().fetch(url, tag).await,
                Link::Ftp(security, place) => self.ftp(*security, place).await?.fetch(&place.path).await,
                Link::Sftp(place) => self.sftp(place).await?.fetch(&place.path).await,
                Link::Scp(place) => self.scp().fetch(place).await,
            }
        })
        .await
    }

    /// Puts a file where a link leads to, in the place of one that is there.
    ///
    /// # Errors
    /// Why it is not there, in words, without the link.
    pub async fn put(&self, link: &Link, bytes: &[u8]) -> Result<(), String> {
        within(async {
            match link {
                Link::Local(path) => local::put(path, bytes).await.map_err(|error| error.to_string()),
                Link::Http(url) => self.web().put(url, bytes).await,
                Link::Ftp(security, place) => self.ftp(*security, place).await?.put(place, bytes).await,
                Link::Sftp(place) => self.sftp(place).await?.put(place, bytes).await,
                Link::Scp(place) => self.scp().put(place, bytes).await,
            }
        })
        .await
    }

    /// The names of the files in a folder; of one that is not there, none.
    ///
    /// # Errors
    /// Why they are not known, in words, without the link. By http and https nobody can tell.
    pub async fn names(&self, folder: &Link) -> Result<Vec<String>, String> {
        let names = within(async {
            match folder {
                Link::Local(path) => local::names(path).await,
                Link::Http(_) => Err("by http nobody tells what lies in a folder".to_owned()),
                Link::Ftp(security, place) => self.ftp(*security, place).await?.names(&place.path).await,
                Link::Sftp(place) | Link::Scp(place) => self.sftp(place).await?.names(&place.path).await,
            }
        });
        let mut names = names.await?;
        // What would lead out of the folder is no name.
        names.retain(|name| !name.is_empty() && !name.contains('/') && !name.starts_with('.'));
        names.retain(|name| !name.contains(char::is_control));
        Ok(names)
    }

    fn web(&self) -> Web<'_> {
        Web { client: &self.web, token: &self.rules.token }
    }

    async fn sftp(&self, place: &Place) -> Result<Sftp, String> {
        Sftp::open(&self.reach, &self.rules.ssh, place).await
    }

    fn scp(&self) -> Scp<'_> {
        Scp { reach: &self.reach, rules: &self.rules.ssh }
    }

    async fn ftp(&self, security: FtpSecurity, place: &Place) -> Result<ftp::Session, String> {
        let tls = match security {
            FtpSecurity::None => None,
            FtpSecurity::Implicit | FtpSecurity::Explicit => Some(self.rules.tls.clone()?),
        };
        ftp::Session::open(&self.reach, place, security, tls).await
    }
}

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let late = || Err(format!("not done within {} s", limits::WHOLE.as_secs()));
    tokio::time::timeout(limits::WHOLE, work).await.unwrap_or_else(|_| late())
}
