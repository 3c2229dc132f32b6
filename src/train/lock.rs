//! One training at a time: two would need twice the memory, and the later promotion would win by
//! chance.

use super::TrainError;
use crate::domain::Timestamp;
use crate::model::ModelError;
use std::fs::{DirEntry, File, TryLockError};
use std::path::Path;
use std::time::UNIX_EPOCH;

const LOCK: &str = ".training.lock";
/// A draft that is older was left by a process that was killed; seconds.
const ABANDONED: i64 = 3_600;

/// Held while a training runs; the system lets go of it when the process ends, however it does.
#[derive(Debug)]
pub struct TrainingLock {
    _file: File,
}

impl TrainingLock {
    /// Takes the lock of a folder of models, and clears away drafts that a killed process left.
    ///
    /// # Errors
    /// [`TrainError::AtWork`] where another training has it; a folder that cannot be written.
    pub fn take(dir: &Path, now: Timestamp) -> Result<Self, TrainError> {
        let path = dir.join(LOCK);
        let fail = |source| ModelError::Write {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(fail)?;
        let file = File::create(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TrainError::AtWork {
                    dir: dir.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source).into()),
        }
        clear_drafts(dir, now);
        Ok(Self { _file: file })
    }
}

/// Files that are being written stand under hidden names that end in `.tmp`.
fn clear_drafts(dir: &Path, now: Timestamp) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_draft = name
            .to_str()
            .is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"));
        if is_draft && age_of(&entry, now).is_some_and(|seconds| seconds > ABANDONED) {
            // Whoever runs next tries again.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Seconds since a file was written.
fn age_of(entry: &DirEntry, now: Timestamp) -> Option<i64> {
    let written = entry.metadata().and_then(|meta| meta.modified()).ok()?;
    let since = written.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(now.secs() - i64::try_from(since).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn at(age: i64) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW.plus_secs(-age).secs().unsigned_abs())
    }

    #[test]
    fn one_at_a_time_and_the_next_when_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("models");
        let first = TrainingLock::take(&dir, NOW).expect("free");
        let second = TrainingLock::take(&dir, NOW).unwrap_err().to_string();
        assert!(second.contains("another training"), "{second}");
        drop(first);
        TrainingLock::take(&dir, NOW).expect("free again");
    }

    #[test]
    fn old_drafts_go_and_everything_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        for name in [".a.json.1-0.tmp", ".b.json.2-0.tmp", "c.json"] {
            File::create(dir.join(name)).unwrap();
        }
        let ages = [
            (".a.json.1-0.tmp", 2 * ABANDONED),
            (".b.json.2-0.tmp", ABANDONED / 2),
            ("c.json", 2 * ABANDONED),
        ];
        for (name, age) in ages {
            let file = File::options().write(true).open(dir.join(name)).unwrap();
            file.set_modified(at(age)).unwrap();
        }
        drop(TrainingLock::take(dir, NOW).unwrap());
        assert!(!dir.join(".a.json.1-0.tmp").exists());
        assert!(dir.join(".b.json.2-0.tmp").exists(), "may be at work");
        assert!(dir.join("c.json").exists());
    }
}
