use super::*;
use crate::train::testing::{CATALOGUE, VERSION};

const GOOD: [&str; 3] = ["fraud", "legitimate", ""];

fn features(rows: &[Vec<f32>]) -> Column {
    let each: Vec<Series> = rows
        .iter()
        .map(|r| Series::new("".into(), r.clone()))
        .collect();
    Column::new("features".into(), each)
}

fn frame(verdicts: &[&str], rows: &[Vec<f32>], version: i64) -> DataFrame {
    let n = verdicts.len();
    // Newest first, as the query orders them.
    let at: Vec<i64> = (0..n)
        .map(|i| 2_000_000 - i64::try_from(i).unwrap())
        .collect();
    let columns = vec![
        Column::new("at".into(), at),
        Column::new("account".into(), vec!["a.example"; n]),
        Column::new("ingress".into(), vec!["prevention"; n]),
        features(rows),
        Column::new("features_version".into(), vec![version; n]),
        Column::new("verdict".into(), verdicts.to_vec()),
        Column::new("campaign".into(), vec!["x/1"; n]),
    ];
    DataFrame::new_infer_height(columns).unwrap()
}

fn stream(mut frame: DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    IpcStreamWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

fn rows(n: u8) -> Vec<Vec<f32>> {
    (0..n).map(|i| vec![f32::from(i); 6]).collect()
}

fn read(frame: DataFrame) -> Result<Dataset, TrainError> {
    Dataset::from_arrow(stream(frame), CATALOGUE, VERSION)
}

#[test]
fn a_stream_becomes_a_data_set_in_order_of_time() {
    let data = read(frame(&GOOD, &rows(3), i64::from(VERSION))).unwrap();
    assert_eq!(data.rows(), 2, "the row without a verdict is left out");
    assert_eq!(data.unlabelled, 1);
    assert_eq!(data.y, [false, true]);
    assert_eq!(data.at, [Timestamp(1_999_999), Timestamp(2_000_000)]);
    assert_eq!(data.features(0).to_vec(), vec![1.0; 6]);
    assert_eq!(data.features(1).to_vec(), vec![0.0; 6]);
    assert_eq!(data.campaign.name(data.campaign.number(0)), "x/1");
    let mut vector = FeatureVector::default();
    data.fill(0, &mut vector);
    assert_eq!((vector.version, vector.values.len()), (VERSION, 6));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let error = read(frame(&GOOD, &rows(3), 2)).unwrap_err();
    assert!(matches!(
        error,
        TrainError::FeaturesVersion {
            row: 0,
            found: 2,
            wanted: VERSION
        }
    ));
    let mut short = rows(3);
    short[1].pop();
    let error = read(frame(&GOOD, &short, 3)).unwrap_err();
    assert!(matches!(
        error,
        TrainError::FeatureCount {
            row: 1,
            found: 5,
            wanted: 6,
            ..
        }
    ));
    let mut nan = rows(3);
    nan[0][4] = f32::NAN;
    let error = read(frame(&GOOD, &nan, 3)).unwrap_err();
    assert!(matches!(
        error,
        TrainError::NotFinite {
            row: 0,
            feature: "noise"
        }
    ));
    let error = read(frame(&["fraud", "maybe", ""], &rows(3), 3)).unwrap_err();
    assert!(matches!(error, TrainError::Verdict { row: 1, .. }));
}

#[test]
fn columns_of_another_type_and_broken_bytes_are_errors_not_panics() {
    let good = frame(&GOOD, &rows(3), 3);
    for name in [
        "at",
        "account",
        "features",
        "features_version",
        "verdict",
        "campaign",
    ] {
        let without = good.drop(name).unwrap();
        let error = read(without).unwrap_err();
        assert!(
            matches!(error, TrainError::Column { .. }),
            "{name}: {error}"
        );
    }
    let mut wrong = good.clone();
    wrong
        .with_column(Column::new("at".into(), ["now"; 3]))
        .unwrap();
    assert!(matches!(
        read(wrong),
        Err(TrainError::Column { name: "at", .. })
    ));
    let bytes = stream(good);
    for broken in [&b""[..], b"Code: 62. DB::Exception", &bytes[..40]] {
        assert!(matches!(
            Dataset::from_arrow(broken, CATALOGUE, VERSION),
            Err(TrainError::Arrow(_) | TrainError::Column { .. })
        ));
    }
}

#[test]
fn no_rows_are_an_empty_data_set() {
    let none = frame(&GOOD, &rows(3), 3).head(Some(0));
    assert_eq!(read(none).unwrap().rows(), 0);
}

/// Bytes ClickHouse itself wrote for the query: its compression, its schema.
#[test]
fn what_clickhouse_writes_can_be_read() {
    let bytes = include_bytes!("../../tests/data/train/dataset.arrowstream");
    let data = Dataset::from_arrow(bytes, &CATALOGUE[..3], 1).unwrap();
    assert_eq!(data.rows(), 4);
    assert_eq!(data.y, [true, false, true, false]);
    assert_eq!(data.campaign.name(data.campaign.number(0)), "hacked-pbx/1");
    assert_eq!(data.features(2).to_vec(), [2.0, 0.25, 7.5]);
    assert_eq!(data.at[0], Timestamp(1_790_000_000_000_001));
}
