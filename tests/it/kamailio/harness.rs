//! Starts the real Kamailio with the configuration that is shipped, in a directory of its own.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What Kamailio is to talk to, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub prevention: SocketAddr,
    pub detection: SocketAddr,
    pub gateway: SocketAddr,
    pub mode: Mode,
    /// `TFPS_ACCOUNT`, sent as `X-TFPS`.
    pub account: Option<&'static str>,
}

/// The forms that `integrations/kamailio` offers.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    Prevention,
    /// TFPS is asked over TCP.
    PreventionOverTcp,
    PreventionFailOpen,
    Detection,
    /// The fork without the rewriting of TFPS's own answer.
    DetectionPlainFork,
    DetectionCopy,
}

impl Mode {
    fn switches(self) -> &'static [&'static str] {
        match self {
            Self::Prevention | Self::PreventionOverTcp => &["WITH_TFPS_PREVENTION"],
            Self::PreventionFailOpen => &["WITH_TFPS_PREVENTION", "TFPS_FAIL_OPEN"],
            Self::Detection => &["WITH_TFPS_DETECTION"],
            Self::DetectionPlainFork => &["WITH_TFPS_DETECTION", "TFPS_PLAIN_FORK"],
            Self::DetectionCopy => &["WITH_TFPS_DETECTION", "TFPS_COPY"],
        }
    }
}

/// A running Kamailio; stopped, children included, when dropped.
pub struct Kamailio {
    pub addr: SocketAddr,
    child: Child,
    dir: TempDir,
}

impl Kamailio {
    /// Blocks until it answers OPTIONS.
    pub fn start(setup: Setup) -> Self {
        // The port is free when it is chosen, not when Kamailio binds it: another test may be quicker.
        for _ in 0..3 {
            let mut kamailio = Self::spawn(setup);
            if kamailio.ready() {
                return kamailio;
            }
            eprintln!("kamailio did not start:\n{}", kamailio.log());
        }
        panic!("kamailio did not start in three attempts; its log is above");
    }

    /// Everything Kamailio said, to be shown when a test fails; never asserted on.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn spawn(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/kamailio");
        for file in ["kamailio.cfg", "tfps.cfg"] {
            fs::copy(shipped.join(file), dir.path().join(file)).unwrap();
        }
        let addr = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        fs::write(dir.path().join("tfps-local.cfg"), local_cfg(setup, addr)).unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        let spawned = Command::new("kamailio")
            // In the foreground, logging to stderr, two workers, 16 MB shared and 4 MB private memory.
            .args(["-DD", "-E", "-n", "2", "-m", "16", "-M", "4"])
            .arg("-f")
            .arg(dir.path().join("kamailio.cfg"))
            .arg("-w")
            .arg(dir.path())
            .arg("-Y")
            .arg(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("kamailio is not installed; `make setup` installs it")
            }
            Err(error) => panic!("kamailio cannot be started: {error}"),
        };
        Self { addr, child, dir }
    }

    fn ready(&mut self) -> bool {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let own = socket.local_addr().unwrap();
        let ping = format!(
            "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bKready\r\nMax-Forwards: 1\r\n\
             From: <sip:ready@{own}>;tag=r\r\nTo: <sip:{to}>\r\nCall-ID: ready-{own}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n",
            to = self.addr,
        );
        while Instant::now() < deadline && self.child.try_wait().unwrap().is_none() {
            // Nobody listening yet shows as an error on either call, and is what the loop is for.
            let _ = socket.send_to(ping.as_bytes(), self.addr);
            if socket.recv(&mut [0; 2048]).is_ok() {
                return true;
            }
        }
        false
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kamailio's log:\n{}", self.log());
        }
        // SIGKILL to the group it was given: nothing is worth saving, on SIGTERM Kamailio sometimes takes its 60 s, and
        // workers (some perhaps being forked just now) outlive a main process that is killed alone.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn local_cfg(setup: Setup, listen: SocketAddr) -> String {
    let Setup {
        prevention,
        detection,
        gateway,
        mode,
        account,
    } = setup;
    // Kamailio connects from a socket that listens, too.
    let (parameter, own) = match mode {
        Mode::PreventionOverTcp => (";transport=tcp", format!("listen=tcp:{listen}\n")),
        _ => ("", String::new()),
    };
    let mut text = format!(
        "#!define LISTEN_ADDRESS udp:{listen}\n\
         #!define GATEWAY \"sip:{gateway}\"\n\
         #!define TFPS_PREVENTION \"sip:{prevention}{parameter}\"\n\
         #!define TFPS_DETECTION \"sip:{detection}\"\n"
    );
    text.push_str(&own);
    for switch in mode.switches() {
        text.push_str(&format!("#!define {switch}\n"));
    }
    if let Some(account) = account {
        text.push_str(&format!("#!define TFPS_ACCOUNT \"{account}\"\n"));
    }
    text
}
