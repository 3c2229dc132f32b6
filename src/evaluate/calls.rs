//! Calls walked through the engine: what it computed of each, and what turned out.

use super::EvaluateError;
use super::families::{UNNAMED, family_of, is_volume};
use crate::decide::Engine;
use crate::domain::{Country, Ingress, Signs, Verdict};
use crate::features::{CATALOGUE, VERSION};
use crate::replay::attempt_of_record;
use crate::simulate::Simulated;
use crate::train::{Dataset, DatasetBuilder, LabelledCall};
use std::collections::HashMap;
use uuid::Uuid;

/// What is known of a call beside its features: for money, for grouping, and for detectors that
/// count calls themselves. None of it is seen by a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fact {
    /// The caller, a number into [`Calls::customers`].
    pub customer: usize,
    /// The innocent surprise it is part of, a number into [`Calls::surprises`]; 0: none.
    pub surprise: usize,
    /// Where it went.
    pub country: Country,
    /// The number called; 0: none that could be placed.
    pub number: u64,
    /// Calls the caller had up; `None`: not known.
    pub concurrent: Option<u32>,
    /// Seconds of talk; 0: nobody answered, or not known.
    pub talk_s: u32,
    /// What a minute costs by the rate deck, in its currency; 0: no price.
    pub price: f32,
}

impl Fact {
    /// What the call cost: price times minutes of talk.
    #[must_use]
    pub fn cost(&self) -> f64 {
        f64::from(self.price) * f64::from(self.talk_s) / 60.0
    }
}

/// Judged calls in order of time, with their features and facts.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Features, verdicts, times, campaigns and tenants.
    pub data: Dataset,
    /// One per call.
    pub facts: Vec<Fact>,
    /// Names of the customers, `user@domain`.
    pub customers: Vec<String>,
    /// Names of the surprises; the first is empty.
    pub surprises: Vec<String>,
    /// Names of the families, sorted.
    pub families: Vec<String>,
    /// The family of each campaign of `data`; of number 0, which is no campaign, nothing.
    pub family_of: Vec<usize>,
    /// Whether each campaign earns by volume.
    pub volume: Vec<bool>,
    /// Calls at honeypots that were walked through: they teach habits and are in no figure.
    pub honeypot: usize,
}

/// Numbers names as they come.
#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Walks calls through an engine, one by one, in order of time.
#[derive(Debug)]
pub struct Walk<'a> {
    engine: &'a Engine,
    builder: DatasetBuilder,
    facts: Vec<Fact>,
    customers: Names,
    surprises: Names,
    honeypot: usize,
    walked: u128,
}

impl<'a> Walk<'a> {
    /// With the habits that `engine` has, none as a rule.
    #[must_use]
    pub fn new(engine: &'a Engine) -> Self {
        let mut surprises = Names::default();
        surprises.number("");
        Self {
            engine,
            builder: DatasetBuilder::new(CATALOGUE, VERSION),
            facts: Vec::new(),
            customers: Names::default(),
            surprises,
            honeypot: 0,
            walked: 0,
        }
    }

    /// Takes a call. One at a honeypot, or without a verdict, leaves its habits in the windows
    /// and nothing else.
    ///
    /// # Errors
    /// Features that are not finite, or more calls than can be kept.
    pub fn take(&mut self, call: &Simulated) -> Result<(), EvaluateError> {
        self.walked += 1;
        let record = &call.record;
        let mut attempt = attempt_of_record(record, Uuid::from_u128(self.walked));
        if call.signs != Signs::NONE {
            attempt.signs = call.signs;
        }
        if call.honeypot {
            attempt.ingress = Ingress::Honeypot;
        }
        // A file speaks for every domain and a honeypot for nobody: neither is turned away.
        let Some(event) = self.engine.decide(attempt, record.time).event else {
            return Ok(());
        };
        if call.honeypot {
            self.honeypot += 1;
            return Ok(());
        }
        let customer = format!("{}@{}", record.user, record.domain);
        let campaign = match record.verdict {
            Some(Verdict::Fraud) if record.campaign.is_empty() => format!("{UNNAMED}/{customer}"),
            Some(Verdict::Fraud) => record.campaign.clone(),
            _ => String::new(),
        };
        let pushed = self.builder.push(&LabelledCall {
            at: record.time,
            account: &record.domain,
            campaign: &campaign,
            verdict: record.verdict,
            features: &event.features.values,
        });
        pushed.map_err(EvaluateError::Call)?;
        if record.verdict.is_some() {
            let answered = record.answered != Some(false);
            self.facts.push(Fact {
                customer: self.customers.number(&customer),
                surprise: self.surprises.number(call.surprise.unwrap_or_default()),
                country: event.destination.country,
                number: event.destination.number.map_or(0, |n| n.as_u64()),
                concurrent: record.calls,
                talk_s: record.duration_s.filter(|_| answered).unwrap_or(0),
                price: event.price.unwrap_or(0.0),
            });
        }
        Ok(())
    }

    /// All of them. Files may be out of order by seconds: the facts follow the calls.
    #[must_use]
    pub fn finish(self) -> Calls {
        let (data, order) = self.builder.finish_in_order();
        let facts = order.iter().map(|row| self.facts[*row]).collect();
        Calls::of(data, facts, self.customers, self.surprises, self.honeypot)
    }
}

impl Calls {
    fn of(
        data: Dataset,
        facts: Vec<Fact>,
        customers: Names,
        surprises: Names,
        honeypot: usize,
    ) -> Self {
        let mut families: Vec<String> = (1..data.campaign.count())
            .map(|campaign| family_of(data.campaign.name(campaign)).to_owned())
            .collect();
        families.sort();
        families.dedup();
        let mut calls = vec![0; data.campaign.count()];
        for row in 0..data.rows() {
            calls[data.campaign.number(row)] += 1;
        }
        let name = |campaign: usize| family_of(data.campaign.name(campaign));
        let family_of = (0..data.campaign.count())
            .map(|campaign| families.iter().position(|f| f == name(campaign)))
            .map(Option::unwrap_or_default)
            .collect();
        let volume = (0..data.campaign.count())
            .map(|campaign| is_volume(name(campaign), calls[campaign]))
            .collect();
        Self {
            data,
            facts,
            customers: customers.names,
            surprises: surprises.names,
            families,
            family_of,
            volume,
            honeypot,
        }
    }

    /// The calls of several operators, each walked by itself, in order of time. What has the same name
    /// at two of them is not the same: tenants, customers and campaigns are renamed by operator.
    ///
    /// # Errors
    /// More calls than can be kept.
    pub fn of_operators(each: Vec<Self>) -> Result<Self, EvaluateError> {
        let mut each = each;
        if each.len() == 1 {
            return Ok(each.remove(0));
        }
        let mut builder = DatasetBuilder::new(CATALOGUE, VERSION);
        let (mut customers, mut surprises) = (Names::default(), Names::default());
        surprises.number("");
        let mut facts = Vec::new();
        let mut honeypot = 0;
        for (operator, calls) in (1..).zip(each) {
            honeypot += calls.honeypot;
            for (row, fact) in calls.facts.iter().enumerate() {
                let data = &calls.data;
                let campaign = data.campaign.name(calls.campaign(row));
                let campaign = match campaign.split_once('/') {
                    Some((family, number)) => format!("{family}/{operator}/{number}"),
                    None => campaign.to_owned(),
                };
                let account = data.account.name(data.account.number(row));
                let features = data.features(row);
                let pushed = builder.push(&LabelledCall {
                    at: data.at[row],
                    account: &format!("{account}/{operator}"),
                    campaign: &campaign,
                    verdict: Some(match data.y[row] {
                        true => Verdict::Fraud,
                        false => Verdict::Legitimate,
                    }),
                    features: &features.iter().copied().collect::<Vec<f32>>(),
                });
                pushed.map_err(EvaluateError::Call)?;
                let customer = &calls.customers[fact.customer];
                facts.push(Fact {
                    customer: customers.number(&format!("{customer}/{operator}")),
                    surprise: surprises.number(&calls.surprises[fact.surprise]),
                    ..*fact
                });
            }
        }
        let (data, order) = builder.finish_in_order();
        let facts = order.iter().map(|row| facts[*row]).collect();
        Ok(Self::of(data, facts, customers, surprises, honeypot))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The campaign of a call; 0: it belongs to none.
    #[must_use]
    pub fn campaign(&self, row: usize) -> usize {
        self.data.campaign.number(row)
    }

    /// The family of a call, a number into `families`; `None`: it is legitimate.
    #[must_use]
    pub fn family(&self, row: usize) -> Option<usize> {
        self.data.y[row].then(|| self.family_of[self.campaign(row)])
    }
}
