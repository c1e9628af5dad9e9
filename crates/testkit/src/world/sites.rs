//! Several exchanges of one office and their directory (S4), which is the real one.

use super::{Happening, World};
use crate::observed::{Observed, OfficeId};
use clock::Wall;
use directory::{
    Account, Copy, Directory, ExchangeName, Fingerprint, Input as ToDirectory, Issuer, Message, Named as _,
    Output as FromDirectory, Report, TicketKey,
};
use exchange::{DIRECTORY, Input, Membership, SiteInput, SiteOutput, SiteWord};
use sip::Flow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// From an exchange to the directory, and back.
const LATENCY: Duration = Duration::from_millis(4);
/// A handshake with another exchange.
const HANDSHAKE: Duration = Duration::from_millis(3);

/// The directory and who can reach it.
#[derive(Debug)]
pub(super) struct Sites {
    directory: Directory,
    /// Exchanges that show another certificate than theirs.
    pub(super) strangers: BTreeSet<OfficeId>,
    /// Exchanges whose certificate was renewed.
    renewed: BTreeSet<OfficeId>,
    /// Exchanges that the directory does not reach.
    pub(super) away: BTreeSet<OfficeId>,
    version: u64,
}

/// The name of an exchange of the simulated office.
#[must_use]
pub fn exchange_name(office: OfficeId) -> ExchangeName {
    ExchangeName::parse(&format!("exchange-{office}")).expect("a name")
}

fn fingerprint(office: OfficeId) -> Fingerprint {
    Fingerprint([office as u8 + 1; 32])
}

fn ticket_key(office: OfficeId) -> TicketKey {
    TicketKey([office as u8 + 101; 32])
}

/// What an exchange of the simulated office is to its directory; goes into its configuration.
#[must_use]
pub fn membership(office: OfficeId) -> Membership {
    Membership {
        name: exchange_name(office),
        fingerprint: fingerprint(office),
        ticket_key: ticket_key(office),
        seed: [office as u8 + 1; 32],
        own_key: [office as u8 + 51; 32],
        directory: issuer().public(),
    }
}

fn issuer() -> Issuer {
    Issuer::new(&[42; 32])
}

impl Sites {
    /// Of the certificate that an exchange shows.
    fn shows(&self, office: OfficeId) -> Fingerprint {
        match (self.strangers.contains(&office), self.renewed.contains(&office)) {
            (true, _) => Fingerprint([0xEE; 32]),
            (false, true) => Fingerprint([office as u8 + 201; 32]),
            (false, false) => fingerprint(office),
        }
    }
}

impl World {
    /// The exchanges get a directory, which all of them joined.
    pub fn open_directory(&mut self) {
        let mut directory = Directory::new(DIRECTORY, issuer(), self.dice.seed());
        for (office, known) in self.offices.iter().enumerate() {
            let exchange = exchange_name(office);
            let joined = ToDirectory::Joined {
                exchange: exchange.clone(),
                fingerprint: fingerprint(office),
                key: ticket_key(office),
            };
            directory.handle(self.now, joined);
            directory.handle(self.now, ToDirectory::Report(exchange, report(known.address)));
        }
        self.sites = Some(Sites {
            directory,
            strangers: BTreeSet::new(),
            renewed: BTreeSet::new(),
            away: BTreeSet::new(),
            version: 0,
        });
        self.reference.share_numbers();
        for office in 0..self.offices.len() {
            self.connect_directory(office, true);
        }
    }

    /// The directory can be reached from an exchange, or cannot.
    pub fn connect_directory(&mut self, office: OfficeId, reachable: bool) {
        let Some(sites) = &mut self.sites else { return };
        if reachable {
            sites.away.remove(&office);
            self.feed(office, Input::Site(Box::new(SiteInput::Connected)));
            self.publish(&[office]);
        } else {
            sites.away.insert(office);
            let why = "the network is cut".into();
            self.feed(office, Input::Site(Box::new(SiteInput::Disconnected { why })));
        }
    }

    /// From now on an exchange shows a certificate that is not its own.
    pub fn show_wrong_certificate(&mut self, office: OfficeId) {
        if let Some(sites) = &mut self.sites {
            sites.strangers.insert(office);
        }
    }

    /// The certificate of an exchange is renewed, and the directory was shown the newer one.
    pub fn renew_certificate(&mut self, office: OfficeId) {
        let Some(sites) = &mut self.sites else { return };
        sites.renewed.insert(office);
        let fingerprint = sites.shows(office);
        let exchange = exchange_name(office);
        let joined = ToDirectory::Joined { exchange, fingerprint, key: ticket_key(office) };
        sites.directory.handle(self.now, joined);
        self.feed(office, Input::Site(Box::new(SiteInput::Renewed(fingerprint))));
        let everybody: Vec<OfficeId> = (0..self.offices.len()).collect();
        self.publish(&everybody);
    }

    pub(super) fn site_output(&mut self, office: OfficeId, output: SiteOutput) {
        match output {
            SiteOutput::Tell(word) => self.push(LATENCY, Happening::ToDirectory { office, word }),
            SiteOutput::Reach { exchange, address, fingerprint } => {
                self.push(HANDSHAKE, Happening::Handshake { office, exchange, address, fingerprint });
            }
            // Each office here is one exchange alone.
            SiteOutput::Tie(_) => {}
        }
    }

    pub(super) fn directory_hears(&mut self, office: OfficeId, word: SiteWord) {
        let now = self.now;
        let Some(sites) = self.sites.as_mut().filter(|sites| !sites.away.contains(&office)) else { return };
        let exchange = exchange_name(office);
        // Connected is alive.
        let address = self.offices[office].address;
        sites.directory.handle(now, ToDirectory::Report(exchange.clone(), report(address)));
        sites.directory.handle(
            now,
            match word {
                SiteWord::Account(name, numbers, phones) => {
                    let told = Account { home: exchange.clone(), numbers, enabled: true, phones };
                    ToDirectory::Account(exchange, name, Some(told))
                }
                SiteWord::Gone(name) => ToDirectory::Account(exchange, name, None),
                // Nothing is lost on the way to this directory.
                SiteWord::Everybody => return,
                SiteWord::Call(request) => ToDirectory::Asked(request),
                SiteWord::Cancelled(id) => ToDirectory::Cancelled(directory::Origin::Exchange(exchange), id),
                SiteWord::Said(caller, id, said) => ToDirectory::Said { exchange, caller, id, said },
                SiteWord::Claim(id, number) => ToDirectory::Claim { exchange, id, number },
                SiteWord::Attempted(number, attempted) => ToDirectory::Attempted(exchange, number, attempted),
                SiteWord::Free(number) => ToDirectory::Free(exchange, number),
            },
        );
        while let Some(output) = self.sites.as_mut().and_then(|sites| sites.directory.poll_output()) {
            if let FromDirectory::ToExchange(to, message) = output
                && let Some(to) = (0..self.offices.len()).find(|office| exchange_name(*office) == to)
            {
                self.push(LATENCY, Happening::FromDirectory { office: to, message: Box::new(message) });
            }
        }
        let everybody: Vec<OfficeId> = (0..self.offices.len()).collect();
        self.publish(&everybody);
    }

    pub(super) fn directory_says(&mut self, office: OfficeId, message: Message) {
        if self.sites.as_ref().is_some_and(|sites| !sites.away.contains(&office)) {
            self.feed(office, Input::Site(Box::new(SiteInput::Said(Box::new(message)))));
        }
    }

    /// Gives exchanges the newest copy.
    fn publish(&mut self, offices: &[OfficeId]) {
        let Some(sites) = &mut self.sites else { return };
        let all = offices.len() > 1;
        if all && sites.version == sites.directory.version() {
            return;
        }
        sites.version = sites.directory.version();
        let Ok(copy) = read_copy(self.now.wall, &sites.directory) else { return };
        let reached: Vec<OfficeId> =
            offices.iter().copied().filter(|office| !sites.away.contains(office)).collect();
        for office in reached {
            self.feed(office, Input::Site(Box::new(SiteInput::Copy(Box::new(copy.clone())))));
        }
    }

    /// One exchange opens a connection to another: each proves to be somebody.
    pub(super) fn handshake(
        &mut self,
        office: OfficeId,
        exchange: ExchangeName,
        address: &str,
        wanted: Fingerprint,
    ) {
        let to = address.parse::<SocketAddr>().ok();
        let found = to.and_then(|to| self.offices.iter().position(|office| office.address == to));
        let Some(sites) = &self.sites else { return };
        let way = match found.filter(|_| self.now.mono >= self.trunk.cut_until) {
            Some(there) if sites.shows(there) == wanted => {
                let (near, far) = (self.offices[office].address, self.offices[there].address);
                let shown = sites.shows(office);
                let proved = SiteInput::Proved { flow: Flow::udp(far, near), fingerprint: shown };
                self.feed(there, Input::Site(Box::new(proved)));
                let flow = Flow::udp(near, far);
                self.see(&Observed::Reached { office, flow });
                Ok(flow)
            }
            Some(_) => Err("it proved to be somebody else".to_owned()),
            None => Err("it does not answer".to_owned()),
        };
        self.feed(office, Input::Site(Box::new(SiteInput::Reached { exchange, way })));
    }
}

fn read_copy(now: Wall, directory: &Directory) -> Result<Copy, directory::CopyError> {
    Copy::open(&directory.public(), now, &directory.copy(now))
}

fn report(address: SocketAddr) -> Report {
    Report {
        address: address.to_string().into(),
        web: "".into(),
        region: "".into(),
        version: "1".into(),
        load: 0,
        draining: false,
        calls: std::collections::BTreeMap::new(),
    }
}
