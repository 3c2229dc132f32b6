//! baresip dials and authenticates. The one of Debian 12 gives up when SHA-256 is offered at all,
//! so it is offered MD5.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use super::{LONDON, PASSWORD, counted_to_alice, service};
use crate::support::TestService;

/// Where Debian and others put its modules.
const MODULES: [&str; 3] = [
    "/usr/lib/baresip/modules",
    "/usr/lib64/baresip/modules",
    "/usr/local/lib/baresip/modules",
];

/// Killed when dropped.
struct Baresip(Child);

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, without sound or screen; it dials at once and prints every message.
fn dial(service: &TestService, password: &str) -> Baresip {
    let modules = MODULES
        .into_iter()
        .find(|folder| fs::exists(folder).unwrap_or_default())
        .expect("baresip is not installed; `make setup` installs it");
    let folder = service.folder().join("baresip");
    fs::create_dir_all(&folder).expect("a folder");
    let silence = folder.join("silence.wav");
    let silence = silence.display();
    let config = format!(
        "sip_listen 127.0.0.1:0\nmodule_path {modules}\nmodule g711.so\nmodule aufile.so\n\
         audio_source aufile,{silence}\naudio_player aufile,{silence}\naudio_alert aufile,{silence}\n\
         module_tmp account.so\nmodule_app menu.so\n"
    );
    let proxy = service.prevention();
    let account = format!(
        "<sip:alice@itsp.example>;auth_user=alice;auth_pass={password};outbound=\"sip:{proxy}\";regint=0\n"
    );
    for (name, text) in [
        ("config", &*config),
        ("accounts", &*account),
        ("contacts", ""),
    ] {
        fs::write(folder.join(name), text).expect("a file");
    }
    let started = Command::new("baresip")
        .args([
            "-4",
            "-s",
            "-e",
            &format!("/dial sip:{LONDON}@itsp.example"),
        ])
        .arg("-f")
        .arg(&folder)
        // A defect must not leave it running.
        .args(["-t", "60"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(child) => Baresip(child),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("baresip is not installed; `make setup` installs it")
        }
        Err(error) => panic!("baresip cannot be started: {error}"),
    }
}

/// Status codes of the answers it got, up to the end of the call, and how it says that ended.
fn told(mut baresip: Baresip) -> (Vec<String>, String) {
    let output = BufReader::new(baresip.0.stdout.take().expect("a pipe"));
    let mut all = String::new();
    let mut codes = Vec::new();
    for line in output.split(b'\n') {
        let line = line.expect("readable");
        let line = String::from_utf8_lossy(&line);
        all.push_str(&line);
        all.push('\n');
        if let Some(status) = line.strip_prefix("SIP/2.0 ") {
            codes.push(status[..3].to_owned());
        }
        if let Some((_, end)) = line.split_once("session closed: ") {
            return (codes, end.trim().to_owned());
        }
    }
    panic!("the call did not end:\n{all}");
}

#[test]
fn it_authenticates_and_follows_the_redirection() {
    let service = service("digest_baresip", Some("MD5"));
    let (codes, end) = told(dial(&service, PASSWORD));
    // It follows the 302 to where it sends everything: here, where A00 is no number to dial.
    assert_eq!(codes, ["401", "302", "482"]);
    assert_eq!(end, "482 Loop Detected");
    counted_to_alice(&service, 1);
}

#[test]
fn it_is_forbidden_with_a_wrong_password() {
    let service = service("digest_baresip_forbidden", Some("MD5"));
    let (codes, end) = told(dial(&service, "incorrect-horse"));
    assert_eq!(codes, ["401", "403"]);
    assert_eq!(end, "403 Forbidden");
    assert_eq!(service.decided(), 0);
}
