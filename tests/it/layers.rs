//! Dependencies between the rooms point one way, and what is dangerous or heavy stays in its room.
//!
//! The order stands in `src/lib.rs`: values <- mechanisms <- what joins them <- ends <- where
//! everything meets. A room uses rooms below it, and of its own level only those [`NEIGHBOURS`]
//! allows. Tests inside a room obey too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the values up.
const LEVELS: [&[&str]; 6] = [
    &["domain", "telemetry"],
    &[
        "accounts",
        "digest",
        "features",
        "geo",
        "learned",
        "model",
        "numbering",
        "policy",
        "rates",
        "sip",
        "spool",
        "usage",
    ],
    &["decide", "store"],
    &[
        "api", "config", "replay", "server", "ship", "simulate", "train",
    ],
    &["evaluate"],
    &["app", "cli"],
];

/// Who may use a room of its own level, and why.
const NEIGHBOURS: [(&str, &str, &str); 6] = [
    (
        "telemetry",
        "domain",
        "events are labelled by code and door",
    ),
    (
        "accounts",
        "digest",
        "what is kept of a password is what digest needs of it",
    ),
    (
        "features",
        "numbering",
        "in tests: numbers are placed as the pipeline places them",
    ),
    (
        "policy",
        "numbering",
        "in tests: numbers are placed as the pipeline places them",
    ),
    (
        "sip",
        "digest",
        "a challenge is written into the headers of a 401",
    ),
    (
        "cli",
        "app",
        "commands run the service and share its folder and clock",
    ),
];

/// Words that may stand in these files only, and why.
const KEPT_TO: [(&str, &str, &str); 4] = [
    (
        "unsafe",
        "store/embedded/ffi.rs",
        "a foreign library, each block with its invariant",
    ),
    ("linfa", "train", "serving needs none of it"),
    ("polars", "train", "serving needs none of it"),
    (
        "rusqlite",
        "accounts",
        "the hot path reads a snapshot, never the file",
    ),
];

struct Source {
    /// Below `src/`.
    path: String,
    /// Without comments, strings and character literals.
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }
}

#[test]
fn dependencies_point_one_way() {
    let mut breaches = BTreeSet::new();
    for source in sources() {
        let room = source.room();
        if matches!(room, "lib" | "main") {
            continue;
        }
        assert!(
            level(room).is_some(),
            "src/{}: the room `{room}` stands in no level",
            source.path
        );
        for used in used_rooms(&source.code) {
            if used != room && !may_use(room, &used) {
                breaches.insert(format!("src/{}: `{room}` uses `{used}`", source.path));
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn what_is_dangerous_or_heavy_stays_in_its_room() {
    let sources = sources();
    for (word, home, reason) in KEPT_TO {
        let users = sources.iter().filter(|source| {
            words(&source.code).any(|w| w.split("_logistic").next() == Some(word))
        });
        let mut found = false;
        for source in users {
            found = true;
            assert!(
                source.path == home || source.path.starts_with(&format!("{home}/")),
                "src/{} uses {word}, which is kept to src/{home}: {reason}",
                source.path
            );
        }
        assert!(found, "{word} is used nowhere: strike it from the list");
    }
}

#[test]
fn every_exception_is_needed() {
    let sources = sources();
    for (room, used, reason) in NEIGHBOURS {
        let needed = sources
            .iter()
            .any(|source| source.room() == room && used_rooms(&source.code).contains(used));
        assert!(
            needed,
            "`{room}` does not use `{used}` ({reason}): strike it from the list"
        );
    }
}

#[test]
fn the_scanner_reads_what_rust_reads() {
    let text = r##"
        //! crate::comment
        use crate::{numbering, policy::{self, Context}, store::Store as S};
        let x = "crate::string"; let y = r#"crate::raw " string"#; let z = '"'; /* crate::block */
        pub(crate) fn f() -> crate::geo::Geo {}
    "##;
    let rooms: Vec<_> = used_rooms(&code_of(text)).into_iter().collect();
    assert_eq!(rooms, ["geo", "numbering", "policy", "store"]);
}

fn level(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}

fn may_use(room: &str, used: &str) -> bool {
    level(used) < level(room) && level(used).is_some()
        || NEIGHBOURS.iter().any(|&(a, b, _)| (a, b) == (room, used))
}

/// First path segments after `crate::`, also of a group `crate::{a, b::c}`.
fn used_rooms(code: &str) -> BTreeSet<String> {
    let tokens: Vec<&str> = tokens(code).collect();
    let mut rooms = BTreeSet::new();
    for (at, window) in tokens.windows(3).enumerate() {
        let [first, "::", next] = window else {
            continue;
        };
        if *first != "crate" {
            continue;
        }
        if *next != "{" {
            rooms.insert((*next).to_owned());
            continue;
        }
        let mut depth = 0;
        let mut at_start = true;
        for token in &tokens[at + 2..] {
            match *token {
                "{" => depth += 1,
                "}" => depth -= 1,
                "," if depth == 1 => {
                    at_start = true;
                    continue;
                }
                name if depth == 1 && at_start => {
                    rooms.insert(name.to_owned());
                    at_start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    tokens(code).filter(|token| token.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// Identifiers, `::`, and single other characters.
fn tokens(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

/// The text without comments, strings and character literals.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = hashes + 2;
            rest[body..]
                .find(&end)
                .map_or(rest.len(), |at| body + at + end.len())
        } else if first == '"' {
            string(rest)
        } else {
            character(rest)
        };
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// How many `#` a raw string has that begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of a character literal that begins here; 0: none does (a lifetime perhaps).
fn character(rest: &str) -> usize {
    let Some(inside) = rest.strip_prefix('\'') else {
        return 0;
    };
    if let Some(escape) = inside.strip_prefix('\\') {
        // The first character after the backslash may itself be a quotation mark.
        let end = escape.char_indices().skip(1).find(|(_, c)| *c == '\'');
        return end.map_or(0, |(at, _)| at + 3);
    }
    let length = inside.chars().next().map_or(0, char::len_utf8);
    if inside[length..].starts_with('\'') {
        length + 2
    } else {
        0
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below src");
                found.push(Source {
                    path: below.to_string_lossy().into_owned(),
                    code: code_of(&fs::read_to_string(&path).expect("UTF-8")),
                });
            }
        }
    }
    assert!(found.len() > 50, "src was not found");
    found
}
