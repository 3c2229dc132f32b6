use super::*;
use crate::model::ModelFile;
use crate::train::testing::{CATALOGUE, START, VERSION, synthetic};
use crate::train::{Options, evaluate, train};

const AT: Timestamp = START.plus_secs(10_000_000);

/// A model of the first part of the synthetic calls, and all of them.
fn trained() -> (Model, Dataset) {
    let data = synthetic(20_000, 0.05, 1);
    let model = train(&data, CATALOGUE, VERSION, &Options::new(AT)).unwrap();
    (model.model, data)
}

/// The model with something changed.
fn changed(model: &Model, change: impl FnOnce(&mut ModelFile)) -> Model {
    let mut file = model.file().clone();
    let vectors: Vec<Vec<f32>> = file.probes.iter().map(|p| p.features.clone()).collect();
    change(&mut file);
    Model::with_probes(file, &vectors, CATALOGUE, VERSION).unwrap()
}

/// The model blinded to its two strongest features, and called fraud as readily.
fn blinded(model: &Model) -> Model {
    changed(model, |file| {
        file.id = "blinded".into();
        file.features[0].weight = 0.0;
        file.features[1].weight = 0.0;
        file.thresholds.default = 0.05;
    })
}

fn rival(model: &Model) -> Rival<'_> {
    Rival {
        model,
        shipped: false,
    }
}

fn figure<'a>(comparison: &'a Comparison, name: &str) -> &'a Figure {
    let mut figures = comparison.figures.iter();
    figures.find(|figure| figure.name == name).expect(name)
}

#[test]
fn a_worse_model_is_kept_out_and_a_better_one_advised() {
    let (good, data) = trained();
    let bad = blinded(&good);
    // The usual threshold of so few calls is so careful that it lets as many pass as the other.
    let good = changed(&good, |file| {
        file.id = "good".into();
        file.thresholds.default = 0.9;
    });
    let up = compare(&good, rival(&bad), &data, AT, 1).unwrap();
    assert_eq!(up.advice, Advice::Promote, "{}", up.words);
    assert!(
        up.words.contains("better in: recall at 0.1 %"),
        "{}",
        up.words
    );
    let down = compare(&bad, rival(&good), &data, AT, 1).unwrap();
    assert_eq!(down.advice, Advice::Keep, "{}", down.words);
    assert_eq!(down.candidate, Compared::of(&bad));
    assert_eq!(down.in_force, Compared::of(&good));
    // The two are mirrored.
    for (up, down) in up.figures.iter().zip(&down.figures) {
        assert!(
            (up.difference + down.difference).abs() < 1e-12,
            "{}",
            up.name
        );
        assert!(up.low <= up.difference && up.difference <= up.high);
    }
}

#[test]
fn a_model_beside_itself_is_not_worse() {
    let (model, data) = trained();
    let comparison = compare(&model, rival(&model), &data, AT, 1).unwrap();
    assert_eq!(comparison.advice, Advice::Promote, "{}", comparison.words);
    for figure in &comparison.figures {
        let all = [figure.difference, figure.low, figure.high];
        assert_eq!(all, [0.0; 3], "{}", figure.name);
    }
}

/// The figures are those of the plain metrics, which are held against scikit-learn's.
#[test]
fn the_figures_are_those_of_the_evaluation_on_the_same_calls() {
    let (model, data) = trained();
    let bad = blinded(&model);
    let comparison = compare(&model, rival(&bad), &data, AT, 1).unwrap();
    let rows = unseen(&data, unseen_from(&model));
    assert_eq!(comparison.calls.rows, rows.len() as u64);
    assert_eq!(comparison.calls.left_out, (data.rows() - rows.len()) as u64);
    let plain = evaluate(&model, &data, &rows, model.threshold()).unwrap();
    let attacks = n(plain.campaigns.campaigns);
    let expected = [
        plain.at_0_1_percent.unwrap().recall,
        plain.at_0_01_percent.unwrap().recall,
        plain.average_precision,
        plain.recall,
        plain.false_positive_rate,
        n(plain.campaigns.leaked) / attacks,
    ];
    assert_eq!(comparison.calls.attacks, plain.campaigns.campaigns as u64);
    for (figure, expected) in comparison.figures.iter().zip(expected) {
        assert!(
            (figure.candidate - expected).abs() < 1e-12,
            "{}: {} against {expected}",
            figure.name,
            figure.candidate
        );
    }
}

#[test]
fn calls_either_was_trained_on_are_left_out_and_so_are_their_attacks() {
    let (model, data) = trained();
    let from = unseen_from(&model);
    let rows = unseen(&data, from);
    assert!(!rows.is_empty() && rows.len() < data.rows() / 3);
    for row in &rows {
        assert!(data.at[*row] >= from);
        let campaign = data.campaign.number(*row);
        let earlier = (0..data.rows())
            .filter(|r| data.at[*r] < from && campaign != 0)
            .any(|r| data.campaign.number(r) == campaign);
        assert!(!earlier, "an attack the model knows");
    }
    // A model in force that was trained until later leaves fewer; the shipped one none fewer.
    let later = changed(&model, |file| {
        file.id = "later".into();
        file.training.hold_out_from = data.at[data.rows() * 9 / 10].to_rfc3339();
    });
    let fewer = compare(&model, rival(&later), &data, AT, 1).unwrap();
    assert!(fewer.calls.rows < rows.len() as u64);
    let shipped = Rival {
        model: &later,
        shipped: true,
    };
    let all = compare(&model, shipped, &data, AT, 1).unwrap();
    assert_eq!(all.calls.rows, rows.len() as u64);
    // One that does not say where its held-out part began has seen all it names.
    let silent = changed(&model, |file| {
        file.id = "silent".into();
        file.training.hold_out_from = String::new();
    });
    let none = compare(&model, rival(&silent), &data, AT, 1).unwrap();
    assert_eq!((none.calls.rows, none.advice), (0, Advice::NotComparable));
    assert!(
        none.words.contains("0 are frauds, and it takes 5"),
        "{}",
        none.words
    );
    assert!(none.figures.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_intervals_and_they_hold_most_others() {
    let (model, data) = trained();
    let bad = blinded(&model);
    let once = compare(&model, rival(&bad), &data, AT, 1).unwrap();
    assert_eq!(once, compare(&model, rival(&bad), &data, AT, 1).unwrap());
    let other = compare(&model, rival(&bad), &data, AT, 2).unwrap();
    let name = "average precision";
    let (a, b) = (figure(&once, name), figure(&other, name));
    assert!(a.low != b.low, "another seed, other resamples");
    assert!((a.low - b.low).abs() < 0.05 && (a.high - b.high).abs() < 0.05);
    assert!(a.high - a.low > 0.005, "an interval, not a point");
}

fn measured(recall: f64, false_positives: f64) -> Measured {
    [0.8, 0.6, 0.8, recall, false_positives, 2.0]
}

/// What resamples say that differ from the figures by nothing.
fn certain(new: &Measured, old: &Measured) -> Vec<Figure> {
    let difference = std::array::from_fn(|at| new[at] - old[at]);
    figures(new, old, vec![difference; 200])
}

#[test]
fn false_positives_are_held_against_the_promise_again_each_time() {
    let advice = |recall, new, old: (f64, f64)| {
        advise(&certain(&measured(recall, new), &measured(old.0, old.1))).0
    };
    // Within the promise a loss is none.
    assert_eq!(advice(0.7, 0.9e-4, (0.7, 0.2e-4)), Advice::Promote);
    // Beyond it a certain loss is one, however small: it would come again next week.
    assert_eq!(advice(0.7, 1.1e-4, (0.7, 1e-4)), Advice::Keep);
    assert_eq!(advice(0.7, 9e-4, (0.7, 1e-4)), Advice::Keep);
    assert_eq!(advice(0.7, 9e-4, (0.7, 8e-4)), Advice::Keep);
    // An uncertain one leaves it open.
    let (new, old) = (measured(0.7, 9e-4), measured(0.7, 1e-4));
    let mut differences = vec![std::array::from_fn(|at| new[at] - old[at]); 200];
    differences[..20].fill([0.0; 6]);
    let open = figures(&new, &old, differences);
    assert_eq!(advise(&open).0, Advice::NotEnoughEvidence);
}

#[test]
fn recall_at_its_own_threshold_counts_unless_it_was_bought_with_false_positives() {
    let advice = |new: (f64, f64), old: (f64, f64)| {
        advise(&certain(&measured(new.0, new.1), &measured(old.0, old.1))).0
    };
    assert_eq!(advice((0.6, 1e-4), (0.7, 1e-4)), Advice::Keep);
    assert_eq!(advice((0.66, 1e-4), (0.7, 1e-4)), Advice::Promote);
    assert_eq!(advice((0.6, 1e-4), (0.7, 2e-3)), Advice::Promote);
    assert_eq!(advice((0.0, 0.0), (0.7, 1e-4)), Advice::Keep);
}
