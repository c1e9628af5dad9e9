//! Where a directory keeps what must outlive it: texts, in its data folder or, by `[store] url`, in a database of its own, from
//! which another machine goes on as the same directory.
//!
//! ```text
//! the directory --claim--> its folder: a file each, written whole or not at all
//!               --lease--> its database: a document each, sealed; one directory at a time
//! `ringdown exchange invite` and the like visit either, while it runs or stands
//! ```

use super::folder::write;
use crate::{Failure, config, serve};
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::{Document, Documents, Held, Store, StoreError, Visitor};
use tokio::sync::watch;

/// How long a database may take: whoever waits for it is one of few, but calls are not to wait behind them.
const PATIENCE: Duration = Duration::from_secs(2);
/// One that was away is not asked again for so long.
const AGAIN: Duration = Duration::from_secs(5);

/// What is told to who asked for something that cannot be read or kept now.
const AWAY: &str = "the database of the directory is away, or cannot be read; its log says why";

/// What kind of text it is: a folder of files, or a kind of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    Keys,
    Exchanges,
    Invitations,
    Apps,
    AppInvitations,
}

impl Shelf {
    const ALL: [Shelf; 5] =
        [Shelf::Keys, Shelf::Exchanges, Shelf::Invitations, Shelf::Apps, Shelf::AppInvitations];

    /// Within the directory's part of a data folder.
    fn folder(self) -> &'static str {
        match self {
            Shelf::Keys => "",
            Shelf::Exchanges => "exchanges",
            Shelf::Invitations => "invitations",
            Shelf::Apps => "apps",
            Shelf::AppInvitations => "app-invitations",
        }
    }

    fn kind(self) -> String {
        format!("{KIND}{}", if self == Shelf::Keys { "keys" } else { self.folder() })
    }
}

/// What the kinds of a directory's documents begin with.
const KIND: &str = "directory/";

/// Whether a document is a directory's.
pub(crate) fn is_of_a_directory(document: &Document) -> bool {
    document.kind.starts_with(KIND)
}

/// The place.
pub(crate) struct Home {
    /// The directory's part of a data folder; what TLS reads lies there in either case.
    folder: PathBuf,
    keeps: Keeps,
}

enum Keeps {
    Folder,
    Served(Served),
    Visited(Visitor),
}

/// A database that is ours.
struct Served {
    documents: Documents,
    lease: watch::Receiver<Lease>,
    /// Of two who take one text, one has it.
    taking: Mutex<()>,
    /// When the database was away last.
    away: Mutex<Option<Instant>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lease {
    Until(Instant),
    Lost,
}

impl Home {
    /// In a data folder, made now if there is none.
    pub(crate) fn folder(data: &Path) -> Result<Home, Failure> {
        let home = Home { folder: data.join("directory"), keeps: Keeps::Folder };
        Shelf::ALL.iter().try_for_each(|shelf| make(&home.folder.join(shelf.folder())))?;
        Ok(home)
    }

    /// For who administers a directory that somebody else may be running.
    pub(crate) fn visit(data: &Path, config: Option<&Path>) -> Result<Home, Failure> {
        let place = config::place(data, config)?;
        if !place.is_server() {
            return Home::folder(data);
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        Ok(Home { folder: data.join("directory"), keeps: Keeps::Visited(Visitor::open(&place)?) })
    }

    /// For the one that runs; on standby, once nobody else does. The store, if there is one, is closed last.
    pub(crate) fn serve(
        data: &Path,
        config: Option<&Path>,
        standby: bool,
    ) -> Result<(Home, Option<Store>), Failure> {
        let place = config::place(data, config)?;
        if !place.is_server() && !standby {
            return Ok((Home::folder(data)?, None));
        }
        let opened = serve::standby::open(&place, None, standby)?;
        if !opened.snapshot.changes.is_empty() {
            opened.close();
            return Err(
                format!("{place}: an office is kept there; a directory needs a database of its own").into()
            );
        }
        // The first renewal says for how long it is ours.
        let (told, lease) = watch::channel(Lease::Until(Instant::now()));
        let store = opened.start_alone(
            |_, _| {},
            move |held| {
                told.send_replace(match held {
                    Held::For(time) => Lease::Until(Instant::now() + time),
                    Held::Lost => Lease::Lost,
                });
            },
        )?;
        Ok((Home::on(data, store.documents(), lease)?, Some(store)))
    }

    fn on(data: &Path, documents: Documents, lease: watch::Receiver<Lease>) -> Result<Home, Failure> {
        let folder = data.join("directory");
        make(&folder)?;
        let served = Served { documents, lease, taking: Mutex::default(), away: Mutex::default() };
        Ok(Home { folder, keeps: Keeps::Served(served) })
    }

    /// Where files lie that others read.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Whether it is ours, and not only looked at.
    pub(crate) fn is_served(&self) -> bool {
        !matches!(self.keeps, Keeps::Visited(_))
    }

    /// Whether what must happen once may happen here: nobody else can have taken the directory over.
    pub(crate) fn is_ours(&self) -> bool {
        match &self.keeps {
            Keeps::Served(served) => match *served.lease.borrow() {
                Lease::Until(end) => Instant::now() < end,
                Lease::Lost => false,
            },
            Keeps::Folder | Keeps::Visited(_) => true,
        }
    }

    /// Until somebody else has taken the directory over.
    pub(crate) async fn lost(&self) {
        let Keeps::Served(served) = &self.keeps else { return std::future::pending().await };
        let mut lease = served.lease.clone();
        if lease.wait_for(|lease| *lease == Lease::Lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A text, if there is one.
    pub(crate) fn read(&self, shelf: Shelf, name: &str) -> Result<Option<String>, Failure> {
        match &self.keeps {
            Keeps::Folder => read_file(&self.file(shelf, name)),
            Keeps::Served(served) => Ok(text_of(served.find(shelf, Some(name))?)),
            Keeps::Visited(visitor) => Ok(text_of(visitor.find(&shelf.kind(), Some(name))?)),
        }
    }

    /// All texts of a shelf with their names, in the order of these.
    pub(crate) fn all(&self, shelf: Shelf) -> Result<Vec<(String, String)>, Failure> {
        let documents = match &self.keeps {
            Keeps::Folder => return all_files(&self.folder.join(shelf.folder())),
            Keeps::Served(served) => served.find(shelf, None)?,
            Keeps::Visited(visitor) => visitor.find(&shelf.kind(), None)?,
        };
        Ok(documents.into_iter().filter_map(|document| Some((document.id, document.text?))).collect())
    }

    /// Keeps texts under their names: in a database all or none, in a folder one after the other.
    pub(crate) fn keep(&self, shelf: Shelf, texts: &[(&str, &str)]) -> Result<(), Failure> {
        let documents = || texts.iter().map(|(name, text)| document(shelf, name, Some(text))).collect();
        match &self.keeps {
            Keeps::Folder => {
                texts.iter().try_for_each(|(name, text)| write(&self.file(shelf, name), text.as_bytes()))
            }
            Keeps::Served(served) => served.keep(documents()),
            Keeps::Visited(visitor) => {
                let documents: Vec<Document> = documents();
                Ok(visitor.keep(&documents)?)
            }
        }
    }

    /// Takes a text away: of several who try, one has it.
    pub(crate) fn take(&self, shelf: Shelf, name: &str) -> Result<Option<String>, Failure> {
        let _turn = match &self.keeps {
            Keeps::Served(served) => Some(served.taking.lock().unwrap_or_else(PoisonError::into_inner)),
            Keeps::Folder | Keeps::Visited(_) => None,
        };
        let Some(text) = self.read(shelf, name)? else { return Ok(None) };
        let gone = document(shelf, name, None);
        match &self.keeps {
            Keeps::Folder => return Ok(fs::remove_file(self.file(shelf, name)).is_ok().then_some(text)),
            Keeps::Served(served) => served.keep(vec![gone])?,
            Keeps::Visited(visitor) => visitor.keep(&[gone])?,
        }
        Ok(Some(text))
    }

    /// Where a text of a folder lies, or would.
    pub(crate) fn file(&self, shelf: Shelf, name: &str) -> PathBuf {
        self.folder.join(shelf.folder()).join(name)
    }

    /// Lays a key into the folder that has it elsewhere, for who reads files alone.
    pub(crate) fn lay_out(&self, name: &str, text: &str) -> Result<(), Failure> {
        match self.keeps {
            Keeps::Folder => Ok(()),
            Keeps::Served(_) | Keeps::Visited(_) => write(&self.file(Shelf::Keys, name), text.as_bytes()),
        }
    }
}

impl Served {
    fn find(&self, shelf: Shelf, name: Option<&str>) -> Result<Vec<Document>, Failure> {
        self.ask(|answer| {
            self.documents.find(&shelf.kind(), name, Box::new(move |told| reply(&answer, told)))
        })
    }

    fn keep(&self, documents: Vec<Document>) -> Result<(), Failure> {
        self.ask(|answer| self.documents.keep(documents, Box::new(move |told| reply(&answer, told))))
    }

    fn ask<T>(
        &self,
        hand: impl FnOnce(SyncSender<Result<T, String>>) -> Result<(), StoreError>,
    ) -> Result<T, Failure> {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.is_some_and(|since| since.elapsed() < AGAIN) {
            return Err(AWAY.into());
        }
        drop(away);
        let (sender, answer) = sync_channel(1);
        let answered = hand(sender).map_err(|error| error.to_string()).and_then(|()| {
            let late = |_| format!("nothing was answered within {} s", PATIENCE.as_secs());
            answer.recv_timeout(PATIENCE).map_err(late).and_then(|told| told)
        });
        away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        *away = answered.is_err().then(Instant::now);
        // Strangers ask, too: why, the operator alone is told.
        Ok(answered.map_err(|why| {
            tracing::error!(why, "the database of the directory");
            AWAY
        })?)
    }
}

/// Whoever asked may not wait any more.
fn reply<T>(answer: &SyncSender<T>, told: T) {
    let _ = answer.try_send(told);
}

fn document(shelf: Shelf, name: &str, text: Option<&str>) -> Document {
    Document { kind: shelf.kind(), id: name.to_owned(), text: text.map(str::to_owned) }
}

fn text_of(documents: Vec<Document>) -> Option<String> {
    documents.into_iter().next()?.text
}

fn make(folder: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("{}: {error}", folder.display()).into())
}

fn read_file(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

fn all_files(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // One that is being written, or was taken meanwhile, is none.
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(text) = read_file(&path)?
        {
            all.push((name.to_owned(), text));
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Arc;
    use store::{Opened, Place};

    /// Runs a test with a folder as the home, and with a database; `test` opens what is there as often as it wants.
    pub(crate) fn with_both(name: &str, test: impl Fn(&Path, &dyn Fn() -> Arc<Home>)) {
        let data = std::env::temp_dir().join(format!("ringdown-{name}-{}", std::process::id()));
        for database in [false, true] {
            let _ = fs::remove_dir_all(&data);
            fs::create_dir_all(&data).unwrap();
            if !database {
                test(&data, &|| Arc::new(Home::folder(&data).unwrap()));
                continue;
            }
            let opened = Opened::open(&Place::folder(&data)).unwrap();
            let store = opened.start(|_, _| {}).unwrap();
            let (_told, lease) = watch::channel(Lease::Until(Instant::now()));
            test(&data, &|| Arc::new(Home::on(&data, store.documents(), lease.clone()).unwrap()));
            store.close();
        }
        fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn s4_texts_are_kept_found_and_taken_once() {
        with_both("home", |_, open| {
            let home = open();
            assert_eq!(home.read(Shelf::Apps, "1.json").unwrap(), None);
            home.keep(Shelf::Apps, &[("2.json", "b"), ("1.json", "a")]).unwrap();
            home.keep(Shelf::Exchanges, &[("1.json", "c")]).unwrap();
            let all = || open().all(Shelf::Apps).unwrap();
            assert_eq!(all(), [("1.json".into(), "a".into()), ("2.json".into(), "b".into())]);
            assert_eq!(open().read(Shelf::Exchanges, "1.json").unwrap().as_deref(), Some("c"));
            assert_eq!(home.take(Shelf::Apps, "1.json").unwrap().as_deref(), Some("a"));
            assert_eq!(home.take(Shelf::Apps, "1.json").unwrap(), None);
            assert_eq!(all(), [("2.json".into(), "b".into())]);
        });
    }
}
