//! The web app: from where its pages come, what browsers believe that it is the directory's, and its files (S4.8).

use super::folder::{Folder, write};
use crate::Failure;
use crate::serve;
use clock::Wall;
use net::{Identity, plain_origin};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the command line says of it.
#[derive(clap::Args)]
pub(super) struct WebArguments {
    /// Where browsers find the web app, as in https://dir.example:5064; our own address and the port of --apps if not set
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    web: Vec<Box<str>>,
    /// The certificate chain that browsers are shown, PEM; one by the office's authority if not set
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

fn origin(text: &str) -> Result<Box<str>, String> {
    let plain = plain_origin(text).filter(|plain| plain.starts_with("https://"));
    plain.ok_or_else(|| "this is no origin of a page by TLS: it looks like https://HOST:PORT".into())
}

impl WebArguments {
    /// From where its pages come, when apps connect there.
    pub(super) fn origins(&self, bound: SocketAddr) -> Vec<Box<str>> {
        if !self.web.is_empty() {
            return self.web.clone();
        }
        let ip = if bound.ip().is_unspecified() { serve::own_address() } else { bound.ip() };
        plain_origin(&format!("https://{}", SocketAddr::new(ip, bound.port()))).into_iter().collect()
    }

    /// What browsers are shown.
    pub(super) fn papers(&self, data: &Path, origins: &[Box<str>]) -> WebPapers {
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            return WebPapers::Given(Identity { certificate: certificate.clone(), key: key.clone() });
        }
        let names = origins.iter().filter_map(|origin| host_of(origin)).map(str::to_owned).collect();
        WebPapers::Own { path: data.join("directory").join("web.pem"), names }
    }
}

/// Where the certificate is from that browsers are shown.
pub(super) enum WebPapers {
    /// Files of somebody else's, who makes them anew in time.
    Given(Identity),
    /// The office's authority vouches for it, in these names.
    Own { path: PathBuf, names: Vec<String> },
}

impl WebPapers {
    /// Our own is made anew each time that it is asked for: nobody pins it.
    pub(super) fn identity(&self, folder: &Folder, now: Wall) -> Result<Identity, Failure> {
        match self {
            WebPapers::Given(identity) => Ok(identity.clone()),
            WebPapers::Own { path, names } => {
                let (key, public) = net::new_key()?;
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let certificate = folder.vouch(&names, &public, now)?;
                write(path, (key + &certificate).as_bytes())?;
                Ok(Identity { certificate: path.clone(), key: path.clone() })
            }
        }
    }
}

fn host_of(origin: &str) -> Option<&str> {
    let authority = origin.strip_prefix("https://")?;
    match authority.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => authority.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_from_where_they_are_told_to_or_from_where_we_listen() {
        let told = |web: &[&str]| WebArguments {
            web: web.iter().map(|one| (*one).into()).collect(),
            certificate: None,
            key: None,
        };
        let bound = "127.0.0.1:5064".parse().unwrap();
        assert_eq!(told(&[]).origins(bound), ["https://127.0.0.1:5064".into()]);
        assert_eq!(told(&[]).origins("[::1]:443".parse().unwrap()), ["https://[::1]".into()]);
        assert_eq!(told(&["https://a.example"]).origins(bound), ["https://a.example".into()]);
        assert!(origin("http://a.example").is_err() && origin("https://a.example/x").is_err());
        assert_eq!(origin("https://A.example:443").as_deref(), Ok("https://a.example"));
        for (origin, host) in [("https://a.example:1", "a.example"), ("https://[::1]:2", "::1")] {
            assert_eq!(host_of(origin), Some(host));
        }
    }
}
