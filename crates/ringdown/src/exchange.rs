//! `ringdown exchange`: the exchanges of one office, and joining them.

use crate::directory::{Folder, Home};
use crate::membership::{self, Link, Member};
use crate::{Failure, serve};
use clap::Subcommand;
use directory::{ExchangeName, Named as _};
use net::Clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Let one more exchange join the directory of this data folder: prints a link that works once, within 24 hours
    Invite {
        /// The exchange's name in the office, as in `north`
        name: String,
        /// Where exchanges reach the directory
        #[arg(long, value_name = "HOST:PORT")]
        directory: String,
        /// The configuration, if a server keeps the directory
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Join an office with a link; the exchange of this data folder must not run, and knows the others at its next start
    Join {
        /// The link, as `ringdown exchange invite` printed it
        link: String,
    },
    /// Leave the office that this exchange joined; neither it nor another of its cluster may run
    Leave {
        /// The configuration, if it is one of a cluster
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// The exchanges that joined the directory of this data folder
    List {
        /// The configuration, if a server keeps the directory
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    let now = Clock::start().now().wall;
    match command {
        Command::Invite { name, directory, config } => {
            let exchange = ExchangeName::parse(&name)?;
            let folder = Folder::open(Arc::new(Home::visit(data, config.as_deref())?), now)?;
            let fingerprint = folder.fingerprint()?;
            // A link that nobody could read is not made.
            let link = Link { directory, key: "0".into(), fingerprint };
            Link::parse(&link.to_string()).map_err(|_| "--directory wants HOST:PORT")?;
            println!("{}", Link { key: folder.invite(&exchange, now)?, ..link });
            Ok(())
        }
        Command::Join { link } => {
            let claimed = serve::claim(data)?;
            let exchange = membership::join(claimed.path(), &Link::parse(&link)?)?;
            println!("joined as {exchange}; `ringdown serve` connects from now on");
            Ok(())
        }
        Command::Leave { config } => {
            let claimed = serve::claim(data)?;
            membership::shared::leave(claimed.path(), config.as_deref())?;
            println!("left; `ringdown serve` connects no more");
            Ok(())
        }
        Command::List { config } => {
            if let Some(member) = Member::read(data)? {
                println!("this exchange is {}, of the directory at {}", member.exchange, member.directory);
            }
            let home = Arc::new(Home::visit(data, config.as_deref())?);
            for known in Folder::open(home, now)?.members()? {
                println!("{}  {}", known.exchange, known.fingerprint);
            }
            Ok(())
        }
    }
}
