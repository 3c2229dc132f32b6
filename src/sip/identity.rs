//! Which transaction a message belongs to, as one keyed hash.

use super::message::Envelope;
use crate::domain::{Asked, Ingress};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::net::IpAddr;
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
    /// The door counts as well: a copy sent to detection is a call of its own. And so does the
    /// address that `peer` sends from: whoever guesses the branch a softswitch is going to use
    /// (one without state computes it from the request) cannot have its call answered in advance.
    #[must_use]
    pub fn transaction_id(self, ingress: Ingress, peer: IpAddr, envelope: &Envelope<'_>) -> Uuid {
        let mut fields = Fields::new(self, b"transaction");
        fields.add(ingress.as_str().as_bytes());
        fields.add(&address(peer));
        fields.add(envelope.via.branch);
        fields.add(envelope.via.sent_by);
        fields.add(envelope.call_id);
        fields.add(&envelope.cseq_number.to_le_bytes());
        fields.add(envelope.from_tag);
        if !envelope.via.has_cookie() {
            fields.add(envelope.request_uri);
        }
        uuid::Builder::from_custom_bytes(fields.hash().to_be_bytes()).into_uuid()
    }

    /// What the copies of one request have in common that came by several ways; `None` without a
    /// From tag: a client of RFC 2543, whose calls cannot be told apart by it.
    ///
    /// RFC 3261 section 8.2.2.2 knows them by Call-ID, From tag and CSeq, all of which a caller
    /// chooses. Here they must also come from one address and ask the same: about the same
    /// number, for the same user, of whom the same is told, with the same credentials. Two of
    /// which the answers could differ are two calls; only what is up at the moment (`P-Calls`)
    /// may differ.
    #[must_use]
    pub(super) fn call_key(self, envelope: &Envelope<'_>, asked: &Asked) -> Option<u128> {
        if envelope.from_tag.is_empty() {
            return None;
        }
        let attempt = &asked.attempt;
        let mut fields = Fields::new(self, b"call");
        fields.add(envelope.call_id);
        fields.add(envelope.from_tag);
        fields.add(&envelope.cseq_number.to_le_bytes());
        fields.add(&address(attempt.peer));
        fields.add(&address(attempt.source_ip));
        for text in [
            &attempt.dialed,
            &attempt.user,
            &attempt.domain,
            &attempt.user_agent,
        ] {
            fields.add(text.as_bytes());
        }
        let (user, domain) = attempt
            .policy_user
            .as_ref()
            .map_or(("", ""), |(u, d)| (u, d));
        fields.add(user.as_bytes());
        fields.add(domain.as_bytes());
        for credentials in asked.proof.iter().flat_map(|proof| &proof.authorization) {
            fields.add(credentials.as_bytes());
        }
        Some(fields.hash())
    }

    /// A number that follows from `value` and is different for each `kind`; nobody without the
    /// key can tell it.
    #[must_use]
    pub(super) fn draw(self, kind: &[u8], value: &[u8]) -> u64 {
        let mut fields = Fields::new(self, kind);
        fields.add(value);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of the hash is enough"
        )]
        let half = fields.hash() as u64;
        half
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

/// A list of byte strings on its way to a keyed hash.
struct Fields(SipHasher24);

impl Fields {
    /// `kind` keeps lists for different ends apart.
    fn new(Secret(key): Secret, kind: &[u8]) -> Self {
        let mut fields = Self(SipHasher24::new_with_key(&key));
        fields.add(kind);
        fields
    }

    /// The length goes first: no two lists make the same stream.
    fn add(&mut self, field: &[u8]) {
        self.0.write_usize(field.len());
        self.0.write(field);
    }

    fn hash(&self) -> u128 {
        self.0.finish128().into()
    }
}

/// An address as 16 bytes; an IPv4 address and the same mapped into IPv6 are one.
fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}
