//! Header names: one closed list, found case-insensitively and by compact form in constant time.
//!
//! To add a header, add one line to the list below; the lookup table is built by the compiler.

macro_rules! header_names {
    ($($variant:ident $text:literal $($compact:literal)? ;)*) => {
        /// The name of a header line, without regard to case or compact form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A name that is not in the list; the line keeps its text.
            Other,
        }

        impl HeaderName {
            /// Every name in the list.
            pub const KNOWN: &'static [HeaderName] = &[$(HeaderName::$variant,)*];

            /// The long form in its usual spelling; empty for [`HeaderName::Other`].
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(HeaderName::$variant => $text,)*
                    HeaderName::Other => "",
                }
            }

            /// The one-letter form, if the name has one (RFC 3261 section 7.3.3).
            #[must_use]
            pub fn compact(self) -> Option<u8> {
                match self {
                    $($(HeaderName::$variant => Some($compact),)?)*
                    _ => None,
                }
            }
        }

        const NAMES: &[&str] = &[$($text,)*];
    };
}

header_names! {
    Accept "Accept";
    AcceptContact "Accept-Contact" b'a';
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    AlertInfo "Alert-Info";
    Allow "Allow";
    AllowEvents "Allow-Events" b'u';
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID" b'i';
    CallInfo "Call-Info";
    Contact "Contact" b'm';
    ContentDisposition "Content-Disposition";
    ContentEncoding "Content-Encoding" b'e';
    ContentLength "Content-Length" b'l';
    ContentType "Content-Type" b'c';
    CSeq "CSeq";
    Date "Date";
    Diversion "Diversion";
    ErrorInfo "Error-Info";
    Event "Event" b'o';
    Expires "Expires";
    FeatureCaps "Feature-Caps";
    FlowTimer "Flow-Timer";
    From "From" b'f';
    HistoryInfo "History-Info";
    Identity "Identity" b'y';
    InReplyTo "In-Reply-To";
    Join "Join";
    MaxForwards "Max-Forwards";
    MimeVersion "MIME-Version";
    MinExpires "Min-Expires";
    MinSe "Min-SE";
    Organization "Organization";
    PAssertedIdentity "P-Asserted-Identity";
    PPreferredIdentity "P-Preferred-Identity";
    Path "Path";
    Priority "Priority";
    Privacy "Privacy";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferSub "Refer-Sub";
    ReferTo "Refer-To" b'r';
    ReferredBy "Referred-By" b'b';
    RejectContact "Reject-Contact" b'j';
    RemotePartyId "Remote-Party-ID";
    Replaces "Replaces";
    ReplyTo "Reply-To";
    RequestDisposition "Request-Disposition" b'd';
    Require "Require";
    RetryAfter "Retry-After";
    RingdownPlace "Ringdown-Place";
    RingdownTicket "Ringdown-Ticket";
    Route "Route";
    RSeq "RSeq";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires" b'x';
    SessionId "Session-ID";
    SipEtag "SIP-ETag";
    SipIfMatch "SIP-If-Match";
    Subject "Subject" b's';
    SubscriptionState "Subscription-State";
    Supported "Supported" b'k';
    TargetDialog "Target-Dialog";
    Timestamp "Timestamp";
    To "To" b't';
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    Via "Via" b'v';
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

impl HeaderName {
    /// How many names there are, [`HeaderName::Other`] included.
    pub const COUNT: usize = NAMES.len() + 1;

    /// Finds a name by its long or compact form; anything unknown is [`HeaderName::Other`].
    #[must_use]
    #[inline]
    pub fn from_bytes(name: &[u8]) -> HeaderName {
        if let [letter] = name {
            return COMPACT[*letter as usize];
        }
        let mut slot = hash(name);
        loop {
            let found = TABLE[slot];
            let Some(text) = NAMES.get(found as usize) else { return HeaderName::Other };
            // The usual spelling first: comparing memory is much the cheaper of the two.
            if text.as_bytes() == name || text.as_bytes().eq_ignore_ascii_case(name) {
                return found;
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// Four times the names, so that a probe rarely finds a slot taken and always ends at an empty one.
const SLOTS: usize = 256;
const _: () = assert!(NAMES.len() * 3 < SLOTS);

static TABLE: [HeaderName; SLOTS] = table();
static COMPACT: [HeaderName; 256] = compact_table();

const fn hash(name: &[u8]) -> usize {
    let [first, .., last] = name else { return 0 };
    let length = name.len();
    let middle = name[length / 2] | 0x20;
    let sum = length
        .wrapping_mul(29)
        .wrapping_add(((*first | 0x20) as usize).wrapping_mul(7))
        .wrapping_add(((*last | 0x20) as usize).wrapping_mul(53))
        .wrapping_add((middle as usize).wrapping_mul(101));
    sum % SLOTS
}

const fn table() -> [HeaderName; SLOTS] {
    let mut slots = [HeaderName::Other; SLOTS];
    let mut index = 0;
    while index < NAMES.len() {
        let mut slot = hash(NAMES[index].as_bytes());
        while !matches!(slots[slot], HeaderName::Other) {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = HeaderName::KNOWN[index];
        index += 1;
    }
    slots
}

const fn compact_table() -> [HeaderName; 256] {
    const FORMS: &[(u8, HeaderName)] = &[
        (b'a', HeaderName::AcceptContact),
        (b'b', HeaderName::ReferredBy),
        (b'c', HeaderName::ContentType),
        (b'd', HeaderName::RequestDisposition),
        (b'e', HeaderName::ContentEncoding),
        (b'f', HeaderName::From),
        (b'i', HeaderName::CallId),
        (b'j', HeaderName::RejectContact),
        (b'k', HeaderName::Supported),
        (b'l', HeaderName::ContentLength),
        (b'm', HeaderName::Contact),
        (b'o', HeaderName::Event),
        (b'r', HeaderName::ReferTo),
        (b's', HeaderName::Subject),
        (b't', HeaderName::To),
        (b'u', HeaderName::AllowEvents),
        (b'v', HeaderName::Via),
        (b'x', HeaderName::SessionExpires),
        (b'y', HeaderName::Identity),
    ];
    let mut letters = [HeaderName::Other; 256];
    let mut index = 0;
    while index < FORMS.len() {
        let (letter, name) = FORMS[index];
        letters[letter as usize] = name;
        letters[letter.to_ascii_uppercase() as usize] = name;
        index += 1;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_every_spelling() {
        for &name in HeaderName::KNOWN {
            let text = name.as_str();
            assert_eq!(HeaderName::from_bytes(text.as_bytes()), name);
            assert_eq!(HeaderName::from_bytes(text.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(HeaderName::from_bytes(text.to_ascii_lowercase().as_bytes()), name);
            if let Some(letter) = name.compact() {
                assert_eq!(HeaderName::from_bytes(&[letter]), name);
                assert_eq!(HeaderName::from_bytes(&[letter.to_ascii_uppercase()]), name);
            }
        }
    }

    #[test]
    fn everything_else_is_other() {
        for text in ["", "q", "Vi", "Viaa", "X-Custom", "Call_ID", "\u{fc}", "Content-Lengtj"] {
            assert_eq!(HeaderName::from_bytes(text.as_bytes()), HeaderName::Other, "{text:?}");
        }
        for letter in 0..=255u8 {
            let found = HeaderName::from_bytes(&[letter]);
            let compact = found.compact();
            assert!(found == HeaderName::Other || compact == Some(letter.to_ascii_lowercase()));
        }
    }

    #[test]
    fn probes_are_short() {
        let worst = HeaderName::KNOWN.iter().map(|name| {
            let home = hash(name.as_str().as_bytes());
            (0..SLOTS).find(|step| TABLE[(home + step) % SLOTS] == *name).unwrap_or(SLOTS)
        });
        assert!(worst.max().unwrap_or(SLOTS) <= 4);
    }
}
