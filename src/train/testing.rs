//! Synthetic calls where the right answer is known.
//!
//! Every feature is normal with deviation 1; fraud is shifted by `SHIFT`. So the true
//! log-odds are linear (Fisher's discriminant): `SHIFT . x - |SHIFT|^2 / 2 + ln(prior odds)`,
//! and the best possible ROC area is `Phi(|SHIFT| / sqrt 2)`.

use super::{Dataset, DatasetBuilder, LabelledCall};
use crate::domain::{FeatureSpec, Timestamp, Verdict};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

pub(super) const VERSION: u16 = 3;
pub(super) const CATALOGUE: &[FeatureSpec] = &[
    spec("strong"),
    spec("tiny_scale"),
    spec("huge_scale"),
    spec("lowers"),
    spec("noise"),
    spec("constant"),
];
const SHIFT: [f64; 4] = [2.0, 1.5, 1.0, -1.0];
/// By these each feature is multiplied.
pub(super) const SCALES: [f32; 4] = [1.0, 1e-7, 1e5, 1.0];
pub(super) const START: Timestamp = Timestamp::from_secs(1_790_000_000);
/// Calls of one campaign.
pub(super) const CAMPAIGN: usize = 10;

const fn spec(name: &'static str) -> FeatureSpec {
    FeatureSpec {
        name,
        tag: name,
        words: "for tests",
    }
}

/// Best possible ROC area: Phi(|SHIFT| / sqrt 2) = Phi(2.0310), by scipy.
pub(super) const BEST_AUC: f64 = 0.978_87;

/// The probability of fraud, given the features.
pub(super) fn truth(features: &[f32], prior: f64) -> f64 {
    let dot: f64 = SHIFT
        .iter()
        .zip(features.iter().zip(SCALES))
        .map(|(s, (x, scale))| s * f64::from(x / scale))
        .sum();
    let norm: f64 = SHIFT.iter().map(|s| s * s).sum();
    let log_odds = dot - norm / 2.0 + (prior / (1.0 - prior)).ln();
    1.0 / (1.0 + (-log_odds).exp())
}

/// Box and Muller.
fn normal(random: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// `rows` calls a second apart, every `every`th run of them a campaign with one call in
/// `1 / prior`; frauds come in campaigns `kind/number` of [`CAMPAIGN`] calls.
pub(super) fn synthetic(rows: usize, prior: f64, seed: u64) -> Dataset {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut builder = DatasetBuilder::new(CATALOGUE, VERSION);
    let (mut frauds, mut at) = (0, START);
    for row in 0..rows {
        let fraud = random.random::<f64>() < prior;
        let features: Vec<f32> = (0..CATALOGUE.len())
            .map(|j| {
                let shift = if fraud {
                    SHIFT.get(j).copied().unwrap_or(0.0)
                } else {
                    0.0
                };
                #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
                let x = (normal(&mut random) + shift) as f32;
                if j == 5 {
                    42.0
                } else {
                    x * SCALES.get(j).copied().unwrap_or(1.0)
                }
            })
            .collect();
        let number = frauds / CAMPAIGN;
        let kind = ["hacked-pbx", "wangiri", "stolen-credentials"][number % 3];
        let campaign = if fraud {
            format!("{kind}/{number}")
        } else {
            String::new()
        };
        let verdict = if fraud {
            Verdict::Fraud
        } else {
            Verdict::Legitimate
        };
        frauds += usize::from(fraud);
        at = at.plus_secs(1);
        builder
            .push(&LabelledCall {
                at,
                account: ["a.example", "b.example", "c.example"][row % 3],
                campaign: &campaign,
                verdict: Some(verdict),
                features: &features,
            })
            .unwrap();
    }
    builder.finish()
}

/// Calls whose first two features are of one sign for fraud and of two for legitimate calls,
/// but for one in twenty: no sum of features can tell them apart, a tree can.
pub(super) fn xor(rows: usize, seed: u64) -> Dataset {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut data = synthetic(rows, 0.3, seed);
    for row in 0..rows {
        let flip = |random: &mut Pcg64Mcg| if random.random() { 1.0 } else { -1.0 };
        let (first, size) = (
            flip(&mut random),
            [0, 1].map(|_| 0.2 + random.random::<f32>()),
        );
        let odd = random.random::<f64>() < 0.05;
        let second = if data.y[row] == odd { -first } else { first };
        for (feature, x) in [first * size[0], second * size[1]].into_iter().enumerate() {
            data.x[[row, feature]] = x * SCALES[feature];
        }
        for feature in 2..CATALOGUE.len() {
            data.x[[row, feature]] = random.random();
        }
    }
    data
}
