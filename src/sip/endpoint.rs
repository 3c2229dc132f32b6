//! One door: what is to be done about each message that comes in.
//!
//! The order of the rules: who cannot be answered is dropped; ACK is absorbed; what no decision
//! is needed for is answered; an INVITE known already gets its answer again; a copy of one by
//! another way is told so; the rest is a call.
//!
//! # Detection
//! A forked copy must not be told apart from any other: whatever is odd about it, an INVITE gets
//! the neutral answer, because a 4xx could hide the real gateway's (section 16.7). To a peer
//! whose neutral answer is silence nothing is ever said, whatever he sends.
//!
//! # CANCEL
//! INVITEs are never pending: each has its final answer, or is being given it by the batch it
//! came with. So a CANCEL comes too late to change anything, and there is no INVITE left to end
//! with 487 (section 9.2). It gets 200 where its INVITE is remembered, and 481 where none is:
//! one never seen, one that is over, or one that was answered without memory, which cannot be
//! told from the others.

use super::attempt::BadHeaders;
use super::honeypot::{Honeypot, Room};
use super::identity::Secret;
use super::message::{Envelope, Malformed, Message, Request};
use super::reader::parse;
use super::respond::{ALLOW, Packet, Response, SERVER, Status};
use super::rules::{refusal, unsupported};
use super::transaction::{Limits, Seen, Transactions};
use crate::domain::{Answer, Asked, Ingress, NeutralAnswer, NeutralAnswers, Timestamp};
use std::net::SocketAddr;
use uuid::Uuid;

/// An INVITE whose answer is still to be sent.
#[derive(Debug)]
pub struct Pending<'a> {
    /// Its transaction.
    pub id: Uuid,
    /// What its copies would be known by.
    pub(super) call: Option<u128>,
    pub(super) source: SocketAddr,
    pub(super) request: Box<Request<'a>>,
    /// How much may be said to it and when it came: what a honeypot's answer goes by.
    pub(super) room: Room,
    pub(super) at: Timestamp,
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
    /// A copy by another way of a call that is being decided: when those of this batch are, ask
    /// [`Endpoint::settle`].
    Copy(Box<Call<'a>>),
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

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// By itself: its source is whatever the sender wrote on it.
    Datagram,
    /// Over a connection: its source has the address it sends from.
    Connected,
}

/// The state of one door.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) ingress: Ingress,
    pub(super) secret: Secret,
    neutral: NeutralAnswers,
    pub(super) transactions: Transactions,
    /// `None`: it is no honeypot.
    pub(super) honeypot: Option<Honeypot>,
}

impl Endpoint {
    /// A door nobody came through yet.
    #[must_use]
    pub fn new(ingress: Ingress, secret: Secret, limits: Limits) -> Self {
        Self {
            ingress,
            secret,
            neutral: NeutralAnswers::default(),
            transactions: Transactions::new(limits),
            honeypot: None,
        }
    }

    /// What detection says to whom, where that is not 503 to everybody.
    #[must_use]
    pub fn with_neutral(mut self, neutral: NeutralAnswers) -> Self {
        self.neutral = neutral;
        self
    }

    /// Whether nothing is ever said to a peer.
    #[must_use]
    pub fn is_silent(&self, source: SocketAddr) -> bool {
        self.neutral(source) == Some(NeutralAnswer::Silent)
    }

    /// Reads a message that came from `source`.
    pub fn receive_by<'a>(
        &mut self,
        how: Arrived,
        message: &'a [u8],
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        match self.honeypot {
            Some(_) => self.lure(how, message, source, now),
            None => self.receive(message, source, now),
        }
    }

    /// Reads a datagram that came from `source`.
    pub fn receive<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        if self.honeypot.is_some() {
            return self.lure(Arrived::Datagram, datagram, source, now);
        }
        let outcome = match parse(datagram) {
            Err(malformed) => Outcome::Drop(malformed.reason()),
            Ok(Message::KeepAlive) => Outcome::Drop("keep-alive"),
            Ok(Message::Response) => Outcome::Drop("response"),
            Ok(Message::Faulty(envelope, fault)) => self.blame(&envelope, source, fault),
            Ok(Message::Request(request)) => self.dispatch(request, source, now),
        };
        self.unless_silent(outcome, source)
    }

    /// What to say before a stream from `source` is ended that broke with `fault` at the message
    /// `read`.
    #[must_use]
    pub fn refuse(&self, read: &[u8], source: SocketAddr, fault: Malformed) -> Outcome<'static> {
        let outcome = match parse(read) {
            Ok(Message::Request(request)) => self.blame(&request.envelope, source, fault),
            Ok(Message::Faulty(envelope, _)) => self.blame(&envelope, source, fault),
            _ => Outcome::Drop(fault.reason()),
        };
        self.unless_silent(outcome, source)
    }

    /// The answer of a decided call, remembered for retransmissions; `None`: silence.
    ///
    /// A challenge and a 403 are not remembered (section 26.3.2.4): asked again, they are said
    /// again, and who has proved nothing takes up no memory.
    pub fn complete(&mut self, pending: &Pending<'_>, answer: &Answer) -> Option<Packet> {
        if self.honeypot.is_some() {
            return self.lure_answer(pending);
        }
        let envelope = &pending.request.envelope;
        let response = self.response(envelope, pending.source, pending.id);
        let bytes = response.answer(answer);
        if matches!(answer, Answer::Challenge(_) | Answer::Forbidden) {
            self.transactions.forget(pending.id);
        } else {
            let (bytes, answer) = (bytes.clone(), Some(answer));
            self.transactions.complete(pending.id, bytes, answer);
        }
        bytes.map(|bytes| self.packet(bytes, envelope, pending.source))
    }

    /// A call got no decision: nothing is sent, and its retransmission is a new call.
    pub fn abandon(&mut self, pending: &Pending<'_>) {
        self.transactions.forget(pending.id);
    }

    /// The answer of a call decided before; `None`: silence.
    #[must_use]
    pub fn resend(&self, pending: &Pending<'_>) -> Option<Packet> {
        let bytes = self.transactions.answer_of(pending.id)?;
        let fits = self.honeypot.is_none() || pending.room.holds(bytes.len());
        fits.then(|| self.packet(bytes, &pending.request.envelope, pending.source))
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

    pub(super) fn response<'a>(
        &'a self,
        envelope: &'a Envelope<'a>,
        source: SocketAddr,
        id: Uuid,
    ) -> Response<'a> {
        Response {
            envelope,
            source,
            to_tag: self.secret.to_tag(id),
            compact: false,
            server: self.honeypot.as_ref().map_or(SERVER, |h| &h.persona.server),
        }
    }

    pub(super) fn reply<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        (status, reason): (Status, &'static str),
        headers: &[(&str, &[u8])],
    ) -> Outcome<'a> {
        let id = self.id(envelope, source);
        let bytes = self.response(envelope, source, id).status(status, headers);
        Outcome::Reply {
            status,
            reason,
            packet: self.packet(bytes, envelope, source),
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
        match self.neutral(source) {
            Some(neutral) if envelope.method == b"INVITE" => {
                self.reply_neutrally(envelope, source, neutral, fault.reason())
            }
            _ => self.reply(envelope, source, (fault.status(), fault.reason()), &[]),
        }
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
                let id = self.id(envelope, source);
                self.transactions.acknowledge(id);
                Outcome::Absorb
            }
            Some(Method::Cancel) => {
                let id = self.id(envelope, source);
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
        if let Some(neutral) = self.neutral(source) {
            if envelope.to_tag.is_some() {
                return self.reply_neutrally(envelope, source, neutral, "in-dialog");
            }
        } else {
            if let Some(refused) = refusal(&request) {
                return self.reply(envelope, source, refused, &[]);
            }
            let unsupported = unsupported(&request);
            if !unsupported.is_empty() {
                return self.bad_extension(envelope, source, &unsupported);
            }
        }
        let id = self.id(envelope, source);
        let seen = self.transactions.open(id, now);
        let pending = Pending {
            id,
            call: None,
            source,
            request,
            room: Room::default(),
            at: now,
        };
        match seen {
            Seen::New => self.new_call(pending, now),
            Seen::Pending | Seen::Answered(_) => Outcome::Retransmission(pending),
            Seen::Recovered(answer) => {
                self.complete(&pending, &answer);
                Outcome::Retransmission(pending)
            }
        }
    }
}

impl Endpoint {
    pub(super) fn id(&self, envelope: &Envelope<'_>, source: SocketAddr) -> Uuid {
        let (ingress, peer) = (self.ingress, source.ip());
        self.secret.transaction_id(ingress, peer, envelope)
    }

    /// On detection, the answer to every INVITE of a peer.
    fn neutral(&self, source: SocketAddr) -> Option<NeutralAnswer> {
        (self.ingress == Ingress::Detection).then(|| self.neutral.of(source.ip()))
    }

    fn reply_neutrally<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        neutral: NeutralAnswer,
        reason: &'static str,
    ) -> Outcome<'a> {
        match neutral.into() {
            Some(status) => self.reply(envelope, source, (status, reason), &[]),
            None => Outcome::Drop(reason),
        }
    }

    fn unless_silent<'a>(&self, outcome: Outcome<'a>, source: SocketAddr) -> Outcome<'a> {
        match outcome {
            Outcome::Reply { reason, .. } if self.is_silent(source) => Outcome::Drop(reason),
            other => other,
        }
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
