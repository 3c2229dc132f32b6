//! Which model of a folder is in force.
//!
//! ```text
//! models/<id>.json              sealed model files, never changed once written
//! models/<id>.comparison.json   how it did beside the one in force
//! models/in-force.json          the pointer: id and sha256 of the one in force, those before it
//! ```
//! The pointer is replaced atomically; the running service polls it ([`super::ModelSlot`]).
//! A pointer to no model means the one shipped inside the program.

use super::file::{check_id, read_bounded};
use super::{Model, ModelError, write_atomic};
use crate::domain::{FeatureSpec, Timestamp};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the pointer inside the folder.
pub const POINTER: &str = "in-force.json";
const POINTER_FORMAT: u32 = 1;
/// A pointer with a full history takes 6 kB, and 20 kB if each promotion was forced.
pub(super) const POINTER_MAX_BYTES: u64 = 64 << 10;
/// Promotions one can go back.
const HISTORY: usize = 32;
/// Files of a folder that are looked at.
const MAX_LISTED: usize = 1_000;

/// The pointer's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// Format of the pointer.
    pub format: u32,
    /// The model in force; `None`: the shipped one.
    pub model: Option<Promoted>,
    /// When the pointer was last changed, RFC 3339.
    pub changed: String,
    /// Those in force before, the latest last.
    pub history: Vec<Promoted>,
}

/// A model that was put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promoted {
    /// Its id.
    pub id: String,
    /// Hash of the very file that was promoted.
    pub sha256: String,
    /// When, RFC 3339.
    pub at: String,
    /// Who put it in force although no comparison advised it; `None`: one did, or none was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<Forced>,
}

/// A promotion against or without the advice of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    /// Who.
    pub by: String,
    /// Why, in his words.
    pub why: String,
}

/// One file of the folder.
#[derive(Debug)]
pub struct Listed {
    /// The id by its file name.
    pub id: String,
    /// Whether the pointer names it.
    pub in_force: bool,
    /// The verified model, or why it would be refused.
    pub model: Result<Model, ModelError>,
}

/// Path of a model's file.
#[must_use]
pub fn path_of(dir: &Path, id: &str) -> PathBuf {
    dir.join(format!("{id}.json"))
}

/// Loads `models/<id>.json`, verified.
///
/// # Errors
/// Whatever keeps the file from being used whole; a file that holds another id.
pub fn load(
    dir: &Path,
    id: &str,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<Model, ModelError> {
    check_id(id)?;
    let path = path_of(dir, id);
    let model = Model::load(&path, catalogue, version)?;
    if model.id() == id {
        Ok(model)
    } else {
        Err(ModelError::IdMismatch {
            path,
            id: model.id().to_owned(),
        })
    }
}

/// Loads what was promoted, and only that: the hash must be the pointer's.
pub(super) fn load_promoted(
    dir: &Path,
    promoted: &Promoted,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<Model, ModelError> {
    let model = load(dir, &promoted.id, catalogue, version)?;
    if model.sha256() == promoted.sha256 {
        Ok(model)
    } else {
        Err(ModelError::NotThePromoted {
            id: promoted.id.clone(),
            wanted: promoted.sha256.clone(),
            found: model.sha256().to_owned(),
        })
    }
}

/// The pointer; `None` where nothing was ever promoted.
///
/// # Errors
/// A pointer that cannot be read or understood.
pub fn in_force(dir: &Path) -> Result<Option<InForce>, ModelError> {
    let path = dir.join(POINTER);
    match read_bounded(&path, POINTER_MAX_BYTES) {
        Ok(bytes) => parse_pointer(&path, &bytes).map(Some),
        Err(ModelError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn parse_pointer(path: &Path, bytes: &[u8]) -> Result<InForce, ModelError> {
    let pointer: InForce = serde_json::from_slice(bytes).map_err(|source| ModelError::Pointer {
        path: path.to_owned(),
        source,
    })?;
    if pointer.format == POINTER_FORMAT {
        Ok(pointer)
    } else {
        Err(ModelError::UnknownFormat {
            found: pointer.format,
            known: POINTER_FORMAT,
        })
    }
}

/// The model that a service which starts on the folder serves with: the promoted one if it can
/// be used, else the shipped one.
///
/// A service that runs and finds the pointer's model unusable keeps the one before instead, until
/// it starts again.
#[must_use]
pub fn serving(
    dir: &Path,
    shipped: Option<Arc<Model>>,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Option<Arc<Model>> {
    let promoted = in_force(dir)
        .ok()
        .flatten()
        .and_then(|pointer| pointer.model);
    promoted
        .and_then(|promoted| load_promoted(dir, &promoted, catalogue, version).ok())
        .map(Arc::new)
        .or(shipped)
}

/// Puts `models/<id>.json` in force, after verifying it whole. A service that runs takes it
/// up at its next poll. Whether it should be is for [`super::comparison::admit`] to say before.
///
/// # Errors
/// Whatever would keep the service from using the file; the pointer is then unchanged.
/// A pointer that is not understood is replaced, its history is lost.
pub fn promote(
    dir: &Path,
    id: &str,
    at: Timestamp,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<InForce, ModelError> {
    promote_as(dir, id, None, at, catalogue, version)
}

/// As [`promote`], and notes in the pointer who forced it and why.
///
/// # Errors
/// As [`promote`].
pub fn promote_as(
    dir: &Path,
    id: &str,
    forced: Option<Forced>,
    at: Timestamp,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<InForce, ModelError> {
    let model = load(dir, id, catalogue, version)?;
    let before = match in_force(dir) {
        Ok(before) => before,
        Err(ModelError::Pointer { .. } | ModelError::UnknownFormat { .. }) => None,
        Err(error) => return Err(error),
    };
    let (current, mut history) = before.map_or((None, Vec::new()), |b| (b.model, b.history));
    if let Some(current) = current
        && current.sha256 != model.sha256()
    {
        history.push(current);
    }
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
    let promoted = Promoted {
        id: model.id().to_owned(),
        sha256: model.sha256().to_owned(),
        at: at.to_rfc3339(),
        forced,
    };
    point_to(dir, Some(promoted), at, history)
}

/// Puts the model before the present one in force again; before the first one promoted is
/// the shipped one. Earlier models that can no longer be used are passed over.
///
/// # Errors
/// [`ModelError::NoHistory`] when the shipped one is in force already; if none of the
/// earlier ones can be used, why the oldest cannot.
pub fn roll_back(
    dir: &Path,
    at: Timestamp,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<InForce, ModelError> {
    let Some(InForce {
        model: Some(_),
        mut history,
        ..
    }) = in_force(dir)?
    else {
        return Err(ModelError::NoHistory);
    };
    let mut refusal = None;
    while let Some(earlier) = history.pop() {
        match load_promoted(dir, &earlier, catalogue, version) {
            Ok(_) => return point_to(dir, Some(earlier), at, history),
            Err(error) => refusal = Some(error),
        }
    }
    refusal.map_or_else(|| point_to(dir, None, at, Vec::new()), Err)
}

fn point_to(
    dir: &Path,
    model: Option<Promoted>,
    at: Timestamp,
    history: Vec<Promoted>,
) -> Result<InForce, ModelError> {
    let pointer = InForce {
        format: POINTER_FORMAT,
        model,
        changed: at.to_rfc3339(),
        history,
    };
    let mut text = serde_json::to_string_pretty(&pointer)?;
    text.push('\n');
    write_atomic(&dir.join(POINTER), text.as_bytes())?;
    Ok(pointer)
}

/// Every model file of the folder by id, each verified. A folder that does not exist is empty.
///
/// # Errors
/// A folder that cannot be read. A bad file or pointer is no error here: it is listed.
pub fn list(
    dir: &Path,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<Vec<Listed>, ModelError> {
    let named = in_force(dir).ok().flatten().and_then(|p| p.model);
    Ok(ids(dir)?
        .into_iter()
        .map(|id| Listed {
            in_force: named.as_ref().is_some_and(|p| p.id == id),
            model: load(dir, &id, catalogue, version),
            id,
        })
        .collect())
}

/// Ids of the model files of a folder, whether they can be used or not, in order. A folder that
/// does not exist is empty.
///
/// # Errors
/// A folder that cannot be read.
pub fn ids(dir: &Path) -> Result<Vec<String>, ModelError> {
    let mut ids = ids_in(dir)?;
    ids.sort_unstable();
    Ok(ids)
}

fn ids_in(dir: &Path) -> Result<Vec<String>, ModelError> {
    let fail = |source| ModelError::Read {
        path: dir.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut ids = Vec::new();
    for entry in entries.take(MAX_LISTED) {
        let name = entry.map_err(fail)?.file_name();
        if let Some(id) = name.to_str().and_then(|n| n.strip_suffix(".json"))
            && check_id(id).is_ok()
        {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
#[path = "promotion_tests.rs"]
mod tests;
