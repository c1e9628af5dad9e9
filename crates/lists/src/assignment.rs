//! What a phone is given to do: whose list, where it lies, where results go, and how it is worked through. The same JSON lies
//! in a file, comes from a link, or is sent by an exchange.

use crate::results::Shape;
use crate::work::{Settings, Subject};
use crate::{Mapping, Numbering, Order, Reading};
use dialing::cause::Outcome;
use dialing::window::Hours;
use dialing::{Basis, Consent, Number, Places, Policy, Profile, Stricter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An assignment. Unknown keys are refused, so that a slip of the pen does not go unseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assignment {
    /// The agent's identifier; rows and lists of others are refused (S3.4).
    pub agent: String,
    /// The link to the list: a path, or http, https, ftp, ftps, ftpes, scp, sftp. Empty: there is nothing to do.
    pub list: String,
    /// The folder that results go to; the list's own when it is empty.
    pub results: String,
    /// A secret for both, sent as a bearer token by https alone.
    pub token: String,
    /// The order of the calls: keys by commas, as in `priority,slot,-city`; that of the file when it is empty.
    pub order: String,
    /// Seconds between two calls (S3.16).
    pub gap_s: u32,
    /// Seconds before a callee who was not reached is called again (S3.13).
    pub interval_s: u32,
    /// Seconds by what the last attempt came to, as in `{"busy": 120}`, beyond [`Assignment::interval_s`].
    pub interval_by_cause_s: BTreeMap<String, u32>,
    /// Attempts for each row (S3.14).
    pub attempts: u16,
    /// Seconds that the callee's phone rings before we give up; the least that a law demands holds as well.
    pub ring_s: u16,
    /// The country code of numbers that say none, as in `86`; without it such numbers are refused.
    pub country: String,
    /// What stands before an area code at home.
    pub national: String,
    /// What stands for `+` in the list.
    pub international: String,
    /// What is dialled for `+`, as the server wants it.
    pub dial_plus: String,
    /// Digits of the longest number inside the office.
    pub inside: usize,
    /// The office's time zone.
    pub zone: String,
    /// On what ground callees may be called where the list says nothing: `agreed`, `requested` or `contract`, and what proves it.
    pub consent: String,
    /// What headers of the list mean that we do not know, as in `{"Rufnummer": "number"}`.
    pub mapping: BTreeMap<String, String>,
    /// The shape of the results: `csv`, `json` or `uccx`.
    pub format: String,
    /// Seconds between two uploads while calls are made.
    pub upload_s: u32,
    /// Seconds between two looks whether the list has changed; 0 is never.
    pub refresh_s: u32,
    /// Numbers that are never dialled by themselves.
    pub emergency: Vec<String>,
    /// What came of a call, by one key, as in `{"1": "sold"}`.
    pub keys: BTreeMap<char, String>,
}

impl Default for Assignment {
    fn default() -> Assignment {
        let text = |text: &str| text.to_owned();
        Assignment {
            agent: String::new(),
            list: String::new(),
            results: String::new(),
            token: String::new(),
            order: String::new(),
            gap_s: 5,
            interval_s: 600,
            interval_by_cause_s: BTreeMap::new(),
            attempts: 5,
            ring_s: 30,
            country: String::new(),
            national: text("0"),
            international: text("00"),
            dial_plus: text("+"),
            inside: 6,
            zone: text("UTC"),
            consent: String::new(),
            mapping: BTreeMap::new(),
            format: text("csv"),
            upload_s: 60,
            refresh_s: 0,
            emergency: ["110", "112", "119", "120", "122", "911", "999", "000"].map(text).into(),
            keys: BTreeMap::new(),
        }
    }
}

/// Why an assignment is not taken, and which of its keys is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAssignment {
    /// The key.
    pub key: &'static str,
    /// Why.
    pub why: String,
}

impl fmt::Display for WrongAssignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "assignment, {}: {}", self.key, self.why)
    }
}

impl std::error::Error for WrongAssignment {}

/// What a list is worked through by.
#[derive(Debug)]
pub struct Rules {
    /// The order, the agent, the attempts.
    pub settings: Settings,
    /// The law, and what the assignment adds to it.
    pub policy: Policy,
    /// Where numbers are.
    pub places: Places,
}

impl Assignment {
    /// As it is written in JSON.
    ///
    /// # Errors
    /// Where it is no JSON, or which key is none or has a value that is none.
    pub fn read(text: &[u8]) -> Result<Assignment, String> {
        let read: Assignment = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        read.check().map_err(|wrong| wrong.to_string())?;
        Ok(read)
    }

    /// As [`Assignment::read`] takes it.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it can be worked by.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub fn check(&self) -> Result<(), WrongAssignment> {
        self.rules("check").map(drop)?;
        self.shape()?;
        Ok(())
    }

    /// How the list's file is meant.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let mapping: Mapping =
            self.mapping.iter().map(|(header, name)| (Box::from(&**header), Box::from(&**name))).collect();
        let agent = (!self.agent.is_empty()).then(|| self.agent.as_str().into());
        Reading { mapping, agent }
    }

    /// The name of the list: the last part of its link, without ending and query.
    #[must_use]
    pub fn name(&self) -> &str {
        let link = self.list.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let file = link.rsplit('/').next().unwrap_or_default();
        file.split_once('.').map_or(file, |(name, _)| name)
    }

    /// The folder that results go to, with a slash at its end.
    #[must_use]
    pub fn folder(&self) -> String {
        let folder = if self.results.is_empty() {
            let link = self.list.split(['?', '#']).next().unwrap_or_default();
            link.rsplit_once('/').map_or("", |(folder, _)| folder)
        } else {
            self.results.trim_end_matches('/')
        };
        format!("{}/", if folder.is_empty() { "." } else { folder })
    }

    /// The shape of the results, and the ending of their file.
    ///
    /// # Errors
    /// When there is no such shape.
    pub fn shape(&self) -> Result<(Shape, &'static str), WrongAssignment> {
        let shape = Shape::by_name(&self.format).ok_or_else(|| WrongAssignment {
            key: "format",
            why: format!("\"{}\" is none of csv, json, uccx", self.format),
        })?;
        let ending = match shape {
            Shape::Csv => "results.csv",
            Shape::JsonLines => "results.jsonl",
            Shape::Uccx => "results.uccx.csv",
        };
        Ok((shape, ending))
    }

    /// What a list is worked through by; `run` tells this working from another.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub fn rules(&self, run: &str) -> Result<Rules, WrongAssignment> {
        let wrong = |key, why: String| WrongAssignment { key, why };
        let settings = self.settings(run)?;
        let places = Places::new(&self.zone).ok_or_else(|| {
            wrong("zone", format!("\"{}\" is no time zone such as Asia/Shanghai", self.zone))
        })?;
        if !self.dial_plus.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'+' | b'*' | b'#'))
        {
            return Err(wrong("dial_plus", format!("\"{}\" cannot be dialled", self.dial_plus)));
        }
        let emergency: Result<Vec<Number>, _> = self
            .emergency
            .iter()
            .map(|number| {
                Number::parse(number).map_err(|error| wrong("emergency", format!("\"{number}\": {error}")))
            })
            .collect();
        let emergency = emergency?;
        let mut policy = Policy::new(Box::new(move |number| emergency.contains(&number)));
        for profile in Profile::ALL {
            policy.set(profile, self.stricter()?).map_err(|laxer| wrong("ring_s", laxer.to_string()))?;
        }
        Ok(Rules { settings, policy, places })
    }

    /// How its rows become tasks; `run` tells this working from another.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub fn settings(&self, run: &str) -> Result<Settings, WrongAssignment> {
        let wrong = |key, why: String| WrongAssignment { key, why };
        let order = Order::parse(&self.order).map_err(|error| wrong("order", error.to_string()))?;
        let digits = |key, text: &str| {
            let fits = text.len() <= 8 && text.bytes().all(|octet| octet.is_ascii_digit());
            if fits {
                Ok(Box::from(text))
            } else {
                Err(wrong(key, format!("\"{text}\" is no prefix of digits")))
            }
        };
        let numbering = Numbering {
            country: digits("country", &self.country)?,
            national: digits("national", &self.national)?,
            international: digits("international", &self.international)?,
            inside: self.inside,
        };
        Ok(Settings {
            subject: Subject { agent: self.agent.as_str().into(), list: self.name().into(), run: run.into() },
            order,
            numbering,
            gap: self.gap_s,
            interval: Some(self.interval_s),
            attempts: Some(self.attempts.max(1)),
            consent: self.consent()?,
            ..Settings::default()
        })
    }

    fn stricter(&self) -> Result<Stricter, WrongAssignment> {
        let after: Result<Vec<(Outcome, u32)>, WrongAssignment> = self
            .interval_by_cause_s
            .iter()
            .map(|(name, seconds)| {
                let outcome = Outcome::by_name(name).ok_or_else(|| {
                    let all: Vec<&str> = Outcome::ALL.into_iter().map(Outcome::name).collect();
                    let why = format!("\"{name}\" is none of {}", all.join(", "));
                    WrongAssignment { key: "interval_by_cause_s", why }
                })?;
                Ok((outcome, *seconds))
            })
            .collect();
        Ok(Stricter { after: after?, hours: Hours::ALWAYS, ..Stricter::nothing() })
    }

    fn consent(&self) -> Result<Option<Consent>, WrongAssignment> {
        let text = self.consent.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (basis, evidence) = text.split_once(' ').unwrap_or((text, ""));
        let basis = Basis::by_name(basis).ok_or_else(|| WrongAssignment {
            key: "consent",
            why: format!("\"{basis}\" is none of agreed, requested, contract"),
        })?;
        Ok(Some(Consent { basis, evidence: evidence.trim().into(), until: None }))
    }

    /// A number as the server wants it dialled.
    #[must_use]
    pub fn dialled(&self, number: Number) -> String {
        let text = number.to_string();
        text.strip_prefix('+').map_or(text.clone(), |digits| format!("{}{digits}", self.dial_plus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_or_refused_with_its_key() {
        let read =
            Assignment::read(br#"{"agent":"ada","list":"https://lists.example/a/ada.csv?x=1","attempts":3}"#);
        let read = read.unwrap();
        assert_eq!((read.name(), read.folder().as_str()), ("ada", "https://lists.example/a/"));
        for (text, told) in [
            (r#"{"agnt":"ada"}"#, "unknown field `agnt`"),
            (r#"{"zone":"Mars"}"#, "assignment, zone: \"Mars\" is no time zone such as Asia/Shanghai"),
            (r#"{"order":"a,b,c,d,e"}"#, "assignment, order: more than 4 keys"),
            (r#"{"format":"xml"}"#, "assignment, format: \"xml\" is none of csv, json, uccx"),
            (
                r#"{"consent":"perhaps"}"#,
                "assignment, consent: \"perhaps\" is none of agreed, requested, contract",
            ),
            (
                r#"{"interval_by_cause_s":{"bussy":1}}"#,
                "assignment, interval_by_cause_s: \"bussy\" is none of ",
            ),
            (r#"{"country":"+86"}"#, "assignment, country: \"+86\" is no prefix of digits"),
            (r#"{"dial_plus":"a"}"#, "assignment, dial_plus: \"a\" cannot be dialled"),
            (r#"{"emergency":["help"]}"#, "assignment, emergency: \"help\": "),
        ] {
            let refused = Assignment::read(text.as_bytes()).unwrap_err();
            assert!(refused.starts_with(told), "{text}: {refused}");
        }
    }

    #[test]
    fn the_schema_has_the_same_keys() {
        let schema = include_str!("../../../docs/assignment.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let own = serde_json::to_value(Assignment::default()).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect()
        };
        assert_eq!(keys(&schema["properties"]), keys(&own));
    }

    #[test]
    fn results_go_to_their_link_or_beside_the_list() {
        for (list, results, folder) in [
            ("/srv/lists/ada.csv", "", "/srv/lists/"),
            ("ada.csv", "", "./"),
            ("ftp://h/lists/ada.csv", "ftp://h/results", "ftp://h/results/"),
        ] {
            let assignment =
                Assignment { list: list.to_owned(), results: results.to_owned(), ..Assignment::default() };
            assert_eq!((assignment.name(), assignment.folder().as_str()), ("ada", folder));
        }
    }

    #[test]
    fn a_number_is_dialled_as_the_server_wants_it() {
        let assignment = Assignment { dial_plus: "900".to_owned(), ..Assignment::default() };
        assert_eq!(assignment.dialled(Number::parse("+8610").unwrap()), "9008610");
        assert_eq!(assignment.dialled(Number::parse("2041").unwrap()), "2041");
    }
}
