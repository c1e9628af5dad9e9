//! A dialog: what both ends remember between the requests of one conversation (RFC 3261 section 12).

use std::sync::Arc;
use wire::sip::{Contact, HeaderError, HeaderName, Message, Method, Writer};

/// The state of one dialog, or of one that is about to be (no remote tag yet). What never changes is shared among the
/// dialogs that one request of ours may make.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: Arc<str>,
    /// Our From or To value without its tag, in the form of a header value.
    pub local: Arc<str>,
    /// Our tag.
    pub local_tag: Arc<str>,
    /// The peer's From or To value without its tag.
    pub remote: Arc<str>,
    /// The peer's tag; none before its first response, and never with RFC 2543 peers.
    pub remote_tag: Option<Box<str>>,
    /// The number of our last request.
    pub local_sequence: u32,
    /// The number of the peer's last request.
    pub remote_sequence: Option<u32>,
    /// Route values for our requests, the first hop first.
    pub routes: Vec<Box<str>>,
    /// The peer's Contact: the Request-URI of our requests.
    pub target: Box<str>,
}

/// A request that is older than one we have seen (RFC 3261 12.2.2: 500).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

impl Dialog {
    /// The callee's side of the dialog that an INVITE or SUBSCRIBE makes (RFC 3261 12.1.1).
    ///
    /// # Errors
    /// When From, To, Call-ID, CSeq or Contact cannot be read; the request deserves a 400.
    pub fn from_request(request: &Message<'_>, local_tag: &str) -> Result<Dialog, HeaderError> {
        let from = request.from()?;
        let target = match request.contacts().next() {
            Some(contact) => match contact? {
                Contact::Addr(addr) => addr.uri,
                Contact::Star => from.uri,
            },
            None => from.uri,
        };
        Ok(Dialog {
            call_id: request.call_id()?.into(),
            local: untagged(request, HeaderName::To),
            local_tag: local_tag.into(),
            remote: untagged(request, HeaderName::From),
            remote_tag: from.tag().map(Box::from),
            local_sequence: 0,
            remote_sequence: Some(request.cseq()?.number),
            routes: raw_values(request, HeaderName::RecordRoute),
            target: target.into(),
        })
    }

    /// The caller's side before any response. `local` and `remote` are header values without tags.
    #[must_use]
    pub fn calling(call_id: &str, local: &str, local_tag: &str, remote: &str, target: &str) -> Dialog {
        Dialog {
            call_id: call_id.into(),
            local: local.into(),
            local_tag: local_tag.into(),
            remote: remote.into(),
            remote_tag: None,
            local_sequence: 0,
            remote_sequence: None,
            routes: Vec::new(),
            target: target.into(),
        }
    }

    /// The dialog that this response makes or confirms (RFC 3261 12.1.2, 13.2.2.4).
    #[must_use]
    pub fn established(&self, response: &Message<'_>) -> Dialog {
        let target = match response.contacts().next() {
            Some(Ok(Contact::Addr(addr))) => addr.uri.into(),
            _ => self.target.clone(),
        };
        let mut routes = raw_values(response, HeaderName::RecordRoute);
        routes.reverse();
        Dialog {
            call_id: Arc::clone(&self.call_id),
            local: Arc::clone(&self.local),
            local_tag: Arc::clone(&self.local_tag),
            remote: Arc::clone(&self.remote),
            remote_tag: response.to().ok().and_then(|to| to.tag().map(Box::from)),
            local_sequence: self.local_sequence,
            remote_sequence: self.remote_sequence,
            routes,
            target,
        }
    }

    /// Takes a new Contact (RFC 3261 12.2: INVITE, UPDATE and their 2xx are target refreshes).
    pub fn refresh_target(&mut self, message: &Message<'_>) {
        if let Some(Ok(Contact::Addr(addr))) = message.contacts().next() {
            self.target = addr.uri.into();
        }
    }

    /// Whether a message with these tags is of this dialog. `theirs` is the peer's tag.
    #[must_use]
    pub fn matches(&self, call_id: &str, ours: &str, theirs: Option<&str>) -> bool {
        *self.call_id == *call_id && *self.local_tag == *ours && self.remote_tag.as_deref() == theirs
    }

    /// Notes the number of a request of the peer's.
    ///
    /// # Errors
    /// [`OutOfOrder`] when a later one has been seen.
    pub fn accept_sequence(&mut self, number: u32) -> Result<(), OutOfOrder> {
        if self.remote_sequence.is_some_and(|last| number <= last) {
            return Err(OutOfOrder);
        }
        self.remote_sequence = Some(number);
        Ok(())
    }

    /// The number for our next request; ACK and CANCEL repeat the INVITE's.
    pub fn next_sequence(&mut self) -> u32 {
        self.local_sequence += 1;
        self.local_sequence
    }

    /// Writes Route, From, To, Call-ID and CSeq of a request of ours.
    pub fn write(&self, writer: &mut Writer<'_>, method: Method<'_>, sequence: u32) {
        for route in &self.routes {
            writer.header(HeaderName::Route, &**route);
        }
        writer.header_parts(HeaderName::From, &[self.local.as_bytes(), b";tag=", self.local_tag.as_bytes()]);
        match &self.remote_tag {
            Some(tag) => {
                writer.header_parts(HeaderName::To, &[self.remote.as_bytes(), b";tag=", tag.as_bytes()]);
            }
            None => {
                writer.header(HeaderName::To, &*self.remote);
            }
        }
        writer.header(HeaderName::CallId, &*self.call_id);
        writer.cseq(sequence, method);
    }
}

fn raw_values(message: &Message<'_>, name: HeaderName) -> Vec<Box<str>> {
    message.values(name).filter_map(|value| std::str::from_utf8(value).ok()).map(Box::from).collect()
}

/// A From or To value as `<uri>` or `"name" <uri>` with every parameter but the tag; peers compare nothing but the
/// tags (RFC 3261 12.2.1.1), so a canonical form is safe and keeps hostile bytes out.
fn untagged(message: &Message<'_>, name: HeaderName) -> Arc<str> {
    let parsed = if name == HeaderName::From { message.from() } else { message.to() };
    let Ok(addr) = parsed else { return "<sip:invalid.invalid>".into() };
    let display =
        addr.display.and_then(|display| std::str::from_utf8(display).ok()).unwrap_or_default().trim();
    let space = if display.is_empty() { "" } else { " " };
    [display, space, "<", addr.uri, ">"].concat().into()
}
