//! `ringdown restore`: an empty data folder becomes what a backup holds.

use crate::{Failure, config, serve};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file that `ringdown backup` wrote
    file: PathBuf,
    /// The configuration, if the office is to be kept by a server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    // Claimed, so that no exchange starts on a folder that is half filled.
    let folder = serve::claim(data)?;
    let place = config::place(folder.path(), arguments.config.as_deref())?;
    store::restore(&arguments.file, &place)?;
    println!("restored into {place}; start it with `ringdown serve --data {}`", data.display());
    Ok(())
}
