//! Files that commands write: never over what they read, there whole or not at all, and for
//! their owner only, as calls hold phone numbers.

use anyhow::{Context as _, bail};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file under another name until it is whole; dropped before, it leaves nothing.
pub(super) struct Draft {
    file: BufWriter<File>,
    /// Where it is written and where it goes; none: a device or pipe, written at once.
    names: Option<(PathBuf, PathBuf)>,
}

impl Draft {
    /// Begins a file that will be `path`.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        Self::begin(path).with_context(|| path.display().to_string())
    }

    fn begin(path: &Path) -> io::Result<Self> {
        let mut names = None;
        let file = match path.metadata() {
            // A rename would put a file in the place of the device.
            Ok(there) if !there.is_file() => OpenOptions::new().write(true).open(path)?,
            there => {
                // Behind a symbolic link, not in its place.
                let target = match there {
                    Ok(_) => path.canonicalize()?,
                    Err(_) => path.to_owned(),
                };
                let name = target.file_name().unwrap_or_default().to_string_lossy();
                let draft = target.with_file_name(format!(".{name}.{}.draft", std::process::id()));
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&draft)?;
                names = Some((draft, target));
                file
            }
        };
        Ok(Self {
            file: BufWriter::new(file),
            names,
        })
    }

    /// Puts the file in its place.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some((draft, target)) = &self.names {
            self.file.get_ref().sync_all()?;
            std::fs::rename(draft, target)?;
        }
        self.names = None;
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((draft, _)) = &self.names {
            // Nothing more can be done about a draft that stays.
            drop(std::fs::remove_file(draft));
        }
    }
}

/// Refuses outputs that are one of the inputs, or each other.
pub(super) fn check_apart(inputs: &[&Path], outputs: &[&Path]) -> anyhow::Result<()> {
    for (at, output) in outputs.iter().enumerate() {
        if inputs.iter().any(|input| is_same(input, output)) {
            bail!(
                "{} is read by this command and would be overwritten: give another file",
                output.display()
            );
        }
        if outputs[..at].iter().any(|other| is_same(other, output)) {
            bail!(
                "{} would be written twice: give two files",
                output.display()
            );
        }
    }
    Ok(())
}

/// Whether two paths are one file, by device and inode; when one is not there yet, by name.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(_), Err(_)) => full_name(one) == full_name(other),
        _ => false,
    }
}

fn full_name(path: &Path) -> PathBuf {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    parent.join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_output_is_no_input_under_any_name() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("calls.csv"), "time\n").expect("written");
        std::os::unix::fs::symlink(at("calls.csv"), at("link.csv")).expect("linked");
        std::fs::hard_link(at("calls.csv"), at("hard.csv")).expect("linked");
        for output in ["calls.csv", "link.csv", "hard.csv", "./calls.csv"] {
            check_apart(&[&at("calls.csv")], &[&at(output)]).expect_err(output);
        }
        check_apart(&[&at("calls.csv")], &[&at("a"), &at("./a")]).expect_err("twice");
        check_apart(&[&at("calls.csv")], &[&at("a"), &at("b")]).expect("apart");
        let null = Path::new("/dev/null");
        check_apart(&[&at("calls.csv")], &[null, null]).expect("a device takes both");
    }

    #[test]
    fn a_file_is_there_whole_and_private_or_as_it_was() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out.csv");
        std::fs::write(&path, "before").expect("written");
        let mut given_up = Draft::create(&path).expect("begun");
        given_up.write_all(b"half").expect("written");
        drop(given_up);
        assert_eq!(std::fs::read(&path).expect("read"), b"before");
        let mut draft = Draft::create(&path).expect("begun");
        draft.write_all(b"after").expect("written");
        draft.finish().expect("in place");
        assert_eq!(std::fs::read(&path).expect("read"), b"after");
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(folder.path().read_dir().expect("listed").count(), 1);
    }
}
