//! `ringdown trunk`: lines to the outside.

use crate::{Failure, talk};
use api::control::{Request, Response, TrunkItem};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a trunk, or change it
    Add {
        /// A short name, as in `provider`
        name: String,
        #[command(flatten)]
        details: Box<Details>,
    },
    /// List all trunks and how they are
    List,
    /// Remove a trunk; its calls are refused from now on
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct Details {
    /// Where it is: HOST or HOST:PORT, HOST an IP address or a name. Calls from there reach the office's numbers
    /// without digest
    #[arg(long, value_name = "HOST[:PORT]")]
    address: String,
    /// How it is reached: udp, tcp or tls
    #[arg(long, value_name = "NAME", default_value = "udp")]
    transport: String,
    /// The user name that the provider gave
    #[arg(long, value_name = "NAME", default_value = "", requires = "password")]
    user: String,
    /// Its password; kept sealed
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        requires = "user",
        env = "RINGDOWN_TRUNK_PASSWORD",
        hide_env_values = true
    )]
    password: String,
    /// The one realm whose challenges are answered [default: any of this trunk]
    #[arg(long, value_name = "TEXT", default_value = "")]
    realm: String,
    /// Register there, so that its calls find us
    #[arg(long)]
    register: bool,
    /// The most calls at once [default: no bound]
    #[arg(long, value_name = "N")]
    channels: Option<u16>,
    /// Another address that its calls and media come from; may stand several times
    #[arg(long = "source", value_name = "IP")]
    sources: Vec<String>,
    /// Take this many digits off the front of numbers that come in
    #[arg(long, value_name = "N", default_value_t = 0)]
    strip: u8,
    /// Put these digits before numbers that come in
    #[arg(long, value_name = "DIGITS", default_value = "")]
    prepend: String,
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, details } => {
            let done = format!("calls from {} come in by trunk {name}", details.address);
            let trunk = item(&name, *details);
            talk::tell(data, &Request::TrunkAdd { name, trunk }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed trunk {name}");
            talk::tell(data, &Request::TrunkRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::TrunkList)? {
            Response::Trunks(items) => {
                let rows = items.into_iter().map(|item| {
                    let channels = item.channels.map(|most| most.to_string()).unwrap_or_default();
                    vec![item.name, item.address, item.transport, item.user, channels, item.state]
                });
                let heads = ["trunk", "address", "by", "user", "channels", "state"];
                talk::table(&heads, &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}

fn item(name: &str, details: Details) -> TrunkItem {
    TrunkItem {
        name: name.into(),
        address: details.address,
        transport: details.transport,
        user: details.user,
        password: details.password,
        realm: details.realm,
        registers: details.register,
        channels: details.channels,
        sources: details.sources,
        strip: details.strip,
        prepend: details.prepend,
        state: String::new(),
    }
}
