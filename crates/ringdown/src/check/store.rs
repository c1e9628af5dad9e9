//! What is wrong with the server that keeps the office: whether it can be used, and who uses it.

use super::file::Places;
use super::finding::Finding;
use crate::config::Config;
use std::path::Path;

/// All that would keep an exchange from starting on it; a file of the data folder is judged with the folder.
pub(crate) fn judge(config: &Config, places: Places<'_>, data: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = match config.store.place(data) {
        Ok(place) => place,
        Err(what) => {
            let advice = "write the password on one line of a file that the exchange's user may read";
            return vec![Finding::error(places.of("store", "password_file"), what, advice)];
        }
    };
    let at = || places.of("store", "url");
    if place.trusts_the_network() {
        let what =
            format!("{place}: whoever stands between us and the server can read and change everything");
        found.push(Finding::warning(at(), what, "leave out sslmode: then the server must prove who it is"));
    }
    match store::examine(&place) {
        Ok(None) => {}
        Ok(Some(held)) => {
            let advice = "nothing, if that one is to serve the office; it cannot start here before the other has ended";
            found.push(Finding::error(at(), format!("{place}: {held}"), advice));
        }
        Err(error) => {
            found.push(Finding::error(at(), error.to_string(), "docs/store.md says how to set a server up"));
        }
    }
    found
}
