//! Where lists may come from and results go to, and who is believed there.

use crate::Failure;
use ::phone::Trust;
use ::phone::work::Assignment;
use net::Network;
use std::path::PathBuf;
use std::process::ExitCode;
use transfer::{Fetched, Link, Rules, SshRules, Transfer};

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
            hint: "; --allow names the networks inside that may be reached",
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

    /// What `given` becomes by the link that the network names: a list, or an assignment where it ends with `.json`.
    pub(super) fn assignment_by_dhcp(
        &self,
        interface: Option<&str>,
        given: &Assignment,
        trust: &Trust,
    ) -> Result<Assignment, Failure> {
        let text = transfer::link_by_dhcp(interface)?;
        let path = text.split(['?', '#']).next().unwrap_or_default();
        if !path.ends_with(".json") {
            return Ok(Assignment { list: text, ..given.clone() });
        }
        let told = |why: &str| format!("{}: {why}", transfer::shown(&text));
        let link: Link = text.parse().map_err(|error: transfer::NoLink| told(&error.to_string()))?;
        let rules = self.rules(trust, &given.token)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let fetched = runtime.block_on(async { Transfer::new(rules).fetch(&link, None).await });
        let Fetched::Bytes { bytes, .. } = fetched.map_err(|why| told(&why))? else {
            return Err(told("there is no such file").into());
        };
        let assignment = Assignment::read(&bytes).map_err(|why| told(&why))?;
        only_links(&assignment).map_err(|why| told(&why))?;
        Ok(assignment)
    }
}

/// Whoever answers on the network, or sends an assignment, reads and writes no files of ours.
pub(super) fn only_links(assignment: &Assignment) -> Result<(), String> {
    let is_file = |named: &&String| !named.is_empty() && matches!(named.parse(), Ok(Link::Local(_)));
    match [&assignment.list, &assignment.results].into_iter().find(is_file) {
        Some(_) => {
            Err("it names a file of this machine; an assignment from the network names links".to_owned())
        }
        None => Ok(()),
    }
}

/// Whether lists can come and results can go: what is no link today is none tomorrow.
pub(super) fn check(assignment: &Assignment) -> Result<(), Failure> {
    let result = format!("{}results", assignment.folder());
    for (key, link) in [("list", &assignment.list), ("results", &result)] {
        if !link.is_empty() {
            link.parse::<Link>().map_err(|why| format!("{key}: {why}"))?;
        }
    }
    Ok(())
}

/// The interface to ask on, if the network shall name the link: `dhcp`, or `dhcp:INTERFACE`.
pub(super) fn by_dhcp(list: &str) -> Option<Option<&str>> {
    let rest = list.strip_prefix("dhcp")?;
    if rest.is_empty() { Some(None) } else { rest.strip_prefix(':').map(Some) }
}

/// What the system's ssh asks us, who started it with a password to be told: it runs this program again.
pub(crate) fn answer_ssh() -> Option<ExitCode> {
    let password = std::env::var(transfer::PASSWORD).ok()?;
    println!("{password}");
    Some(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_link_is_told_at_once_and_without_its_password() {
        let of = |list: &str, results: &str| {
            let (list, results) = (list.to_owned(), results.to_owned());
            check(&Assignment { list, results, ..Assignment::default() }).map_err(|error| error.to_string())
        };
        for (list, results) in
            [("lists/ada.csv", ""), ("https://h/ada.csv?sig=x", ""), ("sftp://h/~/a", "sftp://h/~"), ("", "")]
        {
            assert_eq!(of(list, results), Ok(()), "{list} {results}");
        }
        assert!(of("fpt://ada:secret@h/a", "").unwrap_err().starts_with("list: a link begins with http:"));
        assert!(
            of("a.csv", "https://ada:secret@h/x")
                .unwrap_err()
                .starts_with("results: the name or the password")
        );
    }

    #[test]
    fn dhcp_is_no_file() {
        assert_eq!(by_dhcp("dhcp"), Some(None));
        assert_eq!(by_dhcp("dhcp:eth0"), Some(Some("eth0")));
        for file in ["dhcp.csv", "./dhcp", "lists/dhcp"] {
            assert_eq!(by_dhcp(file), None);
        }
    }
}
