//! `ringdown restore`: an empty data folder becomes what a backup holds.

use crate::{Failure, serve};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file that `ringdown backup` wrote
    file: PathBuf,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    // Claimed, so that no exchange starts on a folder that is half filled.
    let folder = serve::claim(data)?;
    store::restore(&arguments.file, folder.path())?;
    println!("restored into {}; start it with `ringdown serve --data {}`", data.display(), data.display());
    Ok(())
}
