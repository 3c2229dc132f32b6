//! Whether live calls still look like those the model in force was trained on.

use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::features::CATALOGUE;
use crate::model::drift::{Drift, DriftReport, Turn, WindowDrift};
use crate::telemetry::{Event, Shifted, Telemetry};
use std::sync::Arc;

/// Takes the counts out of the hot path's hands every few seconds.
pub(super) struct DriftWatcher {
    engine: Arc<Engine>,
    telemetry: Arc<Telemetry>,
    /// Of the model in force; `None`: it says nothing of its training's calls.
    drift: Option<Drift>,
    /// The model of which there is an alarm.
    alarmed: Option<String>,
}

impl DriftWatcher {
    pub(super) fn new(engine: &Arc<Engine>, telemetry: &Arc<Telemetry>) -> Self {
        Self {
            engine: Arc::clone(engine),
            telemetry: Arc::clone(telemetry),
            drift: None,
            alarmed: None,
        }
    }

    /// Looks how live calls compare; after a swap of models everything begins anew.
    pub(super) fn look(&mut self, now: Timestamp) {
        let engine = Arc::clone(&self.engine);
        let slot = engine.model();
        let Some(counts) = slot.counts() else {
            self.drift = None;
            self.end();
            slot.tell_drift(None);
            self.telemetry.show_drift(&[]);
            return;
        };
        let drift = match self.drift.take().filter(|drift| drift.is_of(&counts)) {
            Some(drift) => self.drift.insert(drift),
            None => {
                self.end();
                self.drift.insert(Drift::new(counts, now))
            }
        };
        let (report, turn) = drift.look(CATALOGUE, now);
        self.telemetry.show_drift(&shifted(&report));
        match turn {
            Some(Turn::Raised) => {
                self.telemetry.emit(&raised(&report, &names(&report)));
                self.alarmed = Some(report.model.clone());
            }
            Some(Turn::Ended) => self.end(),
            None => {}
        }
        slot.tell_drift(Some(report));
    }

    fn end(&mut self) {
        if let Some(id) = self.alarmed.take() {
            self.telemetry.emit(&Event::ModelDriftEnded { id: &id });
        }
    }
}

fn raised<'a>(report: &'a DriftReport, changed: &'a str) -> Event<'a> {
    let index = |shift: &WindowDrift| shift.score.unwrap_or(f64::NAN);
    Event::ModelDrifted {
        id: &report.model,
        score_day: index(&report.customers.day),
        score_hour: index(&report.customers.hour),
        changed,
    }
}

/// Features that changed most, for the log line.
fn names(report: &DriftReport) -> String {
    let changed = report.customers.day.features.iter();
    let names: Vec<&str> = changed.take(5).map(|f| f.feature).collect();
    names.join(" ")
}

fn shifted(report: &DriftReport) -> [Shifted; 4] {
    let of = |traffic, window, shift: &WindowDrift| Shifted {
        traffic,
        window,
        score: shift.score,
        features: shift.changed,
    };
    [
        of("customers", "hour", &report.customers.hour),
        of("customers", "day", &report.customers.day),
        of("free", "hour", &report.free.hour),
        of("free", "day", &report.free.day),
    ]
}
