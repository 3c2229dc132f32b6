//! A file's identity: what makes its calls' ids and its batches' tokens.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use uuid::Uuid;

/// SHA-256 of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHash([u8; 32]);

impl FileHash {
    /// The content's hash from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Id of the call on a line: the same file and line, the same id.
    #[must_use]
    pub fn call_id(&self, line: u64) -> Uuid {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(line.to_le_bytes());
        let digest = hasher.finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    /// Short name of the file's content, hexadecimal.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:016x}", self.number())
    }

    /// The first eight bytes as a number.
    #[must_use]
    pub fn number(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Reads a file once to know it again.
///
/// # Errors
/// It cannot be read.
pub fn hash_file(path: &Path) -> io::Result<FileHash> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(FileHash(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        }
    }
}
