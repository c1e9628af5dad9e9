//! The exchange's side of the control socket. The file's mode is the authorisation: owner only.

use super::protocol::{
    AccountItem, CodeItem, DeviceItem, ImportRow, NumberItem, Request, Response, RowFault, TrunkItem,
};
use super::{IMPORT_ROWS, LINE};
use crate::backend::Backend;
use exchange::{Answer, Command, Device, PeopleChange, Trunk};
use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Commands that may talk to us at once.
const CONVERSATIONS: usize = 64;
/// Call records of one answer.
const RECORDS: u32 = 100_000;

/// Binds the socket and answers until the task is dropped. A stale socket of a dead exchange is replaced: whoever
/// calls this holds the lock of the data folder.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve<B: Backend>(path: &Path, backend: B) -> io::Result<impl Future<Output = ()> + Send + use<B>> {
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(async move {
        let room = Arc::new(Semaphore::new(CONVERSATIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else { continue };
            let backend = backend.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &backend).await {
                    tracing::debug!(%error, "control connection ended");
                }
                drop(place);
            });
        }
    })
}

async fn converse<B: Backend>(stream: UnixStream, backend: &B) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(LINE as u64).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let response = match serde_json::from_str::<Request>(&line) {
            Ok(request) => answer(backend, request).await,
            Err(error) => Response::Refused(format!("not a request: {error}")),
        };
        let mut text = serde_json::to_vec(&response).map_err(io::Error::other)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
    }
}

async fn answer<B: Backend>(backend: &B, request: Request) -> Response {
    match request {
        Request::DeviceAdd { name, account, secret } => {
            let (password, made) = password(backend, secret);
            let device = Device { account: account.into(), secret: backend.secret(&name, &password) };
            let response = ask(backend, Command::AddDevice { name: name.into(), device }).await;
            with_secret(response, password, made)
        }
        Request::DeviceSecret { name, secret } => {
            let (password, made) = password(backend, secret);
            let secret = backend.secret(&name, &password);
            let response = ask(backend, Command::ChangeSecret { device: name.into(), secret }).await;
            with_secret(response, password, made)
        }
        Request::TrunkAdd { name, address } => match trunk(&address) {
            Some(trunk) => change(backend, PeopleChange::PutTrunk { name: name.into(), trunk }).await,
            None => Response::Refused(format!(
                "\"{address}\" is no address: write an IP address, with a port if the trunk has one, as in 192.0.2.1:5060"
            )),
        },
        Request::Calls { most } => match backend.records(most.min(RECORDS)).await {
            Ok(rows) => Response::Calls(rows),
            Err(why) => Response::Refused(why),
        },
        Request::Reload => match backend.reload().await {
            Ok(waits) => Response::Reloaded { waits },
            Err(why) => Response::Refused(format!("nothing was changed: {why}")),
        },
        Request::Import { rows } => import(backend, rows).await,
        simple => ask(backend, command(simple)).await,
    }
}

/// Requests that are one command each.
fn command(request: Request) -> Command {
    match request {
        Request::AccountAdd { name, display } => {
            let display = if display.is_empty() { name.clone() } else { display };
            Command::AddAccount { name: name.into(), display: display.into() }
        }
        Request::AccountRemove { name } => Command::Change(PeopleChange::RemoveAccount { name: name.into() }),
        Request::AccountList => Command::ListAccounts,
        Request::NumberAdd { number, account } => {
            Command::Change(PeopleChange::PutNumber { number: number.into(), account: account.into() })
        }
        Request::NumberRemove { number } => {
            Command::Change(PeopleChange::RemoveNumber { number: number.into() })
        }
        Request::NumberList => Command::ListNumbers,
        Request::DeviceRemove { name } => Command::Change(PeopleChange::RemoveDevice { name: name.into() }),
        Request::DeviceList => Command::ListDevices,
        Request::TrunkRemove { name } => Command::Change(PeopleChange::RemoveTrunk { name: name.into() }),
        Request::TrunkList => Command::ListTrunks,
        Request::Codes => Command::ListCodes,
        // The rest is more than one command and never comes here.
        Request::DeviceAdd { .. }
        | Request::DeviceSecret { .. }
        | Request::TrunkAdd { .. }
        | Request::Calls { .. }
        | Request::Reload
        | Request::Import { .. } => Command::Status,
    }
}

async fn change<B: Backend>(backend: &B, change: PeopleChange) -> Response {
    ask(backend, Command::Change(change)).await
}

async fn ask<B: Backend>(backend: &B, command: Command) -> Response {
    match backend.command(command).await {
        Ok(answer) => response(answer),
        Err(_) => Response::Refused("the exchange is stopping or too busy; try again".into()),
    }
}

fn response(answer: Answer) -> Response {
    let texts = |list: Vec<Box<str>>| list.into_iter().map(String::from).collect();
    match answer {
        Answer::Done | Answer::Status(_) => Response::Done,
        Answer::Refused(refusal) => Response::Refused(refusal.to_string()),
        Answer::Unavailable(why) => Response::Refused(format!("nothing was changed: {why}")),
        Answer::Imported { taken, bad } => {
            let faults = bad.into_iter().map(|bad| RowFault { line: bad.line, why: bad.why }).collect();
            Response::Imported { taken, faults }
        }
        Answer::Accounts(rows) => {
            let items = rows.into_iter().map(|row| AccountItem {
                name: row.name.into(),
                display: row.display.into(),
                numbers: texts(row.numbers),
                devices: texts(row.devices),
            });
            Response::Accounts(items.collect())
        }
        Answer::Numbers(rows) => {
            let items = rows
                .into_iter()
                .map(|(number, account)| NumberItem { number: number.into(), account: account.into() });
            Response::Numbers(items.collect())
        }
        Answer::Devices(rows) => {
            let items = rows.into_iter().map(|row| DeviceItem {
                name: row.name.into(),
                account: row.account.into(),
                registered: row.registered,
            });
            Response::Devices(items.collect())
        }
        Answer::Trunks(rows) => {
            let items = rows
                .into_iter()
                .map(|(name, trunk)| TrunkItem { name: name.into(), address: address(&trunk) });
            Response::Trunks(items.collect())
        }
        Answer::Codes(rows) => {
            let items =
                rows.into_iter().map(|(code, does)| CodeItem { code: code.into(), does: does.into() });
            Response::Codes(items.collect())
        }
    }
}

/// Secrets are hashed here, off the core (R17).
async fn import<B: Backend>(backend: &B, rows: Vec<ImportRow>) -> Response {
    if rows.len() > IMPORT_ROWS {
        return Response::Refused(format!("at most {IMPORT_ROWS} rows at a time"));
    }
    let rows = rows.into_iter().map(|row| {
        let secret = (!row.secret.is_empty()).then(|| backend.secret(&row.device, &row.secret));
        exchange::ImportRow {
            line: row.line,
            account: row.account.into(),
            name: row.name.into(),
            number: row.number.into(),
            device: row.device.into(),
            secret,
        }
    });
    ask(backend, Command::Import(rows.collect())).await
}

fn password<B: Backend>(backend: &B, given: Option<String>) -> (String, bool) {
    match given {
        Some(password) => (password, false),
        None => (backend.new_password(), true),
    }
}

fn with_secret(response: Response, password: String, made: bool) -> Response {
    if made && response == Response::Done { Response::Secret(password) } else { response }
}

fn trunk(text: &str) -> Option<Trunk> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Trunk { address: address.ip(), port: Some(address.port()) });
    }
    let address: IpAddr = text.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some(Trunk { address, port: None })
}

fn address(trunk: &Trunk) -> String {
    match trunk.port {
        Some(port) => SocketAddr::new(trunk.address, port).to_string(),
        None => trunk.address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunk_addresses() {
        for (text, shown) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:5060", Some("192.0.2.1:5060")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:5060", Some("[2001:db8::1]:5060")),
            ("provider.example", None),
            ("", None),
        ] {
            assert_eq!(trunk(text).map(|trunk| address(&trunk)).as_deref(), shown, "{text}");
        }
    }
}
