//! The accounts of a phone: the one of the command line, or those of `--config`.

use super::{Arguments, By, codec};
use crate::Failure;
use crate::config::{line_at, secret};
use ::phone::{Account, Server, Suggest, Trust};
use media::Codec;
use serde::Deserialize;
use sip::Transport;
use std::path::{Path, PathBuf};

/// Accounts of one phone.
const MOST: usize = 16;
/// Servers of one account.
const SERVERS: usize = 8;
/// How long a registration lasts that says nothing, in seconds.
const EXPIRES: u32 = 600;

/// `phone.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Calls go out by it; the first if none is named.
    #[serde(default)]
    default: Option<String>,
    account: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    server: OneOrMore,
    user: String,
    #[serde(default)]
    transport: Option<String>,
    #[serde(default)]
    password_env: Option<String>,
    #[serde(default)]
    password_file: Option<PathBuf>,
    #[serde(default)]
    display: String,
    #[serde(default)]
    codecs: Vec<String>,
    #[serde(default)]
    register: Option<bool>,
    #[serde(default)]
    expires: Option<u32>,
    /// Numbers whose lamps are shown.
    #[serde(default)]
    lamps: Vec<String>,
    #[serde(default)]
    messages: Option<bool>,
    #[serde(default)]
    tls_trust: Option<PathBuf>,
    #[serde(default)]
    tls_trust_any: bool,
}

/// A server, or several of one office.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a server, or a list of servers")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// All accounts; calls go out by the first.
pub(super) fn accounts(arguments: &Arguments) -> Result<Vec<Account>, Failure> {
    match (&arguments.config, &*arguments.server) {
        (Some(path), _) => read(path, arguments),
        (None, [server, further @ ..]) => Ok(vec![given(arguments, server, further)?]),
        (None, []) => Err("a phone needs --server or --config".into()),
    }
}

/// The one of the command line.
fn given(arguments: &Arguments, server: &Server, further: &[Server]) -> Result<Account, Failure> {
    let said = arguments.transport.map(By::transport).or(server.transport());
    let transport = said.unwrap_or(Transport::Udp);
    check_all(server, further, transport)?;
    Ok(Account {
        name: arguments.user.clone(),
        server: server.clone(),
        further: further.to_vec(),
        transport,
        trust: trust(arguments.tls_trust.as_deref(), arguments.tls_trust_any),
        user: arguments.user.clone(),
        password: arguments.password.clone(),
        display: arguments.display.clone(),
        register: !arguments.no_register,
        expires: arguments.expires,
        codecs: arguments.codecs.clone(),
        suggest: suggest(arguments),
        // One account works through the list; which, is known to the desk.
        profile: false,
        lamps: arguments.lamps.clone(),
        messages: !arguments.no_messages,
        pass: None,
    })
}

fn check_all(server: &Server, further: &[Server], transport: Transport) -> Result<(), String> {
    if further.len() >= SERVERS {
        return Err(format!("an account has {SERVERS} servers at most"));
    }
    std::iter::once(server).chain(further).try_for_each(|server| server.check(transport))
}

fn read(path: &Path, arguments: &Arguments) -> Result<Vec<Account>, Failure> {
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(&text, span.start));
        format!("{}:{line}: {}", path.display(), error.message())
    })?;
    let beside = path.parent().unwrap_or(Path::new("."));
    let mut accounts = Vec::new();
    for entry in file.account {
        let name = entry.name.clone();
        let account =
            entry.account(arguments, beside).map_err(|why| told(&format!("account \"{name}\": {why}")))?;
        if accounts.iter().any(|known: &Account| known.name == name) {
            return Err(told(&format!("two accounts are called \"{name}\"")).into());
        }
        accounts.push(account);
    }
    if accounts.is_empty() || accounts.len() > MOST {
        return Err(told(&format!("1 to {MOST} accounts, not {}", accounts.len())).into());
    }
    if let Some(default) = file.default {
        let place = accounts.iter().position(|account| account.name == default);
        let place = place.ok_or_else(|| told(&format!("default: there is no account \"{default}\"")))?;
        let first = accounts.remove(place);
        accounts.insert(0, first);
    }
    Ok(accounts)
}

impl Entry {
    fn account(self, arguments: &Arguments, beside: &Path) -> Result<Account, String> {
        let plain = |text: &str| !text.is_empty() && !text.chars().any(|letter| letter.is_control());
        if !plain(&self.name) || !plain(&self.user) {
            return Err("name and user are not empty".into());
        }
        let servers = match self.server {
            OneOrMore::One(server) => vec![server],
            OneOrMore::More(servers) => servers,
        };
        let servers: Vec<Server> = servers.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let (server, further) = servers.split_first().ok_or("server: name one at least")?;
        let said = self.transport.as_deref().map(transport).transpose()?.or(server.transport());
        let transport = said.unwrap_or(Transport::Udp);
        check_all(server, further, transport)?;
        let password = match (&self.password_env, &self.password_file) {
            (Some(_), Some(_)) => return Err("password_env or password_file, not both".into()),
            (Some(name), None) => {
                std::env::var(name).map_err(|_| format!("the environment has no {name}"))?
            }
            (None, Some(file)) => secret::read(&beside.join(file))?,
            (None, None) => String::new(),
        };
        let expires = self.expires.unwrap_or(EXPIRES);
        if !(10..=86_400).contains(&expires) {
            return Err("expires: 10 to 86400 seconds".into());
        }
        let codecs: Vec<Codec> = self.codecs.iter().map(|name| codec(name)).collect::<Result<_, _>>()?;
        if self.tls_trust.is_some() && self.tls_trust_any {
            return Err("tls_trust or tls_trust_any, not both".into());
        }
        let trusted = self.tls_trust.map(|file| beside.join(file));
        Ok(Account {
            trust: trust(trusted.as_deref(), self.tls_trust_any),
            name: self.name,
            server: server.clone(),
            further: further.to_vec(),
            transport,
            user: self.user,
            password,
            display: self.display,
            register: self.register.unwrap_or(true),
            expires,
            codecs: if codecs.is_empty() { arguments.codecs.clone() } else { codecs },
            suggest: suggest(arguments),
            profile: false,
            lamps: self.lamps,
            messages: self.messages.unwrap_or(!arguments.no_messages),
            pass: None,
        })
    }
}

fn transport(name: &str) -> Result<Transport, String> {
    let all = Transport::ALL;
    let found = all.into_iter().find(|transport| transport.name() == name);
    found.ok_or_else(|| format!("transport: \"{name}\" is none of udp, tcp, tls, ws, wss"))
}

fn trust(file: Option<&Path>, any: bool) -> Trust {
    match file {
        Some(path) => Trust::File(path.into()),
        None if any => Trust::Anyone,
        None => Trust::System,
    }
}

fn suggest(arguments: &Arguments) -> Option<Suggest> {
    let code = arguments.keep_calling_code.as_str().into();
    (arguments.suggest_after > 0).then_some(Suggest { after: arguments.suggest_after, code })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn read_text(text: &str) -> Result<Vec<Account>, String> {
        let folder =
            std::env::temp_dir().join(format!("ringdown-accounts-{}-{}", std::process::id(), text.len()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("phone.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.join("secret"), "s3cret\n").unwrap();
        let line = Line::parse_from(["phone", "--config", path.to_str().unwrap()]);
        let read = accounts(&line.arguments).map_err(|error| error.to_string());
        std::fs::remove_dir_all(&folder).unwrap();
        read
    }

    #[test]
    fn s3_11_accounts_are_read_and_calls_go_out_by_the_default() {
        let accounts = read_text(
            "default = \"home\"\n[[account]]\nname = \"office\"\nserver = \"wss://pbx.example/sip\"\nuser = \"ada\"\n\
             password_file = \"secret\"\ncodecs = [\"PCMA\"]\n[[account]]\nname = \"home\"\nserver = \"192.0.2.1:5070\"\n\
             user = \"a\"\ntransport = \"tcp\"\nregister = false\n[[account]]\nname = \"two\"\nserver = [\"wss://a.example\", \
             \"wss://b.example\"]\nuser = \"a\"\n",
        )
        .unwrap();
        let [home, office, two] = accounts.as_slice() else { panic!("{accounts:?}") };
        assert_eq!((home.name.as_str(), home.transport, home.register), ("home", Transport::Tcp, false));
        assert_eq!((office.transport, office.password.as_str()), (Transport::Wss, "s3cret"));
        assert_eq!(office.codecs, [Codec::PCMA]);
        assert_eq!((two.server.host.as_str(), two.further[0].host.as_str()), ("a.example", "b.example"));
    }

    #[test]
    fn faults_are_told_with_their_line_or_account() {
        let one = "[[account]]\nname = \"a\"\nserver = \"h\"\nuser = \"u\"\n";
        for (more, words) in [
            ("pasword_file = \"x\"\n", ":5: unknown field `pasword_file`"),
            ("password_file = \"nowhere\"\n", "account \"a\": "),
            ("password_env = \"RINGDOWN_NO_SUCH\"\n", "the environment has no RINGDOWN_NO_SUCH"),
            ("transport = \"sctp\"\n", "\"sctp\" is none of"),
            ("codecs = [\"G729\"]\n", "\"G729\" is none of"),
            ("expires = 3\n", "10 to 86400"),
            ("[[account]]\nname = \"b\"\nserver = []\nuser = \"u\"\n", "name one at least"),
            (
                "[[account]]\nname = \"b\"\nserver = [\"h\", \"ws://h\"]\nuser = \"u\"\n",
                "reached by ws, not by udp",
            ),
            (one, "two accounts are called \"a\""),
        ] {
            let why = read_text(&format!("{one}{more}")).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
        assert!(read_text(&format!("default = \"b\"\n{one}")).unwrap_err().contains("no account \"b\""));
        assert!(read_text("").is_err());
    }
}
