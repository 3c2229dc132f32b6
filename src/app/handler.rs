//! What stands between a socket and the pipeline: decide, make durable, answer.

use super::clock::{self, Monotonic};
use super::learning::Witness;
use crate::api::Calls;
use crate::decide::{Allowance, Decided, Engine, ResetError};
use crate::domain::{Answer, Asked, CallEvent, Ingress, Timestamp};
use crate::model::ModelStatus;
use crate::server::CallHandler;
use crate::sip::Probe;
use crate::spool::{Frames, Share, Spool, SpoolError};
use crate::telemetry::{Event, Telemetry};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Decides batches and spools them before their answers leave.
pub(super) struct Handler {
    engine: Arc<Engine>,
    spool: Mutex<Spool<CallEvent>>,
    telemetry: Arc<Telemetry>,
    monotonic: Monotonic,
    /// Time of the latest call, microseconds.
    latest: AtomicI64,
    /// Whether free calls find no room in the spool.
    free_is_full: AtomicBool,
    novel: Untold,
    /// `None`: nothing is learned.
    witness: Option<Witness>,
}

/// How many were not told of yet: anybody can make calls that are unlike all others, and must
/// not fill the log with them.
#[derive(Default)]
struct Untold {
    count: AtomicU64,
    /// When it was told last, microseconds; 0: never.
    told: AtomicI64,
}

impl Untold {
    /// Counts one more. Once a minute at most: how many there were since, this one included.
    fn tell(&self, now: Timestamp) -> Option<u64> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let told = self.told.load(Ordering::Relaxed);
        if told != 0 && now.0 < told.saturating_add(60 * Timestamp::SECOND) {
            return None;
        }
        let mine = self
            .told
            .compare_exchange(told, now.0, Ordering::Relaxed, Ordering::Relaxed);
        mine.ok().map(|_| self.count.swap(0, Ordering::Relaxed))
    }
}

/// What is to be kept of a batch of calls.
#[derive(Default)]
struct Batch {
    paid: Frames<CallEvent>,
    /// Of doors that anybody may knock at: a flood of them must not fill the spool.
    free: Frames<CallEvent>,
}

impl Batch {
    fn of(&mut self, ingress: Ingress) -> &mut Frames<CallEvent> {
        match ingress {
            Ingress::Prevention | Ingress::Web | Ingress::Import => &mut self.paid,
            Ingress::Detection | Ingress::Honeypot => &mut self.free,
        }
    }
}

/// A clock step back that is waited out call by call; after a longer one time begins anew.
const SMALL_STEP: i64 = Timestamp::SECOND;

impl Handler {
    pub(super) fn new(
        engine: Arc<Engine>,
        spool: Mutex<Spool<CallEvent>>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self {
            engine,
            spool,
            telemetry,
            monotonic: Monotonic::start(),
            latest: AtomicI64::new(i64::MIN),
            free_is_full: AtomicBool::new(false),
            novel: Untold::default(),
            witness: None,
        }
    }

    /// Tells of evidence.
    pub(super) fn with_witness(self, witness: Option<Witness>) -> Self {
        Self { witness, ..self }
    }

    /// The wall clock's time, later than that of every call before: windows that are rebuilt
    /// after a crash tell calls apart by it.
    fn time_of_call(&self) -> Timestamp {
        let now = clock::now().0;
        let next = |latest: i64| {
            let step = latest.saturating_sub(now);
            if (0..SMALL_STEP).contains(&step) {
                latest + 1
            } else {
                now
            }
        };
        let before = self
            .latest
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |latest| {
                Some(next(latest))
            });
        Timestamp(before.map_or(now, next))
    }

    /// One write for all of a kind. A spool that cannot take it changes no answer.
    fn keep(&self, batch: &Batch, now: Timestamp) {
        self.append(&batch.paid, Share::Whole, now);
        self.append(&batch.free, Share::ThreeQuarters, now);
    }

    fn append(&self, frames: &Frames<CallEvent>, share: Share, now: Timestamp) {
        if frames.is_empty() {
            return;
        }
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        let appended = spool.append_frames(frames, share, now);
        drop(spool);
        let events = frames.len() as u64;
        match appended {
            Ok(()) if share == Share::ThreeQuarters => {
                self.free_is_full.store(false, Ordering::Relaxed);
            }
            Ok(()) => {}
            Err(SpoolError::Reserved { .. }) => {
                let first = !self.free_is_full.swap(true, Ordering::Relaxed);
                self.telemetry.emit(&Event::FreeCallsLost { events, first });
            }
            Err(error) => {
                let kept = match &error {
                    SpoolError::Write { stored, .. } => *stored as u64,
                    _ => 0,
                };
                self.telemetry.emit(&Event::SpoolLost {
                    events: events - kept,
                    error: &error.to_string(),
                });
            }
        }
    }

    fn lost(&self, error: &SpoolError) {
        self.telemetry.emit(&Event::SpoolLost {
            events: 1,
            error: &error.to_string(),
        });
    }
}

impl Handler {
    /// Decides one call and adds it to what is to be kept.
    fn decide_one(&self, asked: Asked, arrived: Timestamp, batch: &mut Batch) -> Decided {
        let ingress = asked.attempt.ingress;
        let mut decided = self.engine.decide(asked, self.time_of_call());
        let Some(event) = &mut decided.event else {
            self.telemetry.emit(&Event::Rejected {
                ingress,
                status: status_of_unchecked(&decided.answer),
                reason: decided.unchecked,
            });
            return decided;
        };
        let latency = self.monotonic.now().seconds_since(arrived).max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "microseconds, saturating"
        )]
        let micros = (latency * 1e6) as u32;
        event.latency_us = micros;
        self.telemetry.emit(&Event::Decided {
            ingress,
            code: event.decision.code,
            latency,
        });
        if decided.novel {
            self.telemetry.emit(&Event::Novel {
                ingress,
                id: event.attempt.id,
                novelty: event.decision.novelty.unwrap_or_default(),
                tell: self.novel.tell(self.monotonic.now()),
            });
        }
        if let Some(witness) = &self.witness {
            witness.call(event);
        }
        if let Err(error) = batch.of(ingress).push(event) {
            self.lost(&error);
        }
        decided
    }
}

/// The status of an answer to a call that was not checked, the same in SIP and HTTP.
const fn status_of_unchecked(answer: &Answer) -> u16 {
    match answer {
        Answer::Challenge(_) => 401,
        Answer::Busy { .. } => 503,
        _ => 403,
    }
}

impl CallHandler for Handler {
    fn now(&self) -> Timestamp {
        self.monotonic.now()
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        self.engine.trusts(peer)
    }

    fn probed(&self, probes: Vec<Probe>) {
        let now = clock::now();
        for probe in &probes {
            match &self.witness {
                Some(witness) => witness.probe(probe, now),
                None => self.telemetry.emit(&Event::Probed {
                    proven: probe.proven,
                }),
            }
        }
    }

    fn decide(&self, asked: Vec<Asked>, arrived: Timestamp) -> Vec<Answer> {
        let mut batch = Batch::default();
        let answers = asked
            .into_iter()
            .map(|asked| self.decide_one(asked, arrived, &mut batch).answer)
            .collect();
        self.keep(&batch, clock::now());
        answers
    }
}

impl Calls for Handler {
    fn ask(&self, asked: Asked) -> Decided {
        let mut batch = Batch::default();
        let decided = self.decide_one(asked, self.monotonic.now(), &mut batch);
        self.keep(&batch, clock::now());
        decided
    }

    fn domain_of_peer(&self, peer: IpAddr) -> String {
        self.engine.domain_of_peer(peer)
    }

    fn note_bad_hint(&self, name: &'static str) {
        self.telemetry.emit(&Event::BadHeader { header: name });
    }

    fn usage(&self, domain: &str, name: &str) -> Option<Allowance> {
        self.engine.usage(domain, name, clock::now())
    }

    fn reset_usage(&self, domain: &str, name: &str) -> Result<Allowance, ResetError> {
        self.engine.reset_usage(domain, name, clock::now())
    }

    fn model_status(&self) -> ModelStatus {
        self.engine.model().status()
    }

    fn sees_scores(&self, event: &CallEvent) -> bool {
        self.engine.sees_scores(event)
    }
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
