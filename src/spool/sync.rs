//! The thread that makes the disk catch up, so that the hot path never waits for it.

use super::segment::sync_dir;
use crate::telemetry::{Event, Telemetry};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Default)]
struct State {
    current: Option<Arc<File>>,
    /// Sealed and perhaps not yet on the disk.
    sealed: Vec<Arc<File>>,
    new_files: bool,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    /// The current segment was written to since it was last synced.
    dirty: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle of the thread; dropping it syncs once more and ends it.
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread; without an interval there is none.
    pub(super) fn start(
        dir: PathBuf,
        every: Option<Duration>,
        telemetry: Arc<Telemetry>,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = match every {
            None => None,
            Some(every) => {
                let shared = shared.clone();
                let body = move || run(&shared, &dir, every, &telemetry);
                let builder = std::thread::Builder::new().name("spool-sync".into());
                Some(builder.spawn(body)?)
            }
        };
        Ok(Self { shared, thread })
    }

    /// Another segment is written to from now on.
    pub(super) fn follow(&self, file: Option<Arc<File>>) {
        if self.thread.is_none() {
            return;
        }
        let mut state = self.shared.lock();
        let before = std::mem::replace(&mut state.current, file);
        state.sealed.extend(before);
        state.new_files = true;
    }

    /// The current segment was written to. No lock: this is the hot path.
    pub(super) fn wrote(&self) {
        self.shared.dirty.store(true, Ordering::Release);
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, dir: &Path, every: Duration, telemetry: &Telemetry) {
    loop {
        let waited = shared
            .woken
            .wait_timeout_while(shared.lock(), every, |state| !state.stop);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let stop = state.stop;
        let new_files = std::mem::take(&mut state.new_files);
        let mut files = std::mem::take(&mut state.sealed);
        if shared.dirty.swap(false, Ordering::AcqRel) {
            files.extend(state.current.clone());
        }
        drop(state);
        let synced = files.iter().try_for_each(|file| file.sync_data());
        let synced = synced.and_then(|()| if new_files { sync_dir(dir) } else { Ok(()) });
        if let Err(error) = synced {
            let error = error.to_string();
            telemetry.emit(&Event::SpoolSyncFailed { error: &error });
        }
        if stop {
            return;
        }
    }
}
