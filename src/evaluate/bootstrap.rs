//! How often each attack and each customer counts, in one draw of a bootstrap.
//!
//! The calls of one attack stand or fall together, and so do a customer's: drawing calls one by
//! one would make every interval far too narrow. So attacks are drawn with replacement, within
//! their family, and customers among the customers (Efron and Tibshirani 1993, on dependent
//! data). The same seed draws the same attacks for every detector: differences are paired.

use super::Calls;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;

/// How often each counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// By number of the customer.
    pub customers: Vec<u32>,
    /// By number of the campaign.
    pub campaigns: Vec<u32>,
}

impl Draw {
    /// Everything once: the figures themselves.
    #[must_use]
    pub fn all(calls: &Calls) -> Self {
        Self {
            customers: vec![1; calls.customers.len()],
            campaigns: vec![1; calls.data.campaign.count()],
        }
    }

    /// `count` draws from those who have calls among `rows`.
    #[must_use]
    pub fn several(calls: &Calls, rows: &[usize], count: usize, seed: u64) -> Vec<Self> {
        let mut families: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut customers = Vec::new();
        for row in rows {
            match calls.family(*row) {
                Some(family) => families
                    .entry(family)
                    .or_default()
                    .push(calls.campaign(*row)),
                None => customers.push(calls.facts[*row].customer),
            }
        }
        for members in families.values_mut().chain([&mut customers]) {
            members.sort_unstable();
            members.dedup();
        }
        let draw = |nth: usize| {
            // The customers first, and a seed per draw: folds that share their legitimate calls
            // draw the same of them.
            let mut random = Pcg64Mcg::seed_from_u64(seed.wrapping_add(nth as u64));
            let mut draw = Self {
                customers: vec![0; calls.customers.len()],
                campaigns: vec![0; calls.data.campaign.count()],
            };
            with_replacement(&customers, &mut draw.customers, &mut random);
            for campaigns in families.values() {
                with_replacement(campaigns, &mut draw.campaigns, &mut random);
            }
            draw
        };
        (0..count).map(draw).collect()
    }
}

fn with_replacement(from: &[usize], counts: &mut [u32], random: &mut Pcg64Mcg) {
    for _ in from {
        counts[from[random.random_range(0..from.len())]] += 1;
    }
}

/// The value below which a share of the values lies, by nearest rank; `None` without values.
/// `values` need not be in order.
#[must_use]
pub fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}
