//! Which calls the model learns from, which calibrate it, and which judge it.
//!
//! The future is predicted from the past, so the parts follow each other in time; and the
//! calls of one attack resemble each other too much to stand on both sides, so a campaign
//! belongs whole to the part in which it begins. Inside one part a campaign's calls may be
//! later than the next part's first call; its first one never is.

use super::{Dataset, LabelCount, TrainError};
use crate::domain::{Timestamp, Verdict};

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Weights are fitted here.
    Train,
    /// Calibration and thresholds are taken from here.
    Calibrate,
    /// The figures of the report come from here, and nothing else does.
    HoldOut,
}

impl Part {
    /// As in messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Train => "the training part",
            Self::Calibrate => "the calibration part",
            Self::HoldOut => "the held-out part",
        }
    }

    /// Fewest labels of each verdict. With less the fit is noise, and so are its figures.
    const fn need(self) -> usize {
        match self {
            Self::Train => 10,
            Self::Calibrate | Self::HoldOut => 5,
        }
    }
}

/// Shares of the calls, in order of time, that train and calibrate; the rest is held out.
/// The first under which every part has enough labels is taken: with few campaigns the
/// usual one may leave a part without fraud.
const SHARES: [(usize, usize); 5] = [(60, 15), (55, 20), (50, 25), (40, 30), (30, 35)];

/// Rows of the data set by part, each in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows that train.
    pub train: Vec<usize>,
    /// Rows that calibrate.
    pub calibrate: Vec<usize>,
    /// Rows held out.
    pub hold_out: Vec<usize>,
    /// Time of the first call that may calibrate.
    pub calibrate_from: Timestamp,
    /// Time of the first call that may be held out.
    pub hold_out_from: Timestamp,
    /// Shares taken, percent: train, calibrate, held out.
    pub shares: [usize; 3],
}

/// Splits by time, campaigns whole. `family`: campaigns whose name is that, or begins with
/// that and a `/`, are all held out, whenever they began.
///
/// # Errors
/// [`TrainError::TooFewLabels`] if no split has enough labels in every part;
/// [`TrainError::UnknownFamily`].
pub fn split(data: &Dataset, family: Option<&str>) -> Result<Split, TrainError> {
    let begins = campaign_begins(data, family)?;
    let mut first_lack = None;
    for (train, calibrate) in SHARES {
        let parts = split_at(data, &begins, train, calibrate);
        match lack_of(data, &parts) {
            None => return Ok(parts),
            Some(lack) => first_lack = first_lack.or(Some(lack)),
        }
    }
    first_lack.map_or(Err(TrainError::NothingLearned), |lack| {
        Err(TrainError::TooFewLabels(lack))
    })
}

/// When each campaign began; [`Timestamp`]'s end for those of the family.
fn campaign_begins(data: &Dataset, family: Option<&str>) -> Result<Vec<Timestamp>, TrainError> {
    let end = Timestamp(i64::MAX);
    let mut begins = vec![end; data.campaign.count()];
    for row in (0..data.rows()).rev() {
        begins[data.campaign.number(row)] = data.at[row];
    }
    let Some(family) = family else {
        return Ok(begins);
    };
    let mut known = false;
    for (number, begin) in begins.iter_mut().enumerate().skip(1) {
        if is_of_family(data.campaign.name(number), family) {
            *begin = end;
            known = true;
        }
    }
    if known {
        Ok(begins)
    } else {
        Err(TrainError::UnknownFamily {
            family: family.to_owned(),
        })
    }
}

fn is_of_family(campaign: &str, family: &str) -> bool {
    campaign
        .strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn split_at(data: &Dataset, begins: &[Timestamp], train: usize, calibrate: usize) -> Split {
    let time_at = |percent: usize| {
        data.at
            .get(data.rows() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let (calibrate_from, hold_out_from) = (time_at(train), time_at(train + calibrate));
    let mut parts = Split {
        train: Vec::new(),
        calibrate: Vec::new(),
        hold_out: Vec::new(),
        calibrate_from,
        hold_out_from,
        shares: [train, calibrate, 100 - train - calibrate],
    };
    for row in 0..data.rows() {
        let begin = match data.campaign.number(row) {
            0 => data.at[row],
            campaign => begins[campaign],
        };
        if begin < calibrate_from {
            parts.train.push(row);
        } else if begin < hold_out_from {
            parts.calibrate.push(row);
        } else {
            parts.hold_out.push(row);
        }
    }
    parts
}

/// The first lack of labels in a part.
fn lack_of(data: &Dataset, parts: &Split) -> Option<LabelCount> {
    let each = [
        (Part::Train, &parts.train),
        (Part::Calibrate, &parts.calibrate),
        (Part::HoldOut, &parts.hold_out),
    ];
    each.into_iter().find_map(|(part, rows)| {
        let fraud = data.positives(rows);
        let counts = [
            (Verdict::Fraud, fraud),
            (Verdict::Legitimate, rows.len() - fraud),
        ];
        counts.into_iter().find_map(|(verdict, have)| {
            let need = part.need();
            (have < need).then_some(LabelCount {
                part,
                verdict,
                have,
                need,
            })
        })
    })
}

/// The last quarter of the training part for choosing between fits, campaigns whole, as
/// positions in `rows`: (fit on, validate on). Calls at honeypots validate nothing.
#[must_use]
pub fn validation(data: &Dataset, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let Some(from) = rows.get(rows.len() * 3 / 4).map(|row| data.at[*row]) else {
        return (Vec::new(), Vec::new());
    };
    let mut begins = vec![Timestamp(i64::MAX); data.campaign.count()];
    for row in rows.iter().rev() {
        begins[data.campaign.number(*row)] = data.at[*row];
    }
    let (earlier, mut later): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|position| {
        let row = rows[*position];
        match data.campaign.number(row) {
            0 => data.at[row] < from,
            campaign => begins[campaign] < from,
        }
    });
    later.retain(|position| !data.is_honeypot(rows[*position]));
    (earlier, later)
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
