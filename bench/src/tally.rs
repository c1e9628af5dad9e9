//! What is counted while a load runs.

/// Counts of one window, and how long answers took.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) begun: u64,
    pub(crate) done: u64,
    /// Refused, or answered in a way that makes no sense.
    pub(crate) failed: u64,
    /// Of these, new calls that were told to come again later (503).
    pub(crate) refused: u64,
    pub(crate) timed_out: u64,
    /// Requests and answers that had to be sent again, or came again.
    pub(crate) again: u64,
    pub(crate) challenged: u64,
    /// The last status that was a failure.
    pub(crate) status: u16,
    micros: Vec<u32>,
}

impl Tally {
    pub(crate) fn took(&mut self, micros: u64) {
        self.micros.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    /// What another thread counted.
    pub(crate) fn add(&mut self, other: Tally) {
        self.begun += other.begun;
        self.done += other.done;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.status = self.status.max(other.status);
        self.micros.extend(other.micros);
    }

    /// Counts from here on only.
    pub(crate) fn restart(&mut self) {
        *self = Tally::default();
    }

    /// As members of a JSON object.
    pub(crate) fn json(&mut self) -> String {
        self.micros.sort_unstable();
        let at = |share: usize| self.micros.get(self.micros.len() * share / 1_000).copied().unwrap_or(0);
        format!(
            "\"begun\":{},\"done\":{},\"failed\":{},\"refused\":{},\"timed_out\":{},\"again\":{},\"challenged\":{},\"status\":{},\
             \"p50_us\":{},\"p99_us\":{},\"p999_us\":{}",
            self.begun,
            self.done,
            self.failed,
            self.refused,
            self.timed_out,
            self.again,
            self.challenged,
            self.status,
            at(500),
            at(990),
            at(999)
        )
    }
}
