//! A server: a database on it for each test.

use crate::cluster::{self, Cluster};
use crate::suite::folder::Folder;
use store::Place;

pub(crate) fn prepare(folder: &Folder) {
    cluster::shared().make_database(&database(folder));
}

pub(crate) fn place(folder: &Folder) -> Place {
    place_on(cluster::shared(), folder)
}

pub(crate) fn place_on(cluster: &Cluster, folder: &Folder) -> Place {
    Place::server(&folder.0, &cluster.url("ringdown", &database(folder)), None).unwrap()
}

/// The name of its database.
pub(crate) fn database(folder: &Folder) -> String {
    folder.0.file_name().unwrap().to_str().unwrap().replace('-', "_")
}

/// All that is kept, in clear or sealed.
pub(crate) fn dump(folder: &Folder) -> Vec<u8> {
    cluster::shared().dump(&database(folder))
}

/// As a Ringdown of the future would leave it.
pub(crate) fn be_of_form(folder: &Folder, form: u32) {
    cluster::shared().sql(&database(folder), &format!("INSERT INTO ringdown VALUES ({form})"));
}
