//! `[messages]`: what carries messages to people who are not at their phones (S2.6).

use super::many::Many;
use super::smpp::SmppMessages;
use super::template::Template;
use super::{authorities, maybe};
use net::HttpRules;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How long a provider has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// `[messages]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Messages {
    /// Who is asked, the first first; those that are not set are left out.
    pub(crate) order: Vec<Carrier>,
    /// How often one carrier is asked before the next is.
    pub(crate) attempts: u32,
    /// After so many hours a message that nobody took helps nobody.
    pub(crate) hours: u32,
    pub(crate) http: HttpMessages,
    pub(crate) smpp: SmppMessages,
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Carrier {
    /// A provider that is asked by HTTP.
    Http,
    /// A server that speaks SMPP 3.4.
    Smpp,
    /// The person's telephones, once more.
    Sip,
}

impl Carrier {
    pub(crate) const ALL: [Carrier; 3] = [Carrier::Http, Carrier::Smpp, Carrier::Sip];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Carrier::Http => "http",
            Carrier::Smpp => "smpp",
            Carrier::Sip => "sip",
        }
    }
}

/// `[messages.http]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpMessages {
    /// Where the provider is; none if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) url: Option<Template>,
    pub(crate) method: String,
    /// What the body is, and so how texts are written into it.
    pub(crate) content_type: String,
    pub(crate) headers: BTreeMap<String, Template>,
    pub(crate) body: Template,
    /// What `{sender}` stands for.
    pub(crate) sender: String,
    /// The file with what `{secret}` stands for.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Plain HTTP is spoken beyond this machine, too.
    pub(crate) clear: bool,
    /// The authorities that vouch for the provider, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
}

impl Default for Messages {
    fn default() -> Messages {
        Messages {
            order: Carrier::ALL.to_vec(),
            attempts: 8,
            hours: 24,
            http: HttpMessages::default(),
            smpp: SmppMessages::default(),
        }
    }
}

impl Default for HttpMessages {
    fn default() -> HttpMessages {
        HttpMessages {
            url: None,
            method: "POST".into(),
            content_type: "application/json".into(),
            headers: BTreeMap::new(),
            body: Template::new(r#"{"to": "{to}", "text": "{text}", "sender": "{sender}", "key": "{key}"}"#)
                .unwrap_or_default(),
            sender: String::new(),
            secret_file: None,
            clear: false,
            authorities: Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]),
        }
    }
}

/// The section and the key that cannot work, why, and what to do.
pub(crate) type Fault = (&'static str, &'static str, String, &'static str);

impl Messages {
    /// Who is asked, in order, of those that are set. Telephones alone are none: they were shown each message already.
    pub(crate) fn carriers(&self) -> Vec<Carrier> {
        let set = |carrier: &Carrier| match carrier {
            Carrier::Http => self.http.url.is_some(),
            Carrier::Smpp => self.smpp.host.is_some(),
            Carrier::Sip => true,
        };
        let carriers: Vec<Carrier> = self.order.iter().copied().filter(set).collect();
        if carriers == [Carrier::Sip] { Vec::new() } else { carriers }
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key, what: String, advice| faults.push(("messages", key, what, advice));
        if !(1..=20).contains(&self.attempts) {
            fault("attempts", format!("{} attempts cannot be kept", self.attempts), "write 1 to 20");
        }
        if !(1..=168).contains(&self.hours) {
            fault("hours", format!("{} hours cannot be kept", self.hours), "write 1 to 168");
        }
        for (index, carrier) in self.order.iter().enumerate() {
            if self.order[..index].contains(carrier) {
                let what = format!("\"{}\" stands there twice", carrier.name());
                fault("order", what, "name each carrier once");
            }
        }
        if self.http.url.is_some() && !self.order.contains(&Carrier::Http) {
            let what = "\"http\" is set and never asked".into();
            fault("order", what, "name it here, or take [messages.http] url away");
        }
        if self.smpp.host.is_some() && !self.order.contains(&Carrier::Smpp) {
            let what = "\"smpp\" is set and never asked".into();
            fault("order", what, "name it here, or take [messages.smpp] host away");
        }
        faults.extend(self.smpp.fault().map(|(key, what, advice)| ("messages.smpp", key, what, advice)));
        faults.extend(self.http.fault().map(|(key, what, advice)| ("messages.http", key, what, advice)));
        faults
    }
}

impl HttpMessages {
    fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        let url = self.url.as_ref()?;
        let fault = |key, what: String, advice| Some((key, what, advice));
        if !url.text().starts_with("http://") && !url.text().starts_with("https://") {
            return fault("url", "this is no URL".into(), "write it as in https://sms.example/v1/messages");
        }
        if !matches!(&*self.method, "GET" | "POST" | "PUT" | "PATCH") {
            let what = format!("\"{}\" is no method that sends a message", self.method);
            return fault("method", what, "write GET, POST, PUT or PATCH");
        }
        let visible = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ');
        if !visible(&self.content_type) {
            return fault("content_type", "this is no media type".into(), "write it as in application/json");
        }
        for (name, value) in &self.headers {
            let token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
            if name.is_empty() || !name.bytes().all(token) || !visible(value.text()) {
                let what = format!("\"{name}\" cannot be sent as a header");
                return fault("headers", what, "write names and values in printable ASCII characters");
            }
            if value.names().any(|place| place == "text") {
                let what = format!("\"{name}\" would carry the text, which need not be ASCII");
                return fault("headers", what, "put {text} into the body or the URL");
            }
        }
        let parts = [url, &self.body].into_iter().chain(self.headers.values());
        let names: Vec<&str> = parts.flat_map(Template::names).collect();
        if !names.contains(&"to") || !names.contains(&"text") {
            let what = "the provider would not hear to whom, or what".into();
            return fault("body", what, "put {to} and {text} into the body or the URL");
        }
        if names.contains(&"secret") && self.secret_file.is_none() {
            let what = "{secret} stands for nothing".into();
            return fault("secret_file", what, "name the file with the secret on one line");
        }
        let error = self.secret().err()?;
        fault(
            "secret_file",
            error,
            "name a file with the secret on one line, readable for the exchange's user",
        )
    }

    /// What `{secret}` stands for; empty for nothing.
    pub(crate) fn secret(&self) -> Result<String, String> {
        self.secret_file.as_deref().map_or_else(|| Ok(String::new()), super::secret::read)
    }

    /// For who asks; the files are read now.
    pub(crate) fn rules(&self) -> HttpRules {
        authorities::any_server(&self.authorities, self.clear, PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_named_by_its_key() {
        let of = |rest: &str| -> Messages { toml::from_str(rest).expect("sound") };
        let http = |rest: &str| of(&format!("[http]\nurl = \"https://sms.example\"\n{rest}"));
        assert_eq!((of("").faults(), of("").carriers()), (vec![], vec![]));
        assert_eq!((http("").faults(), http("").carriers()), (vec![], vec![Carrier::Http, Carrier::Sip]));
        for (messages, key) in [
            (of("attempts = 0"), "attempts"),
            (of("hours = 200"), "hours"),
            (of("order = [\"sip\", \"sip\"]"), "order"),
            (of("order = [\"sip\"]\n[http]\nurl = \"https://sms.example\""), "order"),
            (of("[http]\nurl = \"sms.example\""), "url"),
            (of("order = [\"sip\"]\n[smpp]\nhost = \"smsc.example\"\nsystem_id = \"a\""), "order"),
            (of("[smpp]\nhost = \"smsc.example\""), "system_id"),
            (http("method = \"DELETE\""), "method"),
            (http("body = \"{to}\""), "body"),
            (http("headers = {\"a b\" = \"x\"}"), "headers"),
            (http("headers = {a = \"\\n\"}"), "headers"),
            (http("headers = {a = \"{text}\"}"), "headers"),
            (http("headers = {a = \"{secret}\"}"), "secret_file"),
            (http("secret_file = \"/nowhere/secret\""), "secret_file"),
        ] {
            let keys: Vec<&str> = messages.faults().iter().map(|(_, key, ..)| *key).collect();
            assert_eq!(keys, [key]);
        }
        for wrong in ["order = [\"fax\"]", "[http]\nbody = \"{tos}\"", "[http]\nports = 1"] {
            assert!(toml::from_str::<Messages>(wrong).is_err(), "{wrong}");
        }
    }
}
