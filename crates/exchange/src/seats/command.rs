//! Seats by command: from readers, pages and the API.

use super::{Means, SeatRow, Taken};
use crate::command::Answer;
use crate::exchange::{Exchange, Promise};
use crate::input::CommandId;
use crate::people::Refusal;
use clock::Now;

impl Exchange {
    /// Answers what was taken. A seat is promised once it is kept (R20); a call that moved promises nothing.
    pub fn answer_taken(&mut self, now: Now, id: CommandId, taken: Taken) {
        match taken {
            Taken::SignedIn { .. } | Taken::SignedOut => {
                self.commit(now, Vec::new(), Promise::Taken { id, taken });
            }
            taken => self.answer(id, Answer::Taken(taken)),
        }
    }

    /// Somebody is identified at a phone, and waits for the answer.
    pub(crate) fn take_for(&mut self, now: Now, id: CommandId, account: &str, device: &str, means: Means) {
        let taken = self.take(now, account, device, means);
        self.answer_taken(now, id, taken);
    }

    /// A seat ends because somebody says so who may.
    pub(crate) fn end_seat(&mut self, now: Now, id: CommandId, device: &str, who: &str) {
        if self.seats.at(device).is_none() {
            return self.answer(id, Answer::Refused(Refusal::Unknown("seat", device.into())));
        }
        self.leave_seat(now, device, "seats.ended", &format!("{who} ended it"));
        self.answer_taken(now, id, Taken::SignedOut);
    }

    /// All seats, in the order of the phones' names.
    pub(crate) fn seat_rows(&self) -> Vec<SeatRow> {
        self.seats.iter().filter_map(|(device, _)| self.seat_row(device)).collect()
    }
}
