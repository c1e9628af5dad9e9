//! One exchange of the simulated office: what it knows of tickets, its clock, whether the directory reaches it.

use clock::Wall;
use directory::{
    Checked, Claims, Confirmation, ExchangeName, Fingerprint, Issuer, IssuerKeys, Named as _, Number,
    Presented, Redeemer, SessionHalf, Shown, Ticket, TicketKey, TicketRefusal,
};

/// An exchange.
pub(super) struct Site {
    pub(super) name: ExchangeName,
    pub(super) fingerprint: Fingerprint,
    pub(super) key: TicketKey,
    /// How far its clock is from the directory's, in milliseconds.
    pub(super) drift: i64,
    /// Whether messages between it and the directory arrive.
    pub(super) connected: bool,
    /// When it started, by the directory's clock.
    pub(super) started: Wall,
    issuer: Issuer,
    redeemer: Redeemer,
    directory: [u8; 32],
}

impl Site {
    pub(super) fn new(place: usize, drift: i64, directory: [u8; 32]) -> Site {
        let name = ExchangeName::parse(&format!("exchange-{place}")).expect("a name");
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&place.to_le_bytes());
        let issuer = Issuer::new(&seed);
        seed[31] = 1;
        let redeemer = Redeemer::new(name.clone(), Wall(0));
        let (fingerprint, key, started) = (Fingerprint(seed), TicketKey(seed), Wall(i64::MIN / 2));
        let mut site =
            Site { name, fingerprint, key, drift, connected: true, started, issuer, redeemer, directory };
        site.believes();
        site
    }

    /// All that was used before is forgotten.
    pub(super) fn restart(&mut self, now: Wall) {
        self.redeemer = Redeemer::new(self.name.clone(), self.clock(now));
        self.started = now;
        self.believes();
    }

    fn believes(&mut self) {
        self.redeemer.believe("directory", IssuerKeys { public: self.directory, key: self.key.clone() });
        let own = IssuerKeys { public: self.issuer.public(), key: self.own_key() };
        self.redeemer.believe(self.name.as_str(), own);
    }

    fn own_key(&self) -> TicketKey {
        let mut key = self.key.0;
        key[30] ^= 0xFF;
        TicketKey(key)
    }

    pub(super) fn clock(&self, now: Wall) -> Wall {
        Wall(now.0 + self.drift)
    }

    /// Whether its clock is right enough for tickets.
    pub(super) fn is_right(&self) -> bool {
        self.drift.abs() <= 1_500
    }

    /// A ticket of its own (C1), by its own clock.
    pub(super) fn issue(&self, now: Wall, claims: Claims) -> Ticket {
        let iat = self.clock(now);
        let claims = Claims {
            iss: self.name.as_str().into(),
            aud: self.name.clone(),
            iat,
            exp: Wall(iat.0 + 30_000),
            ..claims
        };
        self.issuer.issue(&claims, &self.own_key())
    }

    /// A call arrives with a ticket, over a connection of this key.
    pub(super) fn arrives(
        &mut self,
        now: Wall,
        ticket: &Ticket,
        session: SessionHalf,
        cnf: Confirmation,
        dest: &Number,
    ) -> Result<Checked, TicketRefusal> {
        let here = self.clock(now);
        let checked =
            self.redeemer.check(here, &ticket.token, &Presented { session, shown: Shown::Key(cnf), dest })?;
        // The digest: who does not know the secret does not get further.
        if *checked.secret() != ticket.secret {
            return Err(TicketRefusal::OtherKey);
        }
        self.redeemer.redeem(here, &checked)?;
        Ok(checked)
    }
}
