//! Challenges given out, answers judged.

use super::credentials::{Claim, Credentials};
use super::ha1::{Ha1, Response};
use super::nonce::{Nonce, Nonces};
use super::settings::DigestSettings;
use super::used::{Spent, Used};
use crate::domain::{Challenge, DigestAlgorithm, Timestamp};
use parking_lot::Mutex;
use std::sync::Arc;
use subtle::Choice;

/// A clock step back that is waited out; after a longer one a new era begins.
const SMALL_STEP: i64 = Timestamp::SECOND;

/// Asks for proof, and judges it.
///
/// # Eras
/// What was used is remembered only while the process runs, and in order of time. So nonces of
/// an earlier process, and of before the clock was set back, could be used again: each
/// carries the era it was given out in, and those of another era are stale.
#[derive(Debug)]
pub struct Gate {
    nonces: Nonces,
    algorithms: Arc<[DigestAlgorithm]>,
    /// How long a nonce is good, microseconds.
    life: i64,
    max_nonces: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    era: u32,
    /// The latest time seen.
    latest: Timestamp,
    used: Used,
}

/// Why a claim does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The response is not that of the password.
    Wrong,
    /// The response is right; the nonce is too old.
    Stale,
    /// The response is right; it was used before.
    Replayed,
}

impl Gate {
    /// Nonces are recognised under `key`, which is used for nothing else; `era` is random.
    #[must_use]
    pub fn new(key: [u8; 32], era: u32, settings: &DigestSettings) -> Self {
        let used = Used::new(settings.max_nonces);
        Self {
            nonces: Nonces::new(key),
            algorithms: settings.algorithms.0.as_slice().into(),
            life: i64::from(settings.nonce_secs) * Timestamp::SECOND,
            max_nonces: settings.max_nonces,
            state: Mutex::new(State {
                era,
                latest: Timestamp(i64::MIN),
                used,
            }),
        }
    }

    /// A challenge with a new nonce, made unlike any other by `random`.
    #[must_use]
    pub fn challenge(&self, realm: &str, stale: bool, random: u64, now: Timestamp) -> Challenge {
        let mut state = self.state.lock();
        self.look_at_clock(&mut state, now);
        let era = state.era;
        drop(state);
        let at = now;
        Challenge {
            realm: realm.to_owned(),
            nonce: self.nonces.write(Nonce { at, era, random }, realm),
            stale,
            algorithms: Arc::clone(&self.algorithms),
        }
    }

    /// The first of the Authorization header values that answers a challenge of ours for this
    /// realm.
    #[must_use]
    pub fn claim(&self, realm: &str, values: &[String]) -> Option<Claim> {
        values.iter().find_map(|value| {
            let credentials = Credentials::parse(value)?;
            if credentials.realm != realm {
                return None;
            }
            let nonce = self.nonces.read(&credentials.nonce, realm)?;
            let claim = Claim::new(credentials, nonce);
            let offered = self.algorithms.contains(&claim.algorithm());
            offered.then_some(claim)
        })
    }

    /// Judges a claim against what is known of the password. `known` is whether anything is:
    /// for a user there is not, hand in the hashes of nobody's password, and the same work is
    /// done in the same time.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn check(
        &self,
        claim: &Claim,
        method: &str,
        ha1: &Ha1,
        known: bool,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let expected = Response::expected(ha1, claim.algorithm(), &claim.signed(method));
        let right = expected.matches(claim.response()) & Choice::from(u8::from(known));
        if !bool::from(right) {
            return Err(Refused::Wrong);
        }
        let mut state = self.state.lock();
        self.look_at_clock(&mut state, now);
        let age = now.0.saturating_sub(claim.nonce.at.0);
        if claim.nonce.era != state.era || !(-SMALL_STEP..=self.life).contains(&age) {
            return Err(Refused::Stale);
        }
        let expired = Timestamp(now.0.saturating_sub(self.life));
        state
            .used
            .spend(claim.nonce, claim.count(), expired)
            .map_err(|spent| match spent {
                Spent::Replayed => Refused::Replayed,
                Spent::Forgotten => Refused::Stale,
            })
    }

    /// Begins a new era when the clock was set back.
    fn look_at_clock(&self, state: &mut State, now: Timestamp) {
        if state.latest.0.saturating_sub(now.0) > SMALL_STEP {
            state.era = state.era.wrapping_add(1);
            state.used = Used::new(self.max_nonces);
            state.latest = now;
        }
        state.latest = state.latest.max(now);
    }
}
