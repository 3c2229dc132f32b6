//! One door: what is to be done about each message that comes in.
//!
//! The order of the rules: who cannot be answered is dropped; ACK is absorbed; what no decision
//! is needed for is answered; an INVITE known already gets its answer again; a copy of one by
//! another way is refused; the rest is a call.

use super::attempt::{BadHeaders, call_attempt, proof};
use super::identity::Secret;
use super::message::{Envelope, Malformed, Message, Request};
use super::reader::parse;
use super::respond::{ALLOW, Packet, Response, Status};
use super::text::{split_once, trim, unescape};
use super::transaction::{Limits, Seen, Transactions};
use crate::domain::{Answer, Asked, Code, Ingress, REFUSAL_ORDER, Timestamp};
use std::net::SocketAddr;
use uuid::Uuid;

/// Option tags that ask something of whoever sets the session up. A redirect sets up none,
/// and the softswitch's next target will see the header itself, so they are no reason for a 420.
const SESSION_TAGS: [&[u8]; 12] = [
    b"100rel",
    b"early-session",
    b"from-change",
    b"histinfo",
    b"join",
    b"outbound",
    b"path",
    b"precondition",
    b"privacy",
    b"replaces",
    b"resource-priority",
    b"timer",
];

/// An INVITE whose answer is still to be sent.
#[derive(Debug)]
pub struct Pending<'a> {
    /// Its transaction.
    pub id: Uuid,
    source: SocketAddr,
    request: Box<Request<'a>>,
}

/// A call to decide.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked.
    pub asked: Asked,
    /// Headers that were of no use and were taken as absent.
    pub bad_headers: BadHeaders,
    /// For [`Endpoint::complete`].
    pub pending: Pending<'a>,
}

/// What is to be done about a datagram.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// Decide, then [`Endpoint::complete`] or [`Endpoint::abandon`].
    Decide(Box<Call<'a>>),
    /// An INVITE seen before: send what [`Endpoint::resend`] gives, once the decisions of this
    /// batch are in.
    Retransmission(Pending<'a>),
    /// Send; no decision is needed.
    Reply {
        /// Its status.
        status: Status,
        /// Short stable name of why.
        reason: &'static str,
        /// What to send.
        packet: Packet,
    },
    /// An ACK: it ends a transaction and wants no answer.
    Absorb,
    /// No answer can or should be given; with the short stable name of why.
    Drop(&'static str),
}

/// The state of one door.
#[derive(Debug)]
pub struct Endpoint {
    ingress: Ingress,
    secret: Secret,
    transactions: Transactions,
}

impl Endpoint {
    /// A door nobody came through yet.
    #[must_use]
    pub fn new(ingress: Ingress, secret: Secret, limits: Limits) -> Self {
        Self {
            ingress,
            secret,
            transactions: Transactions::new(limits),
        }
    }

    /// Reads a message that came from `source`.
    pub fn receive<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        match parse(datagram) {
            Err(malformed) => Outcome::Drop(malformed.reason()),
            Ok(Message::KeepAlive) => Outcome::Drop("keep-alive"),
            Ok(Message::Response) => Outcome::Drop("response"),
            Ok(Message::Faulty(envelope, fault)) => self.blame(&envelope, source, fault),
            Ok(Message::Request(request)) => self.dispatch(request, source, now),
        }
    }

    /// What to say before a stream from `source` is ended that broke with `fault` at the message
    /// `read`.
    #[must_use]
    pub fn refuse(&self, read: &[u8], source: SocketAddr, fault: Malformed) -> Outcome<'static> {
        match parse(read) {
            Ok(Message::Request(request)) => self.blame(&request.envelope, source, fault),
            Ok(Message::Faulty(envelope, _)) => self.blame(&envelope, source, fault),
            _ => Outcome::Drop(fault.reason()),
        }
    }

    /// The answer of a decided call, remembered for retransmissions; `None`: silence.
    pub fn complete(&mut self, pending: &Pending<'_>, answer: &Answer) -> Option<Packet> {
        let envelope = &pending.request.envelope;
        let response = self.response(envelope, pending.source, pending.id);
        let bytes = response.answer(answer);
        self.transactions.complete(pending.id, bytes.clone());
        bytes.map(|bytes| Packet::new(bytes, &envelope.via, pending.source))
    }

    /// A call got no decision: nothing is sent, and its retransmission is a new call.
    pub fn abandon(&mut self, pending: &Pending<'_>) {
        self.transactions.forget(pending.id);
    }

    /// The answer of a call decided before; `None`: silence.
    #[must_use]
    pub fn resend(&self, pending: &Pending<'_>) -> Option<Packet> {
        let bytes = self.transactions.answer_of(pending.id)?;
        let via = &pending.request.envelope.via;
        Some(Packet::new(bytes, via, pending.source))
    }

    /// After a restart: call `id` was decided at `at` with `answer`. Its retransmission gets
    /// the bytes it got before and is not decided again. Oldest first.
    pub fn recover(&mut self, id: Uuid, answer: Answer, at: Timestamp) {
        self.transactions.recover(id, answer, at);
    }

    /// Transactions that had to make room since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        self.transactions.take_evicted()
    }

    fn response<'a>(
        &self,
        envelope: &'a Envelope<'a>,
        source: SocketAddr,
        id: Uuid,
    ) -> Response<'a> {
        Response {
            envelope,
            source,
            to_tag: self.secret.to_tag(id),
        }
    }

    fn reply<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        (status, reason): (Status, &'static str),
        headers: &[(&str, &[u8])],
    ) -> Outcome<'a> {
        let id = self.secret.transaction_id(self.ingress, envelope);
        let bytes = self.response(envelope, source, id).status(status, headers);
        Outcome::Reply {
            status,
            reason,
            packet: Packet::new(bytes, &envelope.via, source),
        }
    }

    fn blame<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        fault: Malformed,
    ) -> Outcome<'a> {
        // An ACK is never answered, not even a bad one (RFC 3261 section 17).
        if envelope.method == b"ACK" {
            return Outcome::Drop(fault.reason());
        }
        self.reply(envelope, source, (fault.status(), fault.reason()), &[])
    }

    fn dispatch<'a>(
        &mut self,
        request: Box<Request<'a>>,
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        use rsip::Method;
        let envelope = &request.envelope;
        let allow: &[(&str, &[u8])] = &[("Allow", ALLOW.as_bytes())];
        match request.method {
            Some(Method::Invite) => self.invite(request, source, now),
            Some(Method::Ack) => {
                let id = self.secret.transaction_id(self.ingress, envelope);
                self.transactions.acknowledge(id);
                Outcome::Absorb
            }
            Some(Method::Cancel) => {
                let id = self.secret.transaction_id(self.ingress, envelope);
                // An INVITE never waits: it has its final answer, or is being given it by the
                // batch it came with. A CANCEL comes too late to change that, and there is no
                // INVITE left to end with 487 (section 9.2).
                let what = if self.transactions.knows(id, now) {
                    (Status::Ok, "cancel")
                } else {
                    (Status::DoesNotExist, "cancel-unknown")
                };
                self.reply(envelope, source, what, &[])
            }
            Some(Method::Options) => {
                let unsupported = unsupported(&request);
                if !unsupported.is_empty() {
                    return self.bad_extension(envelope, source, &unsupported);
                }
                let accept = [allow[0], ("Accept", b"application/sdp")];
                self.reply(envelope, source, (Status::Ok, "options"), &accept)
            }
            Some(Method::Register) => {
                self.reply(envelope, source, (Status::Forbidden, "register"), &[])
            }
            Some(Method::Bye) => self.reply(envelope, source, (Status::DoesNotExist, "bye"), &[]),
            _ => self.reply(
                envelope,
                source,
                (Status::MethodNotAllowed, "method"),
                allow,
            ),
        }
    }

    fn invite<'a>(
        &mut self,
        request: Box<Request<'a>>,
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        let envelope = &request.envelope;
        // A forked copy must not be told apart from any other: whatever is odd about it, it gets
        // the neutral answer, because a 4xx could hide the real gateway's (RFC 3261, 16.7).
        if self.ingress != Ingress::Detection {
            if let Some(refused) = refusal(&request) {
                return self.reply(envelope, source, refused, &[]);
            }
            let unsupported = unsupported(&request);
            if !unsupported.is_empty() {
                return self.bad_extension(envelope, source, &unsupported);
            }
        } else if request.envelope.to_tag.is_some() {
            return self.reply(envelope, source, (Status::DoesNotExist, "in-dialog"), &[]);
        }
        let id = self.secret.transaction_id(self.ingress, envelope);
        let seen = self.transactions.open(id, now);
        if seen == Seen::New && self.is_merged(id, envelope, now) {
            let what = (Status::LoopDetected, "merged");
            let reply = self.reply(envelope, source, what, &[]);
            if let Outcome::Reply { packet, .. } = &reply {
                // Kept: asked again once the first copy is acknowledged, it is still a copy.
                self.transactions.complete(id, Some(packet.bytes.clone()));
            }
            return reply;
        }
        let pending = Pending {
            id,
            source,
            request,
        };
        match seen {
            Seen::New => {
                let (attempt, mut bad_headers) =
                    call_attempt(&pending.request, self.ingress, source.ip(), id);
                let proof = proof(&pending.request, &mut bad_headers);
                Outcome::Decide(Box::new(Call {
                    asked: Asked {
                        proof,
                        ..attempt.into()
                    },
                    bad_headers,
                    pending,
                }))
            }
            Seen::Pending | Seen::Answered(_) => Outcome::Retransmission(pending),
            Seen::Recovered(answer) => {
                self.complete(&pending, &answer);
                Outcome::Retransmission(pending)
            }
        }
    }
}

impl Endpoint {
    /// Whether a new INVITE came by another way already and is not acknowledged there
    /// (section 8.2.2.2). Never of a forked copy: it must not be told apart from any other.
    fn is_merged(&mut self, id: Uuid, envelope: &Envelope<'_>, now: Timestamp) -> bool {
        self.ingress != Ingress::Detection
            && self
                .secret
                .call_key(envelope)
                .is_some_and(|call| self.transactions.is_merged(id, call, now))
    }

    fn bad_extension<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        unsupported: &[u8],
    ) -> Outcome<'a> {
        let headers = [("Unsupported", unsupported)];
        self.reply(
            envelope,
            source,
            (Status::BadExtension, "require"),
            &headers,
        )
    }
}

/// The final answer of an INVITE that is no call to decide.
fn refusal(request: &Request<'_>) -> Option<(Status, &'static str)> {
    if request.envelope.to_tag.is_some() {
        return Some((Status::DoesNotExist, "in-dialog"));
    }
    if request.max_forwards == Some(0) {
        return Some((Status::TooManyHops, "max-forwards"));
    }
    let Some(user) = request.uri.user else {
        return Some((Status::AddressIncomplete, "no-number"));
    };
    begins_with_code(&unescape(user)).then_some((Status::LoopDetected, "loop"))
}

/// Whether a number is one of our own answers come back.
fn begins_with_code(user: &[u8]) -> bool {
    std::iter::once(Code::A00)
        .chain(REFUSAL_ORDER.into_iter().map(Code::Refused))
        .any(|code| user.starts_with(code.as_str().as_bytes()))
}

/// Required option tags that are not understood, as the Unsupported header lists them
/// (RFC 3261 section 8.2.2.3); empty: none.
fn unsupported(request: &Request<'_>) -> Vec<u8> {
    let mut tags: Vec<&[u8]> = Vec::new();
    for value in &request.require {
        let mut rest = Some(*value);
        while let Some(list) = rest {
            let (tag, next) = split_once(list, b',');
            let tag = trim(tag);
            let known = SESSION_TAGS.iter().any(|t| t.eq_ignore_ascii_case(tag));
            if !known && !tag.is_empty() {
                tags.push(tag);
            }
            rest = next;
        }
    }
    tags.join(&b", "[..])
}
