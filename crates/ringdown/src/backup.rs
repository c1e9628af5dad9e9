//! `ringdown backup`: the whole office in one file, while it runs or stands.

use crate::{Failure, config};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The file to write, readable by you alone
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// The configuration, if the office is kept by a server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let place = config::place(data, arguments.config.as_deref())?;
    store::backup(&place, &arguments.file, arguments.force)?;
    println!(
        "{}: people, numbers, phones with their secrets, registrations, records, and the certificate",
        arguments.file.display()
    );
    Ok(())
}
