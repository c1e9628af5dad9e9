//! What the office keeps under a name and takes whole: hunt groups, trunks, routes.

use super::Api;
use super::input::{self, IfMatch, Params, Put, Tagged};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use axum::Json;
use axum::http::StatusCode;
use exchange::{Command, PeopleChange};
use serde::Serialize;
use tokio::sync::MutexGuard;

/// The form of one of them.
pub(super) trait Kept: Serialize + Sized {
    /// What all of them are called in a path.
    const RESOURCE: &'static str;
    /// What one of them is called in an error.
    const KIND: &'static str;

    /// Its name.
    fn name(&self) -> &str;

    /// What it is found by, beside its name.
    fn words(&self) -> String;

    /// All of them, in the order of their names.
    ///
    /// # Errors
    /// When the exchange does not answer.
    async fn every(api: &Api) -> Result<Vec<Self>, Problem>;

    /// What this form is called: it changes with what is set.
    fn tag(&self) -> String {
        input::tag(self)
    }
}

async fn find<K: Kept>(api: &Api, name: &str) -> Result<K, Problem> {
    let found = K::every(api).await?.into_iter().find(|one| one.name() == name);
    found.ok_or_else(|| Problem::not_found(K::KIND, name))
}

/// A page of them.
pub(super) async fn list<K: Kept>(api: &Api, wanted: Params<Wanted>) -> Result<Json<Items<K>>, Problem> {
    let page = Page::of(wanted)?;
    let words = |item: &K| format!("{} {}", item.name(), item.words());
    Ok(Json(page.pick(K::every(api).await?, K::name, words)))
}

/// One of them.
pub(super) async fn read<K: Kept>(api: &Api, name: &str) -> Result<Tagged<K>, Problem> {
    let found = find::<K>(api, name).await?;
    Ok(Tagged(found.tag(), found))
}

/// Puts one, new or in the place of another, while nobody else edits.
///
/// # Errors
/// 428 and 412 when it takes the place of another form than the one that If-Match names; what the exchange says of it.
pub(super) async fn put<K: Kept>(
    api: &Api,
    _alone: &MutexGuard<'_, ()>,
    name: &str,
    if_match: &IfMatch,
    change: PeopleChange,
) -> Result<Put<K>, Problem> {
    let known = input::known(find::<K>(api, name).await)?;
    if let Some(known) = &known {
        if_match.check(&known.tag())?;
    }
    api.change(Command::Change(change), "").await?;
    let form = find::<K>(api, name).await?;
    Ok(Put::of(K::RESOURCE, name, known.is_none(), form.tag(), form))
}

/// Removes one.
///
/// # Errors
/// 404, 428, 412, or what the exchange says of it.
pub(super) async fn remove<K: Kept>(
    api: &Api,
    name: &str,
    if_match: &IfMatch,
    change: PeopleChange,
) -> Result<StatusCode, Problem> {
    let _alone = api.editing().await;
    if_match.check(&find::<K>(api, name).await?.tag())?;
    api.change(Command::Change(change), name).await?;
    Ok(StatusCode::NO_CONTENT)
}
