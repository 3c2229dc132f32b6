//! What attackers use: numbers that pay them, addresses they come from, names of their tools.

use super::atlas::{self, PLACES};
use super::dice::{Dice, Purpose};
use super::numbers::{self, Abroad};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The attackers' means. None of the lists is empty.
#[derive(Clone, Debug)]
pub struct AttackData {
    /// Numbers called for revenue share, E.164 without `+`.
    pub numbers: Vec<String>,
    /// Addresses attacks come from.
    pub addresses: Vec<IpAddr>,
    /// User agents of attack tools.
    pub agents: Vec<String>,
    /// Where these come from.
    pub source: AttackDataSource,
}

/// Where attack data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttackDataSource {
    /// Made up here.
    BuiltIn,
    /// Read from the files of a directory.
    Directory(PathBuf),
}

impl std::fmt::Display for AttackDataSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Attack data that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AttackDataError {
    /// A file is missing or cannot be read.
    #[error(
        "{path}: cannot be read; the directory must have irsf_numbers.csv, attack_ips.csv and scanner_user_agents.csv"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is far larger than any such list.
    #[error("{0}: is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge(PathBuf),
    /// The first line is not the header of such a file.
    #[error("{path}: the first line must be `{expected}`")]
    Header {
        /// The file.
        path: PathBuf,
        /// Its header.
        expected: &'static str,
    },
    /// A value that is none.
    #[error("{path}: line {line}: expected {expected}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A file with a header and nothing else.
    #[error("{0}: holds nothing that could be used")]
    Empty(PathBuf),
}

/// How many numbers, and addresses, are made up.
const BUILT_IN_NUMBERS: usize = 1_500;
const BUILT_IN_ADDRESSES: usize = 300;

/// Names of tools as they introduce themselves; common knowledge of whoever runs a SIP port.
const AGENTS: [&str; 12] = [
    "friendly-scanner",
    "sipvicious",
    "sipcli/v1.8",
    "sip-scan",
    "sundayddr",
    "iWar",
    "VaxSIPUserAgent/3.1",
    "pplsip",
    "Gulp",
    "sipsak 0.9.6",
    "eyeBeam release 3006o stamp 17551",
    "PortSIP VoIP SDK 11",
];

impl AttackData {
    /// Made up, always the same: ranges known for revenue share, addresses in the access
    /// networks of many countries (as if of hijacked hosts), names of well-known tools.
    #[must_use]
    pub fn built_in() -> Self {
        let mut dice = Dice::new(0, Purpose::AttackData, &[]);
        let numbers = (0..BUILT_IN_NUMBERS)
            .map(|_| {
                match dice.below(100) {
                    0..45 => numbers::sold(&mut dice),
                    // Ranges of any country are sold, mobile ones above all.
                    _ => Abroad::any(&PLACES[0], 15, &mut dice).number(&mut dice),
                }
            })
            .collect();
        // Some countries have many more hijacked hosts than others.
        let usual: Vec<_> = (0..9).map(|_| dice.pick(&PLACES)).collect();
        let addresses = (0..BUILT_IN_ADDRESSES)
            .map(|_| {
                let place = if dice.chance(0.6) {
                    *dice.pick(&usual)
                } else {
                    atlas::abroad(&PLACES[0], &mut dice)
                };
                place.broadband(&mut dice)
            })
            .collect();
        Self {
            numbers,
            addresses,
            agents: AGENTS.map(str::to_owned).to_vec(),
            source: AttackDataSource::BuiltIn,
        }
    }

    /// Reads `irsf_numbers.csv` (header `e164`), `attack_ips.csv` (`ip`) and
    /// `scanner_user_agents.csv` (`pattern,use`) of a directory. Of a pattern such as
    /// `^name\sx$` the plain text is taken; patterns that are more than that are left out.
    ///
    /// # Errors
    /// Names the file and the line; nothing is guessed.
    pub fn read(directory: &Path) -> Result<Self, AttackDataError> {
        let numbers = column(directory, "irsf_numbers.csv", "e164", |value| {
            let digits = value.trim_start_matches('+');
            let number = crate::domain::Number::parse(digits).ok()?;
            Some(Some(number.to_string()))
        })?;
        let addresses = column(directory, "attack_ips.csv", "ip", |value| {
            value.parse().ok().map(Some)
        })?;
        let agents = column(
            directory,
            "scanner_user_agents.csv",
            "pattern,use",
            |value| {
                let (pattern, _) = value.rsplit_once(',')?;
                Some(literal(pattern))
            },
        )?;
        Ok(Self {
            numbers,
            addresses,
            agents,
            source: AttackDataSource::Directory(directory.to_owned()),
        })
    }
}

/// The values of a file: `parse` gives `None` for what does not belong there, `Some(None)` for
/// what is of no use here.
fn column<T>(
    directory: &Path,
    name: &str,
    header: &'static str,
    parse: impl Fn(&str) -> Option<Option<T>>,
) -> Result<Vec<T>, AttackDataError> {
    let path = directory.join(name);
    let failed = |source| AttackDataError::Io {
        path: path.clone(),
        source,
    };
    if std::fs::metadata(&path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(AttackDataError::TooLarge(path));
    }
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line.trim()) != Some(header) {
        return Err(AttackDataError::Header {
            path,
            expected: header,
        });
    }
    let mut values = Vec::new();
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        match parse(line.trim()) {
            Some(value) => values.extend(value),
            None => {
                return Err(AttackDataError::Value {
                    path,
                    line: at + 1,
                    expected: header,
                });
            }
        }
    }
    if values.is_empty() {
        return Err(AttackDataError::Empty(path));
    }
    Ok(values)
}

/// The text that an anchored pattern matches, when it is no more than a text.
fn literal(pattern: &str) -> Option<String> {
    let text = pattern
        .trim_start_matches('^')
        .trim_end_matches('$')
        .replace("\\s", " ")
        .replace("\\.", ".")
        .replace("\\-", "-")
        .replace("\\/", "/");
    let is_plain = !text.contains(['\\', '[', '(', '*', '+', '?', '|', '{', '^', '$']);
    (is_plain && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn directory(agents: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("writes");
        write("irsf_numbers.csv", "e164\n+37129000000\n8821300000000\n");
        write("attack_ips.csv", "ip\n203.0.113.7\n2001:db8::9\n");
        write("scanner_user_agents.csv", agents);
        dir
    }

    #[test]
    fn files_are_read_and_patterns_become_names() {
        let dir = directory("pattern,use\n^sipcli,block\n^Nmap\\sNSE$,score\n^(a|b),block\n");
        let data = AttackData::read(dir.path()).expect("reads");
        assert_eq!(data.numbers, ["37129000000", "8821300000000"]);
        assert_eq!(data.addresses.len(), 2);
        assert_eq!(data.agents, ["sipcli", "Nmap NSE"]);
        assert_eq!(data.source, AttackDataSource::Directory(dir.path().into()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = directory("pattern,use\nno comma\n");
        let error = AttackData::read(dir.path()).expect_err("refused");
        assert!(matches!(error, AttackDataError::Value { line: 2, .. }));
        let dir = directory("pattern\n");
        let error = AttackData::read(dir.path()).expect_err("refused");
        assert!(matches!(error, AttackDataError::Header { .. }));
        let error = AttackData::read(&dir.path().join("none")).expect_err("refused");
        assert!(matches!(error, AttackDataError::Io { .. }));
    }

    #[test]
    fn built_in_numbers_are_numbers() {
        let data = AttackData::built_in();
        let is_number = |n: &String| crate::domain::Number::parse(n).is_ok();
        assert!(data.numbers.iter().all(is_number));
        assert_eq!(data.addresses.len(), BUILT_IN_ADDRESSES);
    }
}
