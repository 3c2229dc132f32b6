//! The query of the web service: read strictly where a mistake would check another call, mildly
//! where it would not.
//!
//! - A parameter that is read may stand once; a second is refused, not chosen from.
//! - Optional ones that are empty say nothing, as scripts leave them so.
//! - Parameters that are not known are passed over: clients of the original service may send
//!   more than the guide names.
//! - A plus sign in `dialed_number` and `from_user` stands for itself, as numbers begin with one
//!   and hold no spaces; in the others it is a space, as forms write it.

use super::ask::{Question, checked_domain, checked_text};

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
        "the number as dialled, e.g. dialed_number=554898754321",
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

/// The six values, unescaped, in the order of [`PARAMETERS`].
type Values = [Option<String>; 6];

impl Question {
    /// From the part of a request target after the question mark.
    ///
    /// # Errors
    /// The first parameter that is wrong.
    pub fn from_query(query: &str) -> Result<Self, BadQuery> {
        let [dialed, user, domain, source, agent, calls] = read(query)?;
        Ok(Self {
            dialed_number: required(0, dialed)?,
            from_user: required(1, user)?,
            domain: optional(2, domain, checked_domain)?,
            source_ip: optional(3, source, |text| {
                text.parse().map_err(|_| "is no IP address")
            })?,
            user_agent: optional(4, agent, checked_text)?.unwrap_or_default(),
            calls: optional(5, calls, |text| {
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                let number = digits.then(|| text.parse().ok()).flatten();
                number.ok_or("is no number")
            })?,
            call_id: String::new(),
        })
    }
}

fn bad(at: usize, problem: &'static str) -> BadQuery {
    let (parameter, expected) = PARAMETERS[at];
    BadQuery {
        parameter,
        problem,
        expected,
    }
}

fn required(at: usize, value: Option<String>) -> Result<String, BadQuery> {
    let value = value.ok_or_else(|| bad(at, "is missing"))?;
    checked_text(value).map_err(|problem| bad(at, problem))
}

fn optional<T>(
    at: usize,
    value: Option<String>,
    check: impl Fn(String) -> Result<T, &'static str>,
) -> Result<Option<T>, BadQuery> {
    value
        .filter(|text| !text.is_empty())
        .map(|text| check(text).map_err(|problem| bad(at, problem)))
        .transpose()
}

fn read(query: &str) -> Result<Values, BadQuery> {
    let mut values = Values::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(at) = PARAMETERS.iter().position(|(known, _)| *known == name) else {
            continue;
        };
        let is_number = at < 2;
        let value = unescaped(value, !is_number).ok_or_else(|| bad(at, "has a bad % escape"))?;
        if values[at].replace(value).is_some() {
            return Err(bad(at, "stands more than once"));
        }
    }
    Ok(values)
}

/// Undoes `%xx`, and `+` where it is a space. `None`: an escape that is none, or no UTF-8.
fn unescaped(text: &str, plus_is_space: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
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
                call_id: String::new(),
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
            (&format!("{LEAST}&source_ip=1.2.3"), "source_ip: is no IP"),
            (
                &format!("{LEAST}&sim_calls=many"),
                "sim_calls: is no number",
            ),
            (&format!("{LEAST}&sim_calls=-1"), "sim_calls: is no number"),
            (
                &format!("{LEAST}&sim_calls=4294967296"),
                "sim_calls: is no number",
            ),
            (
                &format!("{LEAST}&user_agent=%00"),
                "user_agent: has a control",
            ),
        ] {
            let error = Question::from_query(query).expect_err(query).to_string();
            assert!(error.starts_with(said), "{query}: {error}");
            assert!(error.contains("; expected "), "{error}");
        }
    }
}
