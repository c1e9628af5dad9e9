//! A provider that is asked by HTTP, in the words of the configuration. Success is any 2xx.

use super::turn::Outcome;
use crate::config::{HttpMessages, Template, Writing};
use net::{HttpClient, HttpReply, Method};
use std::time::Duration;
use store::KeptMessage;

/// The header by which the provider knows a message that it was asked for before.
const KEY: &str = "Idempotency-Key";

/// The provider.
pub(super) struct Provider {
    client: HttpClient,
    url: Template,
    method: Method,
    headers: Vec<(String, Template)>,
    body: Template,
    writing: Writing,
    sender: String,
    secret: String,
}

impl Provider {
    /// The provider that is set, if one is; to be made inside of the runtime.
    pub(super) fn new(settings: &HttpMessages, client: HttpClient) -> Result<Option<Provider>, String> {
        let Some(url) = settings.url.clone() else { return Ok(None) };
        let method = Method::from_bytes(settings.method.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Some(
            Provider {
                client,
                url,
                method,
                headers: settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                body: settings.body.clone(),
                writing: Writing::of(&settings.content_type),
                sender: settings.sender.clone(),
                secret: settings.secret()?,
            }
            .with_type(&settings.content_type),
        ))
    }

    fn with_type(mut self, content_type: &str) -> Provider {
        if self.method != Method::GET
            && let Ok(value) = Template::new(content_type)
        {
            self.headers.push(("Content-Type".into(), value));
        }
        self
    }

    /// Asks once.
    pub(super) async fn carry(&self, message: &KeptMessage) -> Outcome {
        let value = |name: &str| match name {
            "to" => message.mobile.as_deref().unwrap_or_default(),
            "text" => &message.text,
            "key" => &message.key,
            "sender" => &self.sender,
            _ => &self.secret,
        };
        let url = self.url.filled(Writing::Percent, value);
        let mut headers: Vec<(&str, String)> = self
            .headers
            .iter()
            .map(|(name, template)| (name.as_str(), template.filled(Writing::Plain, value)))
            .collect();
        headers.push((KEY, message.key.clone()));
        let body = match self.method {
            Method::GET => String::new(),
            _ => self.body.filled(self.writing, value),
        };
        match self.client.send(self.method.clone(), &url, &headers, body.into()).await {
            Ok(reply) => outcome(reply),
            Err(why) => Outcome::Later { answer: why, after: None },
        }
    }
}

/// What an answer means. A provider that still works on the same key says 409, one that is asked too often 429.
fn outcome(reply: HttpReply) -> Outcome {
    let HttpReply { status, retry_after, body } = reply;
    let answer = format!("status {status} {body}");
    match status {
        200..=299 => Outcome::Taken { answer, references: Vec::new() },
        400..=499 if !matches!(status, 408 | 409 | 425 | 429) => Outcome::Refused { answer },
        _ => {
            let after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
            Outcome::Later { answer, after }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_2xx_takes_it_and_only_what_is_our_fault_is_final() {
        let of = |status, after: Option<&str>| {
            outcome(HttpReply { status, retry_after: after.map(str::to_owned), body: "x".into() })
        };
        for status in [200, 201, 202, 299] {
            assert!(matches!(of(status, None), Outcome::Taken { .. }), "{status}");
        }
        for status in [400, 401, 403, 404, 422] {
            assert!(matches!(of(status, None), Outcome::Refused { .. }), "{status}");
        }
        for status in [301, 408, 409, 425, 429, 500, 502, 503] {
            assert!(matches!(of(status, None), Outcome::Later { after: None, .. }), "{status}");
        }
        let answer = "status 503 x".to_owned();
        assert_eq!(of(503, Some("7")), Outcome::Later { answer, after: Some(Duration::from_secs(7)) });
        assert!(matches!(of(429, Some("Fri, 31 Dec 1999 23:59:59 GMT")), Outcome::Later { after: None, .. }));
    }
}
