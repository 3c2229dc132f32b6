//! The small grammar every header shares (RFC 3261 section 25.1): white space, quoted strings,
//! parameters and `%` escapes, over bytes that need not be UTF-8.

use std::borrow::Cow;

/// Linear white space. A folded header keeps its CR LF inside the value (section 7.3.1), so
/// those count as white space here; the reader lets no other CR or LF through.
pub(super) const fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without white space at either end.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// Whether every byte may stand in a token (method, parameter name).
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(b))
}

/// Position of the first byte that `wanted` accepts outside quoted strings.
pub(super) fn find_unquoted(text: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if !quoted && wanted(byte) => return Some(at),
            _ => {}
        }
    }
    None
}

/// `text` before and after the byte at `at`, which belongs to neither.
pub(super) fn split_at(text: &[u8], at: usize) -> (&[u8], &[u8]) {
    (&text[..at], &text[at + 1..])
}

/// `text` up to the first unquoted `separator`, and what follows it.
pub(super) fn split_once(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match find_unquoted(text, |b| b == separator) {
        Some(at) => {
            let (before, after) = split_at(text, at);
            (before, Some(after))
        }
        None => (text, None),
    }
}

/// What stands between unquoted separators; one piece more than there are separators.
pub(super) fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (one, next) = split_once(rest?, separator);
        rest = next;
        Some(one)
    })
}

/// The `;name=value` parameters after the first semicolon; empty ones are skipped.
pub(super) fn params(text: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    pieces(text, b';')
        .map(|one| {
            let (name, value) = split_once(one, b'=');
            (trim(name), value.map(trim))
        })
        .filter(|(name, _)| !name.is_empty())
}

/// Undoes `%xx` escapes; a `%` that starts none stands for itself.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let hex = |b: &u8| char::from(*b).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if let (b'%', Some(high), Some(low)) =
            (first, tail.first().and_then(hex), tail.get(1).and_then(hex))
        {
            #[expect(clippy::cast_possible_truncation, reason = "two hexadecimal digits")]
            out.push((high * 16 + low) as u8);
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(out)
}

/// Appends `user` with every byte escaped that may not stand in a user part
/// (RFC 3261 section 25.1, `unreserved` and `user-unreserved`).
pub(super) fn escape_user(out: &mut Vec<u8>, user: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
    }
}

/// Appends a header value so that it cannot end its line: control characters become spaces,
/// but those behind a backslash, which are part of a quoted string and must be copied as they
/// are. CR and LF never are.
///
/// Folded values lose their CR LF here, and nothing that was received or decided can start a
/// header of its own in an answer.
pub(super) fn push_value(out: &mut Vec<u8>, value: &[u8]) {
    if !any_control(value) {
        out.extend_from_slice(value);
        return;
    }
    let mut escaped = false;
    for &byte in value {
        let was_escaped = escaped;
        escaped = byte == b'\\' && !was_escaped;
        out.push(match byte {
            b'\r' | b'\n' => b' ',
            b if b.is_ascii_control() && !was_escaped => b' ',
            b => b,
        });
    }
}

/// Whether a control character stands in `text`. Without an early end, so that it is compiled
/// to a few wide instructions: nearly always there is none.
pub(super) fn any_control(text: &[u8]) -> bool {
    text.iter().fold(false, |any, b| any | b.is_ascii_control())
}

/// A value as text to keep: trimmed, control characters (folds) as spaces, at most `max`
/// characters; bytes that are no UTF-8 become U+FFFD.
pub(super) fn to_text(value: &[u8], max: usize) -> String {
    let value = trim(value);
    match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() && text.len() <= max && !any_control(value) => text.to_owned(),
        _ => String::from_utf8_lossy(value)
            .chars()
            .take(max)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_separators_do_not_count() {
        let (before, after) = split_once(br#""a;\";b" <sip:x>;tag=1"#, b';');
        assert_eq!(before, br#""a;\";b" <sip:x>"#);
        assert_eq!(after, Some(&b"tag=1"[..]));
    }

    #[test]
    fn parameters_with_and_without_value() {
        let found: Vec<_> = params(b" rport ; branch = z9hG4bKx;;lr").collect();
        assert_eq!(
            found,
            [
                (&b"rport"[..], None),
                (&b"branch"[..], Some(&b"z9hG4bKx"[..])),
                (&b"lr"[..], None)
            ]
        );
    }

    #[test]
    fn escapes_both_ways() {
        assert_eq!(&*unescape(b"%2B5511%40x%zz%4"), b"+5511@x%zz%4");
        let mut out = Vec::new();
        escape_user(&mut out, "A00+55 11#\r\n%@é");
        assert_eq!(out, b"A00+55%2011%23%0D%0A%25%40%C3%A9");
        assert_eq!(
            &*unescape(&out),
            "A00+55 11#\r\n%@é".as_bytes(),
            "an escaped user reads back as it was"
        );
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        let mut out = Vec::new();
        push_value(&mut out, b"a\r\nVia: evil\0b\t\\\r\\\n\\\\\x07\\\x07");
        assert_eq!(out, b"a  Via: evil b \\ \\ \\\\ \\\x07");
    }
}
