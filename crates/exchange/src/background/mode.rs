//! Background mode: while it is on, each own call that is not answered goes on by itself (S2.4).

use crate::codes::CodeAct;
use crate::dialogue::Line;
use crate::exchange::Exchange;
use crate::people::AccountEdit;
use calls::CallId;
use clock::Now;
use media::Prompt;

impl Exchange {
    /// The code that switches it.
    pub(crate) fn background_mode_by_code(&mut self, now: Now, call: CallId, on: bool) {
        let said = if on { Prompt::BackgroundOn } else { Prompt::BackgroundOff };
        self.begin_stored_code(now, call, CodeAct::Background(on));
        self.edit(now, call, AccountEdit::Background(on), vec![Line::Prompt(said)]);
    }
}
