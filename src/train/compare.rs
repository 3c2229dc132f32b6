//! A new model beside the one in force, on later calls that neither was trained on.
//!
//! Both score the same calls, so their figures rise and fall together with the sample; what is
//! resampled is therefore the difference (paired bootstrap, Efron and Tibshirani 1993, chapter
//! 16). Calls of one attack resemble each other, and so do one account's calls of one day: the
//! bootstrap draws attacks and account-days, not calls (cluster bootstrap, Davison and Hinkley
//! 1997, section 3.8).

use super::evaluate::score_rows;
use super::metrics::n;
use super::resample::{Draws, Groups, Measured, Ranked};
use super::{Dataset, TrainError};
use crate::domain::Timestamp;
use crate::model::Model;
use crate::model::comparison::{
    Advice, COMPARISON_FORMAT, Calls, Compared, Comparison, Figure, Standing,
};
use chrono::DateTime;

/// Fewest frauds, attacks and legitimate calls that are compared on.
const MIN_FRAUD: usize = 5;
const MIN_ATTACKS: usize = 3;
const MIN_LEGITIMATE: usize = 200;
/// Part of the resamples cut off at each end of an interval: 95 % stay.
const TAIL: f64 = 0.025;

/// What a model's own threshold promises: of legitimate calls at most so many above it.
const PROMISE: f64 = 1e-4;
/// Places of the figures at a model's own threshold.
const OWN_RECALL: usize = 3;
const OWN_FALSE: usize = 4;

/// What is compared: name, whether more is better, and the loss that counts as none.
///
/// The margins: two in a hundred frauds, five at a model's own threshold, the promise, one call of an
/// attack. Recall at 0.01 % takes more calls to tell than most have: it is shown and decides nothing.
const FIGURES: [(&str, bool, Option<f64>); 6] = [
    ("recall at 0.1 % false positives", true, Some(0.02)),
    ("recall at 0.01 % false positives", true, None),
    ("average precision", true, Some(0.02)),
    ("recall at its own threshold", true, Some(0.05)),
    ("false positives at its own threshold", false, Some(PROMISE)),
    ("calls leaked per attack", false, Some(1.0)),
];

/// The model in force, as far as a comparison must know it.
#[derive(Clone, Copy, Debug)]
pub struct Rival<'a> {
    /// The model.
    pub model: &'a Model,
    /// Whether it is the shipped one, trained on simulated calls only: no call of this
    /// installation was in its training, however old.
    pub shipped: bool,
}

/// Compares on those calls of `data` that are new to both. Pure: the same calls and seed give the
/// same figures.
///
/// # Errors
/// A vector that a model cannot score.
pub fn compare(
    candidate: &Model,
    rival: Rival<'_>,
    data: &Dataset,
    at: Timestamp,
    seed: u64,
) -> Result<Comparison, TrainError> {
    let from = unseen_from(candidate).max(match rival.shipped {
        true => Timestamp(i64::MIN),
        false => unseen_from(rival.model),
    });
    let rows = unseen(data, from);
    let groups = Groups::of(data, &rows);
    let fraud = data.positives(&rows);
    let last = rows.last().map(|row| data.at[*row].to_rfc3339());
    let draft = Comparison {
        format: COMPARISON_FORMAT,
        candidate: Compared::of(candidate),
        in_force: Compared::of(rival.model),
        at: at.to_rfc3339(),
        advice: Advice::NotComparable,
        words: String::new(),
        calls: Calls {
            from: from.to_rfc3339(),
            to: last.unwrap_or_default(),
            rows: rows.len() as u64,
            fraud: fraud as u64,
            attacks: groups.attacks() as u64,
            left_out: (data.rows() - rows.len()) as u64,
        },
        resamples: 0,
        seed,
        figures: Vec::new(),
    };
    if let Some(words) = lack(fraud, groups.attacks(), rows.len() - fraud) {
        return Ok(Comparison { words, ..draft });
    }
    let ranked = |model: &Model| -> Result<Ranked, TrainError> {
        let scores = score_rows(model, data, &rows)?;
        Ok(Ranked::new(data, &rows, &groups, scores, model.threshold()))
    };
    let pair = (ranked(candidate)?, ranked(rival.model)?);
    let draws = Draws::new(&groups, rows.len(), seed);
    let differences = draws.differences(&pair.0, &pair.1);
    let figures = figures(
        &pair.0.measure(&draws.all()),
        &pair.1.measure(&draws.all()),
        differences,
    );
    let (advice, words) = advise(&figures);
    Ok(Comparison {
        advice,
        words,
        resamples: draws.count(),
        figures,
        ..draft
    })
}

/// The first time from which calls are new to a model; a file that does not say when its held-out
/// part began was trained on all it names.
fn unseen_from(model: &Model) -> Timestamp {
    let training = &model.file().training;
    let time = |text: &str| {
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Timestamp(at.timestamp_micros()))
    };
    // A file is verified before it is a model: its dates can be read.
    time(&training.hold_out_from)
        .or_else(|| time(&training.to).map(|to| Timestamp(to.0.saturating_add(1))))
        .unwrap_or(Timestamp(i64::MAX))
}

/// Calls from then on, without those of attacks that began before: training keeps attacks whole.
fn unseen(data: &Dataset, from: Timestamp) -> Vec<usize> {
    let mut is_known = vec![false; data.campaign.count()];
    for row in (0..data.rows()).filter(|row| data.at[*row] < from) {
        is_known[data.campaign.number(row)] = true;
    }
    (0..data.rows())
        .filter(|row| data.at[*row] >= from)
        .filter(|row| match data.campaign.number(*row) {
            0 => true,
            campaign => !is_known[campaign],
        })
        .collect()
}

/// What is too few, in a sentence.
fn lack(fraud: usize, attacks: usize, legitimate: usize) -> Option<String> {
    let lacks = [
        (fraud, MIN_FRAUD, "frauds"),
        (attacks, MIN_ATTACKS, "attacks"),
        (legitimate, MIN_LEGITIMATE, "legitimate calls"),
    ];
    let (have, need, what) = lacks.into_iter().find(|(have, need, _)| have < need)?;
    Some(format!(
        "of the judged calls that neither model was trained on {have} are {what}, and it takes {need}: \
         compare again when more calls are judged"
    ))
}

fn figures(new: &Measured, old: &Measured, mut differences: Vec<Measured>) -> Vec<Figure> {
    let each = FIGURES.iter().enumerate();
    each.map(|(at, &(name, more_is_better, _))| {
        let margin = margin(at, new, old);
        differences.sort_by(|a, b| a[at].total_cmp(&b[at]));
        let difference = new[at] - old[at];
        let (low, high) = interval(&differences, at, difference);
        let mut standing =
            Figure::standing_of(difference, low, high, more_is_better, margin.unwrap_or(0.0));
        // Small losses add up, training after training.
        if at == OWN_FALSE && low > 0.0 && new[at] > PROMISE {
            standing = Standing::Worse;
        }
        Figure {
            name: name.to_owned(),
            candidate: new[at],
            in_force: old[at],
            difference,
            low,
            high,
            more_is_better,
            margin,
            standing,
        }
    })
    .collect()
}

/// The loss that counts as none; `None`: the figure decides nothing.
///
/// Of false positives the promise, or half of what there are where the model in force breaks it. Its
/// recall at its own threshold is none to hold against a model that calls fewer legitimate calls
/// fraud, where it breaks the promise: that recall was bought.
fn margin(at: usize, new: &Measured, old: &Measured) -> Option<f64> {
    let usual = FIGURES[at].2?;
    match at {
        OWN_FALSE => Some(usual.max(old[OWN_FALSE] / 2.0)),
        OWN_RECALL if old[OWN_FALSE] > PROMISE.max(new[OWN_FALSE]) => None,
        _ => Some(usual),
    }
}

/// The percentile interval; it always holds the difference itself.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks of some hundred resamples"
)]
fn interval(sorted: &[Measured], at: usize, difference: f64) -> (f64, f64) {
    let cut = (n(sorted.len()) * TAIL) as usize;
    let end = |rank: Option<usize>| rank.and_then(|rank| sorted.get(rank)).map(|m| m[at]);
    let low = end(Some(cut)).unwrap_or(difference);
    let high = end(sorted.len().checked_sub(1 + cut)).unwrap_or(difference);
    (low.min(difference), high.max(difference))
}

fn advise(figures: &[Figure]) -> (Advice, String) {
    let deciding = || figures.iter().filter(|figure| figure.margin.is_some());
    let names = |standing: Standing| -> Vec<&str> {
        let found = deciding().filter(|figure| figure.standing == standing);
        found.map(|figure| figure.name.as_str()).collect()
    };
    let (worse, open, better) = (
        names(Standing::Worse),
        names(Standing::Open),
        names(Standing::Better),
    );
    if !worse.is_empty() {
        let words = format!("it is worse in: {}", worse.join(", "));
        return (Advice::Keep, words);
    }
    if !open.is_empty() {
        let words = format!(
            "the calls leave open whether it is worse in: {}; with more judged calls compare again",
            open.join(", ")
        );
        return (Advice::NotEnoughEvidence, words);
    }
    let words = match better.is_empty() {
        true => "it is not worse in any figure, and newer".to_owned(),
        false => format!(
            "it is better in: {}, and not worse in any",
            better.join(", ")
        ),
    };
    (Advice::Promote, words)
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
