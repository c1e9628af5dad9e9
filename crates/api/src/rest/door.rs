//! The [`Backend`] behind one type, so that the handlers need not be made anew for each.

use crate::backend::{Backend, CallRow, Document, Gone};
use exchange::{Answer, Command, Secret};
use std::pin::Pin;

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What handlers ask of the exchange and its store; see [`Backend`].
pub(crate) trait Door: Send + Sync + 'static {
    fn command(&self, command: Command) -> Later<'_, Result<Answer, Gone>>;
    fn records(&self, most: u32) -> Later<'_, Result<Vec<CallRow>, String>>;
    fn reload(&self) -> Later<'_, Result<Vec<String>, String>>;
    fn facts<'a>(
        &'a self,
        kind: &'a str,
        subject: &'a str,
    ) -> Later<'a, Result<Vec<(i64, String, String)>, String>>;
    fn keep(&self, documents: Vec<Document>) -> Later<'_, Result<(), String>>;
    fn secret(&self, device: &str, password: &str) -> Secret;
    fn new_password(&self) -> String;
    fn random(&self) -> [u8; 32];
}

impl<B: Backend> Door for B {
    fn command(&self, command: Command) -> Later<'_, Result<Answer, Gone>> {
        Box::pin(Backend::command(self, command))
    }

    fn records(&self, most: u32) -> Later<'_, Result<Vec<CallRow>, String>> {
        Box::pin(Backend::records(self, most))
    }

    fn reload(&self) -> Later<'_, Result<Vec<String>, String>> {
        Box::pin(Backend::reload(self))
    }

    fn facts<'a>(
        &'a self,
        kind: &'a str,
        subject: &'a str,
    ) -> Later<'a, Result<Vec<(i64, String, String)>, String>> {
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

    fn random(&self) -> [u8; 32] {
        Backend::random(self)
    }
}
