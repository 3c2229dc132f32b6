//! The operator's rate deck on disk.

use super::DataDir;
use crate::rates::{Deck, DeckError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest deck read, bytes: some four million rates.
const MAX_BYTES: u64 = 256 << 20;

/// Why the operator's deck cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}; import another deck, or `tfps rates reset`", path.display())]
pub struct RatesFileError {
    path: PathBuf,
    source: RatesError,
}

/// What is wrong with a file of rates.
#[derive(Debug, thiserror::Error)]
pub enum RatesError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is too large.
    #[error("the deck has {0} bytes: {MAX_BYTES} at most")]
    TooLarge(u64),
    /// It is no deck.
    #[error(transparent)]
    Deck(#[from] DeckError),
}

/// The deck of a file.
///
/// # Errors
/// It cannot be read, or is no deck.
pub fn read_deck(path: &Path) -> Result<Deck, RatesError> {
    let bytes = path.metadata()?.len();
    if bytes > MAX_BYTES {
        return Err(RatesError::TooLarge(bytes));
    }
    Ok(Deck::read(&std::fs::read(path)?)?)
}

/// The deck in force for the data folder: the operator's, else the one that ships in the
/// program. Whether it is the operator's own stands beside it.
///
/// # Errors
/// The operator's cannot be used.
pub fn deck_in_force(data_dir: &DataDir) -> Result<(Arc<Deck>, bool), RatesFileError> {
    let path = data_dir.rates();
    match read_deck(&path) {
        Ok(deck) => Ok((Arc::new(deck), true)),
        Err(RatesError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            Ok((Deck::shipped(), false))
        }
        Err(source) => Err(RatesFileError { path, source }),
    }
}
