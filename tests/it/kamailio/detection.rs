//! Free detection: TFPS hears of every call and changes none, whatever it does itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::customer::Call;
use super::harness::{Kamailio, Mode, Setup};
use super::tfps::Tfps;
use super::uas::{Script, Uas};
use crate::support::Message;

/// Every failure a gateway is likely to send, and some more.
const FINAL: [u16; 31] = [
    400, 401, 403, 404, 405, 406, 407, 408, 410, 415, 480, 481, 482, 483, 484, 485, 486, 487, 488,
    491, 500, 501, 502, 503, 504, 513, 580, 600, 603, 604, 606,
];
const NUMBER: &str = "5548912345678";

fn kamailio(mode: Mode, tfps: SocketAddr, gateway: &Uas) -> Kamailio {
    Kamailio::start(Setup {
        prevention: tfps,
        detection: tfps,
        gateway: gateway.addr,
        mode,
        account: None,
    })
}

/// The gateway's final codes that came out as something else: (gateway's, caller's).
async fn hidden(mode: Mode, tfps: SocketAddr) -> Vec<(u16, u16)> {
    let code_of = |number: &str| number[number.len() - 3..].parse().unwrap();
    let gateway =
        Uas::start(move |invite: &Message| Script::Refuse(code_of(invite.number()))).await;
    let kamailio = kamailio(mode, tfps, &gateway);
    let mut calls = Vec::new();
    for code in FINAL {
        calls.push((
            code,
            Call::place(kamailio.addr, "alice", &format!("5548900000{code}")).await,
        ));
    }
    let mut hidden = Vec::new();
    for (code, mut call) in calls {
        let answer = call.outcome().await;
        let outcome = answer.status().unwrap();
        if outcome != code || !answer.start.ends_with("As Scripted") {
            hidden.push((code, outcome));
        }
    }
    hidden
}

#[tokio::test]
async fn a_fork_hides_no_final_code_of_the_gateway() {
    let tfps = Tfps::start().await;
    assert_eq!(hidden(Mode::Detection, tfps.detection()).await, []);
    tfps.recorded(FINAL.len() as u64);
}

#[tokio::test]
async fn a_copy_hides_no_final_code_of_the_gateway() {
    let tfps = Tfps::start().await;
    assert_eq!(hidden(Mode::DetectionCopy, tfps.detection()).await, []);
    tfps.recorded(FINAL.len() as u64);
}

/// Of several failures of a class the lowest code wins, so that exactly these lose to TFPS's 503.
#[tokio::test]
async fn a_plain_fork_hides_exactly_the_5xx_above_503() {
    let tfps = Tfps::start().await;
    assert_eq!(
        hidden(Mode::DetectionPlainFork, tfps.detection()).await,
        [(504, 503), (513, 503), (580, 503)]
    );
    tfps.recorded(FINAL.len() as u64);
}

#[tokio::test]
async fn a_silent_tfps_hides_no_final_code_from_the_fork() {
    let silent = Uas::start(|_| Script::Silent).await;
    assert_eq!(hidden(Mode::Detection, silent.addr).await, []);
}

/// Not for `fr_timer`, that is, but for one retransmission interval at most.
#[tokio::test]
async fn a_silent_tfps_does_not_keep_a_failed_call_waiting() {
    let silent = Uas::start(|_| Script::Silent).await;
    let gateway = Uas::start(|_| Script::Refuse(486)).await;
    let kamailio = kamailio(Mode::Detection, silent.addr, &gateway);

    let placed = Instant::now();
    assert_eq!(
        Call::place(kamailio.addr, "alice", NUMBER)
            .await
            .status()
            .await,
        486
    );
    assert!(
        placed.elapsed() < Duration::from_secs(3),
        "waited {:?}",
        placed.elapsed()
    );
}

#[tokio::test]
async fn a_silent_tfps_hides_no_final_code_from_the_copy() {
    let silent = Uas::start(|_| Script::Silent).await;
    assert_eq!(hidden(Mode::DetectionCopy, silent.addr).await, []);
}

#[tokio::test]
async fn no_other_failure_of_tfps_hides_a_final_code_either() {
    for code in [302, 401, 487, 499, 580, 599, 603] {
        let other = Uas::start(move |_| Script::Refuse(code)).await;
        assert_eq!(
            hidden(Mode::Detection, other.addr).await,
            [],
            "TFPS says {code}"
        );
    }
}

#[tokio::test]
async fn an_answered_call_is_the_gateways() {
    for mode in [
        Mode::Detection,
        Mode::DetectionPlainFork,
        Mode::DetectionCopy,
    ] {
        let tfps = Tfps::start().await;
        let gateway = Uas::start(|_| Script::Answer).await;
        let kamailio = kamailio(mode, tfps.detection(), &gateway);

        let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
        assert_eq!(call.status().await, 200, "{mode:?}");
        assert_eq!(call.hang_up().await, 200, "{mode:?}");
        gateway.wait_for("ACK", 1).await;
        gateway.wait_for("BYE", 1).await;
        tfps.recorded(1);
    }
}

#[tokio::test]
async fn tfps_is_told_of_the_call_and_the_gateway_sees_nothing_of_it() {
    for mode in [Mode::Detection, Mode::DetectionCopy] {
        let tfps = Uas::start(|_| Script::Refuse(503)).await;
        let gateway = Uas::start(|_| Script::Answer).await;
        let kamailio = kamailio(mode, tfps.addr, &gateway);

        let forged = [("P-Received", "203.0.113.66"), ("P-Calls", "99")];
        let mut call = Call::place_with(kamailio.addr, "alice", NUMBER, &forged).await;
        assert_eq!(call.status().await, 200);
        let told = &tfps.wait_for("INVITE", 1).await[0];
        let sent = &gateway.seen("INVITE")[0];

        let uri = format!("sip:{NUMBER}@{}", kamailio.addr);
        assert_eq!(
            (told.request_uri(), sent.request_uri()),
            (&*uri, &*uri),
            "{mode:?}"
        );
        assert_eq!(told.header("Call-ID"), sent.header("Call-ID"));
        assert!(
            told.header("From")
                .unwrap()
                .contains("sip:alice@itsp.example"),
            "{told}"
        );
        for (name, value) in [
            ("P-Received", "127.0.0.1"),
            ("P-Calls", "0"),
            ("P-UA", "Customer-PBX/1.0"),
        ] {
            assert_eq!(
                told.all(name).collect::<Vec<_>>(),
                [value],
                "{mode:?}: {name}"
            );
            assert_eq!(sent.header(name), None, "{mode:?}: {name}");
        }
        tfps.wait_for("ACK", 1).await;
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_as_if_tfps_were_not_there() {
    for mode in [
        Mode::Detection,
        Mode::DetectionPlainFork,
        Mode::DetectionCopy,
    ] {
        for script in [Script::Refuse(503), Script::Ring, Script::Silent] {
            let answer = script.clone();
            let tfps = Uas::start(move |_| answer.clone()).await;
            let gateway = Uas::start(|_| Script::Ring).await;
            let kamailio = kamailio(mode, tfps.addr, &gateway);

            let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
            call.progress(180).await;
            call.cancel().await;
            assert_eq!(call.status().await, 487, "{mode:?}, TFPS: {script:?}");
            gateway.wait_for("CANCEL", 1).await;
            gateway.wait_for("ACK", 1).await;
        }
    }
}

/// It takes fr_timer as shipped, so the two forms wait side by side.
#[tokio::test]
async fn a_silent_gateway_is_a_timeout_and_not_tfpss_answer() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Silent).await;
    let forms = [Mode::Detection, Mode::DetectionCopy]
        .map(|mode| kamailio(mode, tfps.detection(), &gateway));

    let mut fork = Call::place(forms[0].addr, "alice", NUMBER).await;
    let mut copy = Call::place(forms[1].addr, "alice", NUMBER).await;
    assert_eq!((fork.status().await, copy.status().await), (408, 408));
}
