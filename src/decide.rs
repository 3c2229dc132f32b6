//! The heart: one call in, one decision with all its evidence out.
//!
//! ```text
//! identify -> calls per second -> price, features -> score -> checks -> combine -> count use
//! ```
//! No I/O, no clock: accounts, model and databases are in memory, the time is an argument. The live
//! service, `tfps import` and `tfps score` run this very code. What it remembers of callers
//! (`features::Windows`) and of their use (`usage::Usage`) is its only state.

mod identify;

pub use identify::{Authenticator, Refusal};

use crate::accounts::Snapshot;
use crate::domain::lists::SystemLists;
use crate::domain::{
    Answer, AnswerMode, Asked, CallAttempt, CallEvent, Check, Country, Decision, Destination,
    DialPrefix, FeatureVector, Ingress, Mode, NeutralAnswers, Policy, Reason, SameNumber,
    ScoreHeaders, Subscriber, Timestamp, Used,
};
use crate::features::{self, Near, Windows};
use crate::geo::Geo;
use crate::model::ModelSlot;
use crate::model::drift::Traffic;
use crate::rates::Deck;
use crate::usage::{Asking, ResetJournal, Usage};
use crate::{numbering, policy};
use arc_swap::ArcSwap;
use parking_lot::{FairMutex, Mutex};
use std::net::IpAddr;
use std::sync::Arc;

mod allowance;
mod memory;

pub use allowance::{Allowance, ResetError, Share};
pub use memory::Pool;

/// Reasons kept with a call and named in its answer.
const TOP_REASONS: usize = 5;
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
    /// What rang at honeypots, for all others to look at.
    honeypot: FairMutex<Windows>,
    rates: ArcSwap<Deck>,
    usage: Usage,
    /// Where resets of use are noted; `None`: nowhere, for a file of calls.
    resets: Mutex<Option<ResetJournal>>,
    model: Arc<ModelSlot>,
    neutral: NeutralAnswers,
    authenticator: Option<Authenticator>,
}

/// A decided call and what its peer is told.
#[derive(Debug)]
pub struct Decided {
    /// What is remembered; `None` for a call that was not checked: nobody we serve asks, or
    /// somebody asks about too many in a second.
    pub event: Option<CallEvent>,
    /// What the peer is told.
    pub answer: Answer,
    /// Short stable name of why it was not checked, for counters: the peer is told less.
    pub unchecked: &'static str,
    /// Whether it is so unlike the calls the model was trained on that somebody should be told.
    /// It has no say in the answer.
    pub novel: bool,
}

/// A call whose asker is known, placed at both ends.
#[derive(Clone, Copy)]
struct Call<'a> {
    attempt: &'a CallAttempt,
    subscriber: &'a Subscriber,
    destination: &'a Destination,
    origin: Country,
    /// Of a minute, in the currency of the deck.
    price: Option<f32>,
}

/// The score of a call, with everything said about it.
struct Risk {
    score: Option<f32>,
    threshold: Option<f32>,
    model: String,
    reasons: Vec<Reason>,
    /// How unlike the calls of the training it is.
    novelty: Option<f32>,
    /// From where on that is told.
    alarm: Option<f32>,
}

impl Engine {
    /// With empty windows, those of strangers a quarter of the customers' size and those of
    /// honeypots a sixteenth; prices are those of the deck that ships in the program.
    /// `neutral` is what forked calls are answered with, by who forks them.
    #[must_use]
    pub fn new(
        accounts: Snapshot,
        geo: Geo,
        windows: WindowSizes,
        model: Arc<ModelSlot>,
        neutral: impl Into<NeutralAnswers>,
    ) -> Self {
        Self {
            accounts: ArcSwap::from_pointee(accounts),
            geo,
            customers: FairMutex::new(Windows::new(windows.tracks, windows.key)),
            strangers: FairMutex::new(Windows::new(windows.tracks / 4, windows.key)),
            honeypot: FairMutex::new(Windows::new(windows.tracks / 16, windows.key)),
            rates: ArcSwap::new(Deck::shipped()),
            usage: Usage::new(windows.key),
            resets: Mutex::new(None),
            model,
            neutral: neutral.into(),
            authenticator: None,
        }
    }

    /// Lets subscribers in by password, from any address; without, only trusted peers may ask.
    #[must_use]
    pub fn with_authenticator(mut self, authenticator: Authenticator) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Decides one call.
    pub fn decide(&self, asked: impl Into<Asked>, now: Timestamp) -> Decided {
        let asked = asked.into();
        let accounts = self.accounts.load();
        let authenticator = self.authenticator.as_ref();
        let identified = identify::identify(&accounts, authenticator, &asked, now);
        let attempt = asked.attempt;
        let admitted = identified
            .and_then(|subscriber| self.admit(&attempt, &subscriber, now).map(|()| subscriber));
        let subscriber = match admitted {
            Ok(subscriber) => subscriber,
            Err(refusal) => return refusal.into(),
        };
        let destination = numbering::locate(&attempt.dialed, &subscriber.dial_prefixes);
        let call = Call {
            attempt: &attempt,
            subscriber: &subscriber,
            destination: &destination,
            origin: self.geo.country(attempt.source_ip),
            price: self.rates.load().price(&destination),
        };
        let features = self.features(call, now);
        let risk = self.score(&features, traffic_of(call));
        let novel = risk.novelty > risk.alarm && risk.alarm.is_some();
        let (decision, used) = self.judge(call, &accounts.system, risk, now);
        let (origin, price) = (call.origin, call.price);
        let event = CallEvent {
            at: now,
            attempt,
            account: subscriber.account.to_string(),
            subscriber: subscriber.name.to_string(),
            policy: subscriber.policy.name.clone(),
            used,
            destination,
            origin,
            features,
            decision,
            price,
            latency_us: 0,
        };
        Decided {
            answer: self.answer(&event, &subscriber.policy),
            event: Some(event),
            unchecked: "",
            novel,
        }
    }

    /// The answer an event of the past got, for a retransmission that comes after a restart.
    #[must_use]
    pub fn answer_again(&self, event: &CallEvent) -> Option<Answer> {
        let accounts = self.accounts.load();
        let subscriber = accounts.again(&event.account, &event.subscriber)?;
        Some(self.answer(event, &subscriber.policy))
    }

    /// Whether the plan of who was counted for a call sees its score.
    #[must_use]
    pub fn sees_scores(&self, event: &CallEvent) -> bool {
        let accounts = self.accounts.load();
        let subscriber = accounts.again(&event.account, &event.subscriber);
        subscriber.is_some_and(|subscriber| subscriber.policy.plan.sees_scores())
    }

    /// The domain that is meant by callers who name none: the one that trusts their address, else
    /// the root's.
    #[must_use]
    pub fn domain_of_peer(&self, peer: IpAddr) -> String {
        self.accounts.load().domain_of_peer(peer).to_owned()
    }

    /// Whether a domain trusts this address.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.accounts.load().trusts(peer)
    }

    /// Whether a domain trusts any address of this network.
    #[must_use]
    pub fn trusts_any_of(&self, network: ipnet::IpNet) -> bool {
        self.accounts.load().trusts_any_of(network)
    }

    /// Takes one of the subscriber's calls of this second. A forked copy takes none: it must
    /// not keep the call it is a copy of from being checked.
    fn admit(
        &self,
        attempt: &CallAttempt,
        subscriber: &Subscriber,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match subscriber.policy.calls_per_second {
            Some(per_second) if !attempt.ingress.is_shadow() => {
                let (account, name) = (&subscriber.account, &subscriber.name);
                let admitted = self.usage.admit(account, name, per_second, now);
                admitted.map_err(|retry_after| Refusal::TooFast { retry_after })
            }
            _ => Ok(()),
        }
    }

    fn features(&self, call: Call<'_>, now: Timestamp) -> FeatureVector {
        let attempt = call.attempt;
        // Whoever knocks at a honeypot shapes no customer's habits, wherever he comes from.
        let honeypot = attempt.ingress == Ingress::Honeypot;
        let mut context = features::Context {
            attempt,
            account: &call.subscriber.account,
            scope: call.subscriber.scope.or(honeypot.then_some(attempt.peer)),
            destination: call.destination,
            origin: call.origin,
            price: call.price,
            near: Near::default(),
        };
        context.near = self.windows(Pool::Honeypot).near(&context, now);
        let features = self.windows_of(context.scope).observe(&context, now);
        // A forged source must not make a neighbourhood suspicious.
        if context.is_shown_at_honeypot() {
            self.windows(Pool::Honeypot)
                .note_honeypot(&context, now, false);
        }
        features
    }

    /// All checks, the code they lead to, and what the call used up if it was approved.
    fn judge(
        &self,
        call: Call<'_>,
        system: &SystemLists,
        risk: Risk,
        now: Timestamp,
    ) -> (Decision, Option<Used>) {
        let policy = &*call.subscriber.policy;
        let local = policy.off_hours.local(now);
        // From here until it is counted, no other call of this subscriber is judged.
        let mut held = self.usage.hold(Asking {
            account: &call.subscriber.account,
            subscriber: &call.subscriber.name,
            attempt: call.attempt,
            destination: call.destination,
            local,
            same_number: watched(policy),
            now,
        });
        let context = policy::Context {
            attempt: call.attempt,
            destination: call.destination,
            origin: call.origin,
            policy,
            system,
            score: risk.score,
            model_threshold: risk.threshold,
            usage: held.counts(),
            local,
            now,
        };
        let checks = policy::run(&context);
        let whitelisted = policy::whitelisted(&context);
        let code = Decision::code_of(whitelisted, &checks);
        let counts = code.is_approved() && call.attempt.ingress.uses_quota();
        let used = counts.then(|| held.count());
        let decision = Decision {
            code,
            whitelisted,
            checks,
            score: risk.score,
            model: risk.model,
            reasons: risk.reasons,
            novelty: risk.novelty,
        };
        (decision, used)
    }

    fn score(&self, features: &FeatureVector, traffic: Option<Traffic>) -> Risk {
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
                novelty: None,
                alarm: None,
            },
            Some((model, explained)) => {
                let score = explained.scored.score;
                if let Some(traffic) = traffic {
                    self.model.note(traffic, &features.values, score);
                }
                Risk {
                    score: Some(score),
                    threshold: Some(model.threshold()),
                    model: model.id().to_owned(),
                    reasons: explained.reasons,
                    novelty: explained.novelty,
                    alarm: model.novelty_alarm(),
                }
            }
        }
    }

    fn answer(&self, event: &CallEvent, policy: &Policy) -> Answer {
        let code = event.decision.code;
        if event.attempt.ingress.is_shadow() {
            return Answer::Neutral(self.neutral.of(event.attempt.peer));
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

/// Whose call it is, for the watch over drift; `None`: files and the honeypot are no traffic.
fn traffic_of(call: Call<'_>) -> Option<Traffic> {
    match (call.attempt.ingress, call.subscriber.scope) {
        (Ingress::Honeypot | Ingress::Import, _) => None,
        (_, None) => Some(Traffic::Customers),
        (_, Some(_)) => Some(Traffic::Free),
    }
}

/// R13's limit, if R13 looks: what it does not look at is not remembered.
fn watched(policy: &Policy) -> Option<SameNumber> {
    policy
        .same_number
        .filter(|_| policy.mode(Check::R13) != Mode::Off)
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
