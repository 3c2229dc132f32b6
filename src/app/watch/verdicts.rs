//! Whether the scores of the model in force keep their word: what judged calls turned out to be.
//!
//! Asks ClickHouse every hour or so, on a task of its own that nothing waits for. ClickHouse away
//! means no look; the last report stays.

use super::news;
use crate::app::clock;
use crate::config::Settings;
use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::model::observed::{Judged, Keeping, Observed};
use crate::store::{Meaning, Store, StoreError};
use crate::telemetry::{Event, Telemetry};
use clickhouse::Row;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const JUDGED_SQL: &str = include_str!("../../../sql/model/judged.sql");

/// How far back calls are looked at, seconds: 30 days.
const BACK: i64 = 30 * 86_400;
/// Before the first look: a start has other things to do.
const FIRST: Duration = Duration::from_secs(60);
/// Where ranges of scores begin: fraud is rare, so most calls are near 0.
const BEGINS: [f64; 9] = [0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9];

/// Starts the watch, unless the configuration says never.
pub(in crate::app) fn spawn(
    tasks: &mut JoinSet<&'static str>,
    engine: &Arc<Engine>,
    settings: &Settings,
    url: &str,
    telemetry: &Arc<Telemetry>,
    shutdown: &CancellationToken,
) {
    let period = Duration::from_secs(settings.models.verdicts_secs);
    if period.is_zero() {
        return;
    }
    let mut watcher = VerdictsWatcher {
        engine: Arc::clone(engine),
        store: Store::new(url, &settings.store),
        telemetry: Arc::clone(telemetry),
        alarmed: None,
        told: None,
    };
    let shutdown = shutdown.clone();
    tasks.spawn(async move {
        let mut pause = period.min(FIRST);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return "verdicts watcher",
                () = tokio::time::sleep(pause) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return "verdicts watcher",
                () = watcher.look(clock::now()) => {}
            }
            pause = period;
        }
    });
}

struct VerdictsWatcher {
    engine: Arc<Engine>,
    store: Store,
    telemetry: Arc<Telemetry>,
    /// The model of which there is an alarm.
    alarmed: Option<String>,
    /// What was last wrong with the question.
    told: Option<String>,
}

/// A row of the answer; the columns are explained in `sql/model/judged.sql`.
#[derive(Debug, Row, Deserialize)]
struct JudgedRow {
    bin: u64,
    calls: u64,
    fraud: u64,
    scores: f64,
    above: u64,
    above_fraud: u64,
}

impl VerdictsWatcher {
    async fn look(&mut self, now: Timestamp) {
        let engine = Arc::clone(&self.engine);
        let slot = engine.model();
        let in_force = slot
            .current()
            .as_ref()
            .map(|model| (model.id().to_owned(), model.threshold()));
        let Some((id, threshold)) = in_force else {
            self.end();
            slot.tell_observed(None);
            self.telemetry.show_observed(0, None, None);
            return;
        };
        let since = now.plus_secs(-BACK);
        match self.ask(&id, threshold, since).await {
            Ok(judged) => self.tell(&Observed::of(&id, threshold, since.to_rfc3339(), &judged)),
            // That ClickHouse is away is told elsewhere.
            Err(error) if error.meaning() == Meaning::Retry => {}
            Err(error) => {
                if let Some(error) = news(&mut self.told, Some(error.to_string())) {
                    tracing::warn!(error, "judged calls cannot be looked at");
                }
            }
        }
    }

    async fn ask(
        &self,
        id: &str,
        threshold: f32,
        since: Timestamp,
    ) -> Result<Vec<Judged>, StoreError> {
        let query = self
            .store
            .query(JUDGED_SQL)
            .param("model", id)
            .param("begins", BEGINS.to_vec())
            .param("threshold", f64::from(threshold))
            .param(
                "since",
                since
                    .to_datetime()
                    .format("%Y-%m-%d %H:%M:%S%.6f")
                    .to_string(),
            );
        let rows: Vec<JudgedRow> = self.store.rows(query).await?;
        Ok(rows.iter().map(judged).collect())
    }

    fn tell(&mut self, observed: &Observed) {
        let precision = observed.precision.map(|share| share.share);
        self.telemetry
            .show_observed(observed.calls, observed.error, precision);
        self.engine.model().tell_observed(Some(observed.clone()));
        let id = observed.model.as_str();
        if self.alarmed.as_deref() != Some(id) {
            self.end();
        }
        match observed.state {
            Keeping::Off if self.alarmed.is_none() => {
                self.telemetry.emit(&Event::ModelMiscalibrated {
                    id,
                    calls: observed.calls,
                    error: observed.error.unwrap_or_default(),
                });
                self.alarmed = Some(id.to_owned());
            }
            Keeping::Kept => self.end(),
            Keeping::Off | Keeping::TooFew => {}
        }
    }

    fn end(&mut self) {
        if let Some(id) = self.alarmed.take() {
            self.telemetry.emit(&Event::ModelCalibrated { id: &id });
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "one of ten")]
fn judged(row: &JudgedRow) -> Judged {
    let at = (row.bin as usize).clamp(1, BEGINS.len());
    Judged {
        from: BEGINS[at - 1],
        to: BEGINS.get(at).copied().unwrap_or(1.0),
        calls: row.calls,
        fraud: row.fraud,
        scores: row.scores,
        above: row.above,
        above_fraud: row.above_fraud,
    }
}
