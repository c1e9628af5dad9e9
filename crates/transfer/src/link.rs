//! Where a file lies.

use crate::limits;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a file lies. What is secret of it is shown by neither `Display` nor `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Link {
    /// On this machine: a path, or `file:///path`.
    Local(PathBuf),
    /// `http://` or `https://`, as it stands.
    Http(String),
    /// `ftp://`, `ftps://`, `ftpes://`.
    Ftp(FtpSecurity, Place),
    /// `sftp://`.
    Sftp(Place),
    /// `scp://`.
    Scp(Place),
}

/// How FTP is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FtpSecurity {
    /// Not at all.
    None,
    /// By TLS from the first octet on, at port 990 (`ftps`).
    Implicit,
    /// By TLS after `AUTH TLS` (RFC 4217; `ftpes`).
    Explicit,
}

/// A file of a host that one logs in to.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The name to log in by.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A name of letters, digits, dots and hyphens, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The file, as the server names it: from where one lands there, unless a slash stands first.
    pub path: String,
}

/// Why a text is no link; it is not repeated, because it may have a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLink {
    /// Nothing is there, or far too much.
    Length,
    /// It begins with a scheme that is none of ours.
    Scheme,
    /// It names no host, or no port.
    Host,
    /// Its name or its password cannot be.
    Login,
    /// It names no file.
    Path,
}

impl fmt::Display for NoLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoLink::Length => write!(f, "a link has 1 to {} octets", limits::LINK),
            NoLink::Scheme => f.write_str(
                "a link begins with http:, https:, ftp:, ftps:, ftpes:, sftp:, scp: or file:, or is a path",
            ),
            NoLink::Host => f.write_str("a link has a host, as in sftp://host.example/lists/ada.csv"),
            NoLink::Login => f.write_str(
                "the name or the password in the link cannot be: signs other than letters and digits are written as in %40, and \
                 http and https take a token instead",
            ),
            NoLink::Path => f.write_str(
                "a link ends with the name of a file; ? and # are written as %3F and %23, other than by http and https",
            ),
        }
    }
}

impl std::error::Error for NoLink {}

impl FromStr for Link {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Link, NoLink> {
        if text.is_empty() || text.len() > limits::LINK {
            return Err(NoLink::Length);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Link::Local(text.into())) };
        match scheme.to_ascii_lowercase().as_str() {
            "file" if rest.starts_with('/') => Ok(Link::Local(rest.into())),
            "http" | "https" => http(text, rest),
            "ftp" => Ok(Link::Ftp(FtpSecurity::None, Place::read(rest, 21, from_login)?)),
            "ftps" => Ok(Link::Ftp(FtpSecurity::Implicit, Place::read(rest, 990, from_login)?)),
            "ftpes" => Ok(Link::Ftp(FtpSecurity::Explicit, Place::read(rest, 21, from_login)?)),
            "sftp" => Ok(Link::Sftp(Place::read(rest, 22, from_root)?)),
            "scp" => Ok(Link::Scp(Place::read(rest, 22, from_root)?)),
            _ => Err(NoLink::Scheme),
        }
    }
}

impl Link {
    /// A file in the folder that this leads to.
    #[must_use]
    pub fn beneath(&self, name: &str) -> Link {
        let below = |place: &Place| Place { path: format!("{}/{name}", place.path), ..place.clone() };
        match self {
            Link::Local(folder) => Link::Local(folder.join(name)),
            Link::Http(url) => Link::Http(format!("{url}/{}", in_path(name))),
            Link::Ftp(security, place) => Link::Ftp(*security, below(place)),
            Link::Sftp(place) => Link::Sftp(below(place)),
            Link::Scp(place) => Link::Scp(below(place)),
        }
    }
}

/// A name as one step of a path (RFC 3986 3.3).
fn in_path(name: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+@".contains(&octet);
    let step = |octet: u8| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    name.bytes().map(step).collect()
}

/// A link without what is secret of it, for people and logs; of what is none only its beginning.
#[must_use]
pub fn shown(text: &str) -> String {
    let scheme = text.split_once("://").map_or("a link", |(scheme, _)| scheme);
    let link = text.trim_end_matches('/').parse::<Link>();
    link.map_or_else(|_| format!("{scheme}..."), |link| link.to_string())
}

/// What it says is read where it is asked; here it is only made sure that there is no password in it.
fn http(text: &str, rest: &str) -> Result<Link, NoLink> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(NoLink::Login);
    }
    host_and_port(authority, 0)?;
    Ok(Link::Http(text.to_owned()))
}

impl Place {
    /// What stands behind `scheme://`.
    fn read(rest: &str, port: u16, named: fn(String) -> String) -> Result<Place, NoLink> {
        let (authority, path) = rest.split_once('/').ok_or(NoLink::Path)?;
        if path.contains(['?', '#']) || path.ends_with('/') {
            return Err(NoLink::Path);
        }
        let path = named(decoded(path).ok_or(NoLink::Path)?);
        if path.is_empty() || path.ends_with('/') {
            return Err(NoLink::Path);
        }
        let (login, server) = authority.rsplit_once('@').map_or((None, authority), |(a, b)| (Some(a), b));
        let (host, port) = host_and_port(server, port)?;
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            None => (None, None),
            Some((user, password)) => {
                let user = decoded(user).filter(|user| !user.is_empty()).ok_or(NoLink::Login)?;
                let password = decoded(password).ok_or(NoLink::Login)?;
                (Some(user), Some(password).filter(|password| !password.is_empty()))
            }
        };
        Ok(Place { user, password, host, port, path })
    }

    /// The name under which a file lies until it is whole.
    pub(crate) fn beside(&self) -> String {
        format!("{}.part", self.path)
    }
}

/// RFC 1738 3.2.2: from where one lands; `%2F` first leads from the root.
fn from_login(path: String) -> String {
    path
}

/// From the root, or by `/~/` from where one lands.
fn from_root(path: String) -> String {
    path.strip_prefix("~/").map_or(format!("/{path}"), str::to_owned)
}

fn host_and_port(text: &str, port: u16) -> Result<(String, u16), NoLink> {
    let (host, after) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(NoLink::Host)?,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let fits = match text.starts_with('[') {
        true => host.parse::<std::net::Ipv6Addr>().is_ok(),
        // What begins with a hyphen would be an option to other programs.
        false => !host.is_empty() && !host.starts_with('-') && host.bytes().all(is_name),
    };
    if !fits {
        return Err(NoLink::Host);
    }
    let port = match after.strip_prefix(':') {
        None if after.is_empty() => port,
        None => return Err(NoLink::Host),
        Some(digits) => digits.parse().ok().filter(|port| *port > 0).ok_or(NoLink::Host)?,
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// RFC 3986 2.1. Nothing that would end a line of a protocol comes out.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let octet = if octet == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            octet
        };
        octets.push(octet);
    }
    String::from_utf8(octets).ok().filter(|text| !text.chars().any(char::is_control))
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Link::Local(path) => return write!(f, "{}", path.display()),
            // What stands behind ? may be what lets one in.
            Link::Http(text) => {
                let shown = text.split(['?', '#']).next().unwrap_or_default();
                return write!(f, "{shown}{}", if shown.len() < text.len() { "?..." } else { "" });
            }
            Link::Ftp(FtpSecurity::None, _) => "ftp",
            Link::Ftp(FtpSecurity::Implicit, _) => "ftps",
            Link::Ftp(FtpSecurity::Explicit, _) => "ftpes",
            Link::Sftp(_) => "sftp",
            Link::Scp(_) => "scp",
        };
        let (Link::Ftp(_, place) | Link::Sftp(place) | Link::Scp(place)) = self else { return Ok(()) };
        let user = place.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if place.host.contains(':') { format!("[{}]", place.host) } else { place.host.clone() };
        write!(f, "{scheme}://{user}{host}:{}/{}", place.port, place.path.trim_start_matches('/'))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({}:{}/{})", self.host, self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(text: &str) -> Place {
        match text.parse::<Link>() {
            Ok(Link::Ftp(_, place) | Link::Sftp(place) | Link::Scp(place)) => place,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn links_of_all_kinds_are_read() {
        assert_eq!("lists/ada.csv".parse(), Ok(Link::Local("lists/ada.csv".into())));
        assert_eq!("file:///srv/ada.csv".parse(), Ok(Link::Local("/srv/ada.csv".into())));
        let https = "https://lists.example:8443/a/ada.csv?sig=x";
        assert_eq!(https.parse(), Ok(Link::Http(https.to_owned())));
        for (text, user, password, host, port, path) in [
            ("ftp://h.example/lists/ada.csv", None, None, "h.example", 21, "lists/ada.csv"),
            ("ftp://h/%2Fsrv/ada.csv", None, None, "h", 21, "/srv/ada.csv"),
            ("FTPS://u@H/ada.csv", Some("u"), None, "h", 990, "ada.csv"),
            (
                "ftpes://u:p%40ss:w@[2001:db8::1]:2121/a%20b",
                Some("u"),
                Some("p@ss:w"),
                "2001:db8::1",
                2121,
                "a b",
            ),
            ("sftp://u@192.0.2.1/srv/ada.csv", Some("u"), None, "192.0.2.1", 22, "/srv/ada.csv"),
            ("sftp://u@h/~/ada.csv", Some("u"), None, "h", 22, "ada.csv"),
            ("scp://u:p@h:2022/%E5%BC%A0.csv", Some("u"), Some("p"), "h", 2022, "/张.csv"),
        ] {
            let read = place(text);
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let wanted = Place {
                user: owned(user),
                password: owned(password),
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            };
            assert_eq!(read, wanted, "{text}");
        }
        assert!(matches!("ftps://h/a".parse(), Ok(Link::Ftp(FtpSecurity::Implicit, _))));
        assert!(matches!("ftpes://h/a".parse(), Ok(Link::Ftp(FtpSecurity::Explicit, _))));
    }

    #[test]
    fn what_is_no_link_is_refused_and_not_repeated() {
        for (text, why) in [
            ("", NoLink::Length),
            ("gopher://h/secret", NoLink::Scheme),
            ("file://host/secret", NoLink::Scheme),
            ("https://u:secret@h/a", NoLink::Login),
            ("https:///a", NoLink::Host),
            ("http://h:0/a", NoLink::Host),
            ("ftp://h", NoLink::Path),
            ("ftp://h/", NoLink::Path),
            ("ftp://h/secret/", NoLink::Path),
            ("ftp://h/a?b", NoLink::Path),
            ("ftp://h/a%0D%0ADELE%20b", NoLink::Path),
            ("ftp://h/%FF", NoLink::Path),
            ("ftp://h/%4", NoLink::Path),
            ("ftp://u%0A:secret@h/a", NoLink::Login),
            ("ftp://:secret@h/a", NoLink::Login),
            ("sftp://-oProxyCommand=secret/a", NoLink::Host),
            ("sftp://u@-h/a", NoLink::Host),
            ("scp://h$(secret)/a", NoLink::Host),
            ("sftp://[::g]/a", NoLink::Host),
            ("sftp://[::1]x/a", NoLink::Host),
            ("sftp://h:99999/a", NoLink::Host),
        ] {
            let refused = text.parse::<Link>().expect_err(text);
            assert_eq!(refused, why, "{text}");
            assert!(!refused.to_string().contains("secret"));
        }
        assert_eq!("x".repeat(limits::LINK + 1).parse::<Link>(), Err(NoLink::Length));
    }

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("ftp://ada:secret@h/a/b.csv", "ftp://ada@h:21/a/b.csv"),
            ("ftpes://ada:secret@[::1]/b.csv", "ftpes://ada@[::1]:21/b.csv"),
            ("sftp://ada:secret@h:2022/srv/b.csv", "sftp://ada@h:2022/srv/b.csv"),
            ("https://h/b.csv?sig=secret", "https://h/b.csv?..."),
            ("/srv/b.csv", "/srv/b.csv"),
        ] {
            let link: Link = text.parse().unwrap();
            assert_eq!(link.to_string(), shown);
            assert!(!format!("{link:?}").contains("secret"));
        }
        assert!(!format!("{:?}", place("scp://u:secret@h/a")).contains("secret"));
        assert_eq!(shown("ftp://ada:secret@h/results/"), "ftp://ada@h:21/results");
        assert_eq!(shown("fpt://ada:secret@h/results"), "fpt...");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_nothing_that_comes_out_ends_a_line(text in "(ftp|sftp|scp|https)://[ -~\\r\\n%]{0,60}") {
            if let Ok(Link::Ftp(_, place) | Link::Sftp(place) | Link::Scp(place)) = text.parse() {
                let Place { user, password, host, path, .. } = place;
                for part in [user.unwrap_or_default(), password.unwrap_or_default(), host, path] {
                    prop_assert!(!part.contains(['\r', '\n', '\0']));
                }
            }
        }
    }
}
