//! What changes while the service runs: accounts, models and how they do, rates, imports, and the
//! saving of habits.

mod accounts;
mod drift;
mod rates;
pub(super) mod verdicts;

use super::learning::Learner;
use super::windows::Keeper;
use super::{DataDir, clock};
use crate::decide::Engine;
use crate::features::{CATALOGUE, VERSION};
use crate::server::tls::Certificates;
use crate::telemetry::{Event, Telemetry};
use accounts::{AccountsWatcher, ListPurger};
use drift::DriftWatcher;
use parking_lot::Mutex;
use rates::RatesWatcher;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between two looks at the accounts: a new rule is in force within a second.
const ACCOUNTS: Duration = Duration::from_millis(250);
/// Between two looks for a promoted model or an import.
const FILES: Duration = Duration::from_millis(500);
/// Between two looks at how live calls compare with those of the model's training.
const DRIFT: Duration = Duration::from_secs(2);
/// Between two looks at the certificates: whoever renews them looks that they are in force.
const CERTIFICATES: Duration = Duration::from_secs(2);
/// Between two savings of the windows; shorter than what the spool remembers (64 s).
const SAVING: Duration = Duration::from_secs(30);

/// Between two looks for evidence.
const LEARNING: Duration = Duration::from_secs(1);
/// Between two looks for entries of lists that have expired.
const PURGING: Duration = Duration::from_secs(3_600);

/// Starts all watchers; each ends with `shutdown`.
pub(super) fn spawn_all(
    tasks: &mut JoinSet<&'static str>,
    engine: &Arc<Engine>,
    data_dir: &Arc<DataDir>,
    keeper: &Arc<Keeper>,
    telemetry: &Arc<Telemetry>,
    shutdown: &CancellationToken,
) {
    spawn(tasks, "accounts watcher", ACCOUNTS, shutdown, {
        let mut watcher = AccountsWatcher::new(engine, data_dir, telemetry);
        move || watcher.look()
    });
    spawn(tasks, "list purger", PURGING, shutdown, {
        let mut purger = ListPurger::new(data_dir);
        move || purger.look()
    });
    spawn(tasks, "model watcher", FILES, shutdown, {
        let (engine, data_dir, telemetry) = (engine.clone(), data_dir.clone(), telemetry.clone());
        move || look_at_models(&engine, &data_dir, &telemetry)
    });
    spawn(tasks, "rates watcher", FILES, shutdown, {
        let mut watcher = RatesWatcher::new(engine, data_dir, telemetry);
        move || watcher.look()
    });
    spawn(tasks, "drift watcher", DRIFT, shutdown, {
        let mut watcher = DriftWatcher::new(engine, telemetry);
        move || watcher.look(clock::now())
    });
    spawn(tasks, "import watcher", FILES, shutdown, {
        let keeper = keeper.clone();
        move || keeper.absorb(clock::now())
    });
    spawn(tasks, "windows saver", SAVING, shutdown, {
        let (keeper, engine, telemetry) = (keeper.clone(), engine.clone(), telemetry.clone());
        let mut told = 0;
        move || {
            keeper.save(clock::now());
            tell_forgotten(&telemetry, &mut told, engine.usage_sizes().forgotten);
        }
    });
}

/// Starts the making of learned lists.
pub(super) fn spawn_learner(
    tasks: &mut JoinSet<&'static str>,
    learner: &Arc<Mutex<Learner>>,
    shutdown: &CancellationToken,
) {
    let learner = Arc::clone(learner);
    spawn(tasks, "learner", LEARNING, shutdown, move || {
        learner.lock().look();
    });
}

/// Starts the watcher of the TLS certificates.
pub(super) fn spawn_certificates(
    tasks: &mut JoinSet<&'static str>,
    certificates: Arc<Certificates>,
    telemetry: &Arc<Telemetry>,
    shutdown: &CancellationToken,
) {
    let telemetry = telemetry.clone();
    spawn(
        tasks,
        "certificate watcher",
        CERTIFICATES,
        shutdown,
        move || match certificates.look() {
            None => {}
            Some(Ok(())) => telemetry.emit(&Event::CertificatesSwapped),
            Some(Err(error)) => telemetry.emit(&Event::CertificatesRefused {
                error: &error.to_string(),
            }),
        },
    );
}

/// Runs `look` every `pause` on a thread where it may wait for the disk.
fn spawn(
    tasks: &mut JoinSet<&'static str>,
    name: &'static str,
    pause: Duration,
    shutdown: &CancellationToken,
    look: impl FnMut() + Send + 'static,
) {
    let shutdown = shutdown.clone();
    let mut look = Some(look);
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return name,
            }
            let Some(mut once) = look.take() else {
                return name;
            };
            let looked = tokio::task::spawn_blocking(move || {
                once();
                once
            });
            look = looked.await.ok();
        }
    });
}

/// What is wrong, if that is not what was told before: a look four times a second would
/// otherwise say the same all day.
fn news(told: &mut Option<String>, wrong: Option<String>) -> Option<&str> {
    if *told == wrong {
        return None;
    }
    *told = wrong;
    told.as_deref()
}

/// Tells of counts that made room too early, as far as that was not told before.
fn tell_forgotten(telemetry: &Telemetry, told: &mut u64, forgotten: u64) {
    if forgotten > *told {
        let counters = forgotten - *told;
        telemetry.emit(&Event::UsageForgotten { counters });
        *told = forgotten;
    }
}

fn look_at_models(engine: &Engine, data_dir: &DataDir, telemetry: &Telemetry) {
    match engine
        .model()
        .watch_step(&data_dir.models(), CATALOGUE, VERSION)
    {
        None => {}
        Some(Ok(swapped)) => telemetry.emit(&Event::ModelSwapped {
            id: swapped.to.as_deref().unwrap_or("none"),
        }),
        Some(Err(error)) => telemetry.emit(&Event::ModelRefused {
            error: &error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_until_it_is_over() {
        let mut told = None;
        let mut look =
            |wrong: Option<&str>| news(&mut told, wrong.map(str::to_owned)).map(str::to_owned);
        assert_eq!(look(None), None);
        assert_eq!(look(Some("a")), Some("a".into()));
        assert_eq!(look(Some("a")), None);
        assert_eq!(look(Some("b")), Some("b".into()));
        assert_eq!(look(None), None);
        assert_eq!(look(Some("b")), Some("b".into()));
    }
}
