//! The `ringdown` command: the exchange, and the commands that administer one.

mod account;
mod agent;
mod backup;
mod badge;
mod call_lists;
mod calls;
mod check;
mod codes;
mod config;
mod demo;
mod device;
mod directory;
mod drawing;
mod exchange;
mod explain;
mod group;
mod import;
mod ladder;
mod log;
mod membership;
mod number;
mod phone;
mod queue;
mod reader;
mod reload;
mod restore;
mod route;
mod serve;
mod status;
mod talk;
mod task;
mod texts;
mod trunk;
mod wearable;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use std::path::PathBuf;
use std::process::ExitCode;

/// Messages are short-lived values of many sizes on the core thread, and some are freed on others: glibc's allocator spends
/// a good part of a call on keeping itself in order (docs/performance.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// An office telephone exchange: a call finds the person.
///
/// `ringdown serve` starts it, `ringdown phone` calls it or any other SIP server. Every other command talks to the
/// exchange that runs on the same data folder.
#[derive(Parser)]
#[command(name = "ringdown", version, propagate_version = true)]
struct Arguments {
    /// The folder in which the exchange keeps everything [default: ringdown in the user's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "RINGDOWN_DATA")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the exchange
    Serve(serve::Arguments),
    /// Find what would keep an exchange from working, without starting it
    Check(check::Arguments),
    /// Let the running exchange read its configuration again
    Reload,
    /// Write the whole office into one file
    Backup(backup::Arguments),
    /// Fill an empty data folder from a backup
    Restore(restore::Arguments),
    /// People, and rooms that have a telephone
    #[command(subcommand)]
    Account(account::Command),
    /// Telephones; each registers with its own name and secret
    #[command(subcommand)]
    Device(device::Command),
    /// Numbers; each reaches all telephones of one account
    #[command(subcommand)]
    Number(number::Command),
    /// Lines to the outside
    #[command(subcommand)]
    Trunk(trunk::Command),
    /// Which numbers go out by which trunks
    #[command(subcommand)]
    Route(route::Command),
    /// Hunt groups: one number for several people
    #[command(subcommand)]
    Group(group::Command),
    /// Queues: one number, callers who wait, and the agents who take them
    #[command(subcommand)]
    Queue(queue::Command),
    /// Agents: who works for queues, and how they stand
    #[command(subcommand)]
    Agent(agent::Command),
    /// Cards, watches and pendants that stand for a person
    #[command(subcommand)]
    Badge(badge::Command),
    /// Deal out call lists, and see how far they are
    #[command(subcommand)]
    List(call_lists::Command),
    /// Background calls: the exchange keeps calling somebody
    #[command(subcommand)]
    Task(task::Command),
    /// Devices beside telephones that read badges
    #[command(subcommand)]
    Reader(reader::Command),
    /// Watches, pendants and apps that hear of calls
    #[command(subcommand)]
    Wearable(wearable::Command),
    /// Take people, numbers and telephones from a list
    Import(import::Arguments),
    /// Calls that are over, newest last
    Calls(calls::Arguments),
    /// Why a call was refused, forwarded or shed, and what else was decided by itself
    #[command(subcommand)]
    Explain(explain::Command),
    /// What a call sent and received, drawn
    Ladder(ladder::Arguments),
    /// Numbers that are services of the exchange
    Codes,
    /// How the exchange is, and who guesses at secrets
    Status(status::Arguments),
    /// Run the directory of an office with several exchanges: it says to which one each call goes, and steps aside
    Directory(Box<directory::Arguments>),
    /// Exchanges of one office: invite one, join, list them
    #[command(subcommand)]
    Exchange(exchange::Command),
    /// A telephone for the terminal, or for programs
    Phone(Box<phone::Arguments>),
    /// Play calls between phones of our own, and draw them
    Demo(demo::Arguments),
}

/// Why a command failed: told to the user as it stands.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    if let Some(answered) = phone::answer_ssh() {
        return answered;
    }
    let arguments = Arguments::parse();
    let data = arguments.data.unwrap_or_else(default_data);
    let done = match arguments.command {
        Command::Serve(arguments) => serve::run(&data, &arguments),
        Command::Check(arguments) => check::run(&data, &arguments),
        Command::Reload => reload::run(&data),
        Command::Backup(arguments) => backup::run(&data, &arguments),
        Command::Restore(arguments) => restore::run(&data, &arguments),
        Command::Account(command) => account::run(&data, command),
        Command::Device(command) => device::run(&data, command),
        Command::Number(command) => number::run(&data, command),
        Command::Trunk(command) => trunk::run(&data, command),
        Command::Route(command) => route::run(&data, command),
        Command::Group(command) => group::run(&data, command),
        Command::Queue(command) => queue::run(&data, command),
        Command::Agent(command) => agent::run(&data, command),
        Command::Badge(command) => badge::run(&data, command),
        Command::List(command) => call_lists::run(&data, command),
        Command::Task(command) => task::run(&data, command),
        Command::Reader(command) => reader::run(&data, command),
        Command::Wearable(command) => wearable::run(&data, command),
        Command::Explain(command) => explain::run(&data, command),
        Command::Import(arguments) => import::run(&data, &arguments),
        Command::Calls(arguments) => calls::run(&data, &arguments),
        Command::Ladder(arguments) => ladder::run(&data, &arguments),
        Command::Codes => codes::run(&data),
        Command::Status(arguments) => status::run(&data, &arguments),
        Command::Directory(arguments) => directory::run(&data, &arguments),
        Command::Exchange(command) => exchange::run(&data, command),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Phone(arguments) => phone::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ringdown: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Where the system keeps a user's data (XDG base directories), else a folder beside us.
fn default_data() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")));
    base.map_or_else(|| "ringdown-data".into(), |base| base.join("ringdown"))
}
