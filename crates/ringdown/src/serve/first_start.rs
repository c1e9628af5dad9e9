//! What is drawn at random, and what the first start makes: the realm, and two accounts that can call each other.

use crate::Failure;
use exchange::{Change, Device, PeopleChange, Role, Secret, Settings, Snapshot};
use std::fs::File;
use std::io::Read as _;
use store::Opened;

/// The setting that holds the realm; it never changes, because the stored secrets depend on it (R10).
const REALM: &str = "realm";
/// The setting that says that the ready accounts were made once.
const READY_ACCOUNTS: &str = "ready_accounts";
/// Letters and digits that nobody takes for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    Ok(File::open("/dev/urandom")?.read_exact(bytes)?)
}

/// The seed from which everything in the exchange is drawn.
pub(crate) fn seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    random(&mut seed)?;
    Ok(seed)
}

/// A secret of 100 bits that can be typed.
pub(crate) fn secret() -> Result<String, Failure> {
    let mut bytes = [0; 20];
    random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
}

/// The digest realm, fixed at the first start.
pub(crate) fn realm(opened: &mut Opened) -> Result<String, Failure> {
    if let Some(realm) = opened.setting(REALM) {
        return Ok(realm.to_owned());
    }
    opened.keep_setting(REALM, "ringdown")?;
    Ok("ringdown".to_owned())
}

/// Two accounts that can call each other, for a first start without a configuration (`wanted`). Returns the lines for the
/// terminal; the secrets are shown once and kept only as hashes.
pub(crate) fn ready_accounts(opened: &mut Opened, realm: &str, wanted: bool) -> Result<Vec<String>, Failure> {
    if !wanted || opened.setting(READY_ACCOUNTS).is_some() || !opened.snapshot.changes.is_empty() {
        return Ok(Vec::new());
    }
    let server = server();
    let mut lines = vec!["two accounts to begin with, each for one softphone:".to_owned(), String::new()];
    let mut changes = Vec::new();
    for (account, display, number, device) in
        [("alice", "Alice", "101", "alice-phone"), ("bob", "Bob", "102", "bob-phone")]
    {
        let password = secret()?;
        let secret = Secret::new(device, realm, &password);
        changes.extend([
            Change::People(PeopleChange::PutAccount {
                name: account.into(),
                display: display.into(),
                settings: Box::default(),
            }),
            Change::People(PeopleChange::PutNumber { number: number.into(), account: account.into() }),
            Change::People(PeopleChange::PutDevice {
                name: device.into(),
                device: Device::new(account, secret),
            }),
        ]);
        lines.push(format!(
            "  {display}, number {number}:  user {device}   password {password}   server {server}"
        ));
        lines.push(format!("      for baresip:  <sip:{device}@{server}>;auth_pass={password}"));
    }
    lines.push(String::new());
    lines.push(
        "dial 101 or 102 to call the other, 600 to hear yourself; the passwords are shown only now"
            .to_owned(),
    );
    opened.keep(&changes)?;
    opened.keep_setting(READY_ACCOUNTS, "made")?;
    opened.snapshot = Snapshot { changes, sequence: opened.snapshot.sequence };
    Ok(lines)
}

/// The account of the administrator who needs a one-time link, because no administrator has a password yet; made if
/// there is none.
pub(crate) fn administrator(opened: &mut Opened) -> Result<Option<String>, Failure> {
    let accounts = || {
        opened.snapshot.changes.iter().filter_map(|change| match change {
            Change::People(PeopleChange::PutAccount { name, settings, .. }) => Some((name, settings)),
            _ => None,
        })
    };
    let administrators = || accounts().filter(|(_, settings)| settings.role == Role::Administrator);
    if administrators().any(|(_, settings)| settings.password.is_some()) {
        return Ok(None);
    }
    if let Some((name, _)) = administrators().next() {
        return Ok(Some(name.to_string()));
    }
    // An account of this name that is there already is somebody's; it is not made more than it is.
    let is_taken = |name: &str| accounts().any(|(known, _)| **known == *name);
    let Some(name) = ["admin", "administrator", "ringdown"].into_iter().find(|name| !is_taken(name)) else {
        return Ok(None);
    };
    let settings = Settings { role: Role::Administrator, ..Settings::default() };
    let change = Change::People(PeopleChange::PutAccount {
        name: name.into(),
        display: "Administrator".into(),
        settings: Box::new(settings),
    });
    opened.keep(std::slice::from_ref(&change))?;
    opened.snapshot.changes.insert(0, change);
    Ok(Some(name.to_owned()))
}

/// The address that a phone in this network reaches; on a machine without a network, this machine.
fn server() -> String {
    super::media::own_address().to_string()
}
