//! A PostgreSQL server: where it is, whether it keeps what it acknowledges, and its refusals in words.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection, Row as _};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// The oldest version that our tests run against.
const OLDEST: i32 = 15;
/// What our sessions are told. Nothing is acknowledged before it is on the server's disk. A session of ours whose network has
/// failed holds no lock for as long as others wait for one, and does not try for long to tell us what it found.
const SESSION: &str = "SET synchronous_commit = on; SET lock_timeout = '5s'; \
                       SET idle_in_transaction_session_timeout = '3s'; SET tcp_user_timeout = '10s'";

/// A server and a database on it.
pub(crate) struct Server {
    options: PgConnectOptions,
    unverified: bool,
}

impl Server {
    pub(crate) fn parse(url: &str, password: Option<&str>) -> Result<Server, String> {
        let wrong = |what: &str| {
            format!(
                "{what}; write it as in \"postgresql://ringdown@db.example/ringdown\", or with ?host=/run/postgresql"
            )
        };
        if !(url.starts_with("postgresql://") || url.starts_with("postgres://")) {
            return Err(wrong("is no URL of a PostgreSQL server"));
        }
        // What the parser says may quote the URL, and with it the password.
        let mut options: PgConnectOptions = with_host(url)
            .parse()
            .map_err(|_| wrong("is a URL of a PostgreSQL server that cannot be read"))?;
        if let Some(password) = password {
            options = options.password(password);
        }
        let asked = |key: &str| {
            let (_, query) = url.split_once('?').unwrap_or_default();
            query.split('&').any(|pair| pair.split('=').next() == Some(key))
        };
        if !asked("sslmode") && !asked("ssl-mode") {
            let mode = if is_here(&options) { PgSslMode::Prefer } else { PgSslMode::VerifyFull };
            options = options.ssl_mode(mode);
        }
        if options.get_socket().is_some() {
            options = options.ssl_mode(PgSslMode::Disable);
        }
        let unverified = !is_here(&options)
            && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull | PgSslMode::VerifyCa);
        Ok(Server { options: options.application_name("ringdown"), unverified })
    }

    pub(crate) fn unverified(&self) -> bool {
        self.unverified
    }

    /// A connection whose commits are on the disk when they are acknowledged.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let connect = async {
            let mut connection = self.options.connect().await?;
            sqlx::raw_sql(SESSION).execute(&mut connection).await?;
            refuse_what_loses(&mut connection).await?;
            Ok(connection)
        };
        let late = || sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
        timeout(CONNECTING, connect).await.map_err(|_| late())?
    }
}

/// `user@/database?host=/run/postgresql` is how sockets are usually written, but a URL has a host after a user.
fn with_host(url: &str) -> String {
    match url.split_once("@/") {
        Some((user, rest)) if !user.contains('?') => format!("{user}@localhost/{rest}"),
        _ => url.to_owned(),
    }
}

/// Whether no network lies between the server and us.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse().map(|ip: IpAddr| ip.is_loopback());
    options.get_socket().is_some() || host == "localhost" || address == Ok(true)
}

/// `postgresql://user@host:port/database`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        write!(f, "postgresql://{}@", options.get_username())?;
        match options.get_socket() {
            Some(socket) => write!(f, "/{database}?host={}&port={}", socket.display(), options.get_port()),
            None => write!(f, "{}:{}/{database}", options.get_host(), options.get_port()),
        }
    }
}

/// Looked at with each connection: a server may have been started again, with other settings.
async fn refuse_what_loses(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let refused = |what: String| Err(sqlx::Error::Configuration(what.into()));
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_version') AS name, \
         current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync, \
         current_setting('full_page_writes') AS pages, pg_is_in_recovery() AS standby",
    )
    .fetch_one(connection)
    .await?;
    let (version, name): (i32, &str) = (row.try_get("version")?, row.try_get("name")?);
    if version < OLDEST {
        return refused(format!("the server is PostgreSQL {name}; {OLDEST} is the oldest that can be used"));
    }
    let encoding: &str = row.try_get("encoding")?;
    if encoding != "UTF8" {
        return refused(format!(
            "the database's encoding is {encoding}; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        ));
    }
    for (setting, column) in [("fsync", "fsync"), ("full_page_writes", "pages")] {
        let value: &str = row.try_get(column)?;
        if value != "on" {
            return refused(format!(
                "the server runs with {setting} = {value} and would lose what it has acknowledged; set it to on"
            ));
        }
    }
    if row.try_get("standby")? {
        return refused("the server is a standby, which takes no changes; name the primary".to_owned());
    }
    Ok(())
}

/// Why a database could not do something, for people.
pub(crate) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound => {
                format!("no server answers there ({error}); is PostgreSQL running?")
            }
            // A certificate that is refused comes as data that are wrong.
            std::io::ErrorKind::InvalidData => untrusted(error),
            std::io::ErrorKind::TimedOut => "the server does not answer in time".to_owned(),
            _ => error.to_string(),
        },
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("28P01" | "28000") => {
                format!(
                    "the server does not let us in: {}; look at user, password and pg_hba.conf",
                    refusal.message()
                )
            }
            Some("3D000") => format!(
                "{}; make it with CREATE DATABASE … OWNER … ENCODING 'UTF8' TEMPLATE template0",
                refusal.message()
            ),
            Some("42501") => format!("{}; the user must own the database", refusal.message()),
            _ => refusal.message().to_owned(),
        },
        sqlx::Error::Tls(what) => untrusted(what),
        sqlx::Error::Configuration(what) => what.to_string(),
        sqlx::Error::Protocol(what) => what.clone(),
        other => other.to_string(),
    }
}

fn untrusted(why: &dyn fmt::Display) -> String {
    format!("no trusted TLS connection: {why}; sslrootcert names an authority of your own")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Server::parse(url, Some("hush")).unwrap()
    }

    #[test]
    fn beyond_loopback_a_server_must_prove_who_it_is_unless_told_otherwise() {
        for (url, mode, unverified) in [
            ("postgresql://r@127.0.0.1/r", "Prefer", false),
            ("postgresql://r@localhost/r", "Prefer", false),
            ("postgresql://r@[::1]/r", "Prefer", false),
            ("postgresql:///r?user=r&host=/run/postgresql", "Disable", false),
            ("postgresql://r@/r?host=/run/postgresql", "Disable", false),
            ("postgresql://r@db.example/r", "VerifyFull", false),
            ("postgresql://r@192.0.2.7:6000/r?sslmode=verify-ca", "VerifyCa", false),
            ("postgres://r@192.0.2.7/r?sslmode=disable", "Disable", true),
            ("postgres://r@192.0.2.7/r?application_name=x&sslmode=require", "Require", true),
        ] {
            let server = server(url);
            assert_eq!(format!("{:?}", server.options.get_ssl_mode()), mode, "{url}");
            assert_eq!(server.unverified(), unverified, "{url}");
        }
    }

    #[test]
    fn sec_20_what_is_shown_of_a_server_has_no_password() {
        let shown = server("postgresql://r:hush@db.example:6000/office?sslmode=verify-full").to_string();
        assert_eq!(shown, "postgresql://r@db.example:6000/office");
        for url in
            ["postgresql://r:hush@[/office", "mysql://r:hush@db.example/office", "postgresql://r:hush@h:x/o"]
        {
            let error = Server::parse(url, None).err().unwrap();
            assert!(!error.contains("hush") && error.contains("write it as in"), "{error}");
        }
    }
}
