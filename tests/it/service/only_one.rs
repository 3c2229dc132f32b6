//! What is taken already: ports, the data folder.

use std::fs;
use std::net::{TcpListener, UdpSocket};

use crate::support::{Phone, TestService, code_of};

/// Processes whose command line names the folder.
fn processes_on(folder: &std::path::Path) -> Vec<String> {
    let name = folder.to_string_lossy().into_owned();
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&name))
        .collect()
}

#[test]
fn a_port_in_use_ends_it_with_address_and_key() {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let udp_address = udp.local_addr().expect("bound");
    let tcp_address = tcp.local_addr().expect("bound");
    for (section, address) in [
        ("prevention", udp_address),
        ("detection", udp_address),
        ("http", tcp_address),
        ("embedded", tcp_address),
    ] {
        let variable = format!("TFPS_{}__LISTEN", section.to_uppercase());
        let service = TestService::prepare().with(&variable, &address.to_string());
        let ended = service.tfps(&["serve"]);
        assert_eq!(ended.code, Some(1), "{section}: {ended:#?}");
        let said = ended.stderr.lines().last().unwrap_or_default();
        assert!(said.starts_with("error: "), "{said}");
        assert!(said.contains(&format!("{section}.listen")), "{said}");
        assert!(said.contains(&address.port().to_string()), "{said}");
        assert_eq!(processes_on(service.folder()), [""; 0], "{section}");
    }
}

#[test]
fn a_second_service_on_the_folder_says_so_and_the_first_goes_on() {
    let first = TestService::start();
    let free = |key: &str| (key.to_owned(), "127.0.0.1:0".to_owned());
    let second = first
        .command(&["serve"])
        .envs(
            ["PREVENTION", "DETECTION", "HTTP", "EMBEDDED"]
                .map(|s| free(&format!("TFPS_{s}__LISTEN"))),
        )
        .output()
        .expect("the program starts");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    let said = said.lines().last().unwrap_or_default();
    assert!(said.contains("another running process"), "{said}");
    assert!(said.contains(&*first.data().to_string_lossy()), "{said}");

    let answer = Phone::new(first.prevention()).call("5548987654321");
    assert_eq!(code_of(&answer), "A00");
    first.wait_for_rows(1);
    // The commands still find the first one.
    assert!(first.tfps_ok(&["migrate"]).contains("of this version"));
}
