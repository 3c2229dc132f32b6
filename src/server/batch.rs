//! One batch of messages on its way to their answers.

use super::{CallHandler, Door};
use crate::domain::{Asked, Timestamp};
use crate::sip::{Arrived, Call, Outcome, Packet, Pending, Probe};
use crate::telemetry::Event;
use std::net::SocketAddr;

/// The messages of a batch that are not answered yet, and the answers of those that are.
///
/// Dropped before its calls are decided (by a panic of who decides them), it abandons them:
/// they would be pending for as long as a transaction lives, and asked again in vain.
pub(super) struct Batch<'d, 'a> {
    door: &'d Door,
    arrived: Timestamp,
    /// What `undecided` ask, in the same order.
    asked: Vec<Asked>,
    undecided: Vec<Pending<'a>>,
    copies: Vec<Call<'a>>,
    repeated: Vec<Pending<'a>>,
    pub(super) packets: Vec<Packet>,
}

impl<'d, 'a> Batch<'d, 'a> {
    pub(super) const fn new(door: &'d Door, arrived: Timestamp) -> Self {
        Self {
            door,
            arrived,
            asked: Vec::new(),
            undecided: Vec::new(),
            copies: Vec::new(),
            repeated: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Reads the messages and answers what needs no decision; what was no call at a honeypot.
    pub(super) fn receive(
        &mut self,
        messages: impl Iterator<Item = (&'a [u8], SocketAddr)>,
        how: Arrived,
    ) -> Vec<Probe> {
        let mut endpoint = self.door.endpoint.lock();
        for (message, source) in messages {
            match endpoint.receive_by(how, message, source, self.arrived) {
                Outcome::Decide(call) => {
                    self.note_bad_headers(&call);
                    self.asked.push(call.asked);
                    self.undecided.push(call.pending);
                }
                Outcome::Copy(call) => {
                    self.note_bad_headers(&call);
                    self.copies.push(*call);
                }
                Outcome::Retransmission(pending) => self.repeated.push(pending),
                other => self.packets.extend(self.door.undisputed(other)),
            }
        }
        endpoint.take_probes()
    }

    /// Decides and answers the calls that are there. The table is not locked while they are
    /// decided.
    pub(super) fn decide<H: CallHandler + ?Sized>(&mut self, handler: &H) {
        if self.asked.is_empty() {
            return;
        }
        let asked = std::mem::take(&mut self.asked);
        let mut answers = handler.decide(asked, self.arrived).into_iter();
        let mut endpoint = self.door.endpoint.lock();
        for pending in self.undecided.drain(..) {
            if let Some(answer) = answers.next() {
                self.packets.extend(endpoint.complete(&pending, &answer));
            } else {
                endpoint.abandon(&pending);
                self.door.note_dropped("undecided");
            }
        }
    }

    /// Answers the copies of calls that are decided by now; the others are to be decided.
    pub(super) fn settle_copies(&mut self) {
        if self.copies.is_empty() {
            return;
        }
        let mut endpoint = self.door.endpoint.lock();
        for copy in std::mem::take(&mut self.copies) {
            if let Some(outcome) = endpoint.settle(&copy, self.arrived) {
                self.packets.extend(self.door.undisputed(outcome));
            } else {
                self.asked.push(copy.asked);
                self.undecided.push(copy.pending);
            }
        }
    }

    /// Last, because the calls they repeat may have been decided in this very batch.
    pub(super) fn answer_the_repeated(&mut self) {
        let mut endpoint = self.door.endpoint.lock();
        let ingress = self.door.ingress();
        let telemetry = self.door.telemetry();
        for pending in &self.repeated {
            telemetry.emit(&Event::Retransmission { ingress });
            self.packets.extend(endpoint.resend(pending));
        }
        for _ in 0..endpoint.take_evicted() {
            let table = "transactions";
            telemetry.emit(&Event::Evicted { table });
        }
    }

    fn note_bad_headers(&self, call: &Call<'_>) {
        for header in &call.bad_headers {
            self.door.telemetry().emit(&Event::BadHeader { header });
        }
    }
}

impl Drop for Batch<'_, '_> {
    fn drop(&mut self) {
        let copies = self.copies.iter().map(|copy| &copy.pending);
        let mut left = self.undecided.iter().chain(copies).peekable();
        if left.peek().is_none() {
            return;
        }
        let mut endpoint = self.door.endpoint.lock();
        for pending in left {
            endpoint.abandon(pending);
        }
    }
}
