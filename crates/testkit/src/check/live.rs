//! Whoever has the list of live calls and hears each event has the list: no call is left behind, none is missing, each
//! row is the one that the exchange would tell now, and each account hears of its own calls alone.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use exchange::{CallName, Event, Happened, LiveCall};
use std::collections::BTreeMap;

type Calls = BTreeMap<CallName, LiveCall>;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct LiveCalls {
    /// What somebody knows who hears of everything.
    staff: BTreeMap<OfficeId, Calls>,
    /// What an account knows that hears of its own calls.
    accounts: BTreeMap<(OfficeId, Box<str>), Calls>,
}

impl Checker for LiveCalls {
    fn name(&self) -> &'static str {
        "events and the list of live calls agree"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Event { office, event } => self.hear(*office, event),
            Observed::Live { office, up, calls } => self.compare(*office, *up, calls),
            _ => Ok(()),
        }
    }
}

impl LiveCalls {
    fn hear(&mut self, office: OfficeId, event: &Event) -> Result<(), String> {
        if event.audience.staff {
            take(self.staff.entry(office).or_default(), &event.what)?;
        }
        for account in &event.audience.accounts {
            let known = self.accounts.entry((office, account.clone())).or_default();
            // An account may hear of a call first when the call comes to it.
            let what = match &event.what {
                Happened::CallChanged(call) if !known.contains_key(&call.name) => {
                    Happened::CallStarted(call.clone())
                }
                what => what.clone(),
            };
            take(known, &what)?;
            if known.is_empty() {
                self.accounts.remove(&(office, account.clone()));
            }
        }
        Ok(())
    }

    fn compare(&self, office: OfficeId, up: usize, calls: &[LiveCall]) -> Result<(), String> {
        if up != calls.len() {
            return Err(format!("{up} calls are up, the list has {}", calls.len()));
        }
        let known: Vec<&LiveCall> =
            self.staff.get(&office).into_iter().flat_map(|calls| calls.values()).collect();
        let mut listed: Vec<&LiveCall> = calls.iter().collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        if known != listed {
            let told = known.iter().find(|call| !listed.contains(call));
            let listed = listed.iter().find(|call| !known.contains(call));
            return Err(format!("the events tell {told:?}, the list tells {listed:?}"));
        }
        let mut own: BTreeMap<(OfficeId, Box<str>), Calls> = BTreeMap::new();
        for call in calls {
            for account in &call.accounts {
                let calls = own.entry((office, account.clone())).or_default();
                calls.insert(call.name.clone(), call.clone());
            }
        }
        let told: Vec<_> = self.accounts.iter().filter(|((of, _), _)| *of == office).collect();
        let expected: Vec<_> = own.iter().collect();
        if told == expected { Ok(()) } else { Err(format!("accounts were told {told:?}, not {expected:?}")) }
    }
}

fn take(known: &mut Calls, what: &Happened) -> Result<(), String> {
    match what {
        Happened::CallStarted(call) => match known.insert(call.name.clone(), (**call).clone()) {
            None => Ok(()),
            Some(_) => Err(format!("{} began twice", call.name)),
        },
        Happened::CallChanged(call) => match known.insert(call.name.clone(), (**call).clone()) {
            Some(old) if old == **call => Err(format!("{} did not change", call.name)),
            Some(_) => Ok(()),
            None => Err(format!("{} changed and never began", call.name)),
        },
        Happened::CallEnded(ended) => match known.remove(&ended.call.name) {
            Some(_) => Ok(()),
            None => Err(format!("{} ended and never began", ended.call.name)),
        },
        _ => Ok(()),
    }
}
