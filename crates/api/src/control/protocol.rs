//! What goes over the control socket.

use crate::backend::CallRow;
use serde::{Deserialize, Serialize};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Request {
    /// A new account.
    AccountAdd {
        /// Its name.
        name: String,
        /// What others see; its name if empty.
        display: String,
    },
    /// An account leaves; it may have no numbers and devices any more.
    AccountRemove {
        /// Its name.
        name: String,
    },
    /// All accounts.
    AccountList,
    /// A number for an account.
    NumberAdd {
        /// The number.
        number: String,
        /// Whose it becomes.
        account: String,
    },
    /// A number leaves.
    NumberRemove {
        /// The number.
        number: String,
    },
    /// All numbers.
    NumberList,
    /// A device for an account.
    DeviceAdd {
        /// Its name: the user name that it registers with.
        name: String,
        /// Whose it is.
        account: String,
        /// Its secret; one is made and returned if there is none.
        secret: Option<String>,
    },
    /// A new secret for a device.
    DeviceSecret {
        /// Its name.
        name: String,
        /// The secret; one is made and returned if there is none.
        secret: Option<String>,
    },
    /// A device leaves.
    DeviceRemove {
        /// Its name.
        name: String,
    },
    /// All devices.
    DeviceList,
    /// A trunk that is known by its address.
    TrunkAdd {
        /// Its name.
        name: String,
        /// `HOST` or `HOST:PORT`; HOST is an IP address.
        address: String,
    },
    /// A trunk leaves.
    TrunkRemove {
        /// Its name.
        name: String,
    },
    /// All trunks.
    TrunkList,
    /// The newest call records.
    Calls {
        /// How many at most.
        most: u32,
    },
    /// The numbers that are services of the exchange.
    Codes,
    /// Read the configuration again.
    Reload,
    /// Rows of a list of people.
    Import {
        /// At most [`super::IMPORT_ROWS`].
        rows: Vec<ImportRow>,
    },
}

/// One row of a list of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The account's name.
    pub account: String,
    /// What others see.
    pub name: String,
    /// A number; may be empty.
    pub number: String,
    /// A device; may be empty.
    pub device: String,
    /// Its secret; may be empty if the device is known.
    pub secret: String,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It is done and kept.
    Done,
    /// It is done; this secret was made and is shown only now.
    Secret(String),
    /// It was not done; in words.
    Refused(String),
    /// All accounts.
    Accounts(Vec<AccountItem>),
    /// All numbers.
    Numbers(Vec<NumberItem>),
    /// All devices.
    Devices(Vec<DeviceItem>),
    /// All trunks.
    Trunks(Vec<TrunkItem>),
    /// Call records, oldest first.
    Calls(Vec<CallRow>),
    /// The services.
    Codes(Vec<CodeItem>),
    /// The configuration was taken.
    Reloaded {
        /// The keys whose change waits for a restart.
        waits: Vec<String>,
    },
    /// Rows were taken but for these.
    Imported {
        /// How many were taken.
        taken: usize,
        /// The others.
        faults: Vec<RowFault>,
    },
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountItem {
    /// Its name.
    pub name: String,
    /// What others see.
    pub display: String,
    /// Its numbers.
    pub numbers: Vec<String>,
    /// Its devices.
    pub devices: Vec<String>,
}

/// A number in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberItem {
    /// The number.
    pub number: String,
    /// Whose it is.
    pub account: String,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceItem {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub account: String,
    /// Where it is registered from.
    pub registered: Vec<String>,
}

/// A trunk in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkItem {
    /// Its name.
    pub name: String,
    /// `HOST` or `HOST:PORT`.
    pub address: String,
}

/// A number that is a service of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeItem {
    /// What to dial.
    pub code: String,
    /// What it does.
    pub does: String,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// Its line in the file.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}
