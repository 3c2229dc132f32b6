//! The configurations in `integrations/`, checked without the products they are for: their blocks and sections, that
//! what one file calls another defines, and that the pages say what is there. `kamailio/` runs the one that can be run.

mod asterisk;
mod commands;
mod freeswitch;
mod kamailio;
mod opensips;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of `integrations/`.
const PRODUCTS: [&str; 5] = ["asterisk", "freepbx", "freeswitch", "kamailio", "opensips"];
/// What a customer must not be able to say of himself; with `P-TFPS` its `-Score` and `-Reason`.
const HEADERS: [&str; 5] = ["P-Received", "P-UA", "P-Calls", "P-TFPS", "X-TFPS"];

/// A file of an integration: its path below the folder, and its text.
struct Shipped {
    name: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of a product, its page apart.
fn shipped(product: &str) -> Vec<Shipped> {
    let folder = root().join(product);
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&folder).expect("below it");
            let name = below.to_string_lossy().into_owned();
            if name != "README.md" {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push(Shipped { name, text });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "{product} has no files");
    found
}

/// What is in force for a product: its own files, and for FreePBX those of Asterisk that they include.
fn in_force(product: &str) -> Vec<Shipped> {
    let mut files = shipped(product);
    if product == "freepbx" {
        files.extend(shipped("asterisk"));
    }
    files
}

/// `pattern` is of the statuses that count as no decision: those that no caller can bring about. A product that does not
/// see Retry-After must take every 503 for one that has it.
fn assert_open_statuses(pattern: &str, sees_retry_after: bool) {
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    for status in 300..700 {
        // 487 is said of a question that was given up.
        // 505 and 513 are about the message.
        let failed = (500..600).contains(&status) && ![505, 513].contains(&status);
        let ours = [401, 403, 408].contains(&status) || failed;
        let open = ours && (sees_retry_after || status != 503);
        let opens = pattern.is_match(&status.to_string());
        assert!(opens == open || status == 487, "{pattern}: {status}");
    }
}

#[test]
fn every_file_is_named_on_its_page() {
    for product in PRODUCTS {
        let page = text(&format!("{product}/README.md"));
        for file in shipped(product) {
            let base = file.name.rsplit('/').next().unwrap_or_default();
            assert!(page.contains(base), "{product}/README.md: {base}");
        }
    }
}

#[test]
fn every_page_is_found_from_the_top() {
    let mut folders: Vec<String> = fs::read_dir(root())
        .expect("a folder")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, PRODUCTS);
    let pages = text("README.md");
    for product in PRODUCTS {
        assert!(
            pages.contains(&format!("({product}/README.md)")),
            "{product}"
        );
    }
    assert!(text("../README.md").contains("(integrations/README.md)"));
}

#[test]
fn a_page_says_whether_its_files_were_ever_run() {
    for product in PRODUCTS {
        let said = text(&format!("{product}/README.md")).contains("**not run by our");
        assert_eq!(said, product != "kamailio", "{product}");
    }
}

#[test]
fn every_product_has_prevention_and_detection() {
    for product in PRODUCTS {
        for port in ["9090", "9091"] {
            let used = in_force(product).iter().any(|f| f.text.contains(port));
            assert!(used, "{product} uses no port {port}");
            let page = text(&format!("{product}/README.md"));
            assert!(page.contains(port), "{product}/README.md: {port}");
        }
    }
}

/// Addresses are on loopback until the operator changes them, and each names a port that TFPS, the softswitch or its
/// gateway has.
#[test]
fn no_port_is_mistyped() {
    const PORTS: [&str; 4] = ["5060", "5080", "9090", "9091"];
    for product in PRODUCTS {
        for file in shipped(product) {
            for after in file.text.split("127.0.0.1:").skip(1) {
                let end = after.find(|c: char| !c.is_ascii_digit());
                let port = &after[..end.unwrap_or(after.len())];
                assert!(PORTS.contains(&port), "{product}/{}: {port}", file.name);
            }
        }
    }
}

#[test]
fn every_product_can_fail_open_and_closed() {
    for product in PRODUCTS {
        let page = text(&format!("{product}/README.md"));
        for form in ["**fail open**", "**fail closed**"] {
            assert!(page.contains(form), "{product}/README.md: {form}");
        }
        if product == "kamailio" {
            continue;
        }
        let named = |form: &str| {
            let files = in_force(product);
            let file = files.into_iter().find(|f| f.name.contains(form));
            file.unwrap_or_else(|| panic!("{product}: {form}")).text
        };
        // The caller is told 503: as such, or by its cause in Q.850.
        let closed = named("fail-closed");
        assert!(
            closed.contains("503") || closed.contains("Hangup(34)"),
            "{product}"
        );
        let open = named("fail-open");
        assert!(!open.contains("503") && !open.contains("Hangup"));
        // Both are heard of.
        for form in [closed, open] {
            assert!(form.contains("no decision by TFPS"), "{product}: {form}");
        }
    }
}

#[test]
fn what_a_customer_says_in_tfpss_headers_is_taken_away() {
    let takes_away = |line: &str| {
        let line = line.trim_start();
        !line.starts_with(['#', ';'])
            && ["remove_hf", "(remove,", "\"unset\""]
                .iter()
                .any(|word| line.contains(word))
    };
    for product in PRODUCTS {
        let files = in_force(product);
        let lines: Vec<&str> = files
            .iter()
            .flat_map(|file| file.text.lines())
            .filter(|line| takes_away(line))
            .collect();
        for header in HEADERS {
            let taken = lines.iter().any(|line| line.contains(header));
            assert!(taken, "{product} leaves {header}: {lines:#?}");
        }
    }
}
