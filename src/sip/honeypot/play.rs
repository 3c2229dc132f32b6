//! What is said to whom.

use super::proof::Shown;
use super::{Honeypot, Persona, Probe, Room, ringing};
use crate::domain::{Asked, Ingress, Sign, Timestamp};
use crate::sip::attempt::{MAX_TEXT, call_attempt};
use crate::sip::endpoint::{Arrived, Call, Endpoint, Outcome, Pending};
use crate::sip::message::{Envelope, Message, Request};
use crate::sip::reader::parse;
use crate::sip::respond::{Packet, Response, Status};
use crate::sip::text::to_text;
use crate::sip::transaction::Seen;
use rsip::Method;
use std::net::SocketAddr;

/// Methods it claims to know.
const ALLOW: &[u8] =
    b"INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE";
/// One extension in so many may call without a password.
const OPEN: u64 = 4;
/// Shortest time a call rings, and what is added by chance, seconds.
const RINGS: (i64, u64) = (3, 6);
/// Seconds a registration is granted for.
const EXPIRES: &[u8] = b"120";

/// How an answer is kept short.
#[derive(Clone, Copy)]
enum Brevity {
    Full,
    NoServer,
    Compact,
}

impl Brevity {
    const ALL: [Self; 3] = [Self::Full, Self::NoServer, Self::Compact];

    fn of(self, response: Response<'_>) -> Response<'_> {
        match self {
            Self::Full => response,
            Self::NoServer => Response {
                server: "",
                ..response
            },
            Self::Compact => Response {
                server: "",
                compact: true,
                ..response
            },
        }
    }
}

impl Endpoint {
    /// Makes it a honeypot.
    #[must_use]
    pub fn with_honeypot(mut self, persona: Persona) -> Self {
        self.honeypot = Some(Honeypot::new(persona, self.secret));
        self
    }

    /// Requests that were no calls since the last time.
    pub fn take_probes(&mut self) -> Vec<Probe> {
        let honeypot = self.honeypot.as_mut();
        honeypot.map_or_else(Vec::new, |honeypot| std::mem::take(&mut honeypot.probes))
    }

    /// When the next ringing call ends; `None`: none rings.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.honeypot.as_ref()?.ringing.next()
    }

    /// What ends the calls that have rung for long enough.
    pub fn due(&mut self, now: Timestamp) -> Vec<Packet> {
        let Some(honeypot) = &mut self.honeypot else {
            return Vec::new();
        };
        let ended = honeypot.ringing.end(now);
        let packets = ended.into_iter().map(|call| {
            let bytes = Some(call.last.bytes.clone());
            self.transactions.complete(call.id, bytes, None);
            call.last
        });
        packets.collect()
    }

    /// Reads a message at the honeypot.
    pub(in crate::sip) fn lure<'a>(
        &mut self,
        how: Arrived,
        datagram: &'a [u8],
        source: SocketAddr,
        now: Timestamp,
    ) -> Outcome<'a> {
        let honeypot = self.honeypot.as_mut();
        if !honeypot.is_some_and(|honeypot| honeypot.crowd.admit(source.ip(), now)) {
            return Outcome::Drop("rate");
        }
        let room = Room {
            bytes: datagram.len(),
            connected: how == Arrived::Connected,
        };
        match parse(datagram) {
            Err(malformed) => Outcome::Drop(malformed.reason()),
            Ok(Message::KeepAlive) => Outcome::Drop("keep-alive"),
            Ok(Message::Response) => Outcome::Drop("response"),
            Ok(Message::Faulty(envelope, fault)) if envelope.method == b"ACK" => {
                Outcome::Drop(fault.reason())
            }
            Ok(Message::Faulty(envelope, fault)) => {
                let what = (fault.status(), fault.reason());
                self.say(&envelope, source, room, what, &[])
            }
            Ok(Message::Request(request)) => self.play(request, source, room, now),
        }
    }

    /// What a PBX says, as far as it is not more than was asked: headers are left out from the
    /// last on, then the Server, and at last names are shortened.
    fn say<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        room: Room,
        (status, reason): (Status, &'static str),
        headers: &[(&str, &[u8])],
    ) -> Outcome<'a> {
        // A challenge or a registration without its headers says nothing.
        let fewest = match (status, reason) {
            (Status::Unauthorized, _) => 1,
            (Status::Ok, "register") => headers.len(),
            _ => 0,
        };
        let all = (fewest..=headers.len()).rev().map(|n| (n, Brevity::Full));
        let short = [(fewest, Brevity::NoServer), (fewest, Brevity::Compact)];
        let id = self.id(envelope, source);
        let said = all.chain(short).find_map(|(n, brevity)| {
            let bytes = brevity
                .of(self.response(envelope, source, id))
                .status(status, &headers[..n]);
            room.holds(bytes.len()).then_some(bytes)
        });
        match said {
            Some(bytes) => Outcome::Reply {
                status,
                reason,
                packet: self.packet(bytes, envelope, source),
            },
            None => Outcome::Drop("larger"),
        }
    }

    fn play<'a>(
        &mut self,
        request: Box<Request<'a>>,
        source: SocketAddr,
        room: Room,
        now: Timestamp,
    ) -> Outcome<'a> {
        let Some(honeypot) = &mut self.honeypot else {
            return Outcome::Drop("no-honeypot");
        };
        let shown = honeypot.shown(&request, source.ip(), now);
        match request.method {
            Some(Method::Invite) => return self.lured(request, source, room, shown, now),
            Some(Method::Ack | Method::Cancel | Method::Bye) => {}
            _ => honeypot.probes.push(Probe {
                source: source.ip().to_canonical(),
                agent: to_text(request.user_agent.unwrap_or_default(), MAX_TEXT),
                proven: room.connected || shown.is_proven(),
            }),
        }
        let envelope = &request.envelope;
        let say = |what, headers: &[_]| self.say(envelope, source, room, what, headers);
        match request.method {
            Some(Method::Ack) => {
                let id = self.id(envelope, source);
                self.transactions.acknowledge(id);
                Outcome::Absorb
            }
            Some(Method::Cancel) => self.cancelled(envelope, source, room, now),
            Some(Method::Options) => {
                let headers = [
                    ("Allow", ALLOW),
                    ("Accept", &b"application/sdp"[..]),
                    ("Supported", b"replaces, timer"),
                ];
                say((Status::Ok, "options"), &headers)
            }
            Some(Method::Register) if shown == Shown::Accepted => {
                let contact = granted(request.contact.unwrap_or_default());
                let headers = [("Expires", EXPIRES), ("Contact", &contact)];
                say((Status::Ok, "register"), &headers)
            }
            Some(Method::Register) => {
                self.challenged(envelope, source, room, shown, "register", now)
            }
            Some(Method::Subscribe | Method::Message | Method::Publish | Method::Refer) => {
                self.challenged(envelope, source, room, shown, "method", now)
            }
            Some(Method::Bye | Method::Info | Method::Update | Method::PRack) => {
                say((Status::DoesNotExist, "bye"), &[])
            }
            Some(Method::Notify) => say((Status::BadEvent, "method"), &[]),
            _ => say((Status::NotImplemented, "method"), &[("Allow", ALLOW)]),
        }
    }

    /// 401 to who shows nothing, 403 to who shows the wrong thing.
    fn challenged<'a>(
        &self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        room: Room,
        shown: Shown,
        reason: &'static str,
        now: Timestamp,
    ) -> Outcome<'a> {
        match self.challenge(shown, source, now) {
            Some(challenge) => {
                let headers = [("WWW-Authenticate", challenge.as_bytes())];
                self.say(
                    envelope,
                    source,
                    room,
                    (Status::Unauthorized, reason),
                    &headers,
                )
            }
            None => self.say(envelope, source, room, (Status::Forbidden, reason), &[]),
        }
    }

    /// The challenge that is due; `None`: it was answered.
    fn challenge(&self, shown: Shown, source: SocketAddr, now: Timestamp) -> Option<String> {
        let honeypot = self.honeypot.as_ref()?;
        let stale = match shown {
            Shown::Nothing => "",
            Shown::Stale => ", stale=true",
            Shown::Wrong | Shown::Accepted => return None,
        };
        let (realm, nonce) = (&honeypot.persona.realm, honeypot.nonce(source.ip(), now));
        Some(format!(
            "Digest algorithm=MD5, realm=\"{realm}\", nonce=\"{nonce}\"{stale}"
        ))
    }

    fn cancelled<'a>(
        &mut self,
        envelope: &Envelope<'_>,
        source: SocketAddr,
        room: Room,
        now: Timestamp,
    ) -> Outcome<'a> {
        let id = self.id(envelope, source);
        if !self.transactions.knows(id, now) {
            let what = (Status::DoesNotExist, "cancel-unknown");
            return self.say(envelope, source, room, what, &[]);
        }
        if let Some(honeypot) = &mut self.honeypot {
            honeypot.ringing.cancel(id, now);
        }
        self.say(envelope, source, room, (Status::Ok, "cancel"), &[])
    }

    /// A call: to be decided and recorded before anything is said.
    fn lured<'a>(
        &mut self,
        request: Box<Request<'a>>,
        source: SocketAddr,
        room: Room,
        shown: Shown,
        now: Timestamp,
    ) -> Outcome<'a> {
        let envelope = &request.envelope;
        if envelope.to_tag.is_some() {
            let what = (Status::DoesNotExist, "in-dialog");
            return self.say(envelope, source, room, what, &[]);
        }
        let id = self.id(envelope, source);
        let seen = self.transactions.open(id, now);
        let user_agent = request.user_agent.unwrap_or_default();
        let (attempt, _) = call_attempt(&request, Ingress::Honeypot, source.ip(), id);
        let is_shown = room.connected || shown.is_proven();
        let attempt = crate::domain::CallAttempt {
            // No softswitch speaks for anybody here.
            source_ip: attempt.peer,
            policy_user: None,
            user_agent: to_text(user_agent, MAX_TEXT),
            concurrent: None,
            signs: attempt.signs.with_if(!is_shown, Sign::SourceNotShown),
            ..attempt
        };
        let asked = Asked::from(attempt);
        let pending = Pending {
            id,
            call: None,
            source,
            request,
            room,
            at: now,
        };
        match seen {
            Seen::New => Outcome::Decide(Box::new(Call {
                asked,
                bad_headers: Vec::new(),
                pending,
            })),
            Seen::Pending | Seen::Answered(_) | Seen::Recovered(_) => {
                Outcome::Retransmission(pending)
            }
        }
    }

    /// What is said to a call that was recorded. It is remembered whatever it is: the same INVITE
    /// again is no other call.
    pub(in crate::sip) fn lure_answer(&mut self, pending: &Pending<'_>) -> Option<Packet> {
        let (source, room, now) = (pending.source, pending.room, pending.at);
        let request = &pending.request;
        let envelope = &request.envelope;
        let honeypot = self.honeypot.as_ref()?;
        let shown = honeypot.shown(request, source.ip(), now);
        let caller = request.from.user.unwrap_or_default();
        let is_open = honeypot.secret.draw(b"open", caller).is_multiple_of(OPEN);
        let outcome = match shown {
            Shown::Accepted => None,
            Shown::Nothing | Shown::Stale if is_open => None,
            _ => Some(self.challenged(envelope, source, room, shown, "invite", now)),
        };
        let packet = match outcome {
            None => self.ring(pending, shown.is_proven()),
            Some(Outcome::Reply { packet, .. }) => Some(packet),
            Some(_) => None,
        };
        let bytes = packet.as_ref().map(|packet| packet.bytes.clone());
        self.transactions.complete(pending.id, bytes, None);
        packet
    }

    /// Lets a call ring if it may, else ends it at once.
    fn ring(&mut self, pending: &Pending<'_>, proven: bool) -> Option<Packet> {
        let (id, source, envelope) = (pending.id, pending.source, &pending.request.envelope);
        let dialed = pending.request.uri.user.unwrap_or_default();
        let honeypot = self.honeypot.as_ref()?;
        let chance = honeypot.secret.draw(b"ends", dialed);
        let last = match chance % 5 {
            0 => Status::NotFound,
            1 => Status::ServiceUnavailable,
            2 => Status::BusyHere,
            _ => Status::TemporarilyUnavailable,
        };
        let packet = |brevity: Brevity, status| {
            let response = brevity.of(self.response(envelope, source, id));
            self.packet(response.status(status, &[]), envelope, source)
        };
        let fits = |bytes: usize| proven || pending.room.holds(bytes);
        // On a stream what comes later would need the connection to be kept for it.
        let may_ring = !pending.room.connected && honeypot.ringing.has_room(source.ip());
        for brevity in Brevity::ALL.into_iter().filter(|_| may_ring) {
            let (rings, last) = (packet(brevity, Status::Ringing), packet(brevity, last));
            let cancelled = packet(brevity, Status::RequestTerminated).bytes;
            let longer = last.bytes.len().max(cancelled.len());
            if !fits(rings.bytes.len() + longer) {
                continue;
            }
            let secs = RINGS.0 + (chance / 5 % RINGS.1).cast_signed();
            let call = ringing::Call {
                id,
                source: source.ip(),
                due: pending.at.plus_secs(secs),
                last,
                cancelled,
            };
            if let Some(honeypot) = &mut self.honeypot {
                honeypot.ringing.begin(call);
            }
            return Some(rings);
        }
        let mut lasts = Brevity::ALL
            .into_iter()
            .map(|brevity| packet(brevity, last));
        lasts.find(|last| fits(last.bytes.len()))
    }
}

/// A Contact that is registered: its URI, for as long as is granted.
fn granted(contact: &[u8]) -> Vec<u8> {
    let uri = match contact.iter().position(|b| *b == b'>') {
        Some(end) => &contact[..=end],
        None => contact.split(|b| *b == b';').next().unwrap_or_default(),
    };
    [uri, b";expires=", EXPIRES].concat()
}
