//! Calls of the past, from every kind of file, into the real ClickHouse.

mod captured;
mod copies;
mod mapped;
mod reported;

use crate::support::{Finished, TestService};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub const HEADER: &str =
    "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign\n";

/// A file in a service's folder.
pub fn written(service: &TestService, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = service.folder().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub fn json(finished: &Finished, code: i32) -> Value {
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}

/// Imports and says what `--json` said.
pub fn import(service: &TestService, path: &Path, options: &[&str]) -> Value {
    let own = ["import", "--json", text(path)];
    json(&service.tfps(&[&own[..], options].concat()), 0)
}
