//! The whole office in one file: a copy of the database as it is at one moment, with the other files of the data
//! folder as rows in it. Made while the exchange runs, and without asking it: either engine lets us read beside the
//! writer. The file is the same whichever the office is kept by, so it also carries an office from one to the other.

use crate::copy;
use crate::error::StoreError;
use crate::failpoint;
use crate::lease;
use crate::migrate::{form, known, migrate};
use crate::open::runtime;
use crate::place::{DATABASE, Place, options};
use crate::postgres::words;
use crate::seal::SEAL_KEY;
use crate::sql::{Connection, query};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What else the data folder holds that cannot be made again.
const FILES: [&str; 3] = ["certificate.pem", "key.pem", SEAL_KEY];
/// Where a restore is put together; what it leaves when it dies is taken away by the next.
const STAGE: &str = "restoring";

/// Writes a backup of an office: readable by its owner alone, complete or not there at all. An existing file is
/// kept unless `replace`.
///
/// # Errors
/// [`StoreError`] with the file that it is about.
pub fn backup(place: &Place, file: &Path, replace: bool) -> Result<(), StoreError> {
    if !place.is_server() && !place.file().exists() {
        return Err(place.fault("there is no office here to keep a copy of"));
    }
    if !replace && file.exists() {
        return Err(StoreError::of_file(
            file,
            "exists already; name another file, or add --force to replace it",
        ));
    }
    let part = beside(file);
    let made = copy(place, &part).and_then(|()| {
        failpoint::reach("backup.before_files");
        run(add_files(place.data(), &part))?;
        failpoint::reach("backup.before_rename");
        put_in_place(&part, file, replace).map_err(|error| error.to_string())
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made.map_err(|what| StoreError::of_file(file, what))
}

/// Makes an office of a backup: in an empty data folder, or on a server whose database is empty. Nothing is touched
/// before the backup has proved whole.
///
/// # Errors
/// [`StoreError`]: not a backup of ours, damaged, of a newer Ringdown, or the folder or the database is not empty.
pub fn restore(file: &Path, place: &Place) -> Result<(), StoreError> {
    let folder = place.data();
    must_be_empty(folder)?;
    let stage = folder.join(STAGE);
    let restored = (|| {
        let _ = fs::remove_dir_all(&stage);
        DirBuilder::new().mode(0o700).create(&stage).map_err(|error| error.to_string())?;
        let copy = stage.join(DATABASE);
        let mut from = File::open(file).map_err(|error| error.to_string())?;
        let mut to = private(&copy).map_err(|error| error.to_string())?;
        io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(|error| error.to_string())?;
        run(take_files(&copy, &stage))?;
        if place.is_server() {
            return run(to_server(&copy, place, &stage));
        }
        failpoint::reach("restore.before_rename");
        // The database last: without it the folder is still empty in the eyes of the next try.
        put_files(&stage, folder, FILES.into_iter().chain([DATABASE])).map_err(|error| error.to_string())
    })();
    let _ = fs::remove_dir_all(&stage);
    restored.map_err(|what: String| StoreError::of_file(file, what))
}

fn put_files<'a>(stage: &Path, folder: &Path, names: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for name in names {
        if stage.join(name).exists() {
            fs::rename(stage.join(name), folder.join(name))?;
        }
    }
    sync_folder(folder)
}

/// The rows into the server's database, the files into the folder; the COMMIT last, as a file would be renamed last.
async fn to_server(copy: &Path, place: &Place, stage: &Path) -> Result<(), String> {
    let moved = async {
        let mut from = Connection::Sqlite(open(copy).await?);
        migrate(&mut from).await.map_err(sqlx::Error::Protocol)?;
        let mut to = place.connect().await?;
        migrate(&mut to).await.map_err(sqlx::Error::Protocol)?;
        if let Some(held) = lease::holder(&mut to, "").await? {
            return Err(sqlx::Error::Protocol(held));
        }
        copy::to_server(&mut from, &mut to).await?;
        failpoint::reach("restore.before_rename");
        put_files(stage, place.data(), FILES.into_iter())?;
        to.commit().await?;
        from.close().await?;
        to.close().await
    };
    moved.await.map_err(|error| format!("{place}: {}", words(&error)))
}

/// A folder with nothing in it but what a restore that died has left.
fn must_be_empty(folder: &Path) -> Result<(), StoreError> {
    let died = folder.join(STAGE).exists();
    let entries = fs::read_dir(folder).map_err(|error| StoreError::of_file(folder, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::of_file(folder, error))?;
        let name = entry.file_name();
        let ours = name == "lock" || (died && (name == STAGE || FILES.iter().any(|known| name == *known)));
        if !ours {
            let what = format!(
                "is not empty (it holds {}); a backup is restored into an empty folder: name another with --data, or \
                 move this one away",
                name.display()
            );
            return Err(StoreError::of_file(folder, what));
        }
    }
    Ok(())
}

/// The file in which a backup grows, on the same disk as the backup.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    file.with_file_name(name)
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn copy(place: &Place, part: &Path) -> Result<(), String> {
    // SQLite writes into an empty file, and this one has our mode.
    let _ = fs::remove_file(part);
    private(part).map_err(|error| error.to_string())?;
    let target = part.to_str().ok_or("its name is not UTF-8")?;
    run(async {
        if place.is_server() {
            let mut source = place.connect().await.map_err(|error| format!("{place}: {}", words(&error)))?;
            let mut file = Connection::Sqlite(open(part).await.map_err(|error| words(&error))?);
            migrate(&mut file).await?;
            copy::to_file(&mut source, &mut file).await.map_err(|what| format!("{place}: {what}"))?;
            return file.close().await.map_err(|error| words(&error));
        }
        let copy = async {
            let mut source = Connection::Sqlite(options(&place.file()).connect().await?);
            // One read transaction: the copy is of one moment, and the writer goes on.
            query("VACUUM INTO ?").bind(target).execute(&mut source).await?;
            source.close().await
        };
        copy.await.map_err(|error| words(&error))
    })
}

/// Outside of the data folder there is no write-ahead log: one file is the whole.
async fn open(path: &Path) -> Result<sqlx::SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
}

async fn add_files(folder: &Path, part: &Path) -> Result<(), String> {
    let add = async {
        let mut connection = Connection::Sqlite(open(part).await?);
        connection.run("CREATE TABLE kept_files (name TEXT PRIMARY KEY, bytes BLOB NOT NULL)").await?;
        // Calls that go on now end in the records of the exchange that they belong to.
        connection.run("DELETE FROM open_calls").await?;
        for name in FILES {
            match fs::read(folder.join(name)) {
                Ok(bytes) => {
                    let insert = query("INSERT INTO kept_files (name, bytes) VALUES (?, ?)");
                    insert.bind(name).bind(bytes).execute(&mut connection).await?;
                }
                // With files named in the configuration there are none of ours.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(sqlx::Error::Io(error)),
            }
        }
        connection.close().await
    };
    add.await.map_err(|error| words(&error))
}

/// Checks a copied backup, and takes the other files out of it.
async fn take_files(copy: &Path, stage: &Path) -> Result<(), String> {
    let damaged = |error: &dyn std::fmt::Display| {
        format!("is damaged, or no backup of ours ({error}); take an earlier backup")
    };
    let mut connection = Connection::Sqlite(open(copy).await.map_err(|error| damaged(&error))?);
    let verdict = query("PRAGMA integrity_check(1)");
    let verdict = verdict.fetch_one(&mut connection).await.map_err(|error| damaged(&error))?;
    let verdict: &str = verdict.get("integrity_check").map_err(|error| damaged(&error))?;
    if verdict != "ok" {
        return Err(damaged(&verdict));
    }
    known(form(&mut connection).await.map_err(|error| damaged(&error))?)?;
    let files = query("SELECT name, bytes FROM kept_files").fetch_all(&mut connection).await;
    for row in files.map_err(|error| damaged(&error))? {
        let name: &str = row.get("name").map_err(|error| damaged(&error))?;
        let bytes: &[u8] = row.get("bytes").map_err(|error| damaged(&error))?;
        // A name is a name and no path, whoever wrote the backup.
        if FILES.contains(&name) {
            let written = private(&stage.join(name))
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
            written.map_err(|error| error.to_string())?;
        }
    }
    let forgotten = async {
        connection.run("DROP TABLE kept_files").await?;
        connection.close().await
    };
    forgotten.await.map_err(|error| words(&error))
}

fn put_in_place(part: &Path, file: &Path, replace: bool) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    if replace {
        fs::rename(part, file)?;
    } else {
        // Fails, where a rename would replace, if somebody was faster.
        fs::hard_link(part, file)?;
        fs::remove_file(part)?;
    }
    sync_folder(file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// A new name is on the disk when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn run(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    runtime().map_err(|error| error.to_string())?.block_on(work)
}
