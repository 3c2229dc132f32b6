//! What both services share: a question becomes a call, is asked, and comes back decided or not.

use crate::decide::{Allowance, Decided, ResetError};
use crate::digest;
use crate::domain::{Answer, Asked, CallAttempt, CallEvent, Ingress, Proof};
use crate::model::ModelStatus;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, request};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Longest text of a question, characters: as much as is kept of a SIP header.
pub(super) const MAX_TEXT: usize = 256;
/// Authorization headers looked at; a client has one an algorithm.
const CREDENTIALS: usize = 8;

/// What the web needs of the service.
pub trait Calls: Send + Sync + 'static {
    /// Decides one call; what is to be remembered of it is durable before this returns. May
    /// write to disk.
    fn ask(&self, asked: Asked) -> Decided;

    /// The domain that is meant by callers who name none: the one that trusts their address, else
    /// the root's.
    fn domain_of_peer(&self, peer: IpAddr) -> String;

    /// A hint of a question was of no use and is taken as absent.
    fn note_bad_hint(&self, name: &'static str);

    /// What somebody has used of his limits; `None`: nobody is counted under that name.
    fn usage(&self, domain: &str, name: &str) -> Option<Allowance>;

    /// Sets to nothing what somebody has used. Writes to disk.
    ///
    /// # Errors
    /// Nobody is counted under that name, or it cannot be written; then nothing changes.
    fn reset_usage(&self, domain: &str, name: &str) -> Result<Allowance, ResetError>;

    /// The model in force and how it does.
    fn model_status(&self) -> ModelStatus;

    /// Whether the plan of who was counted for a call sees its score.
    fn sees_scores(&self, event: &CallEvent) -> bool;
}

/// A question whose parts were checked one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Question {
    pub dialed_number: String,
    pub from_user: String,
    /// Lower case; absent: the domain which trusts the peer, else the root's.
    pub domain: Option<String>,
    /// Absent: the peer's.
    pub source_ip: Option<IpAddr>,
    pub user_agent: String,
    /// Absent: unknown.
    pub calls: Option<u32>,
    pub call_id: String,
    /// Hints that were of no use and are taken as absent, by name.
    pub bad_hints: Vec<&'static str>,
}

/// Who asks, and by which request: what digest credentials are held against.
#[derive(Debug)]
pub(super) struct Asker {
    pub peer: IpAddr,
    method: &'static str,
    authorization: Vec<String>,
    /// Whether a token speaks for the domain that is asked for.
    vouched: bool,
}

impl Asker {
    /// Of a request; credentials that are for another request target are left out, as they
    /// prove nothing of this one.
    pub fn of(method: &'static str, request: &request::Parts) -> Self {
        let target = request.uri.path_and_query().map_or("/", |t| t.as_str());
        let values = request.headers.get_all(AUTHORIZATION).iter();
        let peer = request
            .extensions
            .get::<axum::extract::ConnectInfo<SocketAddr>>();
        Self {
            // Nobody trusts the unspecified address.
            peer: peer.map_or(IpAddr::from([0; 4]), |peer| peer.0.ip().to_canonical()),
            method,
            authorization: values
                .take(CREDENTIALS)
                .filter_map(|value| value.to_str().ok())
                .filter(|value| digest::signs_target(value, target))
                .map(str::to_owned)
                .collect(),
            vouched: false,
        }
    }

    /// With a token that speaks for the domain of the question.
    pub const fn vouched(mut self) -> Self {
        self.vouched = true;
        self
    }
}

/// Why there is no decision.
#[derive(Debug)]
pub(super) enum Undecided {
    /// 401, with what to prove.
    Unauthorized(Vec<String>),
    /// 403, with nothing about why.
    Forbidden,
    /// 503: more calls per second than the plan has; seconds to wait.
    Busy(u32),
    /// 500: a defect.
    Failed,
}

impl Undecided {
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub const fn text(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "prove who you are",
            Self::Forbidden => "forbidden",
            Self::Busy(_) => "too many calls per second",
            Self::Failed => "failed; the service's log says why",
        }
    }

    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self {
            Self::Unauthorized(challenges) => {
                let values = challenges.iter().flat_map(|c| HeaderValue::from_str(c));
                for value in values {
                    headers.append(WWW_AUTHENTICATE, value);
                }
            }
            Self::Busy(seconds) => {
                headers.insert(RETRY_AFTER, (*seconds).into());
            }
            Self::Forbidden | Self::Failed => {}
        }
        headers
    }
}

/// Asks, on a thread where the write to disk holds nobody up.
pub(super) async fn ask(
    calls: Arc<dyn Calls>,
    asker: Asker,
    question: Question,
) -> Result<Box<CallEvent>, Undecided> {
    for hint in &question.bad_hints {
        calls.note_bad_hint(hint);
    }
    let asked = tokio::task::spawn_blocking(move || {
        let asked = call(&*calls, asker, question);
        calls.ask(asked)
    });
    let Ok(decided) = asked.await else {
        tracing::error!("a call that was asked about over HTTP was not decided: this is a defect");
        return Err(Undecided::Failed);
    };
    match (decided.event, decided.answer) {
        (Some(event), _) => Ok(Box::new(event)),
        (None, Answer::Challenge(challenge)) => {
            Err(Undecided::Unauthorized(digest::headers(&challenge)))
        }
        (None, Answer::Busy { retry_after }) => Err(Undecided::Busy(retry_after)),
        (None, _) => Err(Undecided::Forbidden),
    }
}

fn call(calls: &dyn Calls, asker: Asker, question: Question) -> Asked {
    let peer = asker.peer;
    let domain = question
        .domain
        .unwrap_or_else(|| calls.domain_of_peer(peer));
    let vouched = asker.vouched.then(|| domain.clone());
    let attempt = CallAttempt {
        id: uuid::Builder::from_random_bytes(rand::random()).into_uuid(),
        ingress: Ingress::Web,
        call_id: question.call_id,
        peer,
        source_ip: question.source_ip.map_or(peer, |ip| ip.to_canonical()),
        user: question.from_user,
        domain,
        policy_user: None,
        dialed: question.dialed_number,
        user_agent: question.user_agent,
        concurrent: question.calls,
        signs: crate::domain::Signs::NONE,
    };
    let proof = Proof {
        method: asker.method,
        authorization: asker.authorization,
    };
    Asked {
        attempt,
        proof: (!proof.authorization.is_empty()).then_some(proof),
        vouched,
    }
}

/// A text that may be kept.
///
/// # Errors
/// What is wrong with it, in words that follow the name of its field.
pub(super) fn checked_text(text: String) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.chars().count() > MAX_TEXT {
        Err("is longer than 256 characters")
    } else if text.contains(char::is_control) {
        Err("has a control character")
    } else {
        Ok(text)
    }
}

/// A text to keep of what a calling device says of itself, as of a SIP header: odd characters as
/// spaces, and cut. Whatever it sends, its call is checked.
pub(super) fn kept_text(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(MAX_TEXT).map(plain).collect()
}

/// A domain as accounts are found by it.
///
/// # Errors
/// As [`checked_text`].
pub(super) fn checked_domain(text: String) -> Result<String, &'static str> {
    let text = checked_text(text)?;
    if text.contains(char::is_whitespace) {
        return Err("has white space");
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asterisk's CURL tells no status: `integrations/asterisk/ask-web.conf` goes by these words,
    /// and takes all others for a refusal.
    #[test]
    fn the_words_of_what_is_no_decision_are_those_dialplans_look_for() {
        let dialplan = include_str!("../../integrations/asterisk/ask-web.conf");
        let looked_for = |text: &str| {
            let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            dialplan.lines().any(|line| {
                let word = line.split("}\" = \"").nth(1);
                let word = word.and_then(|rest| rest.split('"').next());
                word.is_some_and(|word| !word.is_empty() && letters.starts_with(word))
            })
        };
        let no_decision = [
            Undecided::Unauthorized(Vec::new()),
            Undecided::Forbidden,
            Undecided::Failed,
        ];
        for undecided in no_decision {
            assert!(looked_for(undecided.text()), "{undecided:?}");
        }
        assert!(!looked_for(Undecided::Busy(1).text()));
        for parameter in ["dialed_number", "from_user", "domain", "not here"] {
            assert!(!looked_for(parameter), "{parameter}");
        }
    }
}
