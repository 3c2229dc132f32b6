//! Where `libchdb.so` may be.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::EmbeddedError;

/// The version that was tested; the set-up command caches it under this name.
pub const VERSION: &str = "26.7.3-stable.1";
const FILE: &str = "libchdb.so";

/// Finds the library: `configured` (`embedded.libchdb`), the environment (`TFPS_EMBEDDED__LIBCHDB`),
/// beside the executable, the set-up command's cache, `/usr/lib/tfps`.
///
/// # Errors
/// [`EmbeddedError::LibraryMissing`] with the places looked at. A file named by configuration or
/// environment must exist: another one is not taken silently in its place.
pub fn library(configured: Option<&Path>) -> Result<PathBuf, EmbeddedError> {
    let named = configured.map(Path::to_owned).or_else(|| {
        env::var_os("TFPS_EMBEDDED__LIBCHDB")
            .filter(|f| !f.is_empty())
            .map(PathBuf::from)
    });
    let places = match named {
        Some(file) => vec![file],
        None => usual_places(),
    };
    match places.iter().find(|file| file.is_file()) {
        Some(file) => Ok(file.clone()),
        None => Err(EmbeddedError::LibraryMissing { searched: places }),
    }
}

fn usual_places() -> Vec<PathBuf> {
    let directory = |name: &str| {
        env::var_os(name)
            .filter(|d| !d.is_empty())
            .map(PathBuf::from)
    };
    let cache = directory("TFPS_CACHE")
        .or_else(|| directory("XDG_CACHE_HOME").map(|cache| cache.join("tfps")))
        .or_else(|| directory("HOME").map(|home| home.join(".cache/tfps")));
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    [
        beside.map(|folder| folder.join(FILE)),
        cache.map(|cache| cache.join(format!("libchdb-{VERSION}")).join(FILE)),
        Some(Path::new("/usr/lib/tfps").join(FILE)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
