//! The three steps, as one function of what is known.

use super::choose::{self, Candidate};
use super::{Decision, Form, Invalid, Origin, Request};
use crate::book::{Book, Health};
use crate::names::{AccountName, DeviceId, ExchangeName};

/// Designates the exchange of a call; says why there is none otherwise.
pub(crate) fn designate(book: &Book, request: &Request) -> Result<Decision, Invalid> {
    // B2, B3 (S4.11, S4.12): is the callee one of ours?
    let (account, known) = book.owner(&request.callee).ok_or(Invalid::UnknownNumber)?;
    if !known.enabled {
        return Err(Invalid::Disabled);
    }
    let region = region_of(book, &request.origin)?;
    let candidates = choose::of_account(book, account, region);
    let reached = candidates.first().filter(|best| best.health != Health::Down);
    // B4 (S4.13): a callee whose devices all sleep has no exchange, whatever their home is. One who has phones, too, is called at
    // home, which has the others woken.
    let sleeping = sleeping(book, account);
    let at_exchange = reached.filter(|best| best.devices > 0 || known.phones || sleeping.is_empty());
    match (&request.origin, at_exchange) {
        (Origin::Exchange(asking), Some(best)) if best.exchange == *asking && sleeping.is_empty() => {
            Ok(decided(account, Form::Yours, candidates))
        }
        // Its phones it rings by itself.
        (Origin::Exchange(asking), Some(best)) if best.exchange == *asking => {
            woken(book, account, asking, sleeping, region)
        }
        // B5 (S4.14).
        (Origin::Exchange(_), Some(_)) => Ok(decided(account, Form::Direct, candidates)),
        // B6 (S4.15).
        (Origin::Exchange(asking), None) if !sleeping.is_empty() => {
            woken(book, account, asking, sleeping, region)
        }
        (Origin::Exchange(_), None) => Err(Invalid::NowhereToReach),
        // B1 (S4.10): a request through the cloud is C1 whatever the callee is; one who sleeps is woken by the exchange that
        // takes the caller.
        (Origin::Cloud(_), Some(_)) => Ok(decided(account, Form::AskFirst, candidates)),
        (Origin::Cloud(_), None) if !sleeping.is_empty() => {
            let hosts = choose::any(book, region);
            match hosts.is_empty() {
                true => Err(Invalid::NoExchange),
                false => Ok(decided(account, Form::AskFirst, hosts)),
            }
        }
        (Origin::Cloud(_), None) => Err(Invalid::NowhereToReach),
    }
}

/// `candidates` is not empty: its first is chosen.
fn decided(account: &AccountName, form: Form, candidates: Vec<Candidate>) -> Decision {
    let exchange = candidates[0].exchange.clone();
    Decision { account: account.clone(), form, exchange, candidates }
}

/// C3: the call stays at the exchange that asks, and the callee comes there.
fn woken(
    book: &Book,
    account: &AccountName,
    asking: &ExchangeName,
    devices: Vec<DeviceId>,
    region: Option<&str>,
) -> Result<Decision, Invalid> {
    let mut candidates = choose::any(book, region);
    let place = candidates.iter().position(|candidate| candidate.exchange == *asking);
    let chosen = candidates.remove(place.ok_or(Invalid::NoExchange)?);
    Ok(decided(account, Form::Wake(devices), vec![chosen]))
}

/// The devices that can be woken and are at no exchange.
fn sleeping(book: &Book, account: &AccountName) -> Vec<DeviceId> {
    let devices = book.devices_of(account);
    devices.filter(|(_, device)| device.at.is_none() && device.wakes()).map(|(id, _)| id.clone()).collect()
}

/// Where the caller is: where the exchange stands that asks, or the home of the device's owner.
fn region_of<'a>(book: &'a Book, origin: &Origin) -> Result<Option<&'a str>, Invalid> {
    let exchange = match origin {
        Origin::Exchange(name) => book.exchange(name).ok_or(Invalid::UnknownCaller)?,
        Origin::Cloud(device) => {
            let device = book.device(device).ok_or(Invalid::UnknownCaller)?;
            let account = book.account(&device.account).filter(|account| account.enabled);
            let home = account.map(|account| &account.home).ok_or(Invalid::UnknownCaller)?;
            book.exchange(home).ok_or(Invalid::UnknownCaller)?
        }
    };
    Ok(exchange.report.as_ref().map(|report| &*report.region))
}
