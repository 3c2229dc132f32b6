//! The model in force, as the hot path reads it and the poll replaces it.

use super::drift::{Counts, DriftReport, Traffic};
use super::file::read_bounded;
use super::observed::Observed;
use super::promotion::{self, InForce, POINTER, POINTER_MAX_BYTES, Promoted};
use super::{Model, ModelError};
use crate::domain::FeatureSpec;
use arc_swap::{ArcSwapOption, Guard};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Holds the model in force. Reading never waits; a swap is one pointer.
#[derive(Debug, Default)]
pub struct ModelSlot {
    current: ArcSwapOption<Model>,
    previous: ArcSwapOption<Model>,
    shipped: Option<Arc<Model>>,
    watched: Mutex<Watched>,
    /// Live calls by the bins of the current model's reference; `None`: it has none.
    counts: ArcSwapOption<Counts>,
    /// What the watchers last found of it.
    drift: ArcSwapOption<DriftReport>,
    observed: ArcSwapOption<Observed>,
}

/// A change of the model in force, by id; `None`: no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// What was in force.
    pub from: Option<String>,
    /// What is now.
    pub to: Option<String>,
}

/// What the last poll saw, so that the same thing is neither read nor refused twice.
#[derive(Debug, Default, PartialEq)]
enum Watched {
    #[default]
    Nothing,
    /// The pointer whose model is in force.
    Taken(Vec<u8>),
    /// A pointer that was refused, and the model file then: mended, it is tried again.
    Refused(Vec<u8>, Option<Stamp>),
    /// A pointer that could not be read.
    Unreadable(ErrorKind),
}

/// Tells whether a file was replaced.
type Stamp = (Option<SystemTime>, u64);

impl ModelSlot {
    /// With the model shipped inside the program in force, if there is one.
    #[must_use]
    pub fn new(shipped: Option<Arc<Model>>) -> Self {
        Self {
            current: ArcSwapOption::new(shipped.clone()),
            counts: ArcSwapOption::new(counts_of(shipped.as_deref())),
            shipped,
            ..Self::default()
        }
    }

    /// The model in force, for the length of one decision.
    pub fn current(&self) -> Guard<Option<Arc<Model>>> {
        self.current.load()
    }

    /// The model in force before the present one.
    #[must_use]
    pub fn previous(&self) -> Option<Arc<Model>> {
        self.previous.load_full()
    }

    /// Puts `model` in force and keeps the one before.
    pub fn swap(&self, model: Option<Arc<Model>>) -> Swapped {
        let to = model.as_ref().map(|m| m.id().to_owned());
        let counts = counts_of(model.as_deref());
        let old = self.current.swap(model);
        self.counts.store(counts);
        let from = old.as_ref().map(|m| m.id().to_owned());
        if old.is_some() {
            self.previous.store(old);
        }
        Swapped { from, to }
    }

    /// Counts a call that the model in force scored, for the watch over drift. Never waits.
    ///
    /// A call that was scored while models were swapped may be counted under the next one.
    pub fn note(&self, traffic: Traffic, values: &[f32], score: f32) {
        if let Some(counts) = &*self.counts.load() {
            counts.note(traffic, values, score);
        }
    }

    /// What [`Self::note`] counts into, for the watcher.
    #[must_use]
    pub fn counts(&self) -> Option<Arc<Counts>> {
        self.counts.load_full()
    }

    /// Keeps what the watcher of drift found.
    pub fn tell_drift(&self, report: Option<DriftReport>) {
        self.drift.store(report.map(Arc::new));
    }

    /// Keeps what the watcher of verdicts found.
    pub fn tell_observed(&self, observed: Option<Observed>) {
        self.observed.store(observed.map(Arc::new));
    }

    /// The last report on drift, of the model in force or one before.
    pub(super) fn drift(&self) -> Option<Arc<DriftReport>> {
        self.drift.load_full()
    }

    /// The last report on verdicts, of the model in force or one before.
    pub(super) fn observed(&self) -> Option<Arc<Observed>> {
        self.observed.load_full()
    }

    /// One poll of the folder's pointer: reads a file of a few kB and, only if it changed,
    /// loads, verifies and swaps. `None`: nothing new. Every refusal is returned once and
    /// leaves the model in force as it is; mending the refused model file is noticed.
    ///
    /// No pointer at all is nothing new: a deleted pointer leaves the model in force.
    pub fn watch_step(
        &self,
        dir: &Path,
        catalogue: &[FeatureSpec],
        version: u16,
    ) -> Option<Result<Swapped, ModelError>> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let path = dir.join(POINTER);
        let bytes = match read_bounded(&path, POINTER_MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return refuse_unreadable(&mut watched, error),
        };
        if matches!(&*watched, Watched::Taken(seen) if *seen == bytes) {
            return None;
        }
        let pointer = promotion::parse_pointer(&path, &bytes);
        // Taken before loading: a file replaced meanwhile is seen at the next step.
        let stamp = pointer.as_ref().ok().and_then(|p| stamp_of(dir, p));
        if matches!(&*watched, Watched::Refused(seen, then) if *seen == bytes && *then == stamp) {
            return None;
        }
        match pointer.and_then(|p| self.follow(dir, p.model, catalogue, version)) {
            Ok(swapped) => {
                *watched = Watched::Taken(bytes);
                swapped.map(Ok)
            }
            Err(error) => {
                *watched = Watched::Refused(bytes, stamp);
                Some(Err(error))
            }
        }
    }

    /// Puts in force what the pointer names; `None`: it is already.
    fn follow(
        &self,
        dir: &Path,
        wanted: Option<Promoted>,
        catalogue: &[FeatureSpec],
        version: u16,
    ) -> Result<Option<Swapped>, ModelError> {
        let sha256 = match &wanted {
            Some(promoted) => Some(promoted.sha256.as_str()),
            None => self.shipped.as_ref().map(|m| m.sha256()),
        };
        if self.current.load().as_ref().map(|m| m.sha256()) == sha256 {
            return Ok(None);
        }
        let model = match &wanted {
            Some(promoted) => Some(Arc::new(promotion::load_promoted(
                dir, promoted, catalogue, version,
            )?)),
            None => self.shipped.clone(),
        };
        Ok(Some(self.swap(model)))
    }
}

fn counts_of(model: Option<&Model>) -> Option<Arc<Counts>> {
    let model = model?;
    let reference = model.file().reference.as_ref()?;
    Some(Arc::new(Counts::new(model.id(), reference)))
}

fn refuse_unreadable(
    watched: &mut Watched,
    error: ModelError,
) -> Option<Result<Swapped, ModelError>> {
    let kind = match &error {
        ModelError::Read { source, .. } => source.kind(),
        _ => ErrorKind::FileTooLarge,
    };
    if kind == ErrorKind::NotFound || *watched == Watched::Unreadable(kind) {
        return None;
    }
    *watched = Watched::Unreadable(kind);
    Some(Err(error))
}

fn stamp_of(dir: &Path, pointer: &InForce) -> Option<Stamp> {
    let id = &pointer.model.as_ref()?.id;
    let meta = std::fs::metadata(promotion::path_of(dir, id)).ok()?;
    Some((meta.modified().ok(), meta.len()))
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
