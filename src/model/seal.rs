//! The seal: a SHA-256 over every byte of the file.
//!
//! A sealed file is a JSON object whose last member is `"sha256"`. The hash is taken over the
//! whole file with the 64 digits replaced by `0`, so that no byte, not even white space, can
//! change unnoticed, and anyone can check it with `sed` and `sha256sum`.

use super::ModelError;
use sha2::{Digest, Sha256};

const DIGITS: usize = 64;
const BEFORE: &str = ",\n  \"sha256\": \"";
const AFTER: &str = "\"\n}\n";
const BODY_END: &str = "\n}";

/// SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut hex = String::with_capacity(DIGITS);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Seals a pretty-printed JSON object. Returns the file's bytes and its hash.
pub(super) fn seal(body: &str) -> (Vec<u8>, String) {
    let members = body.strip_suffix(BODY_END).unwrap_or(body);
    let with = |digits: &str| format!("{members}{BEFORE}{digits}{AFTER}").into_bytes();
    let hash = sha256_hex(&with(&"0".repeat(DIGITS)));
    (with(&hash), hash)
}

/// Checks the seal. Returns the JSON object without it, and the hash.
///
/// # Errors
/// [`ModelError::NotSealed`] or [`ModelError::Changed`].
pub(super) fn unseal(bytes: &[u8]) -> Result<(String, String), ModelError> {
    let rest = bytes
        .strip_suffix(AFTER.as_bytes())
        .ok_or(ModelError::NotSealed)?;
    let (rest, stated) = rest
        .len()
        .checked_sub(DIGITS)
        .map(|at| rest.split_at(at))
        .ok_or(ModelError::NotSealed)?;
    let members = rest
        .strip_suffix(BEFORE.as_bytes())
        .ok_or(ModelError::NotSealed)?;
    let members = std::str::from_utf8(members).map_err(|_| ModelError::NotSealed)?;
    let body = format!("{members}{BODY_END}");
    let (_, actual) = seal(&body);
    if actual.as_bytes() != stated {
        return Err(ModelError::Changed {
            stated: String::from_utf8_lossy(stated).into_owned(),
            actual,
        });
    }
    Ok((body, actual))
}
