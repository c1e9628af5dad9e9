//! `ringdown demo`: an exchange and phones on this machine play scenes with real SIP and RTP, each drawn as a ladder.

mod actor;
mod app;
mod exchange;
mod ladder;
mod scenes;
mod sites;
mod stage;

use crate::Failure;
use crate::texts::Language;
use exchange::{Exchange, Part};
use scenes::{SCENES, Scene};
use stage::Stage;
use std::io::Write as _;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which scenes to play [default: all]
    #[arg(value_name = "SCENE")]
    scenes: Vec<String>,
    /// Name the scenes and play none
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = Language::of_the_terminal();
    if arguments.list {
        for scene in &SCENES {
            print(&format!("{:<18}{}", scene.name, language.text(scene.title)))?;
        }
        return Ok(());
    }
    let wanted = choose(&arguments.scenes)?;
    crate::log::start("error");
    print(language.text("demo.starting"))?;
    let exchange = Exchange::start(Part::Office)?;
    let mut failed = Vec::new();
    for scene in wanted {
        if !play(scene, &exchange, language)? {
            failed.push(scene.name);
        }
    }
    if failed.is_empty() {
        return print(&format!("\n{}", language.text("demo.ended")));
    }
    Err(format!("{} {}", language.text("demo.failed"), failed.join(", ")).into())
}

/// Plays and draws one scene; tells whether it happened.
fn play(scene: &Scene, exchange: &Exchange, language: Language) -> Result<bool, Failure> {
    print(&format!("\n== {} ==\n", language.text(scene.title)))?;
    let mut stage = Stage::new(exchange, language);
    let played = (scene.play)(&mut stage);
    for line in stage.close() {
        print(&line)?;
    }
    if let Err(failure) = &played {
        print(&format!("\n{} {failure}\n{}", language.text("scene.failed"), exchange.log_tail()))?;
    }
    Ok(played.is_ok())
}

fn choose(names: &[String]) -> Result<Vec<&'static Scene>, Failure> {
    if names.is_empty() {
        return Ok(SCENES.iter().collect());
    }
    let find = |name: &String| {
        let found = SCENES.iter().find(|scene| scene.name == *name);
        found.ok_or_else(|| format!("there is no scene {name}; `ringdown demo --list` names them").into())
    };
    names.iter().map(find).collect()
}

fn print(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
