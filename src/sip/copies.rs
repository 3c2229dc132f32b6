//! Copies of one request that come by several ways.
//!
//! RFC 3261 section 8.2.2.2 has the second copy of a request, known by Call-ID, From tag and
//! CSeq, refused with 482 while the first goes on. All three are the caller's to choose, and a
//! softswitch that fails open takes a 482 for no decision and lets the call through: asked
//! twice, a refusal would turn into an approval. So
//! - a copy comes from the same address and asks the same (`Secret::call_key`);
//! - the first must have been decided: a 401, 403 or 503 makes no copies;
//! - a copy of an approved call gets the 482: who lets it through lets an approved call through,
//!   and no more than a few of them;
//! - a copy of a refused call gets the refusal, and is not counted again.

use super::attempt::{call_attempt, proof};
use super::endpoint::{Call, Endpoint, Outcome, Pending};
use super::respond::{Packet, Status, status_of};
use super::transaction::CopyOf;
use crate::domain::{Answer, Asked, Ingress, Timestamp};

impl Endpoint {
    /// The answer of an [`Outcome::Copy`], now that the first of its call may be decided;
    /// `None`: it is to be decided itself.
    pub fn settle<'a>(&mut self, copy: &Call<'a>, now: Timestamp) -> Option<Outcome<'a>> {
        match self.copy_of(&copy.pending, now) {
            CopyOf::Approved => Some(self.merged(&copy.pending)),
            CopyOf::Refused(answer) => Some(self.refused_too(&copy.pending, &answer)),
            CopyOf::None | CopyOf::Undecided | CopyOf::OneTooMany => None,
        }
    }

    /// An INVITE never seen before: a call, or a copy of one.
    pub(super) fn new_call<'a>(&mut self, mut pending: Pending<'a>, now: Timestamp) -> Outcome<'a> {
        let Pending { request, .. } = &pending;
        let (attempt, mut bad_headers) =
            call_attempt(request, self.ingress, pending.source.ip(), pending.id);
        let proof = proof(request, &mut bad_headers);
        let asked = Asked {
            proof,
            ..attempt.into()
        };
        // Every forked copy is a call of its own.
        if self.ingress != Ingress::Detection {
            pending.call = self.secret.call_key(&request.envelope, &asked);
        }
        let copy = self.copy_of(&pending, now);
        let call = |pending| {
            Box::new(Call {
                asked,
                bad_headers,
                pending,
            })
        };
        match copy {
            CopyOf::None | CopyOf::OneTooMany => Outcome::Decide(call(pending)),
            CopyOf::Undecided => Outcome::Copy(call(pending)),
            CopyOf::Approved => self.merged(&pending),
            CopyOf::Refused(answer) => self.refused_too(&pending, &answer),
        }
    }

    fn copy_of(&mut self, pending: &Pending<'_>, now: Timestamp) -> CopyOf {
        pending.call.map_or(CopyOf::None, |call| {
            self.transactions.copy_of(pending.id, call, now)
        })
    }

    /// The 482 of a copy. Remembered: asked again once the first is acknowledged, it is still
    /// the copy.
    fn merged<'a>(&mut self, pending: &Pending<'_>) -> Outcome<'a> {
        let envelope = &pending.request.envelope;
        let response = self.response(envelope, pending.source, pending.id);
        let bytes = response.status(Status::LoopDetected, &[]);
        let transactions = &mut self.transactions;
        transactions.complete(pending.id, Some(bytes.clone()), None);
        Outcome::Reply {
            status: Status::LoopDetected,
            reason: "merged",
            packet: Packet::new(bytes, &envelope.via, pending.source),
        }
    }

    /// A copy of a call that was refused with `answer` is refused with it too.
    fn refused_too<'a>(&mut self, pending: &Pending<'_>, answer: &Answer) -> Outcome<'a> {
        let packet = self.complete(pending, answer);
        match (status_of(answer), packet) {
            (Some(status), Some(packet)) => Outcome::Reply {
                status,
                reason: "merged-refused",
                packet,
            },
            _ => Outcome::Drop("merged-refused"),
        }
    }
}
