//! Names of the headers that are read.

#[derive(Clone, Copy)]
pub(super) enum Name {
    Via,
    From,
    To,
    CallId,
    CSeq,
    MaxForwards,
    ContentLength,
    Require,
    Authorization,
    UserAgent,
    Contact,
    Allow,
    Supported,
    Received,
    Ua,
    Calls,
    Policy,
    Bundle,
}

/// Names that are read, with the compact forms of section 7.3.3.
const NAMES: [(&[u8], Name); 25] = [
    (b"Via", Name::Via),
    (b"v", Name::Via),
    (b"From", Name::From),
    (b"f", Name::From),
    (b"To", Name::To),
    (b"t", Name::To),
    (b"Call-ID", Name::CallId),
    (b"i", Name::CallId),
    (b"CSeq", Name::CSeq),
    (b"Max-Forwards", Name::MaxForwards),
    (b"Content-Length", Name::ContentLength),
    (b"l", Name::ContentLength),
    (b"Require", Name::Require),
    (b"Authorization", Name::Authorization),
    (b"User-Agent", Name::UserAgent),
    (b"Contact", Name::Contact),
    (b"m", Name::Contact),
    (b"Allow", Name::Allow),
    (b"Supported", Name::Supported),
    (b"k", Name::Supported),
    (b"P-Received", Name::Received),
    (b"P-UA", Name::Ua),
    (b"P-Calls", Name::Calls),
    (b"X-TFPS", Name::Policy),
    (b"P-TFPS", Name::Bundle),
];

/// A header's name without the blanks that may stand between it and its colon: no fold may
/// (section 25.1, `HCOLON`), which others read as the end of the line.
pub(super) fn before_colon(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|b| !matches!(b, b' ' | b'\t'));
    &name[..end.map_or(0, |end| end + 1)]
}

pub(super) fn name_of(name: &[u8]) -> Option<Name> {
    let mut names = NAMES.iter();
    let (_, name) = names.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(*name)
}
