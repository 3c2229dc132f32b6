//! Which calls of the training part the fit sees.
//!
//! Fraud is rare, so legitimate calls are drawn at random, a few per fraud; the fit's
//! intercept is corrected for it. And nobody may teach alone: the calls of one campaign and
//! of one account are capped. Calls at honeypots come on top of that, never more of them than
//! judged frauds, and do not count for the base rate: anybody can make as many as he likes.

use super::{Dataset, Options};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;

/// Most calls a fit sees: with 108 features their bins take 44 MB, and a penalised logistic
/// of a fifth of them 90 MB.
const MAX_FITTED: usize = 400_000;
/// So many frauds of one account are always taken: with few labels each is needed.
const UNCAPPED: usize = 500;

/// Rows drawn, and the correction they call for.
#[derive(Debug)]
pub(super) struct Sample {
    /// Rows of the data set, in order of time.
    pub rows: Vec<usize>,
    /// To be added to the log-odds of a model fitted on `rows`.
    pub intercept_shift: f64,
}

impl Sample {
    /// Log-odds of fraud among the rows drawn.
    pub(super) fn odds(&self, data: &Dataset) -> f64 {
        let fraud = data.positives(&self.rows);
        odds((fraud, self.rows.len() - fraud))
    }
}

/// Draws from `train`: every fraud up to the caps, calls at honeypots, and `per_fraud` legitimate
/// calls for each.
/// The same seed draws the same rows.
pub(super) fn draw(data: &Dataset, train: &[usize], per_fraud: usize, options: &Options) -> Sample {
    let mut random = Pcg64Mcg::seed_from_u64(options.seed);
    let (mut honeypot, judged): (Vec<usize>, Vec<usize>) =
        train.iter().partition(|row| data.is_honeypot(**row));
    let (mut fraud, mut legitimate): (Vec<usize>, Vec<usize>) =
        judged.into_iter().partition(|row| data.y[*row]);
    let all = (fraud.len(), legitimate.len());
    fraud.shuffle(&mut random);
    legitimate.shuffle(&mut random);
    let campaign = |row| match data.campaign.number(row) {
        // Of no campaign: a group of its own.
        0 => data.campaign.count() + row,
        campaign => campaign,
    };
    let mut fraud = capped(fraud, options.campaign_cap, campaign);
    let cap = account_cap(data, &fraud, fraud.len(), options.account_share).max(UNCAPPED);
    fraud = capped(fraud, cap, |row| data.account.number(row));
    honeypot.shuffle(&mut random);
    honeypot = capped(honeypot, options.campaign_cap, campaign);
    honeypot.truncate(fraud.len());
    fraud.append(&mut honeypot);
    let wanted = fraud
        .len()
        .saturating_mul(per_fraud)
        .min(MAX_FITTED.saturating_sub(fraud.len()).max(fraud.len()))
        .min(legitimate.len());
    let cap = account_cap(data, &legitimate, wanted, options.account_share);
    legitimate = capped(legitimate, cap, |row| data.account.number(row));
    legitimate.truncate(wanted);
    let shift = odds(all) - odds((fraud.len(), legitimate.len()));
    let mut rows = fraud;
    rows.append(&mut legitimate);
    rows.sort_unstable_by_key(|row| (data.at[*row], *row));
    Sample {
        rows,
        intercept_shift: shift,
    }
}

/// Log-odds of fraud among so many frauds and legitimate calls.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn odds((fraud, legitimate): (usize, usize)) -> f64 {
    (fraud as f64 / legitimate as f64).ln()
}

/// Most rows of one account among `wanted`: its share, or an even split if there are so few.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts below 2^52"
)]
fn account_cap(data: &Dataset, rows: &[usize], wanted: usize, share: f64) -> usize {
    let accounts: std::collections::BTreeSet<usize> =
        rows.iter().map(|row| data.account.number(*row)).collect();
    let even = 1.0 / accounts.len().max(1) as f64;
    (wanted as f64 * share.max(even)).ceil() as usize
}

/// The first `cap` rows of each group.
fn capped(rows: Vec<usize>, cap: usize, group: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    rows.into_iter()
        .filter(|row| {
            let count = taken.entry(group(*row)).or_default();
            *count += 1;
            *count <= cap
        })
        .collect()
}
