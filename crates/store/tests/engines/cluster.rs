//! A PostgreSQL server of the tests' own: on a Unix socket in a temporary folder, with fsync, and gone with its process.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// One for all tests of a process that do it no harm.
static SHARED: LazyLock<Cluster> = LazyLock::new(|| Cluster::start("shared"));

pub(crate) fn shared() -> &'static Cluster {
    &SHARED
}

pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    server: std::sync::Mutex<Option<Running>>,
}

/// The server ends when the pipe does: with us, however we end.
struct Running {
    shell: Child,
    pipe: ChildStdin,
}

/// Waits for a line or its parent's end, ends the server in order, and takes its folder away if the parent has ended.
const KEEPER: &str = r#""$0" -D "$1/data" -k "$1" "${@:2}" >>"$1/log" 2>&1 & server=$!; read -r _ || gone=1; kill -INT $server; wait; [ -z "$gone" ] || rm -rf "$1""#;

impl Cluster {
    pub(crate) fn start(name: &str) -> Cluster {
        let folder = std::env::temp_dir().join(format!("ringdown-pg-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        if let Some(user) = user() {
            chown(&folder, Some(user.0), Some(user.1)).unwrap();
        }
        let cluster = Cluster { folder, programs: programs(), server: std::sync::Mutex::default() };
        let made = cluster
            .program("initdb")
            .args(["-U", "ringdown", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-D"])
            .arg(cluster.folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.run(&[]);
        cluster
    }

    /// Starts the server, with these settings.
    pub(crate) fn run(&self, settings: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            self.wait();
            let mut command = as_user("bash");
            command.args(["-c", KEEPER]).arg(self.programs.join("postgres")).arg(&self.folder);
            command.args(["-c", "listen_addresses=", "-c", "log_min_messages=fatal"]);
            command.args(settings.iter().flat_map(|setting| ["-c", setting]));
            let mut shell = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let pipe = shell.stdin.take().unwrap();
            *self.server.lock().unwrap() = Some(Running { shell, pipe });
            while self.lives() {
                if self.psql("postgres", "SELECT 1").is_ok() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // Processes of a server that was killed may still be about to end.
            assert!(Instant::now() < deadline, "{}", fs::read_to_string(self.folder.join("log")).unwrap());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn lives(&self) -> bool {
        std::thread::sleep(Duration::from_millis(20));
        let pid = self.folder.join("data/postmaster.pid");
        let begun = Instant::now();
        while !pid.exists() && begun.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.pid().is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists())
    }

    fn pid(&self) -> Option<String> {
        let text = fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        text.lines().next().map(str::to_owned)
    }

    /// Kills the server as a power failure would, but for the disk.
    pub(crate) fn kill(&self) {
        let pid = self.pid().unwrap();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        self.wait();
    }

    /// Ends the server in order.
    pub(crate) fn stop(&self) {
        self.wait();
    }

    /// The keeper is told that it is not the end of everything.
    fn wait(&self) {
        if let Some(Running { mut shell, mut pipe }) = self.server.lock().unwrap().take() {
            let _ = pipe.write_all(b"\n");
            shell.wait().unwrap();
        }
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@/{database}?host={}", self.folder.display())
    }

    pub(crate) fn make_database(&self, name: &str) {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
    }

    /// Runs a statement as the server's owner.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        self.psql(database, sql).unwrap()
    }

    fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let told = self
            .program("psql")
            .args(["-X", "-A", "-t", "-U", "ringdown", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(&self.folder)
            .args(["-d", database, "-c", sql])
            .output()
            .unwrap();
        match told.status.success() {
            true => Ok(String::from_utf8(told.stdout).unwrap().trim().to_owned()),
            false => Err(String::from_utf8_lossy(&told.stderr).into_owned()),
        }
    }

    /// All rows of a database.
    pub(crate) fn dump(&self, database: &str) -> Vec<u8> {
        let dump = self
            .program("pg_dump")
            .args(["-U", "ringdown", "-a", "-h"])
            .arg(&self.folder)
            .arg(database)
            .output();
        dump.unwrap().stdout
    }

    /// Who may come in how, in the words of `pg_hba.conf`; the owner of the server always may.
    pub(crate) fn let_in(&self, rules: &str) {
        let rules = format!("local all ringdown trust\n{rules}\n");
        fs::write(self.folder.join("data/pg_hba.conf"), rules).unwrap();
        let read = || self.sql("postgres", "SELECT pg_conf_load_time()");
        let before = read();
        self.sql("postgres", "SELECT pg_reload_conf()");
        while read() == before {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn program(&self, name: &str) -> Command {
        as_user(self.programs.join(name))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to run as root.
fn as_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((uid, gid)) = user() {
        command.gid(gid).uid(uid);
    }
    command
}

/// Whom the server runs as if we are root.
fn user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

/// Where the server's programs are: Debian keeps them out of the way, each version apart.
fn programs() -> PathBuf {
    let version = |folder: &PathBuf| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path()).collect())
        .unwrap_or_default();
    folders.sort_by_key(version);
    let folders = folders.into_iter().rev().map(|folder| folder.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = folders.chain(std::env::split_paths(&path)).find(|folder| folder.join("postgres").exists());
    found.expect("PostgreSQL is missing: `scripts/setup tests` installs it")
}
