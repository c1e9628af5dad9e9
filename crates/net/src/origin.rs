//! Origins of web pages (RFC 6454): which may open a WebSocket here, so that no page of others speaks in the name of
//! who visits it.

use std::sync::{Arc, PoisonError, RwLock};

/// The origins that an administrator listed, beside our own; replaced as a whole at a reload.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    listed: Arc<RwLock<Vec<Box<str>>>>,
    /// Those of the office's web app, as its directory tells them: for sockets alone.
    web_app: Arc<RwLock<Vec<Box<str>>>>,
}

impl Origins {
    /// As listed: `https://office.example` or `http://office.example:8080`, without a path.
    #[must_use]
    pub fn new(listed: Vec<Box<str>>) -> Origins {
        let origins = Origins::default();
        origins.put(listed);
        origins
    }

    /// Replaces the list.
    pub fn put(&self, listed: Vec<Box<str>>) {
        put(&self.listed, &listed);
    }

    /// Replaces the origins of the office's web app.
    pub fn put_web_app(&self, told: &[Box<str>]) {
        put(&self.web_app, told);
    }

    /// Whether a page of this origin may come in, where it names us by this Host. `secure`: by TLS.
    #[must_use]
    pub fn admit(&self, origin: &str, host: &str, secure: bool) -> bool {
        let Some(origin) = plain_origin(origin) else { return false };
        is_own(&origin, host, secure) || self.lists(&origin) || holds(&self.web_app, &origin)
    }

    /// Whether an origin is listed by the administrator.
    #[must_use]
    pub fn lists(&self, origin: &str) -> bool {
        plain_origin(origin).is_some_and(|origin| holds(&self.listed, &origin))
    }
}

fn put(list: &RwLock<Vec<Box<str>>>, origins: &[Box<str>]) {
    let plain = origins.iter().filter_map(|origin| plain_origin(origin)).collect();
    *list.write().unwrap_or_else(PoisonError::into_inner) = plain;
}

fn holds(list: &RwLock<Vec<Box<str>>>, plain: &str) -> bool {
    list.read().unwrap_or_else(PoisonError::into_inner).iter().any(|known| **known == *plain)
}

/// An origin in lower case and without the port that its scheme means anyway; `None` for what is none.
#[must_use]
pub fn plain_origin(text: &str) -> Option<Box<str>> {
    let text = text.to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let usual = usual_port(scheme)?;
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
    if authority.is_empty() || !authority.bytes().all(sound) {
        return None;
    }
    let authority = authority.strip_suffix(usual).unwrap_or(authority);
    if authority.is_empty() {
        return None;
    }
    Some(format!("{scheme}://{authority}").into())
}

fn usual_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "https" => Some(":443"),
        "http" => Some(":80"),
        _ => None,
    }
}

/// Whether a page comes from the very server that it names. In clear, something that ends TLS may stand before us.
fn is_own(origin: &str, host: &str, secure: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let Some(usual) = usual_port(scheme) else { return false };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(usual).unwrap_or(&host);
    (scheme == "https" || !secure) && authority == host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_listed_and_foreign_origins() {
        let listed =
            vec!["https://Portal.example".into(), "http://intra.example:8080".into(), "nonsense".into()];
        let origins = Origins::new(listed);
        for (origin, host, secure, admitted) in [
            ("https://pbx.example", "pbx.example", true, true),
            ("https://pbx.example", "pbx.example:443", true, true),
            ("https://pbx.example:8443", "PBX.example:8443", true, true),
            ("https://pbx.example:8443", "pbx.example", true, false),
            ("http://pbx.example:8443", "pbx.example:8443", true, false),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", false, true),
            // Something before us ends TLS.
            ("https://pbx.example", "pbx.example", false, true),
            ("https://portal.example", "pbx.example", true, true),
            ("https://portal.example:443", "pbx.example", true, true),
            ("https://portal.example.evil", "pbx.example", true, false),
            ("https://evil.example", "pbx.example", true, false),
            ("http://portal.example", "pbx.example", true, false),
            ("http://intra.example:8080", "pbx.example", true, true),
            ("null", "pbx.example", true, false),
            ("", "", true, false),
            ("https://", "", true, false),
            ("https://:443", "", true, false),
            ("https://pbx.example/path", "pbx.example", true, false),
            ("file://", "", false, false),
        ] {
            assert_eq!(origins.admit(origin, host, secure), admitted, "{origin} at {host}");
        }
        origins.put(Vec::new());
        assert!(!origins.lists("https://portal.example"));
        origins.put_web_app(&["https://App.example:443".into()]);
        assert!(origins.admit("https://app.example", "pbx.example", true));
        assert!(!origins.lists("https://app.example"), "it has no business with the API");
    }
}
