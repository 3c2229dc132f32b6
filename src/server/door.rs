//! What all transports of one door share: the transactions, and the way from messages to
//! answers.
//!
//! One table for UDP, TCP and TLS together, because a client that asks again over TCP what it
//! asked over UDP (RFC 3261 section 18.1.1) asks the same: it must get the same answer and be
//! counted once. The table is locked to read a batch and to answer it, not while the calls are
//! decided.

use super::CallHandler;
use super::batch::Batch;
use crate::domain::{Answer, Ingress, NeutralAnswers, Timestamp};
use crate::sip::{Arrived, Endpoint, Limits, Malformed, Outcome, Packet, Persona, Secret};
use crate::telemetry::{Event, Telemetry};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use uuid::Uuid;

/// One door, whatever its transports.
#[derive(Debug)]
pub struct Door {
    ingress: Ingress,
    pub(super) endpoint: Mutex<Endpoint>,
    telemetry: Arc<Telemetry>,
}

impl Door {
    /// A door nobody came through yet.
    #[must_use]
    pub fn new(
        ingress: Ingress,
        secret: Secret,
        limits: Limits,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self {
            ingress,
            endpoint: Mutex::new(Endpoint::new(ingress, secret, limits)),
            telemetry,
        }
    }

    /// After a restart, oldest first: see [`Endpoint::recover`].
    pub fn recover(&self, id: Uuid, answer: Answer, at: Timestamp) {
        self.endpoint.lock().recover(id, answer, at);
    }

    /// What detection says to whom, where that is not 503 to everybody.
    #[must_use]
    pub fn with_neutral(self, neutral: NeutralAnswers) -> Self {
        let endpoint = self.endpoint.into_inner().with_neutral(neutral);
        Self {
            endpoint: Mutex::new(endpoint),
            ..self
        }
    }

    /// A door that looks like a PBX.
    #[must_use]
    pub fn with_honeypot(self, persona: Persona) -> Self {
        let endpoint = self.endpoint.into_inner().with_honeypot(persona);
        Self {
            endpoint: Mutex::new(endpoint),
            ..self
        }
    }

    /// When something is to be said that nobody asks for just then: the end of a call that rings
    /// at a honeypot.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        match self.ingress {
            Ingress::Honeypot => self.endpoint.lock().next_due(),
            _ => None,
        }
    }

    /// What is due by now.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Packet> {
        self.endpoint.lock().due(now)
    }

    /// Whether nothing is ever said to a peer, not even to his keep-alives.
    pub(super) fn is_silent(&self, source: SocketAddr) -> bool {
        self.endpoint.lock().is_silent(source)
    }

    /// The answers to one batch of messages, with all its calls decided at once. `arrived`: how
    /// they came.
    pub(super) fn answer<'a, H: CallHandler + ?Sized>(
        &self,
        messages: impl Iterator<Item = (&'a [u8], SocketAddr)>,
        arrived: Arrived,
        handler: &H,
    ) -> Vec<Packet> {
        let mut messages = messages.peekable();
        if messages.peek().is_none() {
            return Vec::new();
        }
        let mut batch = Batch::new(self, handler.now());
        let probes = batch.receive(messages, arrived);
        if !probes.is_empty() {
            handler.probed(probes);
        }
        batch.decide(handler);
        batch.settle_copies();
        batch.decide(handler);
        batch.answer_the_repeated();
        std::mem::take(&mut batch.packets)
    }

    /// What to say before a stream is ended that broke at the message `read`.
    pub(super) fn refuse(
        &self,
        read: &[u8],
        source: SocketAddr,
        fault: Malformed,
    ) -> Option<Packet> {
        let outcome = self.endpoint.lock().refuse(read, source, fault);
        self.undisputed(outcome)
    }

    /// The answer of what needs no decision.
    pub(super) fn undisputed(&self, outcome: Outcome<'_>) -> Option<Packet> {
        match outcome {
            Outcome::Reply {
                status,
                reason,
                packet,
            } => {
                self.telemetry.emit(&Event::Rejected {
                    ingress: self.ingress,
                    status: status.code(),
                    reason,
                });
                return Some(packet);
            }
            Outcome::Drop(reason) => self.note_dropped(reason),
            Outcome::Absorb
            | Outcome::Decide(_)
            | Outcome::Copy(_)
            | Outcome::Retransmission(_) => {}
        }
        None
    }

    /// A message got no answer.
    pub(super) fn note_dropped(&self, reason: &'static str) {
        let ingress = self.ingress;
        self.telemetry.emit(&Event::Dropped { ingress, reason });
    }

    /// An answer could not be sent.
    pub(super) fn note_unsent(&self, peer: SocketAddr, error: &std::io::Error) {
        let error = &error.to_string();
        self.telemetry.emit(&Event::SendFailed { peer, error });
    }

    pub(super) const fn ingress(&self) -> Ingress {
        self.ingress
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}
