//! The value of From, To and Contact: `name-addr` or `addr-spec` (RFC 3261 section 20.10).

use super::text::{find_unquoted, params, split_at, trim};

/// A URI with what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// The URI, unparsed.
    pub uri: &'a [u8],
    params: &'a [u8],
}

impl<'a> Address<'a> {
    /// Finds the URI; `None` when `<` is not closed. Without `<` everything from the first
    /// semicolon on belongs to the header, not to the URI.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (uri, params) = match find_unquoted(value, |b| b == b'<') {
            Some(open) => {
                let rest = &value[open + 1..];
                split_at(rest, rest.iter().position(|b| *b == b'>')?)
            }
            None => {
                let end = value.iter().position(|b| *b == b';').unwrap_or(value.len());
                value.split_at(end)
            }
        };
        Some(Self {
            uri: trim(uri),
            params,
        })
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a [u8]> {
        params(self.params)
            .find(|(name, _)| name.eq_ignore_ascii_case(b"tag"))
            .and_then(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let table = [
            (
                r#""A <b>; \" c" <sip:a@b;x=1>;tag=t1"#,
                Some(("sip:a@b;x=1", Some("t1"))),
            ),
            ("<sip:a@b> ; Tag = t2", Some(("sip:a@b", Some("t2")))),
            ("sip:a@b;tag=t3", Some(("sip:a@b", Some("t3")))),
            ("Alice <sip:a@b>", Some(("sip:a@b", None))),
            ("<sip:a@b;tag=inside>", Some(("sip:a@b;tag=inside", None))),
            (
                "\"open <sip:a@b>;tag=t",
                Some(("\"open <sip:a@b>", Some("t"))),
            ),
            ("<sip:a@b", None),
        ];
        for (text, expected) in table {
            let found = Address::parse(text.as_bytes())
                .map(|a| (a.uri, a.tag()))
                .map(|(uri, tag)| {
                    let text = |b| std::str::from_utf8(b).expect("ascii");
                    (text(uri), tag.map(text))
                });
            assert_eq!(found, expected, "{text}");
        }
    }
}
