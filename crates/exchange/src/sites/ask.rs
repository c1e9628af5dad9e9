//! What one exchange asks another directly: a SIP request over the connection in which both proved themselves, whose answer is
//! the reply (R24). It has a deadline, it is in no ladder, and the directory has no part in it.
//!
//! ```text
//! ask --> a connection, if none is open --> MESSAGE, the question --> 200, the reply
//!      \-> none, closed, or nothing in 4 s: the reason, in words
//! ```

use super::{SiteOutput, Sites};
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::limits;
use calls::{Owner, Party};
use clock::{Mono, Now};
use directory::between::{MEDIA_TYPE, Question, Reply};
use directory::{ExchangeName, Fingerprint, Named as _};
use sip::{Dialog, Flow, ServerKey};
use std::collections::BTreeMap;
use wire::sip::{Message, Method};
use wire::text::hex;

/// Marks questions among the requests of the office.
pub(crate) const MARK: u64 = 1 << 61;

/// Questions that wait for their replies.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// By their numbers, which grow with their deadlines.
    waiting: BTreeMap<u64, Waiting>,
    /// Those that wait for a connection to whoever proves to have this certificate.
    reaching: BTreeMap<ExchangeName, Reaching>,
    next: u64,
}

#[derive(Debug)]
struct Reaching {
    address: Box<str>,
    fingerprint: Fingerprint,
    questions: Vec<u64>,
}

#[derive(Debug)]
struct Waiting {
    exchange: ExchangeName,
    question: Question,
    until: Mono,
    why: Why,
}

/// What a reply is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A tap at a reader of ours.
    Tap(u64),
    /// Somebody looks at a call.
    Ladder(CommandId),
}

impl Asks {
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.until)
    }
}

impl Sites {
    /// An open connection to who has this certificate, whoever opened it.
    fn way_to(&self, exchange: &ExchangeName, fingerprint: Fingerprint) -> Option<Flow> {
        let proved = |flow: &Flow| self.peers.get(flow) == Some(&fingerprint);
        let own = self.ways.get(exchange).map(|(flow, _)| *flow).filter(proved);
        own.or_else(|| self.peers.iter().find(|(_, known)| **known == fingerprint).map(|(flow, _)| *flow))
    }
}

impl Exchange {
    /// Asks another exchange; the reply comes later. False when it cannot be asked at all.
    pub(crate) fn ask_exchange(
        &mut self,
        now: Now,
        exchange: &ExchangeName,
        question: Question,
        why: Why,
    ) -> bool {
        let listed = self.sites.joined.as_ref().and_then(|joined| joined.copy(now)?.exchanges.get(exchange));
        let Some((address, fingerprint)) = listed.map(|listed| (listed.address.clone(), listed.fingerprint))
        else {
            return false;
        };
        let asks = &mut self.sites.asks;
        if asks.waiting.len() >= limits::SITE_QUESTIONS {
            return false;
        }
        asks.next += 1;
        let (id, until) = (asks.next, now.mono + limits::SITE_PATIENCE);
        asks.waiting.insert(id, Waiting { exchange: exchange.clone(), question, until, why });
        if let Some(flow) = self.sites.way_to(exchange, fingerprint) {
            self.send_question(now, id, flow);
            return true;
        }
        let begun = || Reaching { address: address.clone(), fingerprint, questions: Vec::new() };
        let reaching = self.sites.asks.reaching.entry(exchange.clone()).or_insert_with(begun);
        reaching.questions.push(id);
        if reaching.questions.len() == 1 {
            self.ask_shell(SiteOutput::Reach { exchange: exchange.clone(), address, fingerprint });
        }
        true
    }

    /// There is a connection to another exchange, or none: what waits for it.
    pub(super) fn ask_at(&mut self, now: Now, exchange: &ExchangeName, way: &Result<Flow, String>) {
        let Some(Reaching { address, fingerprint, questions }) = self.sites.asks.reaching.remove(exchange)
        else {
            return;
        };
        if let Ok(flow) = way {
            self.sites.peers.insert(*flow, fingerprint);
            self.sites.ways.insert(exchange.clone(), (*flow, address));
        }
        for id in questions {
            match way {
                Ok(flow) => self.send_question(now, id, *flow),
                Err(why) => self.question_answered(now, id, Err(why)),
            }
        }
    }

    fn send_question(&mut self, now: Now, id: u64, flow: Flow) {
        let Some(waiting) = self.sites.asks.waiting.get(&id) else { return };
        let (body, name) = (waiting.question.body(), waiting.exchange.to_string());
        let own = self.sites.joined.as_ref().map(|joined| joined.name.to_string()).unwrap_or_default();
        let (domain, remote) = (self.domain(flow), flow.remote.to_string());
        let endpoint = self.switch.endpoint();
        let call_id = format!("{:016x}{:016x}", endpoint.random(), endpoint.random());
        let tag = format!("{:016x}", endpoint.random());
        let (from, to) = (Party::new(&own, ""), Party::new(&name, ""));
        let (from, to) = (calls::name_addr(&from, &domain), calls::name_addr(&to, &remote));
        let uri = format!("sip:{}@{remote};transport=tls", calls::escape_user(&name));
        let dialog = Dialog::calling(&call_id, &from, &tag, &to, &uri);
        let owner = Owner::Above(MARK | id);
        endpoint.request(now.mono, flow, owner, Method::Message, &uri, 70, |mut writer| {
            dialog.write(&mut writer, Method::Message, 1);
            writer.body(MEDIA_TYPE, &body)
        });
    }

    /// The answer to a question; without one, none came.
    pub(crate) fn site_replied(&mut self, now: Now, owner: u64, response: Option<&Message<'_>>) {
        let status = response.and_then(Message::status).unwrap_or(408);
        if status < 200 {
            return;
        }
        let reply = response.filter(|_| status < 300).and_then(|response| Reply::parse(response.body()));
        let why = format!("it answers {status}");
        self.question_answered(now, owner & !MARK, reply.ok_or(&why));
    }

    fn question_answered(&mut self, now: Now, id: u64, reply: Result<Reply, &String>) {
        let Some(Waiting { exchange, why, .. }) = self.sites.asks.waiting.remove(&id) else { return };
        match why {
            Why::Tap(tap) => self.tap_judged_elsewhere(now, tap, &exchange, reply.ok()),
            Why::Ladder(command) => self.ladder_came(command, &exchange, reply),
        }
    }

    pub(super) fn asks_due(&mut self, now: Now) {
        while let Some((id, waiting)) = self.sites.asks.waiting.first_key_value()
            && waiting.until <= now.mono
        {
            let id = *id;
            for reaching in self.sites.asks.reaching.values_mut() {
                reaching.questions.retain(|waits| *waits != id);
            }
            self.question_answered(now, id, Err(&"it does not answer in time".to_owned()));
        }
    }

    /// Another exchange asks.
    pub(crate) fn site_asked(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        let Some(exchange) = self.sites.exchange_at(flow).cloned() else {
            return self.refuse(flow, message, 403);
        };
        if !message.is_content_type(MEDIA_TYPE) {
            return self.refuse(flow, message, 415);
        }
        let Some(question) = Question::parse(message.body()) else { return self.refuse(flow, message, 400) };
        let server = self.switch.endpoint().accept(flow, message, Owner::Above(MARK));
        match question {
            Question::Tap(told) => self.judge_tap_of(now, &exchange, (flow, server), *told),
            Question::Ladder(session) => {
                let told = self.ladder_for(now, flow, &session.to_string());
                self.reply(now, server, &Reply::Ladder(told));
            }
        }
    }

    pub(crate) fn reply(&mut self, now: Now, server: ServerKey, reply: &Reply) {
        let tag = hex(self.switch.endpoint().random());
        let body = reply.body();
        let endpoint = self.switch.endpoint();
        endpoint.respond(now.mono, server, 200, Some(&tag), |writer| writer.body(MEDIA_TYPE, &body));
    }
}

impl Exchange {
    /// The exchanges that can be asked.
    pub(crate) fn other_exchanges(&self, now: Now) -> Vec<ExchangeName> {
        let Some(joined) = &self.sites.joined else { return Vec::new() };
        let Some(copy) = joined.copy(now) else { return Vec::new() };
        let others = copy.exchanges.keys().filter(|name| **name != joined.name);
        others.take(limits::SITES_ASKED).cloned().collect()
    }

    /// A name that nobody guesses, for a number that is good once.
    pub(super) fn one_time_number(&mut self) -> Option<directory::Number> {
        let endpoint = self.switch.endpoint();
        let name = format!("{}{:016x}{:016x}", super::visit::PREFIX, endpoint.random(), endpoint.random());
        directory::Number::parse(&name).ok()
    }
}
