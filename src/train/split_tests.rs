use super::*;
use crate::train::testing::{CATALOGUE, START, VERSION, synthetic};
use crate::train::{DatasetBuilder, LabelledCall};
use std::collections::BTreeSet;

fn campaigns(data: &Dataset, rows: &[usize]) -> BTreeSet<usize> {
    let numbers = rows.iter().map(|row| data.campaign.number(*row));
    numbers.filter(|number| *number > 0).collect()
}

#[test]
fn every_call_is_in_one_part_and_no_campaign_in_two() {
    let data = synthetic(5_000, 0.05, 1);
    let parts = split(&data, None).unwrap();
    let mut all = [
        parts.train.clone(),
        parts.calibrate.clone(),
        parts.hold_out.clone(),
    ]
    .concat();
    all.sort_unstable();
    assert_eq!(all, (0..5_000).collect::<Vec<_>>());
    let sides = [&parts.train, &parts.calibrate, &parts.hold_out].map(|r| campaigns(&data, r));
    assert!(sides.iter().all(|s| !s.is_empty()));
    assert!(sides[0].is_disjoint(&sides[1]));
    assert!(sides[0].is_disjoint(&sides[2]));
    assert!(sides[1].is_disjoint(&sides[2]));
}

#[test]
fn legitimate_calls_and_beginnings_of_campaigns_follow_time() {
    let data = synthetic(5_000, 0.05, 2);
    let parts = split(&data, None).unwrap();
    assert_eq!(parts.shares, [60, 15, 25]);
    let begin = |row: usize| match data.campaign.number(row) {
        0 => data.at[row],
        c => {
            data.at[(0..data.rows())
                .find(|r| data.campaign.number(*r) == c)
                .unwrap()]
        }
    };
    assert!(
        parts
            .train
            .iter()
            .all(|row| begin(*row) < parts.calibrate_from)
    );
    for row in &parts.calibrate {
        assert!((parts.calibrate_from..parts.hold_out_from).contains(&begin(*row)));
    }
    assert!(
        parts
            .hold_out
            .iter()
            .all(|row| begin(*row) >= parts.hold_out_from)
    );
    let latest = parts
        .train
        .iter()
        .filter(|r| !data.y[**r])
        .map(|r| data.at[*r])
        .max();
    assert!(latest.unwrap() < parts.calibrate_from);
}

#[test]
fn a_family_can_be_held_out_whole() {
    let data = synthetic(6_000, 0.05, 3);
    let parts = split(&data, Some("wangiri")).unwrap();
    let of_family = |row: &usize| {
        data.campaign
            .name(data.campaign.number(*row))
            .starts_with("wangiri/")
    };
    assert!(!parts.train.iter().chain(&parts.calibrate).any(of_family));
    let held = parts.hold_out.iter().filter(|r| of_family(r)).count();
    assert_eq!(held, (0..data.rows()).filter(of_family).count());
    let unknown = split(&data, Some("wangir"));
    assert!(matches!(unknown, Err(TrainError::UnknownFamily { .. })));
}

#[test]
fn too_few_labels_say_which_and_how_many_and_what_to_do() {
    let error = split(&synthetic(200, 0.02, 4), None).unwrap_err();
    let TrainError::TooFewLabels(count) = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (count.part, count.verdict, count.need),
        (Part::Train, Verdict::Fraud, 10)
    );
    let text = error.to_string();
    assert!(text.contains("tfps verdict") && text.contains("tfps import") && text.contains("10"));
    let only_fraud = split(&synthetic(200, 1.0, 4), None)
        .unwrap_err()
        .to_string();
    assert!(only_fraud.contains("legitimate"), "{only_fraud}");
    assert!(split(&DatasetBuilder::new(CATALOGUE, VERSION).finish(), None).is_err());
}

#[test]
fn other_shares_are_tried_where_a_part_has_no_fraud() {
    // 100 calls; one campaign in the first third, one at 54 %, one at 90 %.
    let mut builder = DatasetBuilder::new(CATALOGUE, VERSION);
    for i in 0..1_000_i64 {
        let campaign = match i {
            100..115 => "x/1",
            540..550 => "x/2",
            900..910 => "x/3",
            _ => "",
        };
        let verdict = if campaign.is_empty() {
            Verdict::Legitimate
        } else {
            Verdict::Fraud
        };
        builder
            .push(&LabelledCall {
                at: START.plus_secs(i),
                account: "a",
                campaign,
                verdict: Some(verdict),
                features: &[0.0; 6],
            })
            .unwrap();
    }
    let parts = split(&builder.finish(), None).unwrap();
    assert_eq!(parts.shares, [50, 25, 25]);
}

#[test]
fn validation_keeps_campaigns_whole_too() {
    let data = synthetic(3_000, 0.1, 6);
    let rows: Vec<usize> = (0..data.rows()).step_by(2).collect();
    let (earlier, later) = validation(&data, &rows);
    let of = |at: &[usize]| campaigns(&data, &at.iter().map(|i| rows[*i]).collect::<Vec<_>>());
    assert!(of(&earlier).is_disjoint(&of(&later)));
    assert_eq!(earlier.len() + later.len(), rows.len());
}
