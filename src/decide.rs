//! The heart: one call in, one decision with all its evidence out.
//!
//! ```text
//! identify -> features -> score -> checks -> combine
//! ```
//! No I/O, no clock: accounts, model and databases are in memory, the time is an argument. The live
//! service, `tfps import` and `tfps score` run this very code. What it remembers of callers
//! (`features::Windows`) is its only state.

use crate::accounts::{Identity, Snapshot};
use crate::domain::{
    Answer, AnswerMode, Asked, CallAttempt, CallEvent, Country, Decision, Destination, DialPrefix,
    FeatureVector, Ingress, NeutralAnswer, Policy, Reason, ScoreHeaders, Subscriber, Timestamp,
};
use crate::features::{self, Saved, Windows};
use crate::geo::Geo;
use crate::model::ModelSlot;
use crate::{numbering, policy};
use arc_swap::ArcSwap;
use parking_lot::{FairMutex, FairMutexGuard};
use std::net::IpAddr;
use std::sync::Arc;

/// Reasons kept with a call and named in its answer.
const TOP_REASONS: usize = 5;
/// Tracks copied or joined while calls wait, at most: some tens of microseconds. The lock is
/// fair, so calls that wait go first after each piece.
const STATE_PIECE: usize = 256;

type Guard<'a> = FairMutexGuard<'a, Windows>;

/// How much is remembered of callers, and under which key.
#[derive(Clone, Copy, Debug)]
pub struct WindowSizes {
    /// Tracks of customers, at most.
    pub tracks: usize,
    /// Makes the hashes unguessable; saved windows are only of use under the same key.
    pub key: [u8; 16],
}

/// Everything a decision needs.
#[derive(Debug)]
pub struct Engine {
    accounts: ArcSwap<Snapshot>,
    geo: Geo,
    customers: FairMutex<Windows>,
    strangers: FairMutex<Windows>,
    model: Arc<ModelSlot>,
    neutral: NeutralAnswer,
}

/// Whose habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Calls of trusted peers.
    Customers,
    /// Calls of anybody, from the free port: kept apart, so that nobody can shape or crowd out
    /// what is known of customers.
    Strangers,
}

/// A decided call and what its peer is told.
#[derive(Debug)]
pub struct Decided {
    /// What is remembered; `None` for a call that was not checked because nobody we serve asks.
    pub event: Option<CallEvent>,
    /// What the peer is told.
    pub answer: Answer,
}

/// The score of a call, with everything said about it.
struct Risk {
    score: Option<f32>,
    threshold: Option<f32>,
    model: String,
    reasons: Vec<Reason>,
}

impl Engine {
    /// With empty windows; those of strangers are a quarter of the customers' size.
    /// `neutral` is what forked calls are answered with.
    #[must_use]
    pub fn new(
        accounts: Snapshot,
        geo: Geo,
        windows: WindowSizes,
        model: Arc<ModelSlot>,
        neutral: NeutralAnswer,
    ) -> Self {
        Self {
            accounts: ArcSwap::from_pointee(accounts),
            geo,
            customers: FairMutex::new(Windows::new(windows.tracks, windows.key)),
            strangers: FairMutex::new(Windows::new(windows.tracks / 4, windows.key)),
            model,
            neutral,
        }
    }

    /// Decides one call.
    pub fn decide(&self, asked: impl Into<Asked>, now: Timestamp) -> Decided {
        let Asked { attempt, .. } = asked.into();
        let accounts = self.accounts.load();
        let Some(subscriber) = identify(&accounts, &attempt) else {
            return Decided {
                event: None,
                answer: Answer::Forbidden,
            };
        };
        let destination = numbering::locate(&attempt.dialed, &subscriber.dial_prefixes);
        let origin = self.geo.country(attempt.source_ip);
        let features = self.features(&attempt, &subscriber, &destination, origin, now);
        let risk = self.score(&features);
        let context = policy::Context {
            attempt: &attempt,
            destination: &destination,
            origin,
            policy: &subscriber.policy,
            system: &accounts.system,
            score: risk.score,
            model_threshold: risk.threshold,
            now,
        };
        let checks = policy::run(&context);
        let whitelisted = policy::whitelisted(&context);
        let decision = Decision {
            code: Decision::code_of(whitelisted, &checks),
            whitelisted,
            checks,
            score: risk.score,
            model: risk.model,
            reasons: risk.reasons,
        };
        let event = CallEvent {
            at: now,
            attempt,
            account: subscriber.account.to_string(),
            subscriber: subscriber.name.to_string(),
            policy: subscriber.policy.name.clone(),
            destination,
            origin,
            features,
            decision,
            latency_us: 0,
        };
        Decided {
            answer: self.answer(&event, &subscriber.policy),
            event: Some(event),
        }
    }

    /// The answer an event of the past got, for a retransmission that comes after a restart.
    #[must_use]
    pub fn answer_again(&self, event: &CallEvent) -> Option<Answer> {
        let subscriber = identify(&self.accounts.load(), &event.attempt)?;
        Some(self.answer(event, &subscriber.policy))
    }

    /// Counts an event of the past in the windows, unless they hold it already.
    pub fn remember(&self, event: &CallEvent) {
        let context = features::Context::of_event(event);
        self.windows_of(context.scope).replay(&context, event.at);
    }

    /// The accounts, policies and lists in force.
    #[must_use]
    pub fn accounts(&self) -> Arc<Snapshot> {
        self.accounts.load_full()
    }

    /// Puts new accounts, policies and lists in force. Whoever holds the old ones last frees
    /// them, which takes a while with large lists: they are given back so that it is no call.
    pub fn swap_accounts(&self, accounts: Snapshot) -> Arc<Snapshot> {
        self.accounts.swap(Arc::new(accounts))
    }

    /// The model slot, for watching and showing.
    #[must_use]
    pub fn model(&self) -> &ModelSlot {
        &self.model
    }

    /// Copies the windows out, a piece at a time, so that no call waits for the whole.
    pub fn copy_windows(&self, pool: Pool, mut take: impl FnMut(Vec<Saved>)) {
        let mut from = 0;
        loop {
            let piece = self.windows(pool).slice(from, STATE_PIECE).to_vec();
            if piece.is_empty() {
                return;
            }
            from += piece.len();
            take(piece);
        }
    }

    /// Joins tracks from elsewhere into the windows, a piece at a time. Times later than `now`
    /// count as now.
    pub fn merge_windows(&self, pool: Pool, tracks: &[Saved], now: Timestamp) {
        for piece in tracks.chunks(STATE_PIECE) {
            self.windows(pool).merge(piece, now);
        }
    }

    /// Tracks kept now, and how many made room so far.
    #[must_use]
    pub fn window_sizes(&self) -> (usize, u64) {
        let (mut tracks, mut evictions) = (0, 0);
        for pool in [Pool::Customers, Pool::Strangers] {
            let windows = self.windows(pool);
            tracks += windows.len();
            evictions += windows.evictions();
        }
        (tracks, evictions)
    }

    fn windows(&self, pool: Pool) -> Guard<'_> {
        match pool {
            Pool::Customers => self.customers.lock(),
            Pool::Strangers => self.strangers.lock(),
        }
    }

    fn windows_of(&self, scope: Option<IpAddr>) -> Guard<'_> {
        match scope {
            None => self.windows(Pool::Customers),
            Some(_) => self.windows(Pool::Strangers),
        }
    }

    fn features(
        &self,
        attempt: &CallAttempt,
        subscriber: &Subscriber,
        destination: &Destination,
        origin: Country,
        now: Timestamp,
    ) -> FeatureVector {
        let context = features::Context {
            attempt,
            account: &subscriber.account,
            scope: subscriber.scope,
            destination,
            origin,
        };
        self.windows_of(context.scope).observe(&context, now)
    }

    fn score(&self, features: &FeatureVector) -> Risk {
        let model = self.model.current();
        let explained = model
            .as_ref()
            .and_then(|model| Some((model, model.explain(features, TOP_REASONS).ok()?)));
        match explained {
            None => Risk {
                score: None,
                threshold: None,
                model: String::new(),
                reasons: Vec::new(),
            },
            Some((model, explained)) => Risk {
                score: Some(explained.scored.score),
                threshold: Some(model.threshold()),
                model: model.id().to_owned(),
                reasons: explained.reasons,
            },
        }
    }

    fn answer(&self, event: &CallEvent, policy: &Policy) -> Answer {
        let code = event.decision.code;
        if event.attempt.ingress.is_shadow() {
            return Answer::Neutral(self.neutral);
        }
        match policy.answer {
            AnswerMode::Decline => Answer::Decline(code),
            AnswerMode::Redirect => Answer::Redirect {
                code,
                number: number_of(event),
                host: event.attempt.domain.clone(),
                score: event
                    .decision
                    .score
                    .filter(|_| policy.plan.sees_scores())
                    .map(|score| ScoreHeaders {
                        score,
                        reasons: tags(&event.decision.reasons),
                    }),
            },
        }
    }
}

/// Whose call it is; `None`: nobody we serve, and the door is not one where anybody is looked at.
fn identify(accounts: &Snapshot, attempt: &CallAttempt) -> Option<Subscriber> {
    match accounts.identify(attempt) {
        Identity::Customer(subscriber) => Some(subscriber),
        Identity::Stranger(subscriber) => {
            matches!(attempt.ingress, Ingress::Detection | Ingress::Honeypot).then_some(subscriber)
        }
    }
}

/// The number as normalised. A guess serves checks and features only: what was dialled goes back.
fn number_of(event: &CallEvent) -> String {
    match event.destination.number {
        Some(number) if event.destination.dial_prefix != DialPrefix::Guessed => number.to_string(),
        _ => event.attempt.dialed.clone(),
    }
}

fn tags(reasons: &[Reason]) -> String {
    let tags: Vec<&str> = reasons.iter().map(|reason| reason.tag.as_str()).collect();
    tags.join(",")
}

#[cfg(test)]
mod tests;
