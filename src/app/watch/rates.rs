//! The rate deck: a file that is put in the data folder is in force within two seconds.

use super::super::DataDir;
use super::super::rates::deck_in_force;
use super::news;
use crate::decide::Engine;
use crate::telemetry::{Event, Telemetry};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// What tells one state of a file from another: inode, length, and when it was changed.
type Stamp = Option<(u64, u64, i64, i64)>;

/// Puts decks in force.
pub(super) struct RatesWatcher {
    engine: Arc<Engine>,
    data_dir: Arc<DataDir>,
    telemetry: Arc<Telemetry>,
    /// The file as it was when it was read last.
    read: Stamp,
    /// The file as it was at the last look.
    seen: Stamp,
    told: Option<String>,
}

impl RatesWatcher {
    /// At its first looks it reads the deck once more: the file may have changed since the start.
    pub(super) fn new(
        engine: &Arc<Engine>,
        data_dir: &Arc<DataDir>,
        telemetry: &Arc<Telemetry>,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            data_dir: Arc::clone(data_dir),
            telemetry: Arc::clone(telemetry),
            read: None,
            seen: None,
            told: None,
        }
    }

    /// Reads the file if it is another than at the last reading, and has not changed between two
    /// looks: half a deck, that somebody is still writing, may read well.
    pub(super) fn look(&mut self) {
        let stamp = stamp_of(&self.data_dir.rates());
        let settled = self.seen == stamp;
        self.seen = stamp;
        if !settled || self.read == stamp {
            return;
        }
        self.read = stamp;
        let wrong = match deck_in_force(&self.data_dir) {
            Ok((deck, own)) => {
                let prefixes = deck.len();
                self.engine.swap_rates(deck);
                self.telemetry.emit(&Event::RatesSwapped { prefixes, own });
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = news(&mut self.told, wrong) {
            self.telemetry.emit(&Event::RatesRefused { error });
        }
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let file = path.metadata().ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Accounts, Snapshot};
    use crate::app::clock;
    use crate::decide::WindowSizes;
    use crate::domain::{NeutralAnswer, Number};
    use crate::geo::Geo;
    use crate::model::ModelSlot;

    #[test]
    fn a_deck_is_taken_over_whole_and_a_bad_one_changes_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let data_dir = Arc::new(DataDir::open(folder.path()).expect("opened"));
        let accounts = Accounts::in_memory(clock::now()).expect("accounts");
        let engine = Arc::new(Engine::new(
            Snapshot::load(&accounts).expect("snapshot"),
            Geo::default(),
            WindowSizes {
                tracks: 1_000,
                key: [1; 16],
            },
            Arc::new(ModelSlot::new(None)),
            NeutralAnswer::default(),
        ));
        let mut watcher = RatesWatcher::new(&engine, &data_dir, &Arc::new(Telemetry::new()));
        let price = || {
            let number = Number::parse("442079460123").expect("a number");
            engine.rates().rate(number).map(|rate| rate.price)
        };
        let shipped = price();
        let mut look_at = |text: &str| {
            std::fs::write(data_dir.rates(), text).expect("written");
            watcher.look();
            let early = price();
            watcher.look();
            (early, price())
        };
        assert_eq!(look_at("prefix,price\n44,7\n"), (shipped, Some(7.0)));
        assert_eq!(look_at("prefix,price\n44,\n"), (Some(7.0), Some(7.0)));
        assert_eq!(look_at("prefix,price\n44,8.5\n"), (Some(7.0), Some(8.5)));
        std::fs::remove_file(data_dir.rates()).expect("removed");
        watcher.look();
        watcher.look();
        assert_eq!(price(), shipped);
    }
}
