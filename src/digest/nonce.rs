//! Nonces that need no memory: each carries its time, and proof that it is ours.

use super::guesses::Source;
use crate::domain::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of the code that makes a nonce ours: 128 bits cannot be guessed.
const CODE: usize = 16;
/// Time, era, random, code.
const LENGTH: usize = 8 + 4 + 8 + CODE;

/// Makes and recognises nonces: `base64url(time | era | random | HMAC-SHA256(.., realm))`.
pub struct Nonces {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonces(..)")
    }
}

/// What a nonce of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// When it was given out.
    pub at: Timestamp,
    /// In which era: see [`Gate`](super::Gate).
    pub era: u32,
    /// Whom it was given to, and random bits that tell nonces of one instant apart.
    pub random: u64,
}

impl Nonce {
    /// The random part: 32 bits of whom it is for, and 32 random ones.
    #[must_use]
    pub fn random_for(source: Source, random: u32) -> u64 {
        u64::from(source.0) << 32 | u64::from(random)
    }

    /// Whom it was given to.
    #[must_use]
    pub(super) const fn source(self) -> Source {
        let [a, b, c, d, ..] = self.random.to_be_bytes();
        Source(u32::from_be_bytes([a, b, c, d]))
    }
}

impl Nonces {
    /// Under a key that is used for nothing else.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        // As HMAC takes it: filled up with zeros to a block of the hash (RFC 2104).
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..key.len()].copy_from_slice(&key);
        Self {
            keyed: Hmac::new(&block),
        }
    }

    /// The text of a nonce for a realm.
    #[must_use]
    pub fn write(&self, nonce: Nonce, realm: &str) -> String {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&nonce.at.0.to_be_bytes());
        bytes[8..12].copy_from_slice(&nonce.era.to_be_bytes());
        bytes[12..20].copy_from_slice(&nonce.random.to_be_bytes());
        let (said, code) = bytes.split_at_mut(LENGTH - CODE);
        let whole = self.mac(said, realm).finalize().into_bytes();
        code.copy_from_slice(&whole[..CODE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a nonce says; `None`: it is not ours, or was given out for another realm.
    #[must_use]
    pub fn read(&self, text: &str, realm: &str) -> Option<Nonce> {
        // Before it is decoded: what is no nonce of ours costs nothing.
        if text.len() != LENGTH.div_ceil(3) * 4 {
            return None;
        }
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (said, code) = bytes.split_at(LENGTH - CODE);
        self.mac(said, realm).verify_truncated_left(code).ok()?;
        Some(Nonce {
            at: Timestamp(i64::from_be_bytes(said[..8].try_into().ok()?)),
            era: u32::from_be_bytes(said[8..12].try_into().ok()?),
            random: u64::from_be_bytes(said[12..20].try_into().ok()?),
        })
    }

    fn mac(&self, said: &[u8], realm: &str) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(said);
        mac.update(realm.as_bytes());
        mac
    }
}
