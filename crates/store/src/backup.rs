//! The whole office in one file: a copy of the database as it is at one moment, with the other files of the data
//! folder as rows in it. Made while the exchange runs, and without asking it: SQLite lets us read beside the writer.

use crate::error::StoreError;
use crate::failpoint;
use crate::migrate::STEPS;
use crate::seal::SEAL_KEY;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The database's name in the data folder.
const DATABASE: &str = "office.db";
/// What else the data folder holds that cannot be made again.
const FILES: [&str; 3] = ["certificate.pem", "key.pem", SEAL_KEY];
/// Where a restore is put together; what it leaves when it dies is taken away by the next.
const STAGE: &str = "restoring";

/// Writes a backup of a data folder: readable by its owner alone, complete or not there at all. An existing file is
/// kept unless `replace`.
///
/// # Errors
/// [`StoreError`] with the file that it is about.
pub fn backup(folder: &Path, file: &Path, replace: bool) -> Result<(), StoreError> {
    let database = folder.join(DATABASE);
    if !database.exists() {
        return Err(StoreError::new(&database, "there is no office here to keep a copy of"));
    }
    if !replace && file.exists() {
        return Err(StoreError::new(file, "exists already; name another file, or add --force to replace it"));
    }
    let part = beside(file);
    let made = copy(&database, &part).and_then(|()| {
        failpoint::reach("backup.before_files");
        run(add_files(folder, &part))?;
        failpoint::reach("backup.before_rename");
        put_in_place(&part, file, replace).map_err(|error| error.to_string())
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made.map_err(|what| StoreError::new(file, what))
}

/// Fills an empty data folder from a backup. Nothing of the folder is touched before the backup has proved whole.
///
/// # Errors
/// [`StoreError`]: not a backup of ours, damaged, of a newer Ringdown, or the folder is not empty.
pub fn restore(file: &Path, folder: &Path) -> Result<(), StoreError> {
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
        failpoint::reach("restore.before_rename");
        // The database last: without it the folder is still empty in the eyes of the next try.
        for name in FILES.into_iter().chain([DATABASE]) {
            if stage.join(name).exists() {
                fs::rename(stage.join(name), folder.join(name)).map_err(|error| error.to_string())?;
            }
        }
        sync_folder(folder).map_err(|error| error.to_string())
    })();
    let _ = fs::remove_dir_all(&stage);
    restored.map_err(|what: String| StoreError::new(file, what))
}

/// A folder with nothing in it but what a restore that died has left.
fn must_be_empty(folder: &Path) -> Result<(), StoreError> {
    let died = folder.join(STAGE).exists();
    let entries = fs::read_dir(folder).map_err(|error| StoreError::new(folder, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::new(folder, error))?;
        let name = entry.file_name();
        let ours = name == "lock" || (died && (name == STAGE || FILES.iter().any(|known| name == *known)));
        if !ours {
            let what = format!(
                "is not empty (it holds {}); a backup is restored into an empty folder: name another with --data, or \
                 move this one away",
                name.display()
            );
            return Err(StoreError::new(folder, what));
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

fn copy(database: &Path, part: &Path) -> Result<(), String> {
    // SQLite writes into an empty file, and this one has our mode.
    let _ = fs::remove_file(part);
    private(part).map_err(|error| error.to_string())?;
    let target = part.to_str().ok_or("its name is not UTF-8")?.to_owned();
    run(async {
        let mut source = crate::open::options(database).connect().await?;
        // One read transaction: the copy is of one moment, and the writer goes on.
        sqlx::query("VACUUM INTO ?").bind(target).execute(&mut source).await?;
        source.close().await
    })
}

/// Outside of the data folder there is no write-ahead log: one file is the whole.
async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
}

async fn add_files(folder: &Path, part: &Path) -> Result<(), sqlx::Error> {
    let mut connection = open(part).await?;
    connection.execute("CREATE TABLE kept_files (name TEXT PRIMARY KEY, bytes BLOB NOT NULL)").await?;
    // Calls that go on now end in the records of the exchange that they belong to.
    connection.execute("DELETE FROM open_calls").await?;
    for name in FILES {
        match fs::read(folder.join(name)) {
            Ok(bytes) => {
                let insert = sqlx::query("INSERT INTO kept_files (name, bytes) VALUES (?, ?)");
                insert.bind(name).bind(bytes).execute(&mut connection).await?;
            }
            // With files named in the configuration there are none of ours.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(sqlx::Error::Io(error)),
        }
    }
    connection.close().await
}

/// Checks a copied backup, and takes the other files out of it.
async fn take_files(copy: &Path, stage: &Path) -> Result<(), sqlx::Error> {
    let refused = |what: String| sqlx::Error::Protocol(what);
    let damaged = |error: &dyn std::fmt::Display| {
        sqlx::Error::Protocol(format!("is damaged, or no backup of ours ({error}); take an earlier backup"))
    };
    let mut connection = open(copy).await.map_err(|error| damaged(&error))?;
    let (verdict,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| damaged(&error))?;
    if verdict != "ok" {
        return Err(damaged(&verdict));
    }
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&mut connection).await?;
    if usize::try_from(version).unwrap_or(usize::MAX) > STEPS.len() {
        let known = STEPS.len();
        return Err(refused(format!(
            "comes from a newer Ringdown (form {version}, we know {known}); use that one"
        )));
    }
    let files: Vec<(String, Vec<u8>)> = sqlx::query_as("SELECT name, bytes FROM kept_files")
        .fetch_all(&mut connection)
        .await
        .map_err(|error| damaged(&error))?;
    for (name, bytes) in files {
        // A name is a name and no path, whoever wrote the backup.
        if FILES.contains(&name.as_str()) {
            let mut file = private(&stage.join(&name))?;
            file.write_all(&bytes).and_then(|()| file.sync_all())?;
        }
    }
    connection.execute("DROP TABLE kept_files").await?;
    connection.close().await
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

fn run(work: impl Future<Output = Result<(), sqlx::Error>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(work).map_err(|error| match error {
        sqlx::Error::Protocol(what) => what,
        other => other.to_string(),
    })
}
