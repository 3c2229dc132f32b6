//! What became of each INVITE: answered or not, and how long the call was.
//!
//! An INVITE without a To tag begins a call. The same Call-ID, From tag and CSeq again is the same
//! call: sent again, or a copy on its way through proxies. One that was answered 401 or 407 was
//! only asked for a password; the INVITE that brings it, with the next CSeq, is the call. A
//! forked call may be refused by one branch and taken by another: it is over when nothing more
//! came of it for [`LINGER`].

use super::{Broken, Counts, From};
use crate::domain::{CallRecord, Ingress, Timestamp};
use crate::replay::{Message, Row};
use crate::sip::{self, Request, attempt};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// Calls remembered at once.
pub(super) const MOST: usize = 200_000;
/// How long copies and answers of a call that is over may still come, seconds: timers B and H of
/// RFC 3261 are 32.
const LINGER: f64 = 64.0;
/// An INVITE that nobody answered is over after that, seconds: timer C is three minutes.
const RINGING: f64 = 300.0;
/// A call whose BYE is not in the capture is taken as lost after that, seconds.
const TALKING: f64 = 12.0 * 3_600.0;
/// A packet so much later than all before it moves the clock only when the next is as late, seconds:
/// a single wrong date must not end the calls that are up.
const LEAP: f64 = 3_600.0;
/// Seconds of the capture between two looks for calls that are over.
const LOOK: f64 = 10.0;

/// Hash of Call-ID and From tag.
type Key = [u8; 16];

#[derive(Debug)]
struct Call {
    row: Row,
    cseq: u32,
    answered: Option<Timestamp>,
    refused: Option<Timestamp>,
    challenged: bool,
    ended: Option<Timestamp>,
    last: Timestamp,
}

/// Calls that are not over.
#[derive(Debug, Default)]
pub struct Dialogs {
    calls: HashMap<Key, Call>,
    finished: Vec<Row>,
    counts: Counts,
    now: Timestamp,
    /// The last packet leapt ahead of `now`.
    leapt: bool,
    looked: Timestamp,
}

impl Dialogs {
    /// Takes a message. What is no SIP is passed over.
    pub(super) fn take(&mut self, bytes: &[u8], from: From, broken: &mut dyn FnMut(u64, Broken)) {
        // Media, DNS and the like: SIP begins with a letter.
        if !bytes
            .iter()
            .find(|b| !b.is_ascii_whitespace())
            .is_some_and(u8::is_ascii_alphabetic)
        {
            return;
        }
        self.tick(from.at);
        match sip::parse(bytes) {
            Ok(sip::Message::Request(request)) => self.request(&request, from, broken),
            Ok(sip::Message::Response) => self.response(bytes, from.at),
            Ok(sip::Message::KeepAlive) | Err(sip::Malformed::NotSip) => return,
            Ok(sip::Message::Faulty(_, fault)) | Err(fault) => {
                broken(from.packet, Broken::Sip(fault));
            }
        }
        self.counts.messages += 1;
        if self.now.seconds_since(self.looked) >= LOOK {
            self.looked = self.now;
            self.look();
        }
    }

    fn tick(&mut self, at: Timestamp) {
        let first = self.now == Timestamp::default();
        let leaps = !first && at.seconds_since(self.now) > LEAP;
        if !leaps || self.leapt {
            self.now = self.now.max(at);
        }
        self.leapt = leaps;
    }

    fn request(&mut self, request: &Request<'_>, from: From, broken: &mut dyn FnMut(u64, Broken)) {
        let envelope = &request.envelope;
        match (&request.method, envelope.to_tag) {
            (Some(rsip::Method::Invite), None) => self.invite(request, from, broken),
            (Some(rsip::Method::Invite), Some(_)) => self.counts.within += 1,
            (Some(rsip::Method::Bye), Some(to_tag)) => {
                // Whoever hangs up: his own tag stands in From.
                for tag in [envelope.from_tag, to_tag] {
                    if let Some(call) = self.calls.get_mut(&key(envelope.call_id, tag)) {
                        call.ended.get_or_insert(from.at);
                        call.last = from.at;
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    fn invite(&mut self, request: &Request<'_>, from: From, broken: &mut dyn FnMut(u64, Broken)) {
        let envelope = &request.envelope;
        let key = key(envelope.call_id, envelope.from_tag);
        if let Some(known) = self.calls.get_mut(&key) {
            if envelope.cseq_number <= known.cseq {
                self.counts.copies += 1;
                known.last = from.at;
                return;
            }
            let before = self.calls.remove(&key);
            self.over(before);
        }
        let Some(row) = row(request, from) else {
            self.counts.numberless += 1;
            return;
        };
        if self.calls.len() >= MOST {
            self.look();
        }
        if self.calls.len() >= MOST {
            self.make_room();
            broken(from.packet, Broken::TooMany);
        }
        let call = Call {
            row,
            cseq: envelope.cseq_number,
            answered: None,
            refused: None,
            challenged: false,
            ended: None,
            last: from.at,
        };
        self.calls.insert(key, call);
    }

    fn response(&mut self, bytes: &[u8], at: Timestamp) {
        let Some(reply) = sip::parse_reply(bytes) else {
            return;
        };
        if reply.method != b"INVITE" {
            return;
        }
        let key = key(reply.call_id, reply.from_tag);
        let Some(call) = self
            .calls
            .get_mut(&key)
            .filter(|call| call.cseq == reply.cseq_number)
        else {
            return;
        };
        call.last = at;
        match reply.status {
            100..=199 => {}
            200..=299 => {
                call.answered.get_or_insert(at);
            }
            status => {
                call.refused = Some(at);
                call.challenged |= matches!(status, 401 | 407);
            }
        }
    }

    /// Takes out the calls that are over.
    fn look(&mut self) {
        let now = self.now;
        let is_over = |call: &Call| {
            let silent = now.seconds_since(call.last);
            let patience = match (call.answered, call.ended.or(call.refused)) {
                (Some(_), None) => TALKING,
                (Some(_), Some(_)) if call.ended.is_none() => TALKING,
                (None, None) => RINGING,
                _ => LINGER,
            };
            silent > patience
        };
        let over = self.calls.extract_if(|_, call| is_over(call));
        let over: Vec<Call> = over.map(|(_, call)| call).collect();
        for call in over {
            self.over(Some(call));
        }
    }

    /// Takes the tenth that began first as it stands.
    fn make_room(&mut self) {
        let mut began: Vec<Timestamp> = self
            .calls
            .values()
            .map(|call| call.row.record.time)
            .collect();
        let (_, early, _) = began.select_nth_unstable(MOST / 10);
        let early = *early;
        let over = self
            .calls
            .extract_if(|_, call| call.row.record.time <= early);
        let over: Vec<Call> = over.map(|(_, call)| call).collect();
        for call in over {
            self.over(Some(call));
        }
    }

    fn over(&mut self, call: Option<Call>) {
        let Some(call) = call else {
            return;
        };
        if call.challenged && call.answered.is_none() {
            self.counts.challenged += 1;
            return;
        }
        let row = call.into_row(self.now);
        self.finished.push(row);
    }

    /// The calls that are over, in no order.
    pub(super) fn finished(&mut self) -> impl Iterator<Item = Row> {
        self.finished.drain(..)
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// What is left at the end of the capture.
    pub(super) fn end(mut self) -> Vec<Row> {
        let calls: Vec<Call> = self.calls.drain().map(|(_, call)| call).collect();
        for call in calls {
            self.over(Some(call));
        }
        self.finished
    }
}

impl Call {
    /// As a row. A call that was never seen to end was up as far as the capture goes, and how
    /// long it was is not known.
    fn into_row(self, now: Timestamp) -> Row {
        let mut row = self.row;
        let start = row.record.time;
        let seconds = |from: Timestamp, to: Timestamp| {
            let micros = (to.0 - from.0).max(0);
            u32::try_from((micros + Timestamp::SECOND / 2) / Timestamp::SECOND).unwrap_or(u32::MAX)
        };
        let record = &mut row.record;
        match (self.answered, self.ended, self.refused) {
            (Some(answered), Some(ended), _) => {
                record.answered = Some(true);
                record.duration_s = Some(seconds(answered, ended));
                row.up_s = Some(seconds(start, ended));
            }
            (Some(_), None, _) => {
                record.answered = Some(true);
                row.up_s = Some(seconds(start, now));
            }
            (None, ended, Some(refused)) => {
                record.answered = Some(false);
                record.duration_s = Some(0);
                row.up_s = Some(seconds(start, ended.unwrap_or(refused)));
            }
            (None, ended, None) => {
                row.up_s = Some(seconds(start, ended.unwrap_or(self.last)));
            }
        }
        row
    }
}

/// The call an INVITE asks for; `None`: it dials nothing.
fn row(request: &Request<'_>, from: From) -> Option<Row> {
    let (attempt, _) = attempt::call_attempt(request, Ingress::Import, from.source, Uuid::nil());
    if attempt.dialed.is_empty() {
        return None;
    }
    let record = CallRecord {
        time: from.at,
        domain: attempt.domain,
        user: attempt.user,
        dialed_number: attempt.dialed,
        source_ip: attempt.source_ip,
        user_agent: attempt.user_agent,
        calls: attempt.concurrent,
        verdict: None,
        campaign: String::new(),
        call_id: Some(attempt.call_id).filter(|id| !id.is_empty()),
        duration_s: None,
        answered: None,
    };
    Some(Row {
        message: Some(Message {
            peer: attempt.peer,
            policy_user: attempt.policy_user,
            signs: attempt.signs,
        }),
        ..Row::of_table(record, from.packet)
    })
}

fn key(call_id: &[u8], tag: &[u8]) -> Key {
    let mut hasher = Sha256::new();
    hasher.update((call_id.len() as u64).to_le_bytes());
    hasher.update(call_id);
    hasher.update(tag);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}
