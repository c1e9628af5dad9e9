//! `[messages.smpp]`: a server that takes text messages by SMPP 3.4.

use super::many::Many;
use super::{authorities, maybe};
use net::{SmppAddress, SmppRules};
use serde::Deserialize;
use std::path::PathBuf;

/// `[messages.smpp]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SmppMessages {
    /// Its name or address; none if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    /// Who we are there.
    pub(crate) system_id: String,
    /// The file with the password.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) password_file: Option<PathBuf>,
    /// Who texts come from, and of what kind that and the numbers that they go to are (SMPP 5.2.5, 5.2.6).
    pub(crate) source: String,
    pub(crate) source_ton: u8,
    pub(crate) source_npi: u8,
    pub(crate) destination_ton: u8,
    pub(crate) destination_npi: u8,
    /// Whether by TLS.
    pub(crate) tls: bool,
    /// The authorities that vouch for it, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
}

impl Default for SmppMessages {
    fn default() -> SmppMessages {
        SmppMessages {
            host: None,
            port: 2775,
            system_id: String::new(),
            password_file: None,
            source: String::new(),
            source_ton: 5,
            source_npi: 0,
            destination_ton: 1,
            destination_npi: 1,
            tls: false,
            authorities: Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]),
        }
    }
}

impl SmppMessages {
    /// The key that cannot work, why, and what to do.
    pub(super) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        self.host.as_ref()?;
        let fault = |key, what: String, advice| Some((key, what, advice));
        let sound = |text: &str, most: usize| {
            text.len() <= most && text.bytes().all(|octet| octet.is_ascii_graphic())
        };
        if self.port == 0 {
            return fault("port", "0 is no port".into(), "write the server's, mostly 2775");
        }
        // SMPP 3.4 4.1.5 and 5.2.8.
        if self.system_id.is_empty() || !sound(&self.system_id, 15) {
            let advice = "write the name that the provider gave you, 1 to 15 characters";
            return fault("system_id", "the server would not know us".into(), advice);
        }
        if !sound(&self.source, 20) {
            return fault("source", "this is no sender".into(), "write at most 20 ASCII characters");
        }
        match self.password() {
            Ok(password) if password.len() > 8 => fault(
                "password_file",
                "the password is too long for SMPP".into(),
                "take one of at most 8 characters",
            ),
            Ok(_) => None,
            Err(error) => {
                let advice = "name a file with the password on one line, readable for the exchange's user";
                fault("password_file", error, advice)
            }
        }
    }

    fn password(&self) -> Result<String, String> {
        self.password_file.as_deref().map_or_else(|| Ok(String::new()), super::secret::read)
    }

    /// How the server is spoken to, if there is one; the files are read now.
    pub(crate) fn rules(&self) -> Result<Option<SmppRules>, String> {
        let Some(host) = self.host.clone() else { return Ok(None) };
        let tls = self.tls.then(|| authorities::read(&self.authorities));
        let source = match &*self.source {
            // The server's own (SMPP 5.2.8).
            "" => SmppAddress::default(),
            text => SmppAddress { ton: self.source_ton, npi: self.source_npi, text: text.to_owned() },
        };
        let (system_id, password) = (self.system_id.clone(), self.password()?);
        let destination = (self.destination_ton, self.destination_npi);
        Ok(Some(SmppRules { host, port: self.port, tls, system_id, password, source, destination }))
    }
}
