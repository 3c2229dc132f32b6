//! What can go wrong with a spool, by what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the spool did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process owns the directory: stop it, or use another data directory.
    #[error("the spool {} belongs to another running process: stop it or use another directory", .0.display())]
    Locked(PathBuf),
    /// The bound on the whole spool is met: answer anyway, count the loss, mend the store.
    #[error("the spool holds {bytes} bytes, its bound: nothing is taken until some are shipped")]
    Full {
        /// Bytes it holds.
        bytes: u64,
    },
    /// The share that such records may fill is full: answer anyway, count the loss.
    #[error("the spool holds {bytes} bytes: the rest of its room is kept for paying calls")]
    Reserved {
        /// Bytes it holds.
        bytes: u64,
    },
    /// A batch went in partly or not at all: count the rest as lost.
    #[error("the spool took {stored} records of the batch, then the disk refused")]
    Write {
        /// Records of the batch that are in.
        stored: usize,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// A record beyond [`super::MAX_RECORD`]: count it as lost.
    #[error("a record of {0} bytes is larger than the spool takes")]
    TooLarge(usize),
    /// A record that cannot be written down: a defect of its type.
    #[error("a record cannot be encoded")]
    Encode(#[from] postcard::Error),
    /// The cursor is unreadable. Removing it is safe: rows already stored are recognised.
    #[error("the cursor {} is damaged: remove it, and what is kept is compared with the store again", .0.display())]
    Cursor(PathBuf),
    /// The directory or a file of it could not be used.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Adds what was being done to what.
pub(super) fn io_error(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.into();
    move |source| SpoolError::Io {
        doing,
        path,
        source,
    }
}
