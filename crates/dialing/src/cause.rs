//! What became of an attempt: one table from what the network says to what it means for the next attempt.
//!
//! `docs/causes.md` is made from this table and compared with it by a test.

mod own;
#[cfg(test)]
mod page;

pub use own::{CauseRules, MAPPINGS, Mapping, Sign, TooManyMappings};

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The callee answered and talked to somebody.
    Answered,
    /// The callee answered and nobody was there for him.
    Abandoned,
    /// The callee talks.
    Busy,
    /// It rang and nobody came.
    NoAnswer,
    /// The phone is switched off.
    Off,
    /// The phone is not to be reached now.
    Unreachable,
    /// The line is out of service for a while.
    Suspended,
    /// Nobody has this number.
    Vacant,
    /// The callee does not want to talk.
    Declined,
    /// The network could not; or nobody can tell.
    Network,
    /// We ended it before it came to something.
    Withdrawn,
    /// It was claimed, and we died before its end was written. It counts (R26).
    Lost,
    /// It was claimed and never left the house. It does not count.
    NotDialled,
}

/// What standards for repeated calls make of it (3GPP TS 22.001 annex E).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The callee is busy, or was reached.
    Busy,
    /// May be better soon.
    Temporary,
    /// Will not be better soon.
    Permanent,
}

/// What was found out about an attempt that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What it means.
    pub outcome: Outcome,
    /// For the distance to the next.
    pub category: Category,
    /// Whether it is sure; a vacant number that is not is tried once more.
    pub sure: bool,
}

/// The protocol of a Reason header (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// `Q.850;cause=`: what the telephone network said.
    Q850,
    /// `SIP;cause=`: the status that another server had.
    Sip,
}

/// The network played the tones that stand before the announcement of a vacant number.
pub const ANNOUNCED_VACANT: &str = "vacant";
/// It played those that say that no way was free.
pub const ANNOUNCED_CONGESTION: &str = "congestion";

/// How an attempt ended, as whoever made the call saw it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending<'a> {
    /// The final status, if one came.
    pub status: Option<u16>,
    /// What its Reason headers say.
    pub reasons: &'a [(Protocol, u16)],
    /// Other headers, for the rules of a trunk.
    pub headers: &'a [(&'a str, &'a str)],
    /// The reason phrase and the texts of Reason.
    pub text: &'a str,
    /// The announcement that was recognised before the end: [`ANNOUNCED_VACANT`], [`ANNOUNCED_CONGESTION`], or by the name that
    /// whoever recognised it has for it.
    pub announcement: Option<&'a str>,
    /// Our own time to ring was over.
    pub rang_out: bool,
    /// It did not leave the house: a number inside.
    pub inside: bool,
}

/// One row: which signs mean what.
struct Row {
    outcome: Outcome,
    category: Category,
    q850: &'static [u16],
    status: &'static [u16],
}

const fn row(outcome: Outcome, category: Category, q850: &'static [u16], status: &'static [u16]) -> Row {
    Row { outcome, category, q850, status }
}

/// Q.850 first: a gateway knows more than the status that it had to choose (RFC 3398 maps many causes on one status).
/// The categories are those of 3GPP TS 22.001, which calls 3 and 38 permanent.
const TABLE: [Row; 12] = [
    row(Outcome::Busy, Category::Busy, &[17], &[486, 600]),
    row(Outcome::NoAnswer, Category::Temporary, &[19], &[408]),
    row(Outcome::Off, Category::Temporary, &[20], &[]),
    row(Outcome::Unreachable, Category::Temporary, &[18, 27], &[480]),
    row(Outcome::Vacant, Category::Permanent, &[1, 22, 28], &[410, 484, 604]),
    row(Outcome::Declined, Category::Permanent, &[21], &[603, 607, 608]),
    row(Outcome::Network, Category::Temporary, &[34, 41, 42, 44, 47], &[502, 503, 504]),
    row(Outcome::Network, Category::Permanent, &[3, 38], &[]),
    // 487 answers our own CANCEL when the time to ring is over; without one somebody else withdrew the call.
    row(Outcome::Network, Category::Temporary, &[], &[487]),
    row(Outcome::Suspended, Category::Temporary, &[], &[]),
    row(Outcome::Withdrawn, Category::Temporary, &[], &[]),
    row(Outcome::Lost, Category::Temporary, &[], &[]),
];

impl Outcome {
    /// The category when nothing says more.
    #[must_use]
    pub fn category(self) -> Category {
        TABLE.iter().find(|row| row.outcome == self).map_or(Category::Busy, |row| row.category)
    }

    /// The key of its words in a catalogue.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Outcome::Answered => "dialing.outcome.answered",
            Outcome::Abandoned => "dialing.outcome.abandoned",
            Outcome::Busy => "dialing.outcome.busy",
            Outcome::NoAnswer => "dialing.outcome.no_answer",
            Outcome::Off => "dialing.outcome.off",
            Outcome::Unreachable => "dialing.outcome.unreachable",
            Outcome::Suspended => "dialing.outcome.suspended",
            Outcome::Vacant => "dialing.outcome.vacant",
            Outcome::Declined => "dialing.outcome.declined",
            Outcome::Network => "dialing.outcome.network",
            Outcome::Withdrawn => "dialing.outcome.withdrawn",
            Outcome::Lost => "dialing.outcome.lost",
            Outcome::NotDialled => "dialing.outcome.not_dialled",
        }
    }

    /// Its name in files and tables: the last word of its key.
    #[must_use]
    pub fn name(self) -> &'static str {
        last_word(self.key())
    }

    /// The outcome of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Every outcome, in the order of the table.
    pub const ALL: [Outcome; 13] = [
        Outcome::Answered,
        Outcome::Abandoned,
        Outcome::Busy,
        Outcome::NoAnswer,
        Outcome::Off,
        Outcome::Unreachable,
        Outcome::Suspended,
        Outcome::Vacant,
        Outcome::Declined,
        Outcome::Network,
        Outcome::Withdrawn,
        Outcome::Lost,
        Outcome::NotDialled,
    ];
}

impl Category {
    const NAMES: [(Category, &str); 3] =
        [(Category::Busy, "busy"), (Category::Temporary, "temporary"), (Category::Permanent, "permanent")];

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Category::NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The category of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Category> {
        Category::NAMES.iter().find(|(_, known)| *known == name).map(|(category, _)| *category)
    }
}

/// The last word of a key of the catalogue.
pub(crate) fn last_word(key: &'static str) -> &'static str {
    key.rsplit('.').next().unwrap_or(key)
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outcome::Answered => "answered",
            Outcome::Abandoned => "answered, nobody there",
            Outcome::Busy => "busy",
            Outcome::NoAnswer => "no answer",
            Outcome::Off => "switched off",
            Outcome::Unreachable => "unreachable",
            Outcome::Suspended => "suspended",
            Outcome::Vacant => "vacant",
            Outcome::Declined => "declined",
            Outcome::Network => "network failure",
            Outcome::Withdrawn => "withdrawn",
            Outcome::Lost => "lost in a crash",
            Outcome::NotDialled => "not dialled",
        })
    }
}

impl Finding {
    /// This outcome, for sure.
    #[must_use]
    pub fn sure(outcome: Outcome) -> Finding {
        Finding { outcome, category: outcome.category(), sure: true }
    }

    fn doubtful(outcome: Outcome) -> Finding {
        Finding { sure: false, ..Finding::sure(outcome) }
    }

    /// What an ending means, when no rule of the trunk says otherwise: what was announced while it rang, our own clock, Q.850, then
    /// the status. An announcement counts where nobody else says what the matter is: networks play that of a vacant number for
    /// phones that are switched off, too.
    #[must_use]
    pub fn usual(ending: &Ending<'_>) -> Finding {
        let told = Finding::told(ending);
        let says_little = matches!(told.outcome, Outcome::NoAnswer | Outcome::Unreachable | Outcome::Network);
        match ending.announcement {
            Some(ANNOUNCED_VACANT) if says_little && !ending.has_cause() => {
                Finding::doubtful(Outcome::Vacant)
            }
            // Both say the same.
            Some(ANNOUNCED_VACANT) if told.outcome == Outcome::Vacant => Finding::sure(Outcome::Vacant),
            Some(ANNOUNCED_CONGESTION) if says_little => Finding::sure(Outcome::Network),
            _ => told,
        }
    }

    /// What somebody else says, or our clock.
    fn told(ending: &Ending<'_>) -> Finding {
        if ending.rang_out {
            return Finding::sure(Outcome::NoAnswer);
        }
        let causes = |protocol| {
            ending.reasons.iter().filter(move |(said, _)| *said == protocol).map(|(_, cause)| *cause)
        };
        let by_q850 = causes(Protocol::Q850).find_map(|cause| found(cause, |row| row.q850));
        let mut statuses = causes(Protocol::Sip).chain(ending.status);
        let by_status = || statuses.find_map(|status| of_status(status, ending.inside));
        by_q850.or_else(by_status).unwrap_or(Finding::sure(Outcome::Network))
    }
}

impl Ending<'_> {
    /// The telephone network says in a Reason what the matter is.
    fn has_cause(&self) -> bool {
        let known = |cause| found(cause, |row| row.q850).is_some();
        self.reasons.iter().any(|(protocol, cause)| *protocol == Protocol::Q850 && known(*cause))
    }
}

fn found(sign: u16, column: impl Fn(&Row) -> &'static [u16]) -> Option<Finding> {
    let row = TABLE.iter().find(|row| column(row).contains(&sign))?;
    Some(Finding { outcome: row.outcome, category: row.category, sure: true })
}

/// 404 inside is our own word. From a trunk it is often said of phones that are only switched off.
fn of_status(status: u16, inside: bool) -> Option<Finding> {
    match status {
        404 if inside => Some(Finding::sure(Outcome::Vacant)),
        404 => Some(Finding::doubtful(Outcome::Vacant)),
        _ => found(status, |row| row.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(status: u16, q850: &[u16], inside: bool) -> Finding {
        let reasons: Vec<_> = q850.iter().map(|cause| (Protocol::Q850, *cause)).collect();
        Finding::usual(&Ending { status: Some(status), reasons: &reasons, inside, ..Ending::default() })
    }

    #[test]
    fn each_sign_means_what_the_table_says() {
        for (status, q850, outcome) in [
            (486, &[][..], Outcome::Busy),
            (600, &[], Outcome::Busy),
            (500, &[17], Outcome::Busy),
            (408, &[], Outcome::NoAnswer),
            (480, &[19], Outcome::NoAnswer),
            (480, &[20], Outcome::Off),
            (480, &[], Outcome::Unreachable),
            (480, &[18], Outcome::Unreachable),
            (500, &[27], Outcome::Unreachable),
            (404, &[1], Outcome::Vacant),
            (410, &[], Outcome::Vacant),
            (484, &[], Outcome::Vacant),
            (604, &[], Outcome::Vacant),
            (500, &[28], Outcome::Vacant),
            (603, &[], Outcome::Declined),
            (607, &[], Outcome::Declined),
            (608, &[], Outcome::Declined),
            (403, &[21], Outcome::Declined),
            (503, &[34], Outcome::Network),
            (502, &[38], Outcome::Network),
            (504, &[], Outcome::Network),
            (487, &[], Outcome::Network),
            (418, &[], Outcome::Network),
            // What the network says beside normal clearing counts, and normal clearing says nothing.
            (486, &[16], Outcome::Busy),
            (480, &[16, 20], Outcome::Off),
        ] {
            assert_eq!(usual(status, q850, false).outcome, outcome, "{status} {q850:?}");
        }
    }

    #[test]
    fn a_trunks_404_alone_is_no_proof() {
        assert!(!usual(404, &[], false).sure);
        assert!(usual(404, &[], true).sure);
        assert!(usual(404, &[1], false).sure);
        assert_eq!(usual(404, &[20], false).outcome, Outcome::Off);
    }

    #[test]
    fn an_announcement_counts_where_nobody_says_more_and_is_no_proof_alone() {
        let heard = |status, q850: &[u16], rang_out, announcement| {
            let reasons: Vec<_> = q850.iter().map(|cause| (Protocol::Q850, *cause)).collect();
            let announcement = Some(announcement);
            Finding::usual(&Ending { status, reasons: &reasons, rang_out, announcement, ..Ending::default() })
        };
        let doubt = Finding::doubtful(Outcome::Vacant);
        assert_eq!(heard(Some(480), &[], false, ANNOUNCED_VACANT), doubt);
        assert_eq!(heard(Some(487), &[], true, ANNOUNCED_VACANT), doubt, "we gave up while it was played");
        assert_eq!(heard(Some(480), &[16], false, ANNOUNCED_VACANT), doubt, "normal clearing says nothing");
        assert_eq!(heard(Some(404), &[], false, ANNOUNCED_VACANT), Finding::sure(Outcome::Vacant));
        assert_eq!(heard(Some(500), &[1], false, ANNOUNCED_VACANT), Finding::sure(Outcome::Vacant));
        assert_eq!(heard(Some(480), &[20], false, ANNOUNCED_VACANT).outcome, Outcome::Off);
        assert_eq!(heard(Some(486), &[], false, ANNOUNCED_VACANT).outcome, Outcome::Busy);
        assert_eq!(heard(Some(480), &[], true, ANNOUNCED_CONGESTION), Finding::sure(Outcome::Network));
        assert_eq!(heard(Some(404), &[], false, ANNOUNCED_CONGESTION), Finding::doubtful(Outcome::Vacant));
        assert_eq!(heard(Some(480), &[], false, "sorry").outcome, Outcome::Unreachable);
    }

    #[test]
    fn our_own_clock_and_the_status_of_another_server() {
        let ours = Ending { status: Some(487), rang_out: true, ..Ending::default() };
        assert_eq!(Finding::usual(&ours).outcome, Outcome::NoAnswer);
        let theirs = Ending { status: Some(500), reasons: &[(Protocol::Sip, 486)], ..Ending::default() };
        assert_eq!(Finding::usual(&theirs).outcome, Outcome::Busy);
        assert_eq!(Finding::usual(&Ending::default()).outcome, Outcome::Network);
    }

    #[test]
    fn categories_are_those_of_the_standard() {
        for (cause, category) in [
            (17, Category::Busy),
            (18, Category::Temporary),
            (19, Category::Temporary),
            (27, Category::Temporary),
            (34, Category::Temporary),
            (41, Category::Temporary),
            (42, Category::Temporary),
            (44, Category::Temporary),
            (47, Category::Temporary),
            (1, Category::Permanent),
            (3, Category::Permanent),
            (22, Category::Permanent),
            (28, Category::Permanent),
            (38, Category::Permanent),
        ] {
            assert_eq!(usual(500, &[cause], false).category, category, "{cause}");
        }
    }
}
