//! Where lists may come from and results go to, and who is believed there.

use crate::Failure;
use ::phone::Trust;
use net::Network;
use std::path::PathBuf;
use std::process::ExitCode;
use transfer::{Rules, SshRules};

/// What the command line says of links.
#[derive(clap::Args)]
pub(crate) struct LinkArguments {
    /// Links may lead into this network, such as 10.0.0.0/8, too; else this machine and private networks are refused. More than once for more
    #[arg(long, value_name = "NETWORK")]
    allow: Vec<Network>,
    /// The file with the keys of SSH hosts, as OpenSSH keeps them [default: the user's and the system's]
    #[arg(long, value_name = "FILE")]
    ssh_known_hosts: Option<PathBuf>,
    /// Believe an SSH host that is not in there at first sight, and remember its key
    #[arg(long)]
    ssh_trust_first: bool,
    /// The private key to log in with by SSH [default: the user's own, and those of an agent]
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
}

impl LinkArguments {
    pub(super) fn rules(&self, trust: &Trust, token: &str) -> Result<Rules, Failure> {
        if let Some((network, why)) = self.allow.iter().find_map(|one| Some((one, one.is_never()?))) {
            return Err(format!("--allow {network}: it {why}; nothing leads there").into());
        }
        Ok(Rules {
            allow: self.allow.clone(),
            tls: ::phone::client_config(trust).map_err(|error| error.to_string()),
            token: token.to_owned(),
            ssh: SshRules {
                known_hosts: self.ssh_known_hosts.clone(),
                trust_first: self.ssh_trust_first,
                key: self.ssh_key.clone(),
                ask_password: std::env::current_exe().ok(),
            },
        })
    }
}

/// What the system's ssh asks us, who started it with a password to be told: it runs this program again.
pub(crate) fn answer_ssh() -> Option<ExitCode> {
    let password = std::env::var(transfer::PASSWORD).ok()?;
    println!("{password}");
    Some(ExitCode::SUCCESS)
}
