//! What is drawn at random, and what the first start makes: the realm, and two accounts that can call each other.

use crate::Failure;
use exchange::{Change, Device, PeopleChange, Secret, Snapshot};
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

/// Two accounts that can call each other, for a first start without a configuration. Returns the lines for the
/// terminal; the secrets are shown once and kept only as hashes.
pub(crate) fn ready_accounts(opened: &mut Opened, realm: &str) -> Result<Vec<String>, Failure> {
    if opened.setting(READY_ACCOUNTS).is_some() || !opened.snapshot.changes.is_empty() {
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

/// The address that a phone in this network reaches; on a machine without a network, this machine.
fn server() -> String {
    super::media::own_address().to_string()
}
