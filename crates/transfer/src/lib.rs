//! Files from and to the servers that call lists lie on (S3.3): a whole file comes, or none; a file is there whole, or as it
//! was before.
//!
//! ```text
//! Link --> Transfer::fetch --> Fetched     Link + octets --> Transfer::put
//! ```

mod limits;
mod link;
mod local;

pub use link::{Link, NoLink};

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The file, whole.
    Bytes(Vec<u8>),
    /// There is no such file.
    Missing,
}

/// Fetches and uploads.
#[derive(Clone, Debug, Default)]
pub struct Transfer {}

impl Transfer {
    /// The file that a link leads to.
    ///
    /// # Errors
    /// Why it did not come, in words.
    pub async fn fetch(&self, link: &Link) -> Result<Fetched, String> {
        match link {
            Link::Local(path) => local::fetch(path).await,
        }
    }

    /// Puts a file where a link leads to, in the place of one that is there.
    ///
    /// # Errors
    /// Why it is not there, in words.
    pub async fn put(&self, link: &Link, bytes: &[u8]) -> Result<(), String> {
        match link {
            Link::Local(path) => local::put(path, bytes).await,
        }
    }
}
