//! A real exchange behind the API, with no socket, no file and a store that keeps nothing: for tests of handlers.

use super::caller::{Caller, Peer, Proof};
use super::{Api, Asked};
use crate::backend::{
    Backend, BrokerState, CallRow, Document, Figure, Gone, MessageRow, NatsState, Post, RecordsWanted, Reply,
    TapRow,
};
use clock::{Mono, Now, Wall};
use exchange::{
    AccountRow, Answer, Change, Command, CommandId, Config, Exchange, Input, Output, PeopleChange, Role,
    Secret, Settings, Snapshot, StoreAnswer,
};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000) };

/// The exchange, and the number of the last command.
#[derive(Clone)]
pub(super) struct Office(Arc<Mutex<(Exchange, u64)>>);

impl Office {
    /// With these accounts.
    pub(super) fn with(accounts: &[&str]) -> Office {
        let account = |name: &&str| PeopleChange::PutAccount {
            name: (*name).into(),
            display: (*name).into(),
            settings: Box::default(),
        };
        let changes = accounts.iter().map(account).map(Change::People).collect();
        let snapshot = Snapshot { changes, sequence: 0 };
        let exchange = Exchange::new(NOW, Config::new("office.example", Vec::new()), [7; 32], snapshot);
        Office(Arc::new(Mutex::new((exchange, 0))))
    }

    pub(super) fn api(&self) -> Api {
        Api::new(self.clone(), &[], Arc::default())
    }

    /// Asks, and keeps whatever is to be kept at once.
    pub(super) fn ask(&self, command: Command) -> Answer {
        let mut held = self.0.lock().unwrap();
        let (exchange, last) = &mut *held;
        *last += 1;
        let wanted = CommandId(*last);
        exchange.handle(NOW, Input::Command { id: wanted, command });
        let mut answered = None;
        while let Some(output) = exchange.next_output() {
            match output {
                Output::Commit(commit) => {
                    let answer = StoreAnswer::Committed;
                    exchange.handle(NOW, Input::Stored { sequence: commit.sequence, answer });
                }
                Output::Answer { id, answer } if id == wanted => answered = Some(answer),
                _ => {}
            }
        }
        answered.expect("an answer")
    }
}

/// Somebody with a session of this name.
pub(super) fn caller(account: &str, session: &str) -> Caller {
    let row = AccountRow {
        name: account.into(),
        display: account.into(),
        numbers: Vec::new(),
        devices: Vec::new(),
        settings: Settings::default(),
        registered: false,
    };
    Caller { row, role: Role::Agent, proof: Proof::Session(session.into()) }
}

/// A connection from this machine.
pub(super) const HERE: Peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };

impl Backend for Office {
    async fn renew(&self, _: Vec<Document>) -> Result<(), String> {
        Ok(())
    }

    fn is_one_of_several(&self) -> bool {
        false
    }

    fn keeps(&self) -> bool {
        true
    }

    async fn documents(&self) -> Result<Vec<Document>, String> {
        Ok(Vec::new())
    }

    async fn hand_on(&self, _: NonZeroU8, _: Asked) -> Result<String, String> {
        Err("there is no other".into())
    }

    async fn command(&self, command: Command) -> Result<Answer, Gone> {
        Ok(self.ask(command))
    }

    async fn records(&self, _: u32) -> Result<Vec<CallRow>, String> {
        Ok(Vec::new())
    }

    async fn records_page(&self, _: RecordsWanted) -> Result<Vec<CallRow>, String> {
        Ok(Vec::new())
    }

    async fn taps(&self, _: Option<&str>, _: Option<i64>, _: u32) -> Result<Vec<TapRow>, String> {
        Ok(Vec::new())
    }

    async fn records_after(&self, _: i64, _: u32) -> Result<Vec<CallRow>, String> {
        Ok(Vec::new())
    }

    async fn messages(&self, _: i64) -> Result<Vec<MessageRow>, String> {
        Ok(Vec::new())
    }

    async fn fetch(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("there is no network".into())
    }

    fn judge_url(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    async fn post(&self, _: Post) -> Result<Reply, String> {
        Err("there is no network".into())
    }

    fn broker(&self) -> Option<BrokerState> {
        None
    }

    fn nats(&self) -> Option<NatsState> {
        None
    }

    fn publish(&self, _: String, _: Vec<u8>, _: Duration) {}

    fn contact(&self) -> Option<String> {
        None
    }

    async fn settings(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn place(&self, device: &str) -> (String, String) {
        (format!("sip:{device}@office.example"), "office.example".into())
    }

    async fn reload(&self) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    async fn music(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    async fn set_music(&self, _: &str, _: Option<Vec<u8>>) -> Result<(), String> {
        Ok(())
    }

    async fn facts(&self, _: &str, _: &str) -> Result<Vec<(i64, String, String)>, String> {
        Ok(Vec::new())
    }

    async fn keep(&self, _: Vec<Document>) -> Result<(), String> {
        Ok(())
    }

    async fn spend(&self, _: Document, _: Vec<Document>) -> Result<(), String> {
        Ok(())
    }

    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }

    fn http(&self) -> String {
        String::new()
    }

    fn random(&self) -> [u8; 32] {
        [9; 32]
    }

    fn secret(&self, device: &str, password: &str) -> Secret {
        Secret::new(device, "office.example", password)
    }

    fn new_password(&self) -> String {
        "correct-horse".into()
    }
}
