//! Where a file lies.

use crate::limits;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// On this machine: a path, or `file:///path`.
    Local(PathBuf),
}

/// Why a text is no link; it is not repeated, because it may have a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLink {
    /// Nothing is there, or far too much.
    Length,
    /// It begins with a scheme that is none of ours.
    Scheme,
}

impl fmt::Display for NoLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoLink::Length => write!(f, "a link has 1 to {} octets", limits::LINK),
            NoLink::Scheme => f.write_str("a link begins with file:, or is a path"),
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
        match text.split_once("://") {
            None => Ok(Link::Local(text.into())),
            Some(("file", path)) if path.starts_with('/') => Ok(Link::Local(path.into())),
            Some(_) => Err(NoLink::Scheme),
        }
    }
}
