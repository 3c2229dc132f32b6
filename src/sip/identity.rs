//! Which transaction a message belongs to, as one keyed hash.

use super::message::Envelope;
use crate::domain::Ingress;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use uuid::Uuid;

/// Key of the hashes. Peers choose what is hashed, so without a key they could make
/// transactions collide.
///
/// Keep it across restarts (beside the spool): only then does [`Endpoint::recover`] recognise
/// what was answered before.
///
/// [`Endpoint::recover`]: super::Endpoint::recover
#[derive(Clone, Copy)]
pub struct Secret([u8; 16]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// From 16 random bytes.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// Identity of the transaction by RFC 3261 section 17.2.3: branch, sent-by, Call-ID,
    /// CSeq number and From tag, but not the method, so that ACK and CANCEL have their
    /// INVITE's. Without the branch cookie the Request-URI counts too, as for RFC 2543.
    ///
    /// The door counts as well: a copy sent to detection is a call of its own.
    #[must_use]
    pub fn transaction_id(self, ingress: Ingress, envelope: &Envelope<'_>) -> Uuid {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        let mut field = |bytes: &[u8]| {
            // The length first: no two lists of fields make the same stream.
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        };
        field(ingress.as_str().as_bytes());
        field(envelope.via.branch);
        field(envelope.via.sent_by);
        field(envelope.call_id);
        field(&envelope.cseq_number.to_le_bytes());
        field(envelope.from_tag);
        if !envelope.via.has_cookie() {
            field(envelope.request_uri);
        }
        let hash: u128 = hasher.finish128().into();
        uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
    }

    /// What the copies of one request have in common that came by several ways (section 8.2.2.2);
    /// `None` without a From tag: a client of RFC 2543, whose calls cannot be told apart by it.
    #[must_use]
    pub(super) fn call_key(self, envelope: &Envelope<'_>) -> Option<u128> {
        if envelope.from_tag.is_empty() {
            return None;
        }
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(b"call");
        for field in [envelope.call_id, envelope.from_tag] {
            hasher.write_usize(field.len());
            hasher.write(field);
        }
        hasher.write_u32(envelope.cseq_number);
        Some(hasher.finish128().into())
    }

    /// The To tag of every answer within a transaction: the same before and after a restart,
    /// and for CANCEL that of its INVITE (section 9.2). Says nothing about the id.
    #[must_use]
    pub(super) fn to_tag(self, id: Uuid) -> u64 {
        let mut hasher = siphasher::sip::SipHasher24::new_with_key(&self.0);
        hasher.write(b"to-tag");
        hasher.write(id.as_bytes());
        hasher.finish()
    }
}
