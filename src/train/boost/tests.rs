use super::*;
use crate::train::testing::{VERSION, xor};
use crate::train::{average_precision, testing};

fn table(data: &Dataset) -> Table<'_> {
    let rows: Vec<usize> = (0..data.rows()).collect();
    Table::new(data, &rows, vec![0.0; data.rows()])
}

fn quick(seed: u64) -> Params {
    Params {
        rounds: 12,
        rate: 0.5,
        leaves: 8,
        feature_share: 1.0,
        ..Params::new(seed)
    }
}

fn scores(data: &Dataset, trees: &[Tree]) -> Vec<f64> {
    let mut scores = vec![0.0; data.rows()];
    table(data).add(trees, &mut scores);
    scores
}

#[test]
fn what_no_sum_of_features_can_tell_trees_tell() {
    let (data, fresh) = (xor(1_500, 1), xor(1_500, 2));
    let trees = boost(&table(&data), None, &quick(1));
    assert_eq!(trees.len(), 24);
    assert!(
        trees
            .iter()
            .all(|tree| tree.fault(data.x.ncols()).is_none())
    );
    let precision = average_precision(&scores(&fresh, &trees), &fresh.y).unwrap();
    // Whoever knows the rule does no better: one call in twenty breaks it.
    let rule: Vec<f64> = (0..fresh.rows())
        .map(|row| f64::from(u8::from(fresh.x[[row, 0]] * fresh.x[[row, 1]] > 0.0)))
        .collect();
    let best = average_precision(&rule, &fresh.y).unwrap();
    assert!(precision > 0.95 * best, "{precision} of {best}");
}

#[test]
fn the_same_seed_gives_the_same_trees_on_any_number_of_threads() {
    let data = xor(600, 3);
    let of = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| boost(&table(&data), None, &quick(seed)))
    };
    let first = of(1, 7);
    assert_eq!(first, of(3, 7));
    assert_ne!(first, of(1, 8));
}

#[test]
fn it_ends_where_later_calls_are_predicted_no_better() {
    let noise = |seed| {
        let mut data = xor(400, seed);
        data.y.rotate_left(7);
        data
    };
    let (data, later) = (noise(4), noise(5));
    let mut params = quick(1);
    (params.rounds, params.patience, params.least_hessian) = (30, 3, 0.2);
    let stopped = boost(&table(&data), Some(&table(&later)), &params);
    assert!(stopped.len() < 12, "{} trees of noise", stopped.len());
    let mut log_odds = vec![0.0; later.rows()];
    let before = table(&later).loss(&log_odds);
    table(&later).add(&stopped, &mut log_odds);
    assert!(table(&later).loss(&log_odds) <= before);
}

#[test]
fn the_loss_is_the_mean_cross_entropy() {
    let mut data = testing::synthetic(2, 0.5, 1);
    data.y = vec![true, false];
    let loss = table(&data).loss(&[2.0, -0.5]);
    let wanted = ((1.0 + (-2.0_f64).exp()).ln() + (1.0 + (-0.5_f64).exp()).ln()) / 2.0;
    assert!((loss - wanted).abs() < 1e-12);
    assert_eq!(data.version, VERSION);
}

#[test]
fn means_are_of_the_rows_given_and_lead_to_the_leaf() {
    let data = xor(800, 6);
    let mut trees = boost(&table(&data), None, &quick(2));
    let legitimate: Vec<usize> = (0..data.rows()).filter(|row| !data.y[*row]).collect();
    let before = scores(&data, &trees);
    set_means(&mut trees, &data, &legitimate);
    assert_eq!(before, scores(&data, &trees), "leaves stay as they are");
    let mean = legitimate.iter().map(|row| before[*row]).sum::<f64>() / n(legitimate.len());
    let roots = Forest::new(&trees).roots();
    assert!((roots - mean).abs() < 1e-5, "{roots} {mean}");
}

#[test]
fn along_a_rising_feature_the_sum_never_falls() {
    let data = xor(1_500, 8);
    let sums = |rising: bool| {
        let params = Params {
            rising: vec![rising],
            ..quick(3)
        };
        let trees = boost(&table(&data), None, &params);
        let forest = Forest::new(&trees);
        let mut falls = 0;
        for row in 0..200 {
            let mut values = values(&data, row).to_vec();
            let mut before = f64::NEG_INFINITY;
            for step in -20_i8..=20 {
                values[0] = f32::from(step) / 8.0;
                let sum = forest.sum(&values);
                falls += usize::from(sum < before - 1e-9);
                before = sum;
            }
        }
        falls
    };
    assert!(sums(false) > 100, "the data fall where they may");
    assert_eq!(sums(true), 0);
}
