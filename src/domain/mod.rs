//! Values: what a call, a subscriber, a policy and a decision *are*.
//!
//! No I/O, no clock, no async. Everything here can be built in a test from
//! literals, compared, cloned and written to the spool.

mod answer;
mod call;
mod call_record;
mod code;
mod continent;
mod countries;
mod country;
mod decision;
mod destination;
mod event;
mod features;
mod hours;
pub mod lists;
mod network;
mod neutral;
mod policy;
mod prehashed;
mod risk;
mod signs;
mod subscriber;
mod time;
mod usage;

pub use answer::{Answer, Challenge, DigestAlgorithm, ScoreHeaders, UnknownAlgorithm};
pub use call::{Asked, CallAttempt, Ingress, Proof};
pub use call_record::{CallRecord, Column, FieldError, FieldProblem};
pub use code::{Check, Code, Mode, REFUSAL_ORDER};
pub use continent::Continent;
pub use countries::{CountryRule, CountrySet};
pub use country::Country;
pub use decision::{CheckOutcome, Decision, Outcome, Reason};
pub use destination::{Destination, DialPrefix, Number, NumberClass, NumberError};
pub use event::{CallEvent, Verdict};
pub use features::{FeatureSpec, FeatureVector};
pub use hours::{ALL_MONTHS, ALL_WEEKDAYS, DAY_MINUTES, Hours, LocalTime, OffHours, Period};
pub use network::parse_network;
pub use neutral::{NeutralAnswer, NeutralAnswers};
pub use policy::{AnswerMode, Plan, Policy};
pub use prehashed::Prehashed;
pub use risk::{CountryRisks, RiskClass};
pub use signs::{Sign, SignGroup, Signs, is_tool_name};
pub use subscriber::Subscriber;
pub use time::Timestamp;
pub use usage::{Counts, Limits, SameNumber, Used};
