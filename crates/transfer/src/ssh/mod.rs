//! SSH by the system's own client, in which only octets are ours: no shell on our side, no configuration of the user's, no
//! question to anybody. It is told the address that was judged (docs/decisions/0015).

mod packet;
pub(crate) mod scp;
pub(crate) mod sftp;

use crate::Place;
use crate::limits;
use net::Reach;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The variable by which [`SshRules::ask_password`] learns what to say.
pub const PASSWORD: &str = "RINGDOWN_SSH_PASSWORD";
/// Octets of what the client complains.
const COMPLAINT: u64 = 8 << 10;

/// Who is believed, and how one logs in.
#[derive(Clone, Debug, Default)]
pub struct SshRules {
    /// The file with the keys of hosts, as OpenSSH keeps them; else the user's and the system's.
    pub known_hosts: Option<PathBuf>,
    /// Whether a host that is not in there is believed at first sight, and remembered.
    pub trust_first: bool,
    /// The private key to log in with; else the user's own, and those of an agent.
    pub key: Option<PathBuf>,
    /// A program that writes the value of [`PASSWORD`] to its output: how the client is told a password.
    pub ask_password: Option<PathBuf>,
}

/// What is asked of a host.
pub(crate) enum Wanted<'a> {
    Subsystem(&'a str),
    /// For the login shell of the host.
    Command(String),
}

/// Octets to and from a program at a host. Ends with its client.
pub(crate) struct Channel {
    pub(crate) pipe: UnixStream,
    complaints: UnixStream,
    client: Client,
}

struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Channel {
    pub(crate) async fn open(
        reach: &Reach,
        rules: &SshRules,
        place: &Place,
        wanted: &Wanted<'_>,
    ) -> Result<Channel, String> {
        let at = reach.address(&place.host, place.port).await?;
        let (ours, theirs) = pair()?;
        let (complaints, complains) = pair()?;
        let output = theirs.try_clone().map_err(|error| error.to_string())?;
        let mut command = client(rules, place, &at.ip().to_string(), wanted)?;
        command.stdin(Stdio::from(theirs)).stdout(Stdio::from(output)).stderr(Stdio::from(complains));
        let client = command.spawn().map_err(|error| format!("ssh: {error}; is OpenSSH installed?"))?;
        Ok(Channel { pipe: ours, complaints, client: Client(client) })
    }

    /// Why it did not work: in the client's words, if it has any.
    pub(crate) async fn explain(mut self, why: String) -> String {
        let mut said = Vec::new();
        let _ =
            timeout(limits::FAREWELL, (&mut self.complaints).take(COMPLAINT).read_to_end(&mut said)).await;
        let said = String::from_utf8_lossy(&said);
        drop(self.client);
        complaint(&said).unwrap_or(why)
    }
}

/// One end for us, one for a child.
fn pair() -> Result<(UnixStream, OwnedFd), String> {
    let pair = std::os::unix::net::UnixStream::pair().and_then(|(ours, theirs)| {
        ours.set_nonblocking(true)?;
        Ok((UnixStream::from_std(ours)?, OwnedFd::from(theirs)))
    });
    pair.map_err(|error| error.to_string())
}

fn client(rules: &SshRules, place: &Place, address: &str, wanted: &Wanted<'_>) -> Result<Command, String> {
    let mut command = Command::new("ssh");
    // No file of settings could send it elsewhere, or run something here.
    command.args(["-F", "none", "-T", "-x", "-a", "-p", &place.port.to_string()]);
    let checking = if rules.trust_first { "accept-new" } else { "yes" };
    let alias = match place.port {
        22 => place.host.clone(),
        port => format!("[{}]:{port}", place.host),
    };
    let mut options = vec![
        format!("StrictHostKeyChecking={checking}"),
        format!("HostName={address}"),
        format!("HostKeyAlias={alias}"),
    ];
    options.extend(OPTIONS.map(str::to_owned));
    if let Some(file) = &rules.known_hosts {
        options.push(format!("UserKnownHostsFile=\"{}\"", plain(file)?));
        options.push("GlobalKnownHostsFile=none".to_owned());
    }
    match (&place.password, &rules.ask_password) {
        (Some(password), Some(program)) => {
            options.push("PreferredAuthentications=password,keyboard-interactive".to_owned());
            options.push("PubkeyAuthentication=no".to_owned());
            // OpenSSH 8.4 and later.
            command.env("SSH_ASKPASS", program).env("SSH_ASKPASS_REQUIRE", "force").env(PASSWORD, password);
        }
        (Some(_), None) => return Err("nobody is there who could tell ssh a password; take a key".to_owned()),
        (None, _) => {
            options.push("BatchMode=yes".to_owned());
            options.push("PreferredAuthentications=publickey".to_owned());
        }
    }
    if let Some(key) = &rules.key {
        options.push(format!("IdentityFile=\"{}\"", plain(key)?));
        options.push("IdentitiesOnly=yes".to_owned());
    }
    for option in &options {
        command.args(["-o", option]);
    }
    if let Some(user) = &place.user {
        command.args(["-l", user]);
    }
    match wanted {
        Wanted::Subsystem(name) => command.args(["-s", "--", &place.host, name]),
        Wanted::Command(text) => command.args(["--", &place.host, text]),
    };
    // What it complains is read by us.
    command.env("LC_ALL", "C");
    Ok(command)
}

const OPTIONS: [&str; 13] = [
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "NumberOfPasswordPrompts=1",
    "ConnectTimeout=10",
    "ConnectionAttempts=1",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=2",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "EscapeChar=none",
    "ControlPath=none",
    "LogLevel=ERROR",
    "GSSAPIAuthentication=no",
];

/// The name of a file as ssh takes it in quotes: it knows signs there that stand for something else.
fn plain(path: &Path) -> Result<&str, String> {
    let text = path.to_str().filter(|text| !text.contains(['"', '%', '$', '\\', '\n', '\r']));
    text.ok_or_else(|| format!("{}: ssh takes no such name of a file", path.display()))
}

/// What the client complains, in our words where people will have to do something.
fn complaint(said: &str) -> Option<String> {
    let has = |words: &str| said.contains(words);
    if has("HOST IDENTIFICATION HAS CHANGED") {
        return Some(
            "its host key is not the one that is known of it: somebody may stand in between, or the host has a new key".to_owned(),
        );
    }
    if has("Host key verification failed") {
        return Some(
            "its host key is not known: put it into the file of --ssh-known-hosts, or take it at first sight with \
             --ssh-trust-first"
                .to_owned(),
        );
    }
    if has("Permission denied (") {
        return Some("it does not let us in with this name and key or password".to_owned());
    }
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(last.chars().filter(|sign| !sign.is_control()).take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn place(text: &str) -> Place {
        match text.parse() {
            Ok(crate::Link::Sftp(place)) => place,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn words(command: &Command) -> Vec<&str> {
        command.get_args().filter_map(OsStr::to_str).collect()
    }

    #[test]
    fn sec_14_the_client_goes_where_it_was_judged_and_asks_nobody() {
        let rules = SshRules { known_hosts: Some("/etc/a b/hosts".into()), ..SshRules::default() };
        let wanted = Wanted::Subsystem("sftp");
        let command = client(&rules, &place("sftp://ada@h.example:2022/a"), "192.0.2.1", &wanted).unwrap();
        let words = words(&command);
        for option in [
            "HostName=192.0.2.1",
            "HostKeyAlias=[h.example]:2022",
            "StrictHostKeyChecking=yes",
            "UserKnownHostsFile=\"/etc/a b/hosts\"",
            "BatchMode=yes",
        ] {
            assert!(words.contains(&option), "{option}: {words:?}");
        }
        assert!(words.starts_with(&["-F", "none"]));
        assert!(words.ends_with(&["-l", "ada", "-s", "--", "h.example", "sftp"]), "{words:?}");
    }

    #[test]
    fn a_password_stands_in_no_argument() {
        let place = place("sftp://ada:secret@h/a");
        let wanted = Wanted::Command("scp -f -- 'a'".to_owned());
        let without = SshRules::default();
        assert!(client(&without, &place, "192.0.2.1", &wanted).unwrap_err().contains("take a key"));
        let rules = SshRules { ask_password: Some("/bin/asked".into()), ..SshRules::default() };
        let command = client(&rules, &place, "192.0.2.1", &wanted).unwrap();
        assert!(!words(&command).iter().any(|word| word.contains("secret")));
        assert!(command.get_envs().any(|env| env == (OsStr::new(PASSWORD), Some(OsStr::new("secret")))));
        let odd = SshRules { key: Some("/a\"b".into()), ..SshRules::default() };
        assert!(client(&odd, &self::place("sftp://h/a"), "192.0.2.1", &wanted).is_err());
    }

    #[test]
    fn complaints_say_what_to_do() {
        for (said, told) in [
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                "not the one that is known",
            ),
            ("No ED25519 host key is known for h\nHost key verification failed.\n", "--ssh-known-hosts"),
            ("ada@h: Permission denied (publickey).\n", "does not let us in"),
            ("ssh: connect to host h port 22: Connection refused\r\n\n", "Connection refused"),
        ] {
            assert!(complaint(said).unwrap().contains(told), "{said}");
        }
        assert_eq!(complaint(" \n"), None);
    }
}
