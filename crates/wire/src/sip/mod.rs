//! SIP messages: parsed without copying, written back lossless (RFC 3261, 4475, 5118).
//!
//! * [`Message::parse`] takes one message apart; typed views ([`Message::via`], [`Message::from`], ...) read
//!   a header when asked.
//! * [`Writer`] writes a message into a buffer of the caller's.
//! * [`Framer`] finds messages and keep-alives in a stream.
//! * [`parse_for_reply`] finds what a stateless 400 needs in a request that did not parse.
//!
//! To add a header, add a line to `name.rs`; if it has a grammar of its own, give it a file with a view.
//!
//! # Strict
//!
//! Where two readers of the same bytes could disagree, the message is refused: CR or LF alone, a line
//! end before the colon of a header, an illegal header name, a second From, To, Call-ID, `CSeq`, Max-Forwards or
//! Content-Length, a Content-Length that is no number or promises too much, a `CSeq` that names another method,
//! white space other than single spaces in the request line, a branch or tag that is no token or occurs twice,
//! a second `@` in a SIP URI, or a parameter that occurs twice with different values.
//!
//! # Lenient
//!
//! What the grammar does not allow and we take; `docs/leniencies.md` says why each is safe.
//!
//! 1. Empty lines before the start line are skipped; bytes after the body of a datagram are ignored.
//! 2. Content-Length may be absent from a datagram: the body then reaches to the end.
//! 3. A status line may end right after its code, without the space before the empty reason.
//! 4. Any byte but CR and LF may stand in a header value, UTF-8 or not; also in an unquoted display name,
//!    which may not hold `"`, `<`, `>`, `,` or `;`.
//! 5. An unquoted parameter value may hold any visible byte but `"`, `<`, `>`, `,` and `;`.
//! 6. The user of a SIP URI may hold `#` and UTF-8 unescaped.
//! 7. Empty places between the semicolons of URI parameters, and between the ampersands of URI headers, are
//!    skipped; a value there may hold any visible byte.
//! 8. A host name may hold `_` and begin or end a label with `-`.
//! 9. `received` may be an IPv6 address in brackets (RFC 5118 section 4.5), and an IPv6 reference may hold a
//!    third colon before an IPv4 tail (section 4.10).
//! 10. A Call-ID may be any visible ASCII text.
//! 11. Empty places between commas are skipped in lists of tokens and in digest parameters.
//! 12. A malformed Expires, `q` or `expires` counts as absent; numbers beyond 2^32-1 seconds saturate.
//! 13. A parameter of a SIP URI may be repeated word for word.
//! 14. Headers that no view reads are never looked at: a malformed Date or Warning harms nobody.

mod auth;
mod chars;
mod cseq;
mod default_reason;
mod error;
mod escape;
mod frame;
mod host;
pub mod limits;
mod line;
mod message;
mod method;
mod name;
mod name_addr;
mod params;
mod quoted;
mod reply;
mod start;
mod uri;
mod values;
mod via;
mod views;
mod write;

pub use auth::DigestParams;
pub use cseq::CSeq;
pub use default_reason::default_reason;
pub use error::{HeaderError, HeaderErrorKind, ParseError, ParseErrorKind, UriError};
pub use escape::{decode as decode_escapes, encode as encode_escapes};
pub use frame::{Frame, FrameError, Framer, frame};
pub use host::Host;
pub use line::HeaderLine;
pub use message::Message;
pub use method::Method;
pub use name::HeaderName;
pub use name_addr::{Contact, NameAddr};
pub use params::{Param, Params};
pub use quoted::{unfold, unquote};
pub use reply::{ReplyHead, parse_for_reply};
pub use start::StartLine;
pub use uri::{Scheme, Uri, UriHeaders, UriParams};
pub use values::Values;
pub use via::{BRANCH_MAGIC, Via};
pub use write::Writer;
