//! The headset of a phone: a program of its own with microphone and loudspeaker (crate `headset`), told what to do as calls come
//! and go. It opens with the dialling and closes after the call (S3.12); it rings while somebody calls (S3.11).

use crate::limits::HEADSET_ORDERS;
use crate::sound::Microphone;
use crate::words::{CallId, Event};
use ::headset::{FRAME, LONGEST, Order, Tone};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Which program, and what it is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadsetProgram {
    /// Where it is, or its name.
    pub program: PathBuf,
    /// Its arguments, as `--microphone`, `NAME`.
    pub arguments: Vec<String>,
}

/// How far a call is, as the headset sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// We call.
    Calling,
    /// It rings there.
    Ringback,
    /// It rings here.
    Rings,
    /// Both can talk.
    Up,
}

/// The headset.
pub(super) struct Headset {
    program: HeadsetProgram,
    microphone: Microphone,
    running: Option<Running>,
    calls: BTreeMap<CallId, Stage>,
    open: bool,
    tone: Tone,
}

struct Running {
    child: Child,
    orders: SyncSender<Vec<u8>>,
}

impl Headset {
    pub(super) fn new(program: HeadsetProgram, microphone: Microphone) -> Headset {
        Headset { program, microphone, running: None, calls: BTreeMap::new(), open: false, tone: Tone::None }
    }

    /// Something happened to a call.
    pub(super) fn note(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Calling { call, .. } => drop(self.calls.insert(*call, Stage::Calling)),
            // It waits in a line there (R8), and nothing rings.
            Event::Ringing { status: 182, .. } => return Ok(()),
            Event::Ringing { call, .. } => self.reach(*call, Stage::Ringback),
            Event::Incoming { call, .. } => drop(self.calls.insert(*call, Stage::Rings)),
            Event::Answered { call, .. } => self.reach(*call, Stage::Up),
            Event::Ended { call, .. } => drop(self.calls.remove(call)),
            _ => return Ok(()),
        }
        self.follow()
    }

    fn reach(&mut self, call: CallId, stage: Stage) {
        if let Some(known) = self.calls.get_mut(&call) {
            *known = stage;
        }
    }

    /// What the calls want of it. Who talks is not rung at.
    fn follow(&mut self) -> Result<(), String> {
        let has = |stage: Stage| self.calls.values().any(|known| *known == stage);
        let open = self.calls.values().any(|stage| *stage != Stage::Rings);
        let tone = match open {
            true if has(Stage::Up) => Tone::None,
            true if has(Stage::Ringback) => Tone::Ringback,
            false if has(Stage::Rings) => Tone::Ring,
            _ => Tone::None,
        };
        if self.open != open {
            self.microphone.clear();
            self.order(&Order::Microphone(open))?;
            // A microphone that closes takes the loudspeaker with it.
            (self.open, self.tone) = (open, Tone::None);
        }
        if self.tone != tone {
            self.order(&Order::Tone(tone))?;
            self.tone = tone;
        }
        Ok(())
    }

    /// What the far side says.
    pub(super) fn play(&mut self, samples: &[i16]) -> Result<(), String> {
        if !self.open {
            return Ok(());
        }
        samples.chunks(LONGEST / 2).try_for_each(|part| self.order(&Order::Play(part.to_vec())))
    }

    /// A headset that does not take its orders loses some; one that is gone is started again.
    fn order(&mut self, order: &Order) -> Result<(), String> {
        let wakes = matches!(order, Order::Microphone(true) | Order::Tone(Tone::Ring));
        if self.running.is_none() && wakes {
            self.running = Some(self.start()?);
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        match running.orders.try_send(order.to_bytes()) {
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Disconnected(_)) => {
                let ended =
                    running.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
                self.running = None;
                Err(format!("the headset ended: {ended}"))
            }
        }
    }

    fn start(&self) -> Result<Running, String> {
        let fail = |error: std::io::Error| format!("{}: {error}", self.program.program.display());
        let mut child = Command::new(&self.program.program)
            .args(&self.program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let (orders, queue) = sync_channel(HEADSET_ORDERS);
        if let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) {
            let microphone = self.microphone.clone();
            let named = |name: &str| std::thread::Builder::new().name(name.into());
            named("loudspeaker").spawn(move || pass_on(input, &queue)).map_err(fail)?;
            named("microphone").spawn(move || listen(output, &microphone)).map_err(fail)?;
        }
        Ok(Running { child, orders })
    }
}

impl Drop for Headset {
    fn drop(&mut self) {
        let Some(Running { mut child, orders }) = self.running.take() else { return };
        // Its input ends, and so does it.
        drop(orders);
        let _ = child.wait();
    }
}

/// Ends when the headset reads no more, or nobody tells it anything.
fn pass_on(mut input: ChildStdin, queue: &Receiver<Vec<u8>>) {
    for order in queue {
        if input.write_all(&order).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

fn listen(mut output: ChildStdout, microphone: &Microphone) {
    let mut frame = [0; 2 * FRAME];
    while output.read_exact(&mut frame).is_ok() {
        microphone.push(frame.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Cause, Ended};

    fn told(events: &[Event]) -> (bool, Tone) {
        // A program that takes everything and says nothing.
        let program = HeadsetProgram { program: "/bin/cat".into(), arguments: Vec::new() };
        let mut headset = Headset::new(program, Microphone::default());
        for event in events {
            headset.note(event).unwrap();
        }
        (headset.open, headset.tone)
    }

    fn calling(call: CallId) -> Event {
        Event::Calling { call, number: "1".into() }
    }

    fn incoming(call: CallId) -> Event {
        Event::Incoming { call, number: "1".into(), name: String::new() }
    }

    fn answered(call: CallId) -> Event {
        Event::Answered { call, codec: "PCMU".into() }
    }

    fn ended(call: CallId) -> Event {
        Event::Ended { call, cause: Ended { cause: Cause::TheyHungUp, words: String::new() } }
    }

    #[test]
    fn s3_12_it_opens_with_the_dialling_and_closes_after_the_call() {
        let ringing = Event::Ringing { call: CallId(1), status: 180, place: None };
        assert_eq!(told(&[calling(CallId(1))]), (true, Tone::None));
        assert_eq!(told(&[calling(CallId(1)), ringing.clone()]), (true, Tone::Ringback));
        assert_eq!(told(&[calling(CallId(1)), ringing.clone(), answered(CallId(1))]), (true, Tone::None));
        assert_eq!(told(&[calling(CallId(1)), ringing, ended(CallId(1))]), (false, Tone::None));
    }

    #[test]
    fn s3_11_it_rings_for_who_is_free_and_not_for_who_talks() {
        assert_eq!(told(&[incoming(CallId(1))]), (false, Tone::Ring));
        assert_eq!(told(&[incoming(CallId(1)), ended(CallId(1))]), (false, Tone::None));
        assert_eq!(told(&[incoming(CallId(1)), answered(CallId(1))]), (true, Tone::None));
        assert_eq!(told(&[calling(CallId(1)), answered(CallId(1)), incoming(CallId(2))]), (true, Tone::None));
        assert_eq!(
            told(&[calling(CallId(1)), answered(CallId(1)), incoming(CallId(2)), ended(CallId(1))]),
            (false, Tone::Ring)
        );
    }

    #[test]
    fn a_headset_that_is_not_there_is_told_of() {
        let program = HeadsetProgram { program: "/no/such/program".into(), arguments: Vec::new() };
        let mut headset = Headset::new(program, Microphone::default());
        assert!(headset.note(&calling(CallId(1))).unwrap_err().contains("/no/such/program"));
    }
}
