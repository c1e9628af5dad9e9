//! What an operator knows of his trunk: rules that come before the table.

use super::{Ending, Finding, Outcome, Protocol};

/// Mappings of one trunk.
pub const MAPPINGS: usize = 64;

/// What a mapping looks for. Texts are found inside, in any case of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// This final status.
    Status(u16),
    /// This cause in a Reason.
    Reason(Protocol, u16),
    /// A header of this name that has this text.
    Header(Box<str>, Box<str>),
    /// The reason phrase, or the text of a Reason, has this text.
    Text(Box<str>),
    /// This announcement was recognised.
    Announcement(Box<str>),
}

/// When all signs are there, this is what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// All of them; a mapping without any never applies.
    pub signs: Vec<Sign>,
    /// What they mean together.
    pub outcome: Outcome,
}

/// The mappings of one trunk, the first that applies decides.
#[derive(Clone, Debug, Default)]
pub struct CauseRules(Vec<Mapping>);

/// More mappings than a trunk may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyMappings(pub usize);

impl std::fmt::Display for TooManyMappings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} mappings of causes, at most {MAPPINGS}", self.0)
    }
}

impl std::error::Error for TooManyMappings {}

impl CauseRules {
    /// These rules, in this order.
    ///
    /// # Errors
    /// When there are more than [`MAPPINGS`].
    pub fn new(mappings: Vec<Mapping>) -> Result<CauseRules, TooManyMappings> {
        if mappings.len() > MAPPINGS {
            return Err(TooManyMappings(mappings.len()));
        }
        Ok(CauseRules(mappings))
    }

    /// What an ending means on this trunk.
    #[must_use]
    pub fn finding(&self, ending: &Ending<'_>) -> Finding {
        let applies = |mapping: &&Mapping| {
            !mapping.signs.is_empty() && mapping.signs.iter().all(|sign| is_there(sign, ending))
        };
        let Some(mapping) = self.0.iter().find(applies) else { return Finding::usual(ending) };
        // Networks play the announcement of a vacant number for phones that are off, too: it proves nothing alone.
        let heard_only = mapping.signs.iter().all(|sign| matches!(sign, Sign::Announcement(_)));
        let by_itself = Finding::usual(ending);
        let sure = mapping.outcome != Outcome::Vacant
            || !heard_only
            || (by_itself.outcome == Outcome::Vacant && by_itself.sure);
        Finding { sure, ..Finding::sure(mapping.outcome) }
    }
}

fn is_there(sign: &Sign, ending: &Ending<'_>) -> bool {
    match sign {
        Sign::Status(status) => ending.status == Some(*status),
        Sign::Reason(protocol, cause) => ending.reasons.contains(&(*protocol, *cause)),
        Sign::Header(name, text) => {
            let mut named = ending.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
            named.any(|(_, value)| contains(value, text))
        }
        Sign::Text(text) => contains(ending.text, text),
        Sign::Announcement(name) => ending.announcement == Some(&**name),
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> CauseRules {
        let mapping = |signs: &[Sign], outcome| Mapping { signs: signs.to_vec(), outcome };
        let rules = CauseRules::new(vec![
            mapping(&[], Outcome::Declined),
            mapping(&[Sign::Status(403), Sign::Text("停机".into())], Outcome::Suspended),
            mapping(&[Sign::Header("X-Cause".into(), "arrears".into())], Outcome::Suspended),
            mapping(&[Sign::Reason(Protocol::Q850, 31)], Outcome::NoAnswer),
            mapping(&[Sign::Status(486)], Outcome::Declined),
            mapping(&[Sign::Announcement("vacant".into())], Outcome::Vacant),
        ]);
        rules.expect("few")
    }

    #[test]
    fn a_trunk_may_say_it_in_its_own_words() {
        let ending = Ending { status: Some(403), ..Ending::default() };
        let by = |ending| rules().finding(&ending).outcome;
        assert_eq!(by(Ending { text: "用户已停机", ..ending }), Outcome::Suspended);
        assert_eq!(by(ending), Outcome::Network);
        assert_eq!(by(Ending { headers: &[("x-cause", "in ARREARS")], ..ending }), Outcome::Suspended);
        assert_eq!(by(Ending { headers: &[("x-other", "in arrears")], ..ending }), Outcome::Network);
        assert_eq!(by(Ending { reasons: &[(Protocol::Q850, 31)], ..ending }), Outcome::NoAnswer);
        assert_eq!(by(Ending { status: Some(486), ..ending }), Outcome::Declined);
        assert_eq!(by(Ending { status: Some(480), ..ending }), Outcome::Unreachable);
    }

    #[test]
    fn an_announcement_proves_a_vacant_number_only_with_a_cause() {
        let heard = Ending { status: Some(480), announcement: Some("vacant"), ..Ending::default() };
        let alone = rules().finding(&heard);
        assert_eq!((alone.outcome, alone.sure), (Outcome::Vacant, false));
        let both = rules().finding(&Ending { reasons: &[(Protocol::Q850, 1)], ..heard });
        assert_eq!((both.outcome, both.sure), (Outcome::Vacant, true));
    }

    #[test]
    fn mappings_have_a_bound() {
        let many = vec![Mapping { signs: vec![], outcome: Outcome::Busy }; MAPPINGS + 1];
        assert_eq!(CauseRules::new(many).err(), Some(TooManyMappings(MAPPINGS + 1)));
    }
}
