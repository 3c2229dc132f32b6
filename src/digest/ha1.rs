//! What is known of a password, and the response that follows from it (RFC 7616 section 3.4).

use crate::domain::DigestAlgorithm;
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// `H(user:realm:password)` for each algorithm: all that digest needs of a password.
///
/// Whoever has these can answer challenges of this realm, and can try passwords against them;
/// he does not have the password itself, nor access to another realm. So they are kept sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ha1 {
    /// MD5.
    pub md5: [u8; 16],
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1(..)")
    }
}

impl Ha1 {
    /// Of a user's password in a realm. Users hold no colon.
    #[must_use]
    pub fn of(user: &str, realm: &str, password: &str) -> Self {
        let text = format!("{user}:{realm}:{password}");
        Self {
            md5: Md5::digest(&text).into(),
            sha256: Sha256::digest(&text).into(),
        }
    }
}

/// What the response is computed from, all as sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub nonce: &'a str,
    /// Eight hexadecimal digits.
    pub count: &'a str,
    pub client_nonce: &'a str,
}

/// A response: as many bytes as the algorithm gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Response {
    bytes: [u8; 32],
    length: usize,
}

impl Response {
    /// The response that the right password gives, with `qop=auth`.
    pub fn expected(ha1: &Ha1, algorithm: DigestAlgorithm, signed: &Signed<'_>) -> Self {
        #[cfg(test)]
        super::tests::WORK.set(super::tests::WORK.get() + 1);
        match algorithm {
            DigestAlgorithm::Md5 => Self::new(&chain::<Md5>(&ha1.md5, signed)),
            DigestAlgorithm::Sha256 => Self::new(&chain::<Sha256>(&ha1.sha256, signed)),
        }
    }

    fn new(bytes: &[u8]) -> Self {
        let mut response = Self {
            bytes: [0; 32],
            length: bytes.len(),
        };
        response.bytes[..bytes.len()].copy_from_slice(bytes);
        response
    }

    /// From hexadecimal digits, as many as the algorithm has.
    pub fn parse(text: &str, algorithm: DigestAlgorithm) -> Option<Self> {
        let length = match algorithm {
            DigestAlgorithm::Md5 => 16,
            DigestAlgorithm::Sha256 => 32,
        };
        if text.len() != 2 * length {
            return None;
        }
        let mut response = Self {
            bytes: [0; 32],
            length,
        };
        let digit = |c: u8| {
            char::from(c)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        for (byte, pair) in response.bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(response)
    }

    /// Whether they are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> subtle::Choice {
        use subtle::ConstantTimeEq;
        self.length.ct_eq(&other.length) & self.bytes.ct_eq(&other.bytes)
    }
}

/// `H(HA1 : nonce : nc : cnonce : qop : H(method : uri))`.
fn chain<D: sha2::Digest>(ha1: &[u8], signed: &Signed<'_>) -> Vec<u8> {
    let mut request = D::new();
    for part in [signed.method, ":", signed.uri] {
        request.update(part);
    }
    let mut whole = D::new();
    whole.update(hex(ha1));
    for part in [signed.nonce, signed.count, signed.client_nonce, "auth"] {
        whole.update(":");
        whole.update(part);
    }
    whole.update(":");
    whole.update(hex(&request.finalize()));
    whole.finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
