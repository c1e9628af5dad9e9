//! The [`Backend`] behind one type, so that the handlers need not be made anew for each.

use crate::backend::{
    Backend, BrokerState, CallRow, Document, Figure, Gone, MessageRow, NatsState, Post, RecordsWanted, Reply,
    TapRow,
};
use crate::rest::Asked;
use exchange::{Answer, Command, Secret};
use serde_json::Value;
use std::num::NonZeroU8;
use std::pin::Pin;
use std::time::Duration;

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Time, rule and words of each, or why there are none.
type Facts = Result<Vec<(i64, String, String)>, String>;

/// What handlers ask of the exchange and its store; see [`Backend`].
pub(crate) trait Door: Send + Sync + 'static {
    fn command(&self, command: Command) -> Later<'_, Result<Answer, Gone>>;
    fn records_page(&self, wanted: RecordsWanted) -> Later<'_, Result<Vec<CallRow>, String>>;
    fn taps<'a>(
        &'a self,
        account: Option<&'a str>,
        before: Option<i64>,
        most: u32,
    ) -> Later<'a, Result<Vec<TapRow>, String>>;
    fn messages(&self, task: i64) -> Later<'_, Result<Vec<MessageRow>, String>>;
    fn records_after(&self, after: i64, most: u32) -> Later<'_, Result<Vec<CallRow>, String>>;
    fn fetch<'a>(&'a self, link: &'a str) -> Later<'a, Result<Vec<u8>, String>>;
    fn judge_url(&self, url: &str) -> Result<(), String>;
    fn post(&self, post: Post) -> Later<'_, Result<Reply, String>>;
    fn broker(&self) -> Option<BrokerState>;
    fn nats(&self) -> Option<NatsState>;
    fn publish(&self, topic: String, payload: Vec<u8>, lives: Duration);
    fn contact(&self) -> Option<String>;
    fn settings(&self) -> Later<'_, Value>;
    fn place(&self, device: &str) -> (String, String);
    fn reload(&self) -> Later<'_, Result<Vec<String>, String>>;
    fn music<'a>(&'a self, queue: &'a str) -> Later<'a, Result<Option<Vec<u8>>, String>>;
    fn set_music<'a>(&'a self, queue: &'a str, file: Option<Vec<u8>>) -> Later<'a, Result<(), String>>;
    fn facts<'a>(&'a self, kind: &'a str, subject: &'a str) -> Later<'a, Facts>;
    fn keep(&self, documents: Vec<Document>) -> Later<'_, Result<(), String>>;
    fn spend(&self, used: Document, documents: Vec<Document>) -> Later<'_, Result<(), String>>;
    fn renew(&self, documents: Vec<Document>) -> Later<'_, Result<(), String>>;
    fn secret(&self, device: &str, password: &str) -> Secret;
    fn new_password(&self) -> String;
    fn figures(&self) -> Vec<Figure>;
    fn random(&self) -> [u8; 32];
    fn http(&self) -> String;
    fn is_one_of_several(&self) -> bool;
    fn keeps(&self) -> bool;
    fn documents(&self) -> Later<'_, Result<Vec<Document>, String>>;
    fn hand_on(&self, to: NonZeroU8, asked: Asked) -> Later<'_, Result<String, String>>;
}

impl<B: Backend> Door for B {
    fn is_one_of_several(&self) -> bool {
        Backend::is_one_of_several(self)
    }

    fn spend(&self, used: Document, documents: Vec<Document>) -> Later<'_, Result<(), String>> {
        Box::pin(Backend::spend(self, used, documents))
    }

    fn renew(&self, documents: Vec<Document>) -> Later<'_, Result<(), String>> {
        Box::pin(Backend::renew(self, documents))
    }

    fn keeps(&self) -> bool {
        Backend::keeps(self)
    }

    fn documents(&self) -> Later<'_, Result<Vec<Document>, String>> {
        Box::pin(Backend::documents(self))
    }

    fn hand_on(&self, to: NonZeroU8, asked: Asked) -> Later<'_, Result<String, String>> {
        Box::pin(Backend::hand_on(self, to, asked))
    }

    fn command(&self, command: Command) -> Later<'_, Result<Answer, Gone>> {
        Box::pin(Backend::command(self, command))
    }

    fn records_page(&self, wanted: RecordsWanted) -> Later<'_, Result<Vec<CallRow>, String>> {
        Box::pin(Backend::records_page(self, wanted))
    }

    fn taps<'a>(
        &'a self,
        account: Option<&'a str>,
        before: Option<i64>,
        most: u32,
    ) -> Later<'a, Result<Vec<TapRow>, String>> {
        Box::pin(Backend::taps(self, account, before, most))
    }

    fn messages(&self, task: i64) -> Later<'_, Result<Vec<MessageRow>, String>> {
        Box::pin(Backend::messages(self, task))
    }

    fn records_after(&self, after: i64, most: u32) -> Later<'_, Result<Vec<CallRow>, String>> {
        Box::pin(Backend::records_after(self, after, most))
    }

    fn fetch<'a>(&'a self, link: &'a str) -> Later<'a, Result<Vec<u8>, String>> {
        Box::pin(Backend::fetch(self, link))
    }

    fn judge_url(&self, url: &str) -> Result<(), String> {
        Backend::judge_url(self, url)
    }

    fn post(&self, post: Post) -> Later<'_, Result<Reply, String>> {
        Box::pin(Backend::post(self, post))
    }

    fn broker(&self) -> Option<BrokerState> {
        Backend::broker(self)
    }

    fn nats(&self) -> Option<NatsState> {
        Backend::nats(self)
    }

    fn publish(&self, topic: String, payload: Vec<u8>, lives: Duration) {
        Backend::publish(self, topic, payload, lives);
    }

    fn contact(&self) -> Option<String> {
        Backend::contact(self)
    }

    fn settings(&self) -> Later<'_, Value> {
        Box::pin(Backend::settings(self))
    }

    fn place(&self, device: &str) -> (String, String) {
        Backend::place(self, device)
    }

    fn reload(&self) -> Later<'_, Result<Vec<String>, String>> {
        Box::pin(Backend::reload(self))
    }

    fn music<'a>(&'a self, queue: &'a str) -> Later<'a, Result<Option<Vec<u8>>, String>> {
        Box::pin(Backend::music(self, queue))
    }

    fn set_music<'a>(&'a self, queue: &'a str, file: Option<Vec<u8>>) -> Later<'a, Result<(), String>> {
        Box::pin(Backend::set_music(self, queue, file))
    }

    fn facts<'a>(&'a self, kind: &'a str, subject: &'a str) -> Later<'a, Facts> {
        Box::pin(Backend::facts(self, kind, subject))
    }

    fn keep(&self, documents: Vec<Document>) -> Later<'_, Result<(), String>> {
        Box::pin(Backend::keep(self, documents))
    }

    fn secret(&self, device: &str, password: &str) -> Secret {
        Backend::secret(self, device, password)
    }

    fn new_password(&self) -> String {
        Backend::new_password(self)
    }

    fn figures(&self) -> Vec<Figure> {
        Backend::figures(self)
    }

    fn random(&self) -> [u8; 32] {
        Backend::random(self)
    }

    fn http(&self) -> String {
        Backend::http(self)
    }
}
