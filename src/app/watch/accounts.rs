//! Accounts, policies and lists: what is edited is in force within a second.
//!
//! A look costs one number read from the file. After an edit everything but the lists is read
//! again, and of the lists what changed. Lists that changed beyond the log of changes, as after a
//! large import, are read whole on a thread of their own: meanwhile calls go on under what was
//! there, and other edits come into force as ever.

use super::super::DataDir;
use super::super::clock::{self, Monotonic};
use super::news;
use crate::accounts::{Accounts, AccountsError, NumberLists, Snapshot};
use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::telemetry::{Event, Telemetry};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A list that can be read within this time is in force at the same look.
const BRIEFLY: Duration = Duration::from_millis(200);
/// Looks for what can be taken off in a day: one an hour.
const A_DAY: u32 = 24;
/// Seconds by which the wall clock may go differently from the time that passes between two looks.
const STEP: i64 = 600;

/// Puts edits in force.
pub(super) struct AccountsWatcher {
    engine: Arc<Engine>,
    data_dir: Arc<DataDir>,
    telemetry: Arc<Telemetry>,
    accounts: Option<Accounts>,
    /// The file's version at the last look.
    seen: Option<i64>,
    /// Lists that are being read whole.
    reading: Option<Receiver<Result<NumberLists, AccountsError>>>,
    /// Snapshots that calls may still hold. They are freed here, as large lists take some time
    /// to free and the last call to hold them would have to wait for it.
    retired: Vec<Arc<Snapshot>>,
    told: Option<String>,
}

impl AccountsWatcher {
    pub(super) fn new(
        engine: &Arc<Engine>,
        data_dir: &Arc<DataDir>,
        telemetry: &Arc<Telemetry>,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            data_dir: Arc::clone(data_dir),
            telemetry: Arc::clone(telemetry),
            accounts: None,
            seen: None,
            reading: None,
            retired: Vec::new(),
            told: None,
        }
    }

    /// Looks for edits.
    pub(super) fn look(&mut self) {
        self.retired.retain(|old| Arc::strong_count(old) > 1);
        let followed = self.follow();
        // The connection may be what is broken: open it anew at the next look.
        if followed.is_err() {
            self.accounts = None;
        }
        let wrong = followed.err().map(|error| error.to_string());
        if let Some(error) = news(&mut self.told, wrong) {
            self.telemetry.emit(&Event::AccountsRefused { error });
        }
    }

    fn follow(&mut self) -> Result<(), AccountsError> {
        let mut read = self.arrived(Duration::ZERO)?;
        loop {
            let version = self.version()?;
            if read.is_some() || self.seen != Some(version) {
                self.put_in_force(version, read.take())?;
            }
            let stale = self.engine.accounts().stale_lists().to_vec();
            if stale.is_empty() || self.reading.is_some() {
                return Ok(());
            }
            self.reading = Some(read_whole(self.data_dir.path().to_owned(), stale));
            read = self.arrived(BRIEFLY)?;
            if read.is_none() {
                return Ok(());
            }
        }
    }

    /// Lists that have been read whole, waiting for so long.
    fn arrived(&mut self, wait: Duration) -> Result<Option<NumberLists>, AccountsError> {
        let Some(reading) = &self.reading else {
            return Ok(None);
        };
        match reading.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                self.reading = None;
                Ok(None)
            }
            Ok(read) => {
                self.reading = None;
                read.map(Some)
            }
        }
    }

    fn version(&mut self) -> Result<i64, AccountsError> {
        match &self.accounts {
            Some(open) => open.data_version(),
            None => {
                self.seen = None;
                let open = Accounts::open(self.data_dir.path(), clock::now())?;
                self.accounts.insert(open).data_version()
            }
        }
    }

    fn put_in_force(
        &mut self,
        version: i64,
        read: Option<NumberLists>,
    ) -> Result<(), AccountsError> {
        let Some(accounts) = &self.accounts else {
            return Ok(());
        };
        let snapshot = self.engine.accounts().reload(accounts, read)?;
        let edits = snapshot.version;
        self.retired.push(self.engine.swap_accounts(snapshot));
        if self.seen.replace(version).is_some() {
            self.telemetry
                .emit(&Event::AccountsSwapped { version: edits });
        }
        Ok(())
    }
}

/// Reads lists whole on a thread of their own, with a connection of its own.
fn read_whole(data_dir: PathBuf, lists: Vec<i64>) -> Receiver<Result<NumberLists, AccountsError>> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let read = Accounts::open(&data_dir, clock::now())
            .and_then(|accounts| accounts.load_numbers(&lists));
        // Nobody waits any more when the service ends.
        drop(sender.send(read));
    });
    receiver
}

/// Takes expired entries out of the file, every hour.
pub(super) struct ListPurger {
    data_dir: Arc<DataDir>,
    looks: u32,
    passing: Monotonic,
    wall: WallClock,
}

/// Whether the wall clock is to be believed. Entries that it says have expired are taken off for
/// good, so one that has jumped, by a wrong hand or a bad time server, must be seen first.
#[derive(Clone, Copy, Debug, Default)]
struct WallClock {
    /// Seconds that it was ahead of the time that had passed since the start, at the last look.
    ahead: i64,
    /// Looks since it jumped.
    doubted: u32,
}

impl WallClock {
    /// Believed at once while it goes as time passes, and after a jump once it has gone so for a
    /// day.
    fn is_believed(&mut self, now: Timestamp, passed: Timestamp) -> bool {
        let ahead = now.secs().saturating_sub(passed.secs());
        if ahead.saturating_sub(self.ahead).saturating_abs() > STEP {
            self.doubted = A_DAY;
        }
        self.ahead = ahead;
        let believed = self.doubted == 0;
        self.doubted = self.doubted.saturating_sub(1);
        believed
    }
}

impl ListPurger {
    pub(super) fn new(data_dir: &Arc<DataDir>) -> Self {
        Self {
            data_dir: Arc::clone(data_dir),
            looks: 0,
            passing: Monotonic::start(),
            wall: WallClock::default(),
        }
    }

    pub(super) fn look(&mut self) {
        self.looks += 1;
        match self.purge() {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "expired list entries taken off"),
            // Such entries do not count anyway; the next look tries again.
            Err(error) => tracing::warn!(%error, "expired list entries could not be taken off"),
        }
    }

    fn purge(&mut self) -> Result<u64, AccountsError> {
        let now = clock::now();
        let mut accounts = Accounts::open(self.data_dir.path(), now)?;
        // Also at the first look: a process may not live for a day.
        if self.looks % A_DAY == 1 {
            accounts.sweep_notes()?;
        }
        if !self.wall.is_believed(now, self.passing.now()) {
            tracing::warn!(
                "the clock has jumped: expired list entries are not taken off for a day"
            );
            return Ok(0);
        }
        accounts.purge_expired(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_760_000_000);
    const HOUR: i64 = 3_600;

    #[test]
    fn a_clock_that_jumps_is_believed_after_a_day() {
        for jump in [30 * 24 * HOUR, -2 * HOUR] {
            let mut wall = WallClock::default();
            let mut look = |hour: i64, ahead: i64| {
                let passed = NOON.plus_secs(hour * HOUR);
                wall.is_believed(passed.plus_secs(ahead), passed)
            };
            assert!((1..=30).all(|hour| look(hour, 5 * (hour % 2))));
            assert!((31..55).all(|hour| !look(hour, jump)), "{jump}");
            assert!((55..60).all(|hour| look(hour, jump)), "{jump}");
            // Back again is another jump.
            assert!(!look(60, 0));
        }
    }

    #[test]
    fn nothing_is_taken_off_by_a_clock_that_has_jumped() {
        use crate::accounts::{EntryKind, ListKind, Scope};
        let folder = tempfile::tempdir().expect("folder");
        let data_dir = Arc::new(DataDir::open(folder.path()).expect("opened"));
        let now = clock::now();
        let (long_ago, ended) = (now.plus_secs(-72 * HOUR), now.plus_secs(-48 * HOUR));
        let list = |value: &str| {
            let mut accounts = Accounts::open(folder.path(), long_ago).expect("opened");
            let (scope, list, kind) = (Scope::System, ListKind::Black, EntryKind::Number);
            let ends = Some(ended);
            let added = accounts.list_add(&scope, list, kind, value, "why", "cli", ends, long_ago);
            added.expect("added");
        };
        list("1");
        let mut purger = ListPurger::new(&data_dir);
        // As if the clock had been put forward since the start.
        purger.wall.ahead = -7 * 24 * HOUR;
        assert_eq!(purger.purge().expect("looked"), 0);
        let mut purger = ListPurger::new(&data_dir);
        assert_eq!(purger.purge().expect("looked"), 1);
    }
}
