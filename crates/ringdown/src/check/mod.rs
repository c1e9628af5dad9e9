//! `ringdown check`: everything that would keep an exchange from working, found without starting one.

pub(crate) mod file;
mod finding;
mod folder;
pub(crate) mod machine;
mod store;

pub(crate) use finding::refusal;

use crate::Failure;
use crate::config::{self, Config, EXAMPLE, Source, strangers};
use file::Places;
use finding::{Finding, Weight};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; the embedded defaults without it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a configuration with every key, its default and what it does
    #[arg(long)]
    example: bool,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.example {
        print!("{EXAMPLE}");
        return Ok(());
    }
    let mut findings = look(data, arguments.config.as_deref())?;
    findings.sort_by_key(|finding| finding.weight);
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    match (errors, findings.len() - errors) {
        (0, 0) => println!("all is well"),
        (0, warnings) => println!("no errors, {warnings} to look at"),
        (errors, warnings) => return Err(format!("{errors} errors, {warnings} warnings").into()),
    }
    Ok(())
}

fn look(data: &Path, path: Option<&Path>) -> Result<Vec<Finding>, Failure> {
    let mut findings = folder::judge(data);
    findings.extend(profiles(data));
    let source = path.map(Source::read).transpose()?;
    let config = match &source {
        None => Config::default(),
        Some(source) => match readable(source, &mut findings) {
            Some(config) => config,
            None => return Ok(findings),
        },
    };
    let places = Places(source.as_ref());
    findings.extend(file::judge(&config, places));
    findings.extend(file::expiry(&config, places));
    findings.extend(store::judge(&config, places, data));
    findings.extend(machine::judge(&config, places, folder::is_served(data)));
    Ok(findings)
}

fn profiles(data: &Path) -> Vec<Finding> {
    let advice = "docs/profiles.md shows every key; until then a running exchange keeps the profiles of before, and one that starts goes without it";
    let wrong = config::profile::read_all(data).wrong;
    wrong.into_iter().map(|wrong| Finding::error(wrong.place, wrong.what, advice)).collect()
}

/// The configuration in a file, or what keeps it from being read: every unknown key, or the first other fault.
fn readable(source: &Source, findings: &mut Vec<Finding>) -> Option<Config> {
    let place = |line| format!("{}:{line}", source.path.display());
    let advice = "`ringdown check --example` prints every key with its default";
    let strangers = strangers(&source.text);
    findings.extend(strangers.iter().map(|(line, what)| Finding::error(place(*line), what, advice)));
    match Config::parse(&source.text) {
        Ok(config) => Some(config),
        Err(_) if !strangers.is_empty() => None,
        Err(fault) => {
            findings.push(Finding::error(place(fault.line), fault.what, advice));
            None
        }
    }
}
