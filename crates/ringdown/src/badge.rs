//! `ringdown badge`: cards, watches and pendants that stand for a person (S1.8, S1.9).

use crate::{Failure, talk};
use api::control::{BadgeItem, CardItem, Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a badge for an account
    Add {
        /// A short name, as in `ada-card`
        name: String,
        /// Whose it is
        #[arg(long, value_name = "NAME")]
        account: String,
        /// NTAG 424 DNA, by the UID of the chip: each tap is good once; the keys to be written are printed
        #[arg(long, value_name = "UID", group = "mark")]
        secure: Option<String>,
        /// Any card, by its UID; it can be copied
        #[arg(long, value_name = "UID", group = "mark")]
        uid: Option<String>,
        /// Any card, watch or pendant, by the text of its NDEF record, as in the account's name; it can be copied
        #[arg(long, value_name = "TEXT", group = "mark")]
        text: Option<String>,
        /// The same with a text that nobody can guess; it is made and printed
        #[arg(long, group = "mark")]
        token: bool,
        /// What it is, for its owner
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List all badges
    List,
    /// From now on a badge opens nothing; one that is revoked is forgotten
    Revoke {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, account, secure, uid, text, token, label } => {
            let (kind, uid) = match (secure, uid) {
                (Some(uid), _) => ("secure", Some(uid)),
                (None, Some(uid)) => ("uid", Some(uid)),
                (None, None) if text.is_some() || token => ("ndef", None),
                (None, None) => {
                    return Err("say what it is known by: --secure, --uid, --text or --token".into());
                }
            };
            let done = format!("badge {name} stands for {account}");
            let badge = BadgeItem { name, account, label, kind: kind.into(), uid, text, revoked: false };
            match talk::ask(data, &Request::BadgeAdd { badge })? {
                Response::BadgeMade(card) => {
                    println!("{done}");
                    tell_card(&card);
                    Ok(())
                }
                other => Err(talk::unexpected(&other)),
            }
        }
        Command::Revoke { name } => {
            let done = format!("badge {name} opens nothing any more");
            talk::tell(data, &Request::BadgeRevoke { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::BadgeList)? {
            Response::Badges(items) => {
                let rows = items.into_iter().map(|item| {
                    let revoked = if item.revoked { "revoked" } else { "" };
                    vec![
                        item.name,
                        item.account,
                        item.kind,
                        item.uid.unwrap_or_default(),
                        item.label,
                        revoked.into(),
                    ]
                });
                let heads = ["badge", "account", "kind", "uid", "what it is", ""];
                talk::table(&heads, &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}

/// What is written into the card.
fn tell_card(card: &CardItem) {
    let lines = [
        ("record", &card.record),
        ("SDMMetaRead key", &card.meta_read_key),
        ("SDMFileRead key", &card.file_read_key),
    ];
    for (what, value) in lines {
        if let Some(value) = value {
            println!("{what}: {}   (shown only now)", talk::plain(value));
        }
    }
}
