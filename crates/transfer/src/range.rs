//! A body that may come in several pieces (RFC 9110 14): what of them belongs together, and when it is whole. No I/O.

use crate::limits;

/// What the head of an answer says of its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    /// `Content-Length`
    pub(crate) length: Option<u64>,
    /// `ETag`
    pub(crate) tag: Option<String>,
    /// `Content-Range`
    pub(crate) range: Option<String>,
    /// It is compressed, though it was asked that it be not.
    pub(crate) coded: bool,
    /// It says by itself where it ends.
    pub(crate) chunked: bool,
}

/// What has come of a file.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    bytes: Vec<u8>,
    tag: Option<String>,
    whole: Option<u64>,
}

impl Partial {
    /// A whole body is about to come.
    pub(crate) fn begin(body: &Body) -> Result<Partial, String> {
        if body.coded {
            return Err("it sends the file compressed, which it was asked not to".to_owned());
        }
        // A body that ends with its connection is the same as one that broke off.
        if body.length.is_none() && !body.chunked {
            return Err("it does not say how long the file is".to_owned());
        }
        let whole = body.length.filter(|_| !body.chunked);
        fits(whole.unwrap_or(0))?;
        Ok(Partial { bytes: Vec::new(), tag: body.tag.clone(), whole })
    }

    /// The rest is about to come, if this is it.
    pub(crate) fn go_on(&mut self, body: &Body) -> Result<(), String> {
        let (from, whole) = body.range.as_deref().and_then(content_range).unwrap_or((u64::MAX, None));
        let same = self.tag.is_some() && body.tag == self.tag && !body.coded;
        let size = whole.is_none() || self.whole.is_none() || whole == self.whole;
        if !same || !size || from != self.len() {
            return Err(format!(
                "it broke off after {} octets, and what came then was not its rest",
                self.len()
            ));
        }
        self.whole = self.whole.or(whole);
        fits(self.whole.unwrap_or(0))
    }

    /// What to ask for next: `Range` and `If-Range`; nothing if a file in two pieces could be two files.
    pub(crate) fn resumed(&self) -> Option<(String, String)> {
        // RFC 9110 13.1.5: only a strong tag says that octets are the same.
        let tag = self.tag.as_ref().filter(|tag| tag.starts_with('"'))?;
        (!self.bytes.is_empty()).then(|| (format!("bytes={}-", self.len()), tag.clone()))
    }

    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), String> {
        fits(self.len() + piece.len() as u64)?;
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The file and its tag.
    pub(crate) fn whole(self) -> Result<(Vec<u8>, Option<String>), String> {
        match self.whole {
            Some(whole) if whole != self.len() => {
                Err(format!("it has {whole} octets, and {} came", self.len()))
            }
            _ => Ok((self.bytes, self.tag)),
        }
    }
}

/// Whether so many octets are taken.
pub(crate) fn fits(octets: u64) -> Result<(), String> {
    if octets > limits::FILE {
        return Err(format!("it has more than {} octets", limits::FILE));
    }
    Ok(())
}

/// `bytes 5-9/10`: where it begins, and the length of all.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, whole) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
    let whole: Option<u64> = if whole == "*" { None } else { Some(whole.parse().ok()?) };
    // RFC 9110 14.4: a last position before the first, or behind the end, is no range.
    (from <= to && whole.is_none_or(|whole| to < whole)).then_some((from, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(length: u64, tag: &str, range: Option<&str>) -> Body {
        let range = range.map(str::to_owned);
        Body { length: Some(length), tag: Some(tag.to_owned()), range, ..Body::default() }
    }

    fn half() -> Partial {
        let mut partial = Partial::begin(&told(10, "\"a\"", None)).unwrap();
        partial.take(b"01234").unwrap();
        partial
    }

    #[test]
    fn a_file_in_two_pieces_is_one() {
        let mut partial = half();
        assert_eq!(partial.resumed(), Some(("bytes=5-".to_owned(), "\"a\"".to_owned())));
        partial.go_on(&told(5, "\"a\"", Some("bytes 5-9/10"))).unwrap();
        partial.take(b"56789").unwrap();
        assert_eq!(partial.whole(), Ok((b"0123456789".to_vec(), Some("\"a\"".to_owned()))));
    }

    #[test]
    fn the_pieces_of_two_files_are_none() {
        for (tag, range) in [
            ("\"b\"", Some("bytes 5-9/10")),
            ("\"a\"", Some("bytes 4-9/10")),
            ("\"a\"", Some("bytes 5-9/11")),
            ("\"a\"", Some("bytes 9-5/10")),
            ("\"a\"", Some("bytes 5-10/10")),
            ("\"a\"", Some("lines 5-9/10")),
            ("\"a\"", None),
        ] {
            assert!(half().go_on(&told(5, tag, range)).is_err(), "{tag} {range:?}");
        }
        let mut weak = Partial::begin(&told(10, "W/\"a\"", None)).unwrap();
        weak.take(b"01234").unwrap();
        assert_eq!(weak.resumed(), None);
        assert_eq!(weak.whole(), Err("it has 10 octets, and 5 came".to_owned()));
    }

    #[test]
    fn what_is_too_long_or_has_no_length_is_not_begun() {
        assert!(Partial::begin(&told(limits::FILE + 1, "", None)).is_err());
        assert!(Partial::begin(&Body::default()).is_err());
        assert!(Partial::begin(&Body { chunked: true, ..Body::default() }).is_ok());
        assert!(Partial::begin(&Body { coded: true, chunked: true, ..Body::default() }).is_err());
    }

    proptest! {
        #[test]
        fn no_range_panics(text in "(bytes )?[0-9*/ -]{0,40}") {
            let _ = content_range(&text);
        }
    }
}
