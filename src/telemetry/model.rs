//! Gauges and counters of the model in force: drift and calibration.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Share = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WindowLabels {
    traffic: &'static str,
    window: &'static str,
}

/// How far one window's calls are from those of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shifted {
    /// `customers` or `free`.
    pub traffic: &'static str,
    /// `hour` or `day`.
    pub window: &'static str,
    /// Population stability index of the score; `None`: too few calls to tell.
    pub score: Option<f64>,
    /// Features that have changed.
    pub features: usize,
}

/// Behind `/metrics`.
#[derive(Debug, Default)]
pub(super) struct ModelMetrics {
    drift: Family<WindowLabels, Share>,
    drifted_features: Family<WindowLabels, Gauge>,
    drift_alarm: Gauge,
    drift_alarms: Counter,
    judged: Gauge,
    calibration_error: Share,
    precision: Share,
    calibration_alarm: Gauge,
    calibration_alarms: Counter,
}

impl ModelMetrics {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "model_drift",
            "Population stability index of the score against the model's training",
            self.drift.clone(),
        );
        r.register(
            "model_drifted_features",
            "Features whose population stability index is above 0.25",
            self.drifted_features.clone(),
        );
        r.register(
            "model_drift_alarm",
            "1 while customers' calls are not like those the model was trained on",
            self.drift_alarm.clone(),
        );
        r.register(
            "model_drift_alarms",
            "Times that began",
            self.drift_alarms.clone(),
        );
        r.register(
            "model_judged_calls",
            "Judged calls of the last 30 days that the model in force scored",
            self.judged.clone(),
        );
        r.register(
            "model_calibration_error",
            "Expected calibration error over them; NaN: too few to tell",
            self.calibration_error.clone(),
        );
        r.register(
            "model_precision",
            "Share of fraud among those above the model's threshold; NaN: none was",
            self.precision.clone(),
        );
        r.register(
            "model_calibration_alarm",
            "1 while judged calls are clearly not what the model's scores said",
            self.calibration_alarm.clone(),
        );
        r.register(
            "model_calibration_alarms",
            "Times that began",
            self.calibration_alarms.clone(),
        );
    }

    pub(super) fn show_drift(&self, shifted: &[Shifted]) {
        if shifted.is_empty() {
            self.drift.clear();
            self.drifted_features.clear();
        }
        for &Shifted {
            traffic,
            window,
            score,
            features,
        } in shifted
        {
            let labels = WindowLabels { traffic, window };
            let Some(score) = score else {
                self.drift.remove(&labels);
                self.drifted_features.remove(&labels);
                continue;
            };
            self.drift.get_or_create(&labels).set(score);
            let features = i64::try_from(features).unwrap_or(i64::MAX);
            self.drifted_features.get_or_create(&labels).set(features);
        }
    }

    pub(super) fn show_observed(&self, judged: u64, error: Option<f64>, precision: Option<f64>) {
        self.judged.set(i64::try_from(judged).unwrap_or(i64::MAX));
        self.calibration_error.set(error.unwrap_or(f64::NAN));
        self.precision.set(precision.unwrap_or(f64::NAN));
    }

    pub(super) fn drift_raised(&self) {
        self.drift_alarm.set(1);
        self.drift_alarms.inc();
    }

    pub(super) fn drift_ended(&self) {
        self.drift_alarm.set(0);
    }

    pub(super) fn off_raised(&self) {
        self.calibration_alarm.set(1);
        self.calibration_alarms.inc();
    }

    pub(super) fn off_ended(&self) {
        self.calibration_alarm.set(0);
    }
}
