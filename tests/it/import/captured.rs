//! Captures made by the tools that make them.

use super::{import, text, written};
use crate::support::TestService;
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn head(call: &str, method: &str, tags: (&str, &str)) -> String {
    let (from, to) = tags;
    let to = if to.is_empty() {
        String::new()
    } else {
        format!(";tag={to}")
    };
    format!(
        "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{call}{method}\r\nFrom: <sip:alice@a.example>;tag={from}\r\n\
         To: <sip:5548987654321@a.example>{to}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\
         User-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
    )
}

/// INVITE, 200 and BYE of a call.
fn talk(call: &str) -> [String; 3] {
    [
        format!(
            "INVITE sip:5548987654321@a.example SIP/2.0\r\n{}",
            head(call, "INVITE", ("f", ""))
        ),
        format!("SIP/2.0 200 OK\r\n{}", head(call, "INVITE", ("f", "t"))),
        format!(
            "BYE sip:alice@a.example SIP/2.0\r\n{}",
            head(call, "BYE", ("f", "t"))
        ),
    ]
}

fn is_there(tool: &str) -> bool {
    let mut run = Command::new(tool);
    run.arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run.status().is_ok_and(|status| status.success())
}

/// What text2pcap reads: a time, and the bytes in hexadecimal with their offsets.
fn hex(messages: &[(u32, String)]) -> String {
    let mut dump = String::new();
    for (second, message) in messages {
        let _ = writeln!(dump, "2026-07-01 10:30:{second:02}.250000");
        for (line, bytes) in message.as_bytes().chunks(16).enumerate() {
            let _ = write!(dump, "{:06x}", line * 16);
            for byte in bytes {
                let _ = write!(dump, " {byte:02x}");
            }
            dump.push('\n');
        }
        dump.push('\n');
    }
    dump
}

#[test]
fn what_text2pcap_writes_in_both_formats() {
    if !is_there("text2pcap") {
        eprintln!("skipped: text2pcap is not installed");
        return;
    }
    let service = TestService::start_on_shared("import_text2pcap");
    let [invite, ok, bye] = talk("one");
    let dump = hex(&[(0, invite), (2, ok), (42, bye)]);
    let dump = written(&service, "dump.txt", dump);
    for (format, already) in [("pcap", 0), ("pcapng", 1)] {
        let file = service.folder().join(format!("calls.{format}"));
        let made = Command::new("text2pcap")
            .args([
                "-q",
                "-F",
                format,
                "-t",
                "%Y-%m-%d %H:%M:%S.%f",
                "-4",
                "192.0.2.1,192.0.2.9",
                "-u",
                "5060,5060",
            ])
            .args([&dump, &file])
            .env("TZ", "UTC")
            .output()
            .expect("runs");
        assert!(made.status.success(), "{made:?}");
        let said = import(&service, &file, &[]);
        // The call in the other format is the same call.
        assert_eq!(said["imported"]["calls"], 1, "{said}");
        assert_eq!(said["imported"]["already"], already, "{said}");
    }
    let row = service.sql(
        "SELECT toString(toTimeZone(at, 'UTC')), user, number, IPv6NumToString(source_ip), user_agent, call_id, concurrent \
         FROM calls",
    );
    assert_eq!(
        row,
        "2026-07-01 10:30:00.250000\talice\t5548987654321\t::ffff:192.0.2.1\tfriendly-scanner\tone\t0"
    );
}

/// Captures the loopback's UDP to and from a port, until it is dropped.
struct Capture {
    process: Child,
    file: PathBuf,
}

impl Capture {
    /// `None`: not permitted here, or not installed.
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let file = folder.join("live.pcapng");
        let process = Command::new("dumpcap")
            .args([
                "-q",
                "-i",
                "lo",
                "-f",
                &format!("udp port {port}"),
                "-w",
                text(&file),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut capture = Self { process, file };
        let deadline = Instant::now() + Duration::from_secs(20);
        // The file is there, with its headers, once packets are captured.
        while capture.length() == 0 {
            let ended = capture.process.try_wait().ok()?.is_some();
            if ended || Instant::now() > deadline {
                return None;
            }
            std::thread::yield_now();
        }
        Some(capture)
    }

    fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |file| file.len())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_dumpcap_records_of_a_call_on_the_loopback() {
    let service = TestService::start_on_shared("import_dumpcap");
    let [caller, called] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("bound"));
    let port = called.local_addr().expect("bound").port();
    let Some(capture) = Capture::start(service.folder(), port) else {
        eprintln!("skipped: dumpcap is not installed or may not capture here");
        return;
    };
    caller.connect(("127.0.0.1", port)).expect("connected");
    called
        .connect(caller.local_addr().expect("bound"))
        .expect("connected");
    let [invite, ok, bye] = talk("live");
    let deadline = Instant::now() + Duration::from_secs(30);
    // A packet may be seen later than it was sent: until all that was sent is in the file.
    let expected = (invite.len() + ok.len() + bye.len()) as u64;
    caller.send(invite.as_bytes()).expect("sent");
    called.send(ok.as_bytes()).expect("sent");
    caller.send(bye.as_bytes()).expect("sent");
    while capture.length() < expected && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let file = capture.file.clone();
    drop(capture);
    let ended = service.tfps(&["import", "--json", text(&file)]);
    // Killed in the middle of a packet or not: what is whole counts.
    assert!(matches!(ended.code, Some(0 | 65)), "{ended:?}");
    let row = service.sql("SELECT user, number, IPv6NumToString(source_ip), call_id FROM calls");
    assert_eq!(row, "alice\t5548987654321\t::ffff:127.0.0.1\tlive");
}
