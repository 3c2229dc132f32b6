//! Everything a decision needs, opened.

use super::rates::{RatesFileError, deck_in_force};
use super::{DataDir, clock};
use crate::accounts::{Accounts, AccountsError, Snapshot};
use crate::config::Settings;
use crate::decide::{Authenticator, Engine, WindowSizes};
use crate::digest::Gate;
use crate::features::{CATALOGUE, VERSION};
use crate::geo::{Geo, GeoError};
use crate::model::{Model, ModelSlot};
use crate::telemetry::{Event, Telemetry};
use std::sync::Arc;

/// The model that ships inside the program, so that a first start scores at once.
const SHIPPED_MODEL: &[u8] = include_bytes!("../../models/default.json");

/// Why no decision can be made.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum EngineError {
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Geo(#[from] GeoError),
    #[error(transparent)]
    Rates(#[from] RatesFileError),
}

/// The shipped model; `None` when it belongs to other features than this program's.
#[must_use]
pub fn shipped_model() -> Option<Arc<Model>> {
    match Model::from_bytes(SHIPPED_MODEL, CATALOGUE, VERSION) {
        Ok(model) => Some(Arc::new(model)),
        Err(error) => {
            tracing::error!(%error, "the shipped model is refused: calls carry no score until one is trained");
            None
        }
    }
}

/// The engine of the running service, with the promoted model in force; subscribers are let in
/// by password.
pub(super) fn open(
    settings: &Settings,
    data_dir: &DataDir,
    telemetry: &Telemetry,
) -> Result<Engine, EngineError> {
    let engine =
        without_rates(settings, data_dir)?.with_authenticator(authenticator(settings, data_dir)?);
    let looked = engine
        .model()
        .watch_step(&data_dir.models(), CATALOGUE, VERSION);
    if let Some(Err(error)) = looked {
        telemetry.emit(&Event::ModelRefused {
            error: &error.to_string(),
        });
    }
    match deck_in_force(data_dir) {
        Ok((deck, _)) => engine.swap_rates(deck),
        // Calls are answered under estimates rather than not at all.
        Err(error) => telemetry.emit(&Event::RatesRefused {
            error: &error.to_string(),
        }),
    }
    Ok(engine)
}

fn authenticator(settings: &Settings, data_dir: &DataDir) -> Result<Authenticator, AccountsError> {
    let vault = data_dir.vault();
    let unusable = Accounts::open(data_dir.path(), clock::now())?.unusable_passwords(&vault)?;
    if !unusable.is_empty() {
        tracing::warn!(
            subscribers = unusable.len(),
            "passwords cannot be opened, as the data folder's secret is not that under which they were set: \
             `tfps subscriber list` shows whose; set them anew"
        );
    }
    Authenticator::new(
        Gate::new(data_dir.nonce_key(), rand::random(), &settings.digest),
        vault,
    )
}

/// The engine for a file of calls: the accounts, rate deck and models of `data_dir`, empty
/// windows.
///
/// # Errors
/// Accounts, the rate deck or the address database cannot be read.
pub fn offline(settings: &Settings, data_dir: &DataDir) -> Result<Engine, EngineError> {
    let engine = without_rates(settings, data_dir)?;
    engine.swap_rates(deck_in_force(data_dir)?.0);
    Ok(engine)
}

fn without_rates(settings: &Settings, data_dir: &DataDir) -> Result<Engine, EngineError> {
    let accounts = Accounts::open(data_dir.path(), clock::now())?;
    Ok(Engine::new(
        Snapshot::load(&accounts)?,
        Geo::open(&settings.geo)?,
        WindowSizes {
            tracks: settings.features.max_tracks,
            key: data_dir.windows_key(),
        },
        Arc::new(ModelSlot::new(shipped_model())),
        settings.detection.answers(),
    ))
}
