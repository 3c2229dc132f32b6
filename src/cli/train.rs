//! `tfps train`

mod labels;

use super::context::Context;
use super::models::{comparison_table, in_force, put_in_force};
use super::output::Format;
use super::{Done, output};
use crate::app::clock;
use crate::domain::Timestamp;
use crate::features::{CATALOGUE, Feature, VERSION};
use crate::model::Model;
use crate::model::comparison::{Advice, Comparison, NotAdmitted};
use crate::train::{
    DATASET_SQL, Dataset, HONEYPOT_SQL, Learner, MAX_ROWS, Options, Published, Rival, Thresholds,
    TrainError, Trained, TrainingLock, compare, publish, split, train,
};
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest training set taken into memory, bytes.
const MAX_BYTES: usize = 2 << 30;

/// Train a model on the judged calls in ClickHouse and compare it with the one in force; `tfps
/// models promote` puts it in force.
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
    /// Where the model and its card go, without a comparison [default: models/ in the data
    /// folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Put the model in force if its comparison with the one in force advises it. Exit code 0:
    /// it is in force; 3: it was trained and the one in force stays; 75: another training is at
    /// work.
    #[arg(long, conflicts_with = "out")]
    promote_if_better: bool,
    /// What is fitted: auto, logistic, boosted, combined or blended. `auto` chooses between logistic and
    /// blended by later calls.
    #[arg(long, value_name = "LEARNER", default_value_t)]
    learner: Learner,
    /// Show the fit calls at honeypots too, as frauds: of sources that were shown to be where they
    /// say, 20 of a source and day, never more than judged frauds. No figure knows of them.
    #[arg(long)]
    honeypot: bool,
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
    let dir = match &args.out {
        Some(dir) => dir.clone(),
        None => context.data_dir()?.models(),
    };
    let _one_at_a_time = TrainingLock::take(&dir, clock::now())?;
    let mut dataset = judged_calls(&context, args.from, args.to).await?;
    if args.honeypot {
        show_honeypot(&context, &args, &mut dataset).await?;
    }
    let options = Options {
        seed: args.seed,
        learner: args.learner,
        hold_out_family: args.hold_out_family.clone(),
        baseline: Some(default_thresholds()),
        ..Options::new(clock::now())
    };
    // A model that goes elsewhere has no one in force beside it.
    let rival = match args.out {
        Some(_) => None,
        None => in_force(&dir),
    };
    let work = tokio::task::spawn_blocking(move || learn(&dataset, &options, rival.as_ref()));
    let (trained, comparison) = match work.await? {
        Ok(done) => done,
        Err(error) => return Err(explained(error, &context).await),
    };
    let published = publish(&trained, &dir)?;
    if let Some(comparison) = &comparison {
        comparison.save(&dir)?;
    }
    if args.format.json {
        output::json(&serde_json::json!({
            "id": trained.model.id(),
            "model": published.model,
            "card": published.card,
            "report": trained.report,
            "comparison": comparison,
        }))?;
    } else {
        tell(&trained, &published, comparison.as_ref())?;
    }
    match args.promote_if_better {
        true => promote_if_better(&dir, &trained, args.format),
        false => Ok(Done::All),
    }
}

/// The model, and how it does beside the one in force; neither is written yet.
fn learn(
    dataset: &Dataset,
    options: &Options,
    rival: Option<&(Arc<Model>, bool)>,
) -> Result<(Trained, Option<Comparison>), TrainError> {
    let trained = train(dataset, CATALOGUE, VERSION, options)?;
    let comparison = rival.map(|(model, shipped)| {
        let rival = Rival {
            model,
            shipped: *shipped,
        };
        compare(
            &trained.model,
            rival,
            dataset,
            options.created,
            options.seed,
        )
    });
    Ok((trained, comparison.transpose()?))
}

/// With what there is to learn from, where it is too little.
async fn explained(error: TrainError, context: &Context) -> anyhow::Error {
    if matches!(error, TrainError::TooFewLabels(_))
        && let Ok(store) = context.store().await
        && let Ok(advice) = labels::advice(&store).await
    {
        eprintln!("{advice}");
    }
    error.into()
}

/// The judged calls in ClickHouse, of this program's features.
pub(super) async fn judged_calls(
    context: &Context,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> anyhow::Result<Dataset> {
    let end = to.map_or(Timestamp::from_secs(4_102_444_800), micros);
    calls(context, DATASET_SQL, (begin(from), end), MAX_ROWS).await
}

/// Takes calls at honeypots behind the judged ones, of before the part that calibrates: as many as
/// there are judged frauds then, at most.
async fn show_honeypot(
    context: &Context,
    args: &TrainArgs,
    dataset: &mut Dataset,
) -> anyhow::Result<()> {
    // Where there are too few labels the training says so.
    let Ok(parts) = split(dataset, args.hold_out_family.as_deref()) else {
        return Ok(());
    };
    let span = (begin(args.from), parts.calibrate_from);
    let most = dataset.positives(&parts.train);
    let honeypot = calls(context, HONEYPOT_SQL, span, most).await?;
    Ok(dataset.add_honeypot(&honeypot)?)
}

fn begin(from: Option<DateTime<Utc>>) -> Timestamp {
    from.map_or(Timestamp::from_secs(0), micros)
}

fn micros(at: DateTime<Utc>) -> Timestamp {
    Timestamp(at.timestamp_micros())
}

async fn calls(
    context: &Context,
    sql: &str,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> anyhow::Result<Dataset> {
    let store = context.store().await?;
    let query = store
        .query(sql)
        .param("features_version", VERSION)
        .param("from", sql_time(from))
        .param("to", sql_time(to))
        .param("limit", most as u64);
    let bytes = store.arrow(query, MAX_BYTES).await?;
    Ok(Dataset::from_arrow(bytes, CATALOGUE, VERSION)?)
}

fn tell(
    trained: &Trained,
    published: &Published,
    comparison: Option<&Comparison>,
) -> std::io::Result<()> {
    let id = trained.model.id();
    output::line(&trained.report.to_string())?;
    match comparison {
        Some(comparison) => output::line(&comparison_table(comparison))?,
        None => output::line("not compared: no model is in force beside it")?,
    }
    output::line(&format!("model  {}", published.model.display()))?;
    output::line(&format!("card   {}", published.card.display()))?;
    if comparison.is_none_or(|comparison| comparison.advice == Advice::Promote) {
        output::line(&format!("to put it in force: tfps models promote {id}"))?;
    }
    Ok(())
}

/// Puts it in force where its comparison advises that; else the one in force stays.
fn promote_if_better(dir: &Path, trained: &Trained, format: Format) -> anyhow::Result<Done> {
    match put_in_force(dir, &trained.model, None, format.json) {
        Ok(()) => Ok(Done::All),
        Err(error) if error.is::<NotAdmitted>() => {
            eprintln!("the model in force stays: {error}");
            Ok(Done::Kept)
        }
        Err(error) => Err(error),
    }
}

/// A time as ClickHouse reads a `DateTime64(6, 'UTC')` parameter.
fn sql_time(at: Timestamp) -> String {
    let at = at.to_datetime();
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TrainArgs,
    }

    fn parsed(words: &[&str]) -> Result<TrainArgs, clap::Error> {
        let line = Line::try_parse_from([&["train"], words].concat());
        line.map(|line| line.args)
    }

    #[test]
    fn a_learner_may_be_asked_for_and_the_honeypot_must_be() {
        let usual = parsed(&[]).expect("nothing is needed");
        assert_eq!((usual.learner, usual.honeypot), (Learner::Auto, false));
        for learner in Learner::ALL {
            let args = parsed(&["--learner", learner.as_str(), "--honeypot"]).expect("known");
            assert_eq!((args.learner, args.honeypot), (learner, true));
        }
        let error = parsed(&["--learner", "forest"]).expect_err("unknown");
        assert!(error.to_string().contains("no learner `forest`"), "{error}");
    }
}
