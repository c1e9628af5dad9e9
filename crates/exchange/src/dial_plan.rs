//! The dial plan: what a dialled number is. One table, looked at in one order.

use crate::exchange::Exchange;

/// What a number is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The service that says back what it hears.
    Echo,
    /// An emergency, by the number that the trunk is to be asked for.
    Emergency(Box<str>),
    /// A person.
    Account(Box<str>),
    /// A hunt group.
    Group(Box<str>),
    /// A queue.
    Queue(Box<str>),
    /// Where talks wait that were parked.
    Parked,
    /// A number of the outside that a route fits.
    Outside {
        /// The number without what comes before numbers of the outside.
        number: Box<str>,
        /// The route.
        route: Box<str>,
    },
    /// Somebody's at another exchange of the office, as far as we know; the directory knows for sure (S4.11).
    Elsewhere,
    /// Nobody's.
    Unknown,
}

impl Exchange {
    /// What a dialled number is.
    pub(crate) fn destination(&self, dialled: &str) -> Destination {
        if let Some(number) = self.emergency_number(dialled) {
            return Destination::Emergency(number);
        }
        if self.config.echo_number.as_deref() == Some(dialled) {
            return Destination::Echo;
        }
        if let Some((account, _)) = self.people.account_of(dialled) {
            return Destination::Account(account.into());
        }
        if let Some((group, _)) = self.people.group_of(dialled) {
            return Destination::Group(group.into());
        }
        if let Some((queue, _)) = self.people.queue_of(dialled) {
            return Destination::Queue(queue.into());
        }
        if self.is_park(dialled) {
            return Destination::Parked;
        }
        if self.sites.lists(dialled) {
            return Destination::Elsewhere;
        }
        match self.config.numbering.outside(dialled).and_then(|number| Some((number, self.route_of(number)?)))
        {
            Some((number, route)) => Destination::Outside { number: number.into(), route: route.into() },
            None if self.sites.asks() => Destination::Elsewhere,
            None => Destination::Unknown,
        }
    }

    /// The number of the office that a trunk asks for, however the trunk writes it.
    pub(crate) fn asked_from_outside(&self, trunk: &str, asked: &str) -> Box<str> {
        let number = match self.people.trunk(trunk) {
            Some(trunk) if trunk.strip > 0 || !trunk.prepend.is_empty() => {
                crate::people::rewrite(asked, trunk.strip, &trunk.prepend)
            }
            _ => asked.to_owned(),
        };
        let people = &self.people;
        let shared = |way: &str| people.group_of(way).is_some() || people.queue_of(way).is_some();
        let known = |way: &String| people.account_of(way).is_some() || shared(way);
        let spelled = self.config.numbering.spellings(&number).into_iter().find(known);
        spelled.unwrap_or(number).into()
    }

    /// The route of a number of the outside: the longest prefix that fits it as dialled, or in E.164.
    fn route_of(&self, number: &str) -> Option<&str> {
        let e164 = self.config.numbering.e164(number);
        let fits = |prefix: &str| {
            let compared = if prefix.starts_with('+') { e164.as_deref() } else { Some(number) };
            compared.is_some_and(|compared| compared.starts_with(prefix))
        };
        let fitting = self.people.routes().filter(|(_, route)| fits(&route.prefix));
        fitting.max_by_key(|(_, route)| route.prefix.len()).map(|(name, _)| name)
    }
}
