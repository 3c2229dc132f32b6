//! Asterisk's dialogue by hand, and what somebody would send who listened to it.

use std::net::SocketAddr;

use md5::Digest as _;
use tfps::app::{DataDir, clock};
use tfps::digest::{Nonce, Nonces};

use super::{LONDON, PASSWORD, counted_to_alice, service, stored};
use crate::support::{Message, Phone, code_of};

/// What a client makes of a challenge, by code of its own.
#[derive(Clone)]
struct Client {
    user: &'static str,
    password: &'static str,
    /// `MD5` or `SHA-256`.
    algorithm: &'static str,
    nonce: String,
    count: u32,
}

impl Client {
    /// alice, with the nonce of a 401.
    fn of(challenge: &Message) -> Self {
        Self {
            user: "alice",
            password: PASSWORD,
            algorithm: "MD5",
            nonce: nonce_of(challenge),
            count: 1,
        }
    }

    fn hash(&self, text: &str) -> String {
        let bytes = match self.algorithm {
            "MD5" => md5::Md5::digest(text).to_vec(),
            _ => sha2::Sha256::digest(text).to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The Authorization header of an INVITE to `uri`.
    fn header(&self, uri: &str) -> String {
        let (user, nonce, count) = (self.user, &self.nonce, self.count);
        let ha1 = self.hash(&format!("{user}:itsp.example:{}", self.password));
        let ha2 = self.hash(&format!("INVITE:{uri}"));
        let response = self.hash(&format!("{ha1}:{nonce}:{count:08x}:0a4f113b:auth:{ha2}"));
        format!(
            "Digest username=\"{user}\", realm=\"itsp.example\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={}, cnonce=\"0a4f113b\", qop=auth, nc={count:08x}",
            self.algorithm
        )
    }

    /// The INVITE once more, as Asterisk sends it: same Call-ID and From tag, the next CSeq.
    fn again(&self, invite: &Message) -> Message {
        let uri = invite.request_uri().to_owned();
        next(invite).with("Authorization", self.header(&uri))
    }
}

/// The same INVITE as a new transaction.
fn next(invite: &Message) -> Message {
    let mut invite = invite.clone();
    for (name, value) in &mut invite.headers {
        match name.as_str() {
            "Via" => value.push('n'),
            "CSeq" => *value = "2 INVITE".to_owned(),
            _ => {}
        }
    }
    invite
}

fn nonce_of(challenge: &Message) -> String {
    let header = challenge.header("WWW-Authenticate").expect("a challenge");
    let rest = header.split("nonce=\"").nth(1).expect("a nonce");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// `401`, `401 stale`, or what [`code_of`] says.
fn told(answer: &Message) -> String {
    let stale = |value: &str| value.ends_with(", stale=true");
    let stale: Vec<bool> = answer.all("WWW-Authenticate").map(stale).collect();
    match stale[..] {
        [] => code_of(answer),
        [true, true] => "401 stale".to_owned(),
        [false, false] => "401".to_owned(),
        _ => panic!("{answer}"),
    }
}

fn phone(prevention: SocketAddr) -> Phone {
    Phone::from_address("127.0.0.2", prevention)
}

#[test]
fn the_dialogue_with_either_algorithm() {
    let service = service("digest_dialogue", None);
    let phone = phone(service.prevention());
    for algorithm in ["MD5", "SHA-256"] {
        let invite = phone.invite(LONDON);
        let challenge = phone.ask(&invite);
        assert_eq!(challenge.start, "SIP/2.0 401 Unauthorized");
        let offered: Vec<_> = challenge.all("WWW-Authenticate").collect();
        assert_eq!(offered.len(), 2);
        for (header, offer) in offered.iter().zip(["MD5", "SHA-256"]) {
            assert!(
                header.starts_with("Digest realm=\"itsp.example\", nonce=\""),
                "{header}"
            );
            assert!(
                header.ends_with(&format!("qop=\"auth\", algorithm={offer}")),
                "{header}"
            );
        }
        let client = Client {
            algorithm,
            ..Client::of(&challenge)
        };
        let again = client.again(&invite);
        let answer = phone.ask(&again);
        assert_eq!(told(&answer), "A00", "{algorithm}");
        // A retransmission is no replay: the same bytes again, counted once.
        assert_eq!(phone.ask(&again).to_string(), answer.to_string());
    }
    counted_to_alice(&service, 2);
}

#[test]
fn nobody_learns_whether_it_is_the_user_or_the_password() {
    let service = service("digest_forbidden", None);
    service.tfps_ok(&["subscriber", "add", "carol@itsp.example"]);
    let phone = phone(service.prevention());
    let forbidden = |user, password| {
        let invite = phone.invite(LONDON);
        let client = Client {
            user,
            password,
            ..Client::of(&phone.ask(&invite))
        };
        let mut answer = phone.ask(&client.again(&invite));
        // What any two answers differ in.
        let own = ["Via", "From", "To", "Call-ID"];
        answer
            .headers
            .retain(|(name, _)| !own.contains(&name.as_str()));
        answer.to_string()
    };
    let wrong = forbidden("alice", "incorrect-horse");
    assert!(wrong.starts_with("SIP/2.0 403 Forbidden\r\n"), "{wrong}");
    assert_eq!(forbidden("nobody", PASSWORD), wrong);
    assert_eq!(forbidden("carol", PASSWORD), wrong, "has no password");
    // A domain that is not served is refused at once.
    let mut elsewhere = phone.invite(LONDON);
    for (name, value) in &mut elsewhere.headers {
        if name == "From" {
            *value = value.replace("itsp.example", "elsewhere.example");
        }
    }
    assert_eq!(told(&phone.ask(&elsewhere)), "403");
    assert_eq!(service.decided(), 0);
}

#[test]
fn what_was_used_cannot_be_used_again() {
    let service = service("digest_replay", None);
    let phone = phone(service.prevention());
    let first = phone.invite(LONDON);
    let client = Client::of(&phone.ask(&first));
    assert_eq!(told(&phone.ask(&client.again(&first))), "A00");
    let count = |count| Client {
        count,
        ..client.clone()
    };
    for (what, header, expected) in [
        (
            "the same header in another call",
            client.clone(),
            "401 stale",
        ),
        ("the next count", count(2), "A00"),
        ("that once more", count(2), "401 stale"),
        ("out of order", count(5), "A00"),
        ("one that was overtaken", count(4), "A00"),
        ("and again", count(4), "401 stale"),
    ] {
        let invite = phone.invite(LONDON);
        assert_eq!(told(&phone.ask(&header.again(&invite))), expected, "{what}");
    }
    // Taken from the wire before it arrived, for a call to elsewhere: worth nothing, and not used
    // up by the attempt.
    let signed = count(6);
    let theft = phone.invite("25261234567");
    let uri = format!("sip:{LONDON}@{}", service.prevention());
    let theft = next(&theft).with("Authorization", signed.header(&uri));
    assert_eq!(told(&phone.ask(&theft)), "401");
    let invite = phone.invite(LONDON);
    assert_eq!(told(&phone.ask(&signed.again(&invite))), "A00");
    counted_to_alice(&service, 5);
}

#[test]
fn old_nonces_are_stale_and_foreign_ones_are_nothing() {
    let mut service = service("digest_stale", None);
    let asked = phone(service.prevention());
    let invite = asked.invite(LONDON);
    let fresh = Client::of(&asked.ask(&invite));

    let key = DataDir::open(&service.data())
        .expect("the folder")
        .nonce_key();
    let ours = Nonces::new(key);
    let now = clock::now();
    let genuine = ours.read(&fresh.nonce, "itsp.example").expect("ours");
    let at = |at| Nonce { at, ..genuine };
    let written = |nonces: &Nonces, nonce, realm| Client {
        nonce: nonces.write(nonce, realm),
        ..fresh.clone()
    };
    let stranger = Nonces::new([7; 32]);
    for (what, client, expected) in [
        (
            "younger than 300 s",
            written(&ours, at(now.plus_secs(-200)), "itsp.example"),
            "A00",
        ),
        (
            "older",
            written(&ours, at(now.plus_secs(-301)), "itsp.example"),
            "401 stale",
        ),
        (
            "of tomorrow",
            written(&ours, at(now.plus_secs(86_400)), "itsp.example"),
            "401 stale",
        ),
        ("of another realm", written(&ours, genuine, "root"), "401"),
        (
            "of another key",
            written(&stranger, genuine, "itsp.example"),
            "401",
        ),
    ] {
        let invite = asked.invite(LONDON);
        let answer = asked.ask(&client.again(&invite));
        assert_eq!(told(&answer), expected, "{what}");
        let wrong = Client {
            password: "incorrect-horse",
            ..client.clone()
        };
        let answer = asked.ask(&wrong.again(&asked.invite(LONDON)));
        let expected = if expected == "401" { "401" } else { "403" };
        assert_eq!(told(&answer), expected, "{what}, wrong password");
    }

    // A nonce from before a restart: what was used then is not known any more.
    assert!(service.terminate().success());
    service.start_again();
    let asked = phone(service.prevention());
    let invite = asked.invite(LONDON);
    let answer = asked.ask(&fresh.again(&invite));
    assert_eq!(told(&answer), "401 stale");
    let invite = asked.invite(LONDON);
    assert_eq!(told(&asked.ask(&Client::of(&answer).again(&invite))), "A00");
}

#[test]
fn odd_credentials_are_as_good_as_none() {
    let service = service("digest_odd", None);
    let phone = phone(service.prevention());
    let invite = phone.invite(LONDON);
    let client = Client::of(&phone.ask(&invite));
    let good = client.header(invite.request_uri());
    let long = format!("{good}, opaque=\"{}\"", "x".repeat(3_000));
    for (what, header) in [
        ("no qop", good.replace(", qop=auth", "")),
        ("auth-int", good.replace("qop=auth", "qop=auth-int")),
        ("no count", good.replace(", nc=00000001", "")),
        (
            "a session",
            good.replace("algorithm=MD5", "algorithm=MD5-sess"),
        ),
        (
            "the other algorithm",
            good.replace("algorithm=MD5", "algorithm=SHA-256"),
        ),
        ("another realm", good.replace("itsp.example", "root")),
        ("a parameter twice", format!("{good}, username=\"bob\"")),
        ("an open string", format!("{good}, opaque=\"")),
        ("basic", "Basic YWxpY2U6eA==".to_owned()),
        ("nothing", String::new()),
        ("too long", long),
    ] {
        let invite = next(&phone.invite(LONDON)).with("Authorization", header);
        assert_eq!(told(&phone.ask(&invite)), "401", "{what}");
    }
    // For somebody else first, ours second.
    let own = phone.invite(LONDON);
    let both = next(&own)
        .with(
            "Authorization",
            good.replace("itsp.example", "elsewhere.example"),
        )
        .with("authorization", client.header(own.request_uri()));
    assert_eq!(told(&phone.ask(&both)), "A00");
    counted_to_alice(&service, 1);
}

#[test]
fn detection_asks_nobody_and_believes_nobody() {
    let service = service("digest_detection", None);
    let paying = phone(service.prevention());
    let invite = paying.invite(LONDON);
    let client = Client::of(&paying.ask(&invite));
    let free = Phone::from_address("127.0.0.2", service.detection());
    let invite = free.invite(LONDON);
    assert_eq!(told(&free.ask(&invite)), "503");
    assert_eq!(told(&free.ask(&client.again(&invite))), "503");
    stored(&service, 2);
    assert_eq!(service.sql("SELECT DISTINCT account FROM calls"), "");
}
