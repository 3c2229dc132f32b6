//! The first step: whose call it is, by the address that asks or by a password.
//!
//! The rule stands at [`Snapshot::identify`]. Here is its last part: who is asked for proof, and
//! what is made of it.

use super::Decided;
use crate::accounts::{AccountsError, Identity, Password, Realm, Sealed, Snapshot, Vault};
use crate::digest::{Claim, Gate, Guess, Guesses, Ha1, Nonce, Refused};
use crate::domain::{Answer, Asked, CallAttempt, Challenge, Ingress, Proof, Subscriber, Timestamp};

/// Why a call is not checked. What the peer is told says less: see [`Answer`].
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The domain that is named is not served.
    NotServed,
    /// No proof, or none that answers a challenge of ours: here is one.
    Unproven(Challenge),
    /// The password is right, the nonce too old: here is a new one.
    Stale(Challenge),
    /// The password is right, its answer was used before: here is a new nonce.
    Replayed(Challenge),
    /// A wrong password, or a user there is not: nobody is told which.
    BadCredentials,
    /// Too many wrong passwords: this one was not looked at.
    TooManyGuesses,
    /// The stored password cannot be opened: another `secret`, or damage.
    UnusablePassword,
    /// More calls per second than the policy has.
    TooFast {
        /// Seconds until one is free.
        retry_after: u32,
    },
}

impl Refusal {
    /// Short stable name, for counters.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotServed => "not-served",
            Self::Unproven(_) => "unproven",
            Self::Stale(_) => "stale-nonce",
            Self::Replayed(_) => "replayed-nonce",
            Self::BadCredentials => "bad-credentials",
            Self::TooManyGuesses => "too-many-guesses",
            Self::UnusablePassword => "unusable-password",
            Self::TooFast { .. } => "calls-per-second",
        }
    }
}

impl From<Refusal> for Decided {
    fn from(refusal: Refusal) -> Self {
        let unchecked = refusal.reason();
        let answer = match refusal {
            Refusal::Unproven(challenge)
            | Refusal::Stale(challenge)
            | Refusal::Replayed(challenge) => Answer::Challenge(challenge),
            Refusal::NotServed
            | Refusal::BadCredentials
            | Refusal::TooManyGuesses
            | Refusal::UnusablePassword => Answer::Forbidden,
            Refusal::TooFast { retry_after } => Answer::Busy { retry_after },
        };
        Self {
            event: None,
            answer,
            unchecked,
            novel: false,
        }
    }
}

/// Judges who proves to be a user of a domain.
#[derive(Debug)]
pub struct Authenticator {
    gate: Gate,
    guesses: Guesses,
    vault: Vault,
    decoy: Decoy,
}

/// The password of nobody. Users there are not are judged by it, on the very way of those there
/// are, so that neither the answer nor its time says which are which.
#[derive(Debug)]
struct Decoy {
    sealed: Sealed,
    ha1: Ha1,
}

/// Whom the decoy is sealed for: no domain is called so.
const DECOY: (&str, &str) = ("nobody", "unknown.invalid");

impl Authenticator {
    /// From the gate that challenges and the vault that opens passwords.
    ///
    /// # Errors
    /// Never: the decoy is a password that can be sealed.
    pub fn new(gate: Gate, vault: Vault) -> Result<Self, AccountsError> {
        let (user, domain) = DECOY;
        let password = Password::generate(rand::random());
        let sealed = vault.seal(user, domain, &password, rand::random())?;
        let ha1 = Ha1::of(user, domain, password.reveal());
        let decoy = Decoy { sealed, ha1 };
        Ok(Self {
            gate,
            guesses: Guesses::new(rand::random()),
            vault,
            decoy,
        })
    }

    /// The user of a realm who asks.
    fn admit(
        &self,
        realm: Realm<'_>,
        attempt: &CallAttempt,
        proof: Option<&Proof>,
        now: Timestamp,
    ) -> Result<Subscriber, Refusal> {
        let challenge = |stale| {
            let source = self.guesses.source(attempt.peer);
            let random = Nonce::random_for(source, rand::random());
            self.gate.challenge(realm.name(), stale, random, now)
        };
        let claimed = proof.and_then(|proof| {
            let claim = self.gate.claim(realm.name(), &proof.authorization)?;
            signs(&claim, attempt).then_some((claim, proof.method))
        });
        let Some((claim, method)) = claimed else {
            return Err(Refusal::Unproven(challenge(false)));
        };
        let guess = Guess {
            source: claim.given_to(),
            realm: realm.name(),
            user: claim.user(),
        };
        if !self.guesses.may(guess, now) {
            return Err(Refusal::TooManyGuesses);
        }
        let found = realm.password(claim.user());
        let opened = self.open(realm, claim.user(), found);
        let known = found.is_some() && opened.is_some();
        let ha1 = opened.unwrap_or(self.decoy.ha1);
        let checked = self.gate.check(&claim, method, &ha1, known, now);
        match checked {
            Err(Refused::Wrong) => self.guesses.wrong(guess, now),
            Ok(()) | Err(Refused::Stale | Refused::Replayed) => self.guesses.right(guess, now),
        }
        match checked {
            Ok(()) => realm
                .subscriber(claim.user(), attempt)
                .ok_or(Refusal::BadCredentials),
            Err(Refused::Stale) => Err(Refusal::Stale(challenge(true))),
            Err(Refused::Replayed) => Err(Refusal::Replayed(challenge(true))),
            Err(Refused::Wrong) if found.is_some() && !known => Err(Refusal::UnusablePassword),
            Err(Refused::Wrong) => Err(Refusal::BadCredentials),
        }
    }

    /// What is known of a user's password, or of nobody's: one seal is opened either way.
    fn open(&self, realm: Realm<'_>, user: &str, found: Option<&Sealed>) -> Option<Ha1> {
        let (user, domain, sealed) = match found {
            Some(sealed) => (user, realm.name(), sealed),
            None => (DECOY.0, DECOY.1, &self.decoy.sealed),
        };
        self.vault.open(user, domain, sealed)
    }
}

/// Whether credentials are for this call. On the web the request target was compared where it is
/// known, before they came here.
fn signs(claim: &Claim, attempt: &CallAttempt) -> bool {
    attempt.ingress == Ingress::Web || claim.signs_number(&attempt.dialed)
}

/// Whose call it is; else why it is not checked.
pub(super) fn identify(
    accounts: &Snapshot,
    authenticator: Option<&Authenticator>,
    asked: &Asked,
    now: Timestamp,
) -> Result<Subscriber, Refusal> {
    let Asked {
        attempt,
        proof,
        vouched,
    } = asked;
    if let Some(domain) = vouched {
        let found = accounts.speaking_for(domain, attempt);
        return found.ok_or(Refusal::NotServed);
    }
    match (accounts.identify(attempt), attempt.ingress) {
        (Identity::Customer(subscriber), _)
        | (Identity::Stranger(subscriber), Ingress::Detection | Ingress::Honeypot) => {
            Ok(subscriber)
        }
        (Identity::Stranger(_), Ingress::Prevention | Ingress::Web | Ingress::Import) => {
            let realm = accounts.realm(attempt).ok_or(Refusal::NotServed)?;
            let authenticator = authenticator.ok_or(Refusal::NotServed)?;
            authenticator.admit(realm, attempt, proof.as_ref(), now)
        }
    }
}

#[cfg(test)]
#[path = "identify_tests.rs"]
mod tests;
