//! A call that comes from another exchange: by a connection that proved to be it, with a ticket that names this call, and the
//! digest of its secret. The ticket is used up before anything rings (S4.22, S4.25, R27).

use super::Guest;
use super::apps::pin_media;
use crate::admission::Sender;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use calls::{CallId, Cause};
use clock::{Now, Wall};
use directory::{
    Claims, Confirmation, DeviceId, Named as _, Number, Presented, SessionHalf, Shown, Ticket, TicketId,
    TicketRefusal,
};
use sip::Flow;
use sip::digest::{Secret, Verdict};
use wire::sip::{HeaderName, Message, Method};

/// Who presents a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Another exchange of the office: without a ticket that we can judge, it gets one.
    Exchange,
    /// An app, which came because it was told to.
    App,
}

/// What a ticket is asked for.
pub(super) struct Offered {
    pub(super) session: SessionHalf,
    pub(super) cnf: Confirmation,
    pub(super) dest: Number,
}

impl Exchange {
    /// Who sent a request by a connection that showed a certificate; `None` means that it has its answer.
    pub(crate) fn site_sender(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Option<Sender> {
        let Some(exchange) = self.sites.exchange_at(flow).map(ToString::to_string) else {
            return self.app_sender(now, flow, message);
        };
        if message.method() != Method::Invite {
            self.refuse_because(flow, message, 403, "an exchange sends calls alone");
            return None;
        }
        let dest = message.uri().ok().and_then(|uri| Number::parse(&uri.user_decoded()?).ok());
        match self.ticket_of(now, flow, message, dest, Holder::Exchange) {
            Ok(Some(_)) => Some(Sender::Exchange(exchange.into())),
            // It was challenged.
            Ok(None) => None,
            Err(why) => {
                self.note_refused(now, message, &format!("a call of exchange {exchange}"), &why);
                self.refuse_because(flow, message, 403, &why);
                None
            }
        }
    }

    /// Whoever looks for the call finds it here, too, under its Session-ID.
    pub(super) fn note_refused(&mut self, now: Now, message: &Message<'_>, who: &str, why: &str) {
        if let Some(session) = session_of(message) {
            let words = format!("{who} is refused: {why}");
            self.note(now, FactKind::Call, &session.to_string(), "site.refused", words);
        }
    }

    /// What the ticket of a request is for, once it is used up; none when its digest is asked for first.
    pub(super) fn ticket_of(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        dest: Option<Number>,
        holder: Holder,
    ) -> Result<Option<Claims>, String> {
        let token =
            message.value(HeaderName::RingdownTicket).and_then(|value| std::str::from_utf8(value).ok());
        let dest = dest.ok_or("who is called is no number")?;
        let session = session_of(message).ok_or("the call has no Session-ID")?;
        let shown = self.shown_by(flow, message)?;
        let joined = self.sites.joined.as_mut().ok_or("this exchange has joined no directory")?;
        let time = joined.time(now);
        let refused = |refusal: TicketRefusal| format!("the ticket is refused: {refusal}");
        let presented = Presented { session, shown, dest: &dest };
        let checked = match token.map(|token| joined.redeemer.check(time, token, &presented)) {
            Some(Ok(checked)) => checked,
            // Whether it was used before our start nobody knows; one of ours cannot have been.
            Some(Err(TicketRefusal::BeforeOurStart)) | None
                if holder == Holder::Exchange
                    && let Shown::Key(cnf) = shown =>
            {
                return self.offer_ticket(now, flow, message, Offered { session, cnf, dest }).map(|()| None);
            }
            None => return Err("an app comes with a ticket".into()),
            Some(Err(refusal)) => return Err(refused(refusal)),
        };
        let user = checked.claims().jti.to_string();
        let source = flow.remote.ip();
        let stale = match self.verifier.credentials(message) {
            None => false,
            Some(credentials) if credentials.user() != user => {
                return Err("the digest is another ticket's".into());
            }
            Some(credentials) => {
                let secret = Secret::new(&user, self.verifier.realm(), checked.secret().reveal());
                match self.verifier.check(now.mono, source, message, &credentials, Some(&secret)) {
                    Verdict::Right { .. } => {
                        pin_media(&mut self.switch, flow, checked.claims().cnf)?;
                        joined.redeemer.redeem(time, &checked).map_err(refused)?;
                        return Ok(Some(checked.claims().clone()));
                    }
                    Verdict::Wrong => return Err("the digest is not the ticket's".into()),
                    Verdict::Stale | Verdict::Missing => true,
                }
            }
        };
        self.challenge(now, flow, message, stale);
        Ok(None)
    }

    /// An exchange that could not ask the directory gets a ticket from us, over the connection that proved to be its own; the
    /// copy says that it is one of the office.
    fn offer_ticket(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        offered: Offered,
    ) -> Result<(), String> {
        let joined = self.sites.joined.as_ref().ok_or("this exchange has joined no directory")?;
        joined.copy(now).ok_or(
            "a call from another exchange needs a ticket, and the copy of the directory has expired",
        )?;
        let exchange = self.sites.exchange_at(flow).ok_or("the connection is gone")?;
        let orig = DeviceId::parse(exchange.as_str())?;
        let ticket = self.own_ticket(now, orig, offered)?;
        let value = format!("{};user={};secret={}", ticket.token, ticket.id, ticket.secret.reveal());
        let (verifier, source) = (&mut self.verifier, flow.remote.ip());
        self.switch.endpoint().respond_stateless(flow, message, 401, |mut writer| {
            verifier.challenge(now.mono, source, &mut writer, false);
            writer.header(HeaderName::RingdownTicket, &value);
            writer.finish()
        });
        Ok(())
    }

    /// A ticket of our own to ourselves, for one call.
    pub(super) fn own_ticket(
        &mut self,
        now: Now,
        orig: DeviceId,
        offered: Offered,
    ) -> Result<Ticket, String> {
        let mut jti = [0; 16];
        let endpoint = self.switch.endpoint();
        jti[..8].copy_from_slice(&endpoint.random().to_be_bytes());
        jti[8..].copy_from_slice(&endpoint.random().to_be_bytes());
        let joined = self.sites.joined.as_ref().ok_or("this exchange has joined no directory")?;
        let iat = joined.time(now);
        let life = i64::try_from(directory::limits::TICKET_LIFE.as_millis()).unwrap_or(0);
        let claims = Claims {
            iss: joined.name.as_str().into(),
            aud: joined.name.clone(),
            jti: TicketId(jti),
            iat,
            exp: Wall(iat.0.saturating_add(life)),
            orig,
            dest: offered.dest,
            sid: offered.session,
            cnf: offered.cnf,
        };
        Ok(joined.issuer.issue(&claims, &joined.own_key))
    }

    /// A call of another exchange goes to people of ours, and to nobody else: it is no way to the outside, nor to a third
    /// exchange.
    pub(crate) fn route_from_guest(&mut self, now: Now, call: CallId, dialled: &str, guest: &Guest) {
        match guest {
            Guest::Visits(device) => return self.ring_visited(now, call, device),
            Guest::PicksUp(exchange) => return self.pick_up_for(now, call, exchange, dialled),
            Guest::CallsWhoIsFree if self.is_called_when_free(now, call, dialled) => return,
            Guest::Calls | Guest::CallsWhoIsFree | Guest::No => {}
        }
        // An exchange is no device.
        if self.ongoing.call(call).is_some_and(|ongoing| ongoing.device.is_some()) {
            return self.route_from_app(now, call, dialled);
        }
        match self.destination(dialled) {
            Destination::Account(_) | Destination::Group(_) | Destination::Queue(_) => {
                self.route(now, call, dialled);
            }
            _ => self.fail(now, call, Cause::UnknownNumber, "not a number of this exchange"),
        }
    }
}

/// The half of the Session-ID that who calls has chosen.
pub(super) fn session_of(message: &Message<'_>) -> Option<SessionHalf> {
    let value = message.value(HeaderName::SessionId)?;
    SessionHalf::parse(std::str::from_utf8(value).ok()?.split(';').next()?.trim())
}
