//! Taps across exchanges: a badge that nobody knows here is asked for at the others, and whoever knows it judges the tap by its
//! own rules, with its own counters, so that none counts twice (S1.6, R24).
//!
//! ```text
//! reader's exchange                                    the badge's exchange
//! nobody's badge here: asks all, with a number         known? allowed? PIN? counter --> taken: the call comes by that number
//! the first that knows it has the word          <---   the verdict
//! ```

use super::reading::{Reading, Record};
use super::redeem::{Asker, InHand};
use super::verdict::{TapAnswer, TapVerdict};
use super::{Uid, hex};
use crate::badges::WeekTime;
use crate::exchange::Exchange;
use crate::limits;
use crate::pin::Pin;
use crate::seats::Taken;
use crate::sites::PhoneElsewhere;
use crate::sites::ask::Why;
use crate::sources::Bucket;
use clock::Now;
use directory::between::{Comes, Question, RecordTold, Reply, TapJudged, TapTold};
use directory::{ExchangeName, Named as _};
use sip::bearer::TokenHash;
use sip::{Flow, ServerKey};
use std::time::Duration;

/// A tap of ours that others are asked about.
#[derive(Debug)]
pub(super) struct AskedFor {
    tap: InHand,
    reading: Reading,
    /// Those that have not answered.
    open: usize,
    /// Those that cannot be asked.
    away: Vec<ExchangeName>,
}

impl Exchange {
    /// Whether a badge that nobody knows here may be one of another exchange.
    pub(super) fn may_be_of_others(&self, now: Now, reader: &str) -> bool {
        let ignored = self.badges.readers.get(reader).is_some_and(|at| at.strikes.is_ignored(now.mono));
        !ignored
            && self.badges.elsewhere.len() < limits::SITE_QUESTIONS
            && !self.other_exchanges(now).is_empty()
    }

    /// Asks the other exchanges.
    pub(super) fn ask_whose_badge(
        &mut self,
        now: Now,
        tap: InHand,
        reading: Reading,
        (pin, at): (Option<Pin>, WeekTime),
    ) {
        if let Err(why) = self.may_be_visited(&tap.device) {
            let mut answer = TapAnswer::of(TapVerdict::NoPhone, None);
            answer.words = format!("no call can come to this phone now: {why}").into();
            return self.answer_and_keep(now, tap, answer);
        }
        self.badges.next += 1;
        let key = self.badges.next;
        let (reader, device) = (tap.reader.clone(), tap.device.clone());
        let asked = AskedFor { tap, reading: reading.clone(), open: 0, away: Vec::new() };
        self.badges.elsewhere.insert(key, asked);
        for exchange in self.other_exchanges(now) {
            let Some(number) = self.open_visit(now, &exchange, &device) else { continue };
            let told = TapTold {
                reader: reader.clone(),
                device: device.clone(),
                number,
                uid: reading.uid.map(|uid| uid.to_string().into()),
                record: reading.record.as_ref().and_then(told),
                pin: pin.as_ref().map(|pin| pin.reveal().into()),
                at: (at.day, at.minute),
            };
            let done = self.ask_exchange(now, &exchange, Question::Tap(Box::new(told)), Why::Tap(key));
            if let (true, Some(asked)) = (done, self.badges.elsewhere.get_mut(&key)) {
                asked.open += 1;
            }
        }
        self.is_anybodys(now, key);
    }

    /// One of them says what became of the tap; nothing when it cannot be asked.
    pub(crate) fn tap_judged_elsewhere(
        &mut self,
        now: Now,
        key: u64,
        exchange: &ExchangeName,
        reply: Option<Reply>,
    ) {
        let Some(asked) = self.badges.elsewhere.get_mut(&key) else { return };
        asked.open = asked.open.saturating_sub(1);
        let judged = match reply {
            Some(Reply::Tapped(judged)) => judged,
            Some(Reply::Ladder(_)) | None => {
                asked.away.push(exchange.clone());
                return self.is_anybodys(now, key);
            }
        };
        let verdict = TapVerdict::of_name(&judged.rule).unwrap_or(TapVerdict::Forged);
        if verdict == TapVerdict::UnknownBadge {
            return self.is_anybodys(now, key);
        }
        let Some(AskedFor { tap, .. }) = self.badges.elsewhere.remove(&key) else { return };
        let TapJudged { words, comes, wait, .. } = judged;
        let comes = comes.map(|comes| match comes {
            Comes::Nothing => Taken::Refused { rule: "seats.elsewhere", words: words.clone() },
            comes => Taken::Comes { from: exchange.to_string().into(), talk: comes == Comes::Talk },
        });
        let wait = Duration::from_secs(wait);
        self.answer_and_keep(
            now,
            tap,
            TapAnswer { words, taken: comes, wait, ..TapAnswer::of(verdict, None) },
        );
    }

    /// When all have answered and nobody knows the badge, it is like any that nobody knows.
    fn is_anybodys(&mut self, now: Now, key: u64) {
        if self.badges.elsewhere.get(&key).is_none_or(|asked| asked.open > 0) {
            return;
        }
        let Some(AskedFor { mut tap, reading, away, .. }) = self.badges.elsewhere.remove(&key) else {
            return;
        };
        if away.is_empty() {
            let verdict = self.identify(now, &mut tap, &reading).err().unwrap_or(TapVerdict::UnknownBadge);
            return self.finish_tap(now, tap, verdict);
        }
        // A badge can be made of it all the same.
        if let (Some(uid), Some(at)) = (reading.uid, self.badges.readers.get_mut(&tap.reader)) {
            at.unknown = Some((uid, now));
        }
        let names: Vec<&str> = away.iter().map(|exchange| exchange.as_str()).collect();
        let mut answer = TapAnswer::of(TapVerdict::Away, None);
        answer.words =
            format!("nobody who can be asked knows this badge, and {} is away", names.join(", ")).into();
        self.answer_and_keep(now, tap, answer);
    }

    /// Another exchange asks about a tap at a reader of its own.
    pub(crate) fn judge_tap_of(
        &mut self,
        now: Now,
        exchange: &ExchangeName,
        (flow, server): (Flow, ServerKey),
        told: TapTold,
    ) {
        let TapTold { reader, device, number, uid, record, pin, at } = told;
        let label = format!("{exchange}/{device}").into();
        let phone = PhoneElsewhere { exchange: exchange.clone(), label, flow, number };
        let reader = format!("{exchange}/{reader}").into();
        let mut tap = InHand::of_exchange(server, phone, reader);
        let bucket = self.badges.askers.entry(exchange.clone());
        let bucket = bucket.or_insert(Bucket::full(now.mono, limits::ASKED_TAPS));
        if !bucket.take(now.mono, limits::ASKED_TAPS, limits::ASKED_TAPS_RATE) {
            return self.finish_tap(now, tap, TapVerdict::TooFast);
        }
        let Some(reading) = reading(uid.as_deref(), record.as_ref()) else {
            return self.finish_tap(now, tap, TapVerdict::UnknownBadge);
        };
        let (pin, at) = (pin.and_then(|pin| Pin::of(&pin)), WeekTime { day: at.0, minute: at.1 });
        let identified = self.badge_of(&mut tap, &reading);
        self.judge_identified(now, tap, identified, (pin, at));
    }

    /// What became of a tap is told to the exchange of its reader.
    pub(super) fn tell_judged(&mut self, now: Now, server: ServerKey, answer: &TapAnswer) {
        let comes = answer.taken.as_ref().map(|taken| match taken {
            Taken::Ringing { .. } => Comes::Call,
            Taken::Moving { .. } | Taken::Here { .. } => Comes::Talk,
            _ => Comes::Nothing,
        });
        let wait = answer.wait.as_secs();
        let judged =
            TapJudged { rule: answer.verdict.name().into(), words: answer.words.clone(), comes, wait };
        self.reply(now, server, &Reply::Tapped(judged));
    }
}

fn told(record: &Record) -> Option<RecordTold> {
    let digits = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    match record {
        Record::Secure { picc_data, mac } => {
            Some(RecordTold::Secure(digits(picc_data).into(), digits(mac).into()))
        }
        Record::Text(hash) => Some(RecordTold::Text(hash.to_string().into())),
        // It is forged wherever it is told.
        Record::Garbled => None,
    }
}

fn reading(uid: Option<&str>, record: Option<&RecordTold>) -> Option<Reading> {
    let uid = match uid {
        Some(uid) => Some(Uid::parse(uid)?),
        None => None,
    };
    let record = match record {
        Some(RecordTold::Secure(picc_data, mac)) => Some(Record::Secure {
            picc_data: hex(picc_data, 32)?.try_into().ok()?,
            mac: hex(mac, 16)?.try_into().ok()?,
        }),
        Some(RecordTold::Text(hash)) => Some(Record::Text(TokenHash::parse(hash)?)),
        None => None,
    };
    // Only a reader tells the same reading twice.
    (uid.is_some() || record.is_some()).then(|| Reading { uid, record, hash: TokenHash::of("") })
}

impl Asker {
    pub(super) fn phone(&self) -> Option<&PhoneElsewhere> {
        match self {
            Asker::Exchange(_, phone) => Some(phone),
            Asker::Reader(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_read_is_read_elsewhere_as_it_was() {
        let secure = "https://x.example/t?picc_data=EF963FF7828658A599F3041510671E88&cmac=94EED9EE65337086";
        for (uid, ndef) in [(Some("04DE5F1EACC040"), None), (None, Some(secure)), (None, Some("ada"))] {
            let read = Reading::of(uid, ndef).unwrap();
            let record = read.record.as_ref().and_then(told);
            let there = reading(read.uid.map(|uid| uid.to_string()).as_deref(), record.as_ref()).unwrap();
            assert_eq!((there.uid, there.record), (read.uid, read.record));
        }
        assert_eq!(reading(None, None), None);
        assert_eq!(reading(None, Some(&RecordTold::Secure("00".into(), "00".into()))), None);
    }
}
