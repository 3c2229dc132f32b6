//! Figures against hand-worked ones, and a small world from end to end.

mod figures;
mod world;

use super::*;
use crate::domain::{Country, Timestamp, Verdict};
use crate::features::{CATALOGUE, VERSION};
use crate::train::{DatasetBuilder, LabelledCall};

/// A call made up for a test.
#[derive(Clone, Copy)]
pub(super) struct Made {
    /// Seconds from the start.
    pub at: i64,
    pub customer: usize,
    /// Empty: legitimate.
    pub campaign: &'static str,
    /// Minutes of talk at 1 a minute: its cost.
    pub cost: u32,
    pub country: &'static str,
    pub number: u64,
}

impl Made {
    pub fn honest(at: i64, customer: usize) -> Self {
        Self {
            at,
            customer,
            campaign: "",
            cost: 0,
            country: "DE",
            number: 4_930_000_000,
        }
    }

    pub fn fraud(at: i64, campaign: &'static str, cost: u32) -> Self {
        Self {
            campaign,
            cost,
            ..Self::honest(at, 0)
        }
    }
}

/// Calls without features, in order of time.
pub(super) fn made(all: &[Made]) -> Calls {
    let mut builder = DatasetBuilder::new(CATALOGUE, VERSION);
    let mut families: Vec<String> = Vec::new();
    for call in all {
        let fraud = !call.campaign.is_empty();
        builder
            .push(&LabelledCall {
                at: Timestamp::from_secs(1_772_409_600 + call.at),
                account: "itsp-1.example",
                campaign: call.campaign,
                verdict: Some(if fraud {
                    Verdict::Fraud
                } else {
                    Verdict::Legitimate
                }),
                features: &vec![0.0; CATALOGUE.len()],
            })
            .expect("good");
        if fraud {
            families.push(family_of(call.campaign).to_owned());
        }
    }
    families.sort();
    families.dedup();
    let data = builder.finish();
    let name = |campaign: usize| family_of(data.campaign.name(campaign)).to_owned();
    let family = |campaign: usize| families.iter().position(|f| *f == name(campaign));
    let customers = all.iter().map(|call| call.customer).max().unwrap_or(0) + 1;
    Calls {
        facts: all
            .iter()
            .map(|call| Fact {
                customer: call.customer,
                surprise: 0,
                country: Country::parse(call.country).expect("a country"),
                number: call.number,
                concurrent: None,
                talk_s: call.cost * 60,
                price: 1.0,
            })
            .collect(),
        customers: (0..customers)
            .map(|c| format!("{c}@itsp-1.example"))
            .collect(),
        surprises: vec![String::new()],
        family_of: (0..data.campaign.count())
            .map(|c| family(c).unwrap_or(0))
            .collect(),
        volume: (0..data.campaign.count())
            .map(|c| is_volume(&name(c), 1))
            .collect(),
        families,
        honeypot: 0,
        data,
    }
}
