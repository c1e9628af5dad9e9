//! The one table of who may do what: the check, the description and its contract test all come from it.
//!
//! Each file of a resource has its own part of it. An operation that is in no part is refused (sec_11).

use exchange::Role;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody, signed in or not.
    Anybody,
    /// A reader of badges, by its key, and nobody else.
    Reader,
    /// This role and those above it.
    Role(Role),
    /// This role and those above it; others for what is their own, which the handler sees to.
    Own(Role),
}

/// One operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The method, in capitals.
    pub(crate) method: &'static str,
    /// The path below `/api/v1`.
    pub(crate) path: &'static str,
    /// Who may ask.
    pub(crate) who: Who,
    /// What a token needs; without one, tokens may not.
    pub(crate) scope: Option<Scope>,
    /// Whether it takes an `Idempotency-Key`.
    pub(crate) creates: bool,
}

impl Operation {
    /// An operation of a role, for tokens of a scope.
    pub(crate) const fn new(method: &'static str, path: &'static str, who: Who, scope: Scope) -> Operation {
        Operation { method, path, who, scope: Some(scope), creates: false }
    }

    /// An operation that no token may ask for.
    pub(crate) const fn of_people(method: &'static str, path: &'static str, who: Who) -> Operation {
        Operation { method, path, who, scope: None, creates: false }
    }

    /// It creates something, so it takes an `Idempotency-Key`.
    pub(crate) const fn creating(mut self) -> Operation {
        self.creates = true;
        self
    }
}

macro_rules! scopes {
    ($($scope:ident $name:literal $words:literal,)+) => {
        /// What a token may be allowed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Scope {
            $(#[doc = $words] $scope,)+
        }

        impl Scope {
            /// All of them.
            pub(crate) const ALL: &[Scope] = &[$(Scope::$scope),+];

            /// As tokens have it.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Scope::$scope => $name,)+ }
            }
        }
    };
}

scopes! {
    PeopleRead "people:read" "To read people, numbers, devices, groups, queues and agents.",
    PeopleWrite "people:write" "To change people, numbers, devices, groups and queues.",
    CallsRead "calls:read" "To read calls that go on, their ladders and captures.",
    CallsWrite "calls:write" "To end calls, and to silence phones.",
    TasksRead "tasks:read" "To read background calls.",
    TasksWrite "tasks:write" "To start, change and stop background calls.",
    ListsRead "lists:read" "To read call lists, their rows and results.",
    ListsWrite "lists:write" "To make call lists, to deal them out and to forget them.",
    RecordsRead "records:read" "To read call records and facts.",
    SettingsRead "settings:read" "To read settings, trunks, routes, webhooks, codes and how things are.",
    SettingsWrite "settings:write" "To change trunks, routes and webhooks and to read the configuration again.",
    EventsRead "events:read" "To hear events.",
    MetricsRead "metrics:read" "To read the figures for Prometheus.",
    Phone "phone" "To have a web phone, and to work as an agent.",
}

impl Scope {
    /// The scope of a name.
    pub(crate) fn of_name(name: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|scope| scope.name() == name)
    }
}

/// The table's parts.
const PARTS: &[&[Operation]] = &[
    super::session::OPERATIONS,
    super::sessions::OPERATIONS,
    super::tokens::OPERATIONS,
    super::people::OPERATIONS,
    super::phone::OPERATIONS,
    super::profiles::OPERATIONS,
    super::import::OPERATIONS,
    super::numbers::OPERATIONS,
    super::devices::OPERATIONS,
    super::groups::OPERATIONS,
    super::queues::OPERATIONS,
    super::lists::OPERATIONS,
    super::lists::desk::OPERATIONS,
    super::agents::OPERATIONS,
    super::badges::OPERATIONS,
    super::taps::OPERATIONS,
    super::trunks::OPERATIONS,
    super::outside_routes::OPERATIONS,
    super::calls::OPERATIONS,
    super::seats::OPERATIONS,
    super::tasks::OPERATIONS,
    super::seat_codes::OPERATIONS,
    super::records::OPERATIONS,
    super::facts::OPERATIONS,
    super::exchanges::OPERATIONS,
    super::office::OPERATIONS,
    super::events::OPERATIONS,
    super::webhooks::OPERATIONS,
    super::wearables::OPERATIONS,
    super::openapi::OPERATIONS,
];

/// The whole table.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    PARTS.iter().copied().flatten()
}

/// The operation of a method and a path, or the methods that the path has.
pub(crate) fn find(method: &str, path: &str) -> Result<&'static Operation, Vec<&'static str>> {
    // RFC 9110 9.3.2: HEAD is GET without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    let there = || all().filter(|operation| operation.path == path);
    there()
        .find(|operation| operation.method == method)
        .ok_or_else(|| there().map(|one| one.method).collect())
}
