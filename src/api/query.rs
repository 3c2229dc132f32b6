//! The query of the web service: read strictly where a mistake would check another call, mildly
//! where it would not.
//!
//! - A parameter that is read may stand once; a second is refused, not chosen from.
//! - Optional ones that are empty say nothing, as scripts leave them so.
//! - Hints (`source_ip`, `user_agent`, `sim_calls`) that cannot be read are taken as absent and
//!   counted, as those in SIP headers are; a long User-Agent is cut. The calling device chooses
//!   what stands in some of them, and must not be able to keep its call from being checked.
//! - Parameters that are not known are passed over: clients of the original service may send
//!   more than the guide names.
//! - A plus sign in `dialed_number` and `from_user` stands for itself, as numbers begin with one
//!   and hold no spaces; in the others it is a space, as forms write it.

use super::ask::{Question, checked_domain, checked_text, kept_text};
use std::borrow::Cow;
use std::net::IpAddr;

/// What is wrong with a query: the parameter, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {problem}; expected {expected}")]
pub(super) struct BadQuery {
    parameter: &'static str,
    problem: &'static str,
    expected: &'static str,
}

/// What each parameter takes.
const PARAMETERS: [(&str, &str); 6] = [
    (
        "dialed_number",
        "the number as dialled, e.g. dialed_number=5548987654321",
    ),
    ("from_user", "who calls, e.g. from_user=alice"),
    ("domain", "a served domain, e.g. domain=itsp.example"),
    ("source_ip", "an IP address, e.g. source_ip=192.0.2.10"),
    (
        "user_agent",
        "the calling device's, e.g. user_agent=Phone/1",
    ),
    ("sim_calls", "a number of calls, e.g. sim_calls=3"),
];

/// The six values as they stand, in the order of [`PARAMETERS`].
type Values<'a> = [Option<&'a str>; 6];

impl Question {
    /// From the part of a request target after the question mark.
    ///
    /// # Errors
    /// The first parameter that is wrong.
    pub fn from_query(query: &str) -> Result<Self, BadQuery> {
        let [dialed, user, domain, source, agent, calls] = read(query)?;
        let mut hints = Hints::default();
        Ok(Self {
            dialed_number: required(0, dialed)?,
            from_user: required(1, user)?,
            domain: optional(2, domain)?,
            source_ip: hints.read(3, source, address),
            user_agent: hints.text(4, agent),
            calls: hints.read(5, calls, count),
            call_id: String::new(),
            bad_hints: hints.bad,
        })
    }
}

/// Reads what may be absent, and notes what is there and of no use.
#[derive(Default)]
struct Hints {
    bad: Vec<&'static str>,
}

impl Hints {
    fn read<T>(
        &mut self,
        at: usize,
        value: Option<&str>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = value.filter(|text| !text.is_empty())?;
        let found = unescaped(value, true).and_then(|text| parse(text.trim()));
        if found.is_none() {
            self.bad.push(PARAMETERS[at].0);
        }
        found
    }

    /// As much of a text as can be read.
    fn text(&mut self, at: usize, value: Option<&str>) -> String {
        let value = value.unwrap_or_default();
        let (bytes, whole) = bytes_of(value, true);
        let text = String::from_utf8_lossy(&bytes);
        if !whole || matches!(text, Cow::Owned(_)) {
            self.bad.push(PARAMETERS[at].0);
        }
        kept_text(&text)
    }
}

/// `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`.
fn address(text: &str) -> Option<IpAddr> {
    let inside = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    inside.unwrap_or(text).parse().ok()
}

/// Digits alone, without a sign.
fn count(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn bad(at: usize, problem: &'static str) -> BadQuery {
    let (parameter, expected) = PARAMETERS[at];
    BadQuery {
        parameter,
        problem,
        expected,
    }
}

fn required(at: usize, value: Option<&str>) -> Result<String, BadQuery> {
    let value = value.ok_or_else(|| bad(at, "is missing"))?;
    let text = unescaped(value, false).ok_or_else(|| bad(at, "has a bad % escape"))?;
    checked_text(text).map_err(|problem| bad(at, problem))
}

fn optional(at: usize, value: Option<&str>) -> Result<Option<String>, BadQuery> {
    let Some(value) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let text = unescaped(value, true).ok_or_else(|| bad(at, "has a bad % escape"))?;
    let domain = checked_domain(text).map_err(|problem| bad(at, problem))?;
    Ok(Some(domain))
}

fn read(query: &str) -> Result<Values<'_>, BadQuery> {
    let mut values = Values::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(at) = PARAMETERS.iter().position(|(known, _)| *known == name) else {
            continue;
        };
        if values[at].replace(value).is_some() {
            return Err(bad(at, "stands more than once"));
        }
    }
    Ok(values)
}

/// Undoes `%xx`, and `+` where it is a space. `None`: an escape that is none, or no UTF-8.
fn unescaped(text: &str, plus_is_space: bool) -> Option<String> {
    let (bytes, whole) = bytes_of(text, plus_is_space);
    String::from_utf8(bytes).ok().filter(|_| whole)
}

/// As [`unescaped`], with escapes that are none left as they stand; whether there were none of
/// them.
fn bytes_of(text: &str, plus_is_space: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut whole = true;
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        out.push(match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                rest = &tail[2..];
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            (b'%', ..) => {
                whole = false;
                b'%'
            }
            (b'+', ..) if plus_is_space => b' ',
            (byte, ..) => *byte,
        });
    }
    (out, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "dialed_number=554898754321&from_user=alice";

    #[test]
    fn the_guide_s_query() {
        let least = Question::from_query(LEAST).expect("enough");
        assert_eq!(
            least,
            Question {
                dialed_number: "554898754321".into(),
                from_user: "alice".into(),
                ..Question::default()
            }
        );
        let all = Question::from_query(
            "sim_calls=3&user_agent=My+Phone%2F1&source_ip=2001:db8::1&domain=ITSP.example\
             &from_user=%2B5511&dialed_number=+554898754321&version=2&dialed=x",
        )
        .expect("all");
        assert_eq!(
            all,
            Question {
                dialed_number: "+554898754321".into(),
                from_user: "+5511".into(),
                domain: Some("itsp.example".into()),
                source_ip: "2001:db8::1".parse().ok(),
                user_agent: "My Phone/1".into(),
                calls: Some(3),
                ..Question::default()
            }
        );
        let empty = "domain=&source_ip=&user_agent=&sim_calls";
        assert_eq!(Question::from_query(&format!("{LEAST}&{empty}")), Ok(least));
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let long = format!("from_user=a&dialed_number={}", "5".repeat(257));
        for (query, said) in [
            ("", "dialed_number: is missing"),
            ("dialed_number=1", "from_user: is missing"),
            ("dialed_number=&from_user=a", "dialed_number: is empty"),
            ("dialed_number=1&from_user", "from_user: is empty"),
            (&*long, "dialed_number: is longer"),
            (
                "from_user=a&dialed_number=1%0d%0a",
                "dialed_number: has a control",
            ),
            ("from_user=a&dialed_number=%zz", "dialed_number: has a bad"),
            ("from_user=a&dialed_number=%5", "dialed_number: has a bad"),
            ("from_user=%ff&dialed_number=1", "from_user: has a bad"),
            (
                "from_user=a&from_user=b&dialed_number=1",
                "from_user: stands more",
            ),
            (&format!("{LEAST}&domain=a+b"), "domain: has white"),
            (
                &format!("{LEAST}&source_ip=1.2.3.4&source_ip=1.2.3.5"),
                "source_ip: stands more",
            ),
        ] {
            let error = Question::from_query(query).expect_err(query).to_string();
            assert!(error.starts_with(said), "{query}: {error}");
            assert!(error.contains("; expected "), "{error}");
        }
    }

    #[test]
    fn a_bad_hint_is_taken_as_absent_and_noted() {
        let long = format!("Phone/1{}", "x".repeat(5_000));
        for (hint, agent, bad) in [
            ("source_ip=1.2.3", "", &["source_ip"][..]),
            ("source_ip=%zz", "", &["source_ip"]),
            ("sim_calls=many", "", &["sim_calls"]),
            ("sim_calls=-1", "", &["sim_calls"]),
            ("sim_calls=%2B1", "", &["sim_calls"]),
            ("sim_calls=4294967296", "", &["sim_calls"]),
            ("sim_calls=x&source_ip=y", "", &["source_ip", "sim_calls"]),
            ("user_agent=a%00b%0D%0Ac", "a b  c", &[]),
            ("user_agent=%ffscanner", "\u{fffd}scanner", &["user_agent"]),
            ("user_agent=scanner%zz", "scanner%zz", &["user_agent"]),
            (&format!("user_agent={long}"), &long[..256], &[]),
            ("user_agent=+", "", &[]),
        ] {
            let question = Question::from_query(&format!("{LEAST}&{hint}")).expect(hint);
            assert_eq!((question.source_ip, question.calls), (None, None), "{hint}");
            assert_eq!(question.user_agent, agent, "{hint}");
            assert_eq!(question.bad_hints, bad, "{hint}");
        }
        let bracketed = Question::from_query(&format!("{LEAST}&source_ip=[2001:db8::1]"));
        assert!(bracketed.expect("read").source_ip.is_some());
    }
}
