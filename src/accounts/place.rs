//! Where in a body or file a value stands, as a path a person can follow:
//! `domains."itsp.example".policies.default.plan`, `entries[3].value`.

use super::names::shown;
use serde_path_to_error::{Path, Segment};

/// Deepest level that is told: nothing that is right stands deeper.
const DEEPEST: usize = 12;

/// The path of a value that serde refused; none: the whole of it.
#[must_use]
pub fn of(path: &Path) -> Option<String> {
    let mut text = String::new();
    for (depth, segment) in path.iter().enumerate() {
        if depth == DEEPEST {
            text.push_str("...");
            break;
        }
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&key(name));
            }
            Segment::Unknown => {}
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A name as it stands in a path: in quotation marks unless it is plain.
#[must_use]
pub fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.chars().all(is_plain) {
        true => shown(name),
        false => format!("\"{}\"", shown(name)),
    }
}
