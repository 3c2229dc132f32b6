//! `tfps train`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::app::clock;
use crate::domain::Timestamp;
use crate::features::{CATALOGUE, Feature, VERSION};
use crate::train::{DATASET_SQL, Dataset, MAX_ROWS, Options, Thresholds, publish, train};
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// Largest training set taken into memory, bytes.
const MAX_BYTES: usize = 4 << 30;

/// Train a model on the judged calls in ClickHouse; `tfps models promote` puts it in force.
#[derive(clap::Args, Debug)]
pub(super) struct TrainArgs {
    /// Only calls from this time on, RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Only calls before this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
    /// The same data and seed give the same weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep attacks of this family (the campaign's name up to `/`) out of training; the
    /// figures are then of an attack the model has not seen.
    #[arg(long, value_name = "FAMILY")]
    hold_out_family: Option<String>,
    /// Where the model and its card go [default: models/ in the data folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// Thresholds in the manner of the fraud-detection module of a well-known softswitch, as its
/// documentation suggests them: warning values for calls per minute, for calls per interval to
/// one range, and for calls up at once. Counts are ln(1 + n), as the features are.
fn default_thresholds() -> Thresholds {
    let limit =
        |feature: Feature, calls: f32| (CATALOGUE[feature as usize].name.to_owned(), calls.ln_1p());
    Thresholds {
        rules: vec![
            limit(Feature::User1m, 5.0),
            limit(Feature::User10m, 20.0),
            limit(Feature::Concurrent, 5.0),
            limit(Feature::UserNumbers1h, 30.0),
        ],
    }
}

pub(super) async fn run(context: Context, args: TrainArgs) -> anyhow::Result<Done> {
    let store = context.store().await?;
    let time = |at: Option<DateTime<Utc>>, open: i64| at.map_or(open, |at| at.timestamp_micros());
    let query = store
        .query(DATASET_SQL)
        .param("features_version", VERSION)
        .param("from", sql_time(time(args.from, 0)))
        .param(
            "to",
            sql_time(time(args.to, Timestamp::from_secs(4_102_444_800).0)),
        )
        .param("limit", MAX_ROWS as u64);
    let bytes = store.arrow(query, MAX_BYTES).await?;
    let dataset = Dataset::from_arrow(&bytes, CATALOGUE, VERSION)?;
    let options = Options {
        seed: args.seed,
        hold_out_family: args.hold_out_family,
        baseline: Some(default_thresholds()),
        ..Options::new(clock::now())
    };
    let trained =
        tokio::task::spawn_blocking(move || train(&dataset, CATALOGUE, VERSION, &options))
            .await??;
    let dir = match args.out {
        Some(dir) => dir,
        None => context.data_dir()?.models(),
    };
    let published = publish(&trained, &dir)?;
    if args.format.json {
        return output::json(&serde_json::json!({
            "id": trained.model.id(),
            "model": published.model,
            "card": published.card,
            "report": trained.report,
        }));
    }
    output::line(&trained.report.to_string())?;
    output::line(&format!("model  {}", published.model.display()))?;
    output::line(&format!("card   {}", published.card.display()))?;
    output::line(&format!(
        "to put it in force: tfps models promote {}",
        trained.model.id()
    ))?;
    Ok(Done::All)
}

/// A time as ClickHouse reads a `DateTime64(6, 'UTC')` parameter.
fn sql_time(micros: i64) -> String {
    let at = Timestamp(micros).to_datetime();
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
