//! Kamailio reads each form without complaint. What the forms do is tested in `crate::kamailio`.

use super::root;
use std::process::Command;

#[test]
fn every_form_is_read() {
    let forms: [&[&str]; 6] = [
        &[],
        &["WITH_TFPS_PREVENTION"],
        &["WITH_TFPS_PREVENTION", "TFPS_FAIL_OPEN"],
        &["WITH_TFPS_DETECTION"],
        &["WITH_TFPS_DETECTION", "TFPS_COPY"],
        &["WITH_TFPS_DETECTION", "TFPS_PLAIN_FORK"],
    ];
    for form in forms {
        let read = Command::new("kamailio")
            .arg("-c")
            .args(form.iter().flat_map(|switch| ["-A", switch]))
            .arg("-f")
            .arg(root().join("kamailio/kamailio.cfg"))
            .output()
            .unwrap_or_else(|error| panic!("kamailio: {error}; `make setup` installs it"));
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{form:?}:\n{said}");
    }
}
