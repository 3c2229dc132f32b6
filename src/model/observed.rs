//! Whether scores keep their word: of calls scored 0.9, nine in ten should turn out to be fraud.
//!
//! Held against the verdicts that came in since, with Wilson's interval (Wilson 1927) of each
//! share. Judged calls are not all calls: analysts look at what stood out. So the figures are of
//! what was judged, and an alarm is a reason to look, not a proof.

use serde::Serialize;
use utoipa::ToSchema;

/// Judged calls below which nothing is said.
pub const ENOUGH: u64 = 200;
/// Judged calls a bin needs to raise the alarm.
const ENOUGH_OF_BIN: u64 = 30;
/// How far outside its interval a prediction must be to count as clearly off.
const CLEARLY: f64 = 0.05;
/// Standard normal quantile of the intervals shown: 95 %.
const Z_SHOWN: f64 = 1.959_964;
/// Of those the alarm goes by: 99.9 %, as ten bins are looked at every hour.
const Z_ALARM: f64 = 3.290_527;

/// Judged calls of one range of scores, as they come from ClickHouse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Scores from here (included) ...
    pub from: f64,
    /// ... to here (excluded; 1 is included).
    pub to: f64,
    /// Judged calls.
    pub calls: u64,
    /// Of them fraud.
    pub fraud: u64,
    /// Sum of their scores.
    pub scores: f64,
    /// Of the calls, those above the model's threshold.
    pub above: u64,
    /// Of those, fraud.
    pub above_fraud: u64,
}

/// What came of the calls a model scored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Observed {
    /// Id of the model.
    #[schema(example = "2026-11-23T1501-logistic-1a2b3c")]
    pub model: String,
    /// Calls from this time on, RFC 3339.
    #[schema(format = DateTime)]
    pub since: String,
    /// Judged calls.
    pub calls: u64,
    /// Of them fraud.
    pub fraud: u64,
    /// How it stands.
    pub state: Keeping,
    /// Expected calibration error: the mean distance of predicted from observed, by calls, 0
    /// to 1; absent: too few calls.
    pub error: Option<f64>,
    /// By range of scores; ranges without calls are left out.
    pub bins: Vec<ObservedBin>,
    /// Precision above the model's threshold; absent: no judged call was above it.
    pub precision: Option<JudgedShare>,
    /// The threshold, 0 to 1.
    pub threshold: f32,
}

/// Whether scores keep their word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keeping {
    /// Too few judged calls to tell.
    TooFew,
    /// As far as can be told.
    Kept,
    /// Clearly not: train anew, or calibrate by training on what was judged since.
    Off,
}

/// Predicted against observed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct ObservedBin {
    /// Scores from here (included) ...
    pub from: f64,
    /// ... to here (excluded; 1 is included).
    pub to: f64,
    /// Mean score.
    pub predicted: f64,
    /// What it was.
    pub observed: JudgedShare,
}

/// A share of calls with Wilson's 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct JudgedShare {
    /// Calls.
    pub calls: u64,
    /// Of them fraud.
    pub fraud: u64,
    /// Their share.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl JudgedShare {
    fn of(fraud: u64, calls: u64) -> Self {
        let (low, high) = wilson(fraud, calls, Z_SHOWN);
        Self {
            calls,
            fraud,
            share: n(fraud) / n(calls.max(1)),
            low,
            high,
        }
    }
}

impl Observed {
    /// From the judged calls by range of scores.
    #[must_use]
    pub fn of(model: &str, threshold: f32, since: String, judged: &[Judged]) -> Self {
        let sum = |of: fn(&Judged) -> u64| judged.iter().map(of).sum::<u64>();
        let (calls, fraud) = (sum(|j| j.calls), sum(|j| j.fraud));
        let (above, above_fraud) = (sum(|j| j.above), sum(|j| j.above_fraud));
        let filled = || judged.iter().filter(|j| j.calls > 0);
        let off: f64 = filled().map(|j| (j.scores - n(j.fraud)).abs()).sum();
        let enough = calls >= ENOUGH;
        Self {
            model: model.to_owned(),
            since,
            calls,
            fraud,
            state: match enough {
                false => Keeping::TooFew,
                true if filled().any(Judged::is_clearly_off) => Keeping::Off,
                true => Keeping::Kept,
            },
            error: enough.then(|| off / n(calls)),
            bins: filled().map(Judged::bin).collect(),
            precision: (above > 0).then(|| JudgedShare::of(above_fraud, above)),
            threshold,
        }
    }
}

impl Judged {
    fn predicted(&self) -> f64 {
        self.scores / n(self.calls.max(1))
    }

    fn bin(&self) -> ObservedBin {
        ObservedBin {
            from: self.from,
            to: self.to,
            predicted: self.predicted(),
            observed: JudgedShare::of(self.fraud, self.calls),
        }
    }

    fn is_clearly_off(&self) -> bool {
        let (low, high) = wilson(self.fraud, self.calls, Z_ALARM);
        let outside = (low - self.predicted()).max(self.predicted() - high);
        self.calls >= ENOUGH_OF_BIN && outside > CLEARLY
    }
}

/// Wilson's interval of a share: `z` is the standard normal quantile (1.96 for 95 %).
#[must_use]
pub fn wilson(successes: u64, calls: u64, z: f64) -> (f64, f64) {
    if calls == 0 {
        return (0.0, 1.0);
    }
    let (all, p) = (n(calls), n(successes) / n(calls));
    let widened = 1.0 + z * z / all;
    let centre = (p + z * z / (2.0 * all)) / widened;
    let half = z / widened * (p * (1.0 - p) / all + z * z / (4.0 * all * all)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn n(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(from: f64, to: f64, calls: u64, fraud: u64, mean: f64) -> Judged {
        let above = if from >= 0.5 { calls } else { 0 };
        Judged {
            from,
            to,
            calls,
            fraud,
            scores: mean * n(calls),
            above,
            above_fraud: fraud.min(above),
        }
    }

    fn of(judged: &[Judged]) -> Observed {
        Observed::of("m", 0.5, "2026-01-01T00:00:00Z".into(), judged)
    }

    /// Table I of Newcombe 1998, "Two-sided confidence intervals for the single proportion".
    #[test]
    fn wilson_s_interval_is_the_published_one() {
        let cases = [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ];
        for (successes, calls, low, high) in cases {
            let (l, h) = wilson(successes, calls, Z_SHOWN);
            assert!(
                (l - low).abs() < 5e-5 && (h - high).abs() < 5e-5,
                "{successes} of {calls}: {l} to {h}"
            );
        }
        assert_eq!(wilson(0, 0, Z_SHOWN), (0.0, 1.0));
    }

    #[test]
    fn scores_that_keep_their_word_raise_nothing() {
        let observed = of(&[
            judged(0.0, 0.1, 900, 9, 0.012),
            judged(0.1, 0.5, 0, 0, 0.0),
            judged(0.75, 1.0, 100, 93, 0.91),
        ]);
        assert_eq!(observed.state, Keeping::Kept);
        // (|10.8 - 9| + |91 - 93|) / 1000.
        assert!((observed.error.expect("enough") - 0.0038).abs() < 1e-9);
        assert_eq!(observed.bins.len(), 2, "without the empty one");
        let precision = observed.precision.expect("above");
        assert_eq!((precision.calls, precision.fraud), (100, 93));
    }

    #[test]
    fn scores_that_do_not_are_an_alarm_once_there_are_enough() {
        let off = judged(0.75, 1.0, 100, 40, 0.9);
        let rest = judged(0.0, 0.1, 150, 1, 0.01);
        assert_eq!(of(&[off, rest]).state, Keeping::Off);
        // A bin of few calls cannot tell, nor can few calls in all.
        assert_eq!(
            of(&[
                judged(0.75, 1.0, 20, 8, 0.9),
                judged(0.0, 0.1, 300, 3, 0.01)
            ])
            .state,
            Keeping::Kept
        );
        let few = of(&[off]);
        assert_eq!((few.state, few.error), (Keeping::TooFew, None));
        assert_eq!(of(&[]).precision, None);
    }
}
