//! Files that are there whole or not at all.

use super::ModelError;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells apart the temporary files of threads of one process.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Writes `bytes` to `path` so that a reader, or a crash, sees the old content or the new:
/// temporary file beside it, fsync, rename, fsync of the folder.
///
/// # Errors
/// [`ModelError::Write`]; the temporary file is removed and `path` is as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let tmp = path.with_file_name(format!(".{name}.{}-{serial}.tmp", std::process::id()));
    let written = write_synced(&tmp, bytes)
        .and_then(|()| std::fs::rename(&tmp, path))
        .and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // The rename may already have taken it away: nothing to say then.
        drop(std::fs::remove_file(&tmp));
        ModelError::Write {
            path: PathBuf::from(path),
            source,
        }
    })
}

fn write_synced(tmp: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(tmp)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A rename survives a power cut only once its folder is on disk.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
