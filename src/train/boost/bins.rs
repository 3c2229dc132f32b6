//! Features cut into at most 64 bins each.
//!
//! A split between two bins is a split between two values: the scorer needs no bins. Cuts are
//! quantiles, half of them of all calls and half of the frauds: so what is rare, but common
//! among frauds, is told apart too. Any scale is fine and no value is absurd.

use crate::train::Dataset;
use rayon::prelude::*;

/// Most bins of a feature.
pub(super) const MAX_BINS: usize = 64;

/// A table of bin numbers, column by column.
pub(in crate::train) struct Binned {
    /// Per feature, increasing: a value lies in as many bins' right as there are cuts at or below it.
    cuts: Vec<Vec<f32>>,
    columns: Vec<Vec<u8>>,
    rows: usize,
}

impl Binned {
    pub(in crate::train) fn new(data: &Dataset, rows: &[usize], fraud: &[bool]) -> Self {
        let each = (0..data.x.ncols()).into_par_iter().map(|feature| {
            let column: Vec<f32> = rows.iter().map(|row| data.x[[*row, feature]]).collect();
            let cuts = cuts_of(&column, fraud);
            let bins = column.iter().map(|x| bin_of(&cuts, *x)).collect();
            (cuts, bins)
        });
        let (cuts, columns) = each.unzip();
        Self {
            cuts,
            columns,
            rows: rows.len(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature]
    }

    /// The value that parts `bin` and those below it from the bins above: left is below it.
    pub(super) fn threshold(&self, feature: usize, bin: usize) -> f32 {
        self.cuts[feature][bin]
    }
}

fn bin_of(cuts: &[f32], x: f32) -> u8 {
    let bin = cuts.partition_point(|cut| *cut <= x);
    // Below MAX_BINS.
    u8::try_from(bin).unwrap_or(u8::MAX)
}

fn cuts_of(column: &[f32], fraud: &[bool]) -> Vec<f32> {
    let mut all = column.to_vec();
    all.sort_by(f32::total_cmp);
    let among = column.iter().zip(fraud);
    let mut frauds: Vec<f32> = among.filter(|(_, y)| **y).map(|(x, _)| *x).collect();
    frauds.sort_by(f32::total_cmp);
    let mut distinct = all.clone();
    distinct.dedup();
    let mut starts: Vec<f32> = if distinct.len() <= MAX_BINS {
        distinct.iter().skip(1).copied().collect()
    } else {
        let each = MAX_BINS / 2;
        [quantiles(&all, each), quantiles(&frauds, each)].concat()
    };
    starts.sort_by(f32::total_cmp);
    starts.dedup();
    let mut cuts: Vec<f32> = starts
        .into_iter()
        .filter_map(|start| cut_below(&distinct, start))
        .collect();
    cuts.dedup();
    cuts
}

/// First values of `parts` parts of about one size.
fn quantiles(sorted: &[f32], parts: usize) -> Vec<f32> {
    let at = (1..parts).filter_map(|part| sorted.get(part * sorted.len() / parts));
    at.copied().collect()
}

/// Half way between `start` and the value before it; `None` for the smallest.
fn cut_below(distinct: &[f32], start: f32) -> Option<f32> {
    let at = distinct.partition_point(|x| *x < start);
    let before = *distinct.get(at.checked_sub(1)?)?;
    #[expect(clippy::cast_possible_truncation, reason = "a value between two f32")]
    let middle = f64::midpoint(f64::from(before), f64::from(start)) as f32;
    Some(if middle > before { middle } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binned(column: &[f32], fraud: &[bool]) -> (Vec<f32>, Vec<u8>) {
        let cuts = cuts_of(column, fraud);
        let bins = column.iter().map(|x| bin_of(&cuts, *x)).collect();
        (cuts, bins)
    }

    #[test]
    fn few_values_have_a_bin_each_and_thresholds_half_way() {
        let (cuts, bins) = binned(&[5.0, 1.0, 1.0, 3.0], &[false; 4]);
        assert_eq!(cuts, [2.0, 4.0]);
        assert_eq!(bins, [2, 0, 0, 1]);
        let next = f32::from_bits(7.0_f32.to_bits() + 1);
        assert_eq!(binned(&[7.0, next], &[false; 2]), (vec![next], vec![0, 1]));
        assert_eq!(binned(&[2.0; 3], &[false; 3]).0, [] as [f32; 0]);
        let far = binned(&[f32::MIN, f32::MAX], &[false; 2]);
        assert_eq!(far.1, [0, 1]);
    }

    #[test]
    fn many_values_are_cut_by_quantiles_of_all_and_of_frauds() {
        // 10,000 even values, frauds all among the last hundred.
        let column: Vec<f32> = (0..10_000_u16).map(f32::from).collect();
        let fraud: Vec<bool> = (0..10_000).map(|i| i >= 9_900).collect();
        let (cuts, bins) = binned(&column, &fraud);
        assert!(cuts.len() < MAX_BINS && cuts.is_sorted_by(|a, b| a < b));
        assert!(cuts.iter().filter(|cut| **cut > 9_900.0).count() > 25);
        assert!(cuts.iter().filter(|cut| **cut < 9_000.0).count() > 25);
        for (x, bin) in column.iter().zip(bins) {
            let bin = usize::from(bin);
            assert!(bin == 0 || cuts[bin - 1] <= *x);
            assert!(bin == cuts.len() || *x < cuts[bin]);
        }
    }
}
