//! Prevention: the gateway sees a call only after TFPS has approved it.

use std::time::{Duration, Instant};

use super::customer::Call;
use super::harness::{Kamailio, Mode, Setup};
use super::tfps::{BLACKLISTED, Tfps};
use super::uas::{Script, Uas};
use crate::support::Message;

pub const NUMBER: &str = "5548912345678";
pub const OURS: [&str; 5] = ["P-Received", "P-UA", "P-Calls", "P-TFPS", "X-TFPS"];

pub fn kamailio(mode: Mode, tfps: std::net::SocketAddr, gateway: &Uas) -> Kamailio {
    Kamailio::start(Setup {
        prevention: tfps,
        detection: tfps,
        gateway: gateway.addr,
        mode,
        account: None,
    })
}

pub fn leaked(invite: &Message) -> Vec<&str> {
    OURS.into_iter()
        .filter(|name| invite.header(name).is_some())
        .collect()
}

#[tokio::test]
async fn an_approved_call_reaches_the_gateway_as_the_customer_sent_it() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::Prevention, tfps.prevention(), &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    assert_eq!(call.status().await, 200);
    assert_eq!(call.hang_up().await, 200);

    let invites = gateway.seen("INVITE");
    assert_eq!(invites.len(), 1);
    assert_eq!(
        invites[0].request_uri(),
        format!("sip:{NUMBER}@{}", kamailio.addr)
    );
    assert_eq!(leaked(&invites[0]), [""; 0]);
    gateway.wait_for("ACK", 1).await;
    gateway.wait_for("BYE", 1).await;
    tfps.recorded(1);
    // What Kamailio told is what was looked at.
    assert_eq!(
        tfps.column("user, domain, dialed, source_ip, user_agent, code"),
        [format!(
            "alice\titsp.example\t{NUMBER}\t::ffff:127.0.0.1\tCustomer-PBX/1.0\tA00"
        )]
    );
}

#[tokio::test]
async fn a_refused_call_gets_403_and_never_reaches_the_gateway() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::Prevention, tfps.prevention(), &gateway);

    let answer = Call::place(kamailio.addr, "alice", BLACKLISTED)
        .await
        .outcome()
        .await;
    assert_eq!(answer.start, "SIP/2.0 403 Forbidden");
    assert!(
        !answer.to_string().contains("R03"),
        "the caller must not learn why: {answer}"
    );

    // A later call that does arrive shows that the refused one would have been seen by now.
    assert_eq!(
        Call::place(kamailio.addr, "alice", NUMBER)
            .await
            .status()
            .await,
        200
    );
    assert_eq!(gateway.seen("INVITE").len(), 1);
    tfps.recorded(2);
    assert_eq!(tfps.column("code"), ["R03", "A00"]);
}

#[tokio::test]
async fn tfps_may_be_asked_over_tcp() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::PreventionOverTcp, tfps.prevention(), &gateway);

    for (number, status) in [(NUMBER, 200), (BLACKLISTED, 403)] {
        let mut call = Call::place(kamailio.addr, "alice", number).await;
        assert_eq!(call.status().await, status);
        if status == 200 {
            assert_eq!(call.hang_up().await, 200);
        }
    }
    assert_eq!(gateway.seen("INVITE").len(), 1);
    tfps.recorded(2);
    assert_eq!(tfps.connections(), 1, "both by one connection");
}

#[tokio::test]
async fn decline_mode_refuses_with_603() {
    let tfps = Uas::start(|_| Script::Refuse(603)).await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::PreventionFailOpen, tfps.addr, &gateway);

    assert_eq!(
        Call::place(kamailio.addr, "alice", NUMBER)
            .await
            .status()
            .await,
        403
    );
    assert!(gateway.seen("INVITE").is_empty());
}

#[tokio::test]
async fn a_silent_tfps_stops_the_call_when_failing_closed() {
    let tfps = Uas::start(|_| Script::Silent).await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::Prevention, tfps.addr, &gateway);

    assert_eq!(
        Call::place(kamailio.addr, "alice", NUMBER)
            .await
            .status()
            .await,
        503
    );
    assert!(gateway.seen("INVITE").is_empty());
}

#[tokio::test]
async fn a_silent_tfps_lets_the_call_through_when_failing_open() {
    let tfps = Uas::start(|_| Script::Silent).await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::PreventionFailOpen, tfps.addr, &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    assert_eq!(call.status().await, 200);
    assert_eq!(call.hang_up().await, 200);
    let invites = gateway.seen("INVITE");
    assert_eq!(
        invites[0].request_uri(),
        format!("sip:{NUMBER}@{}", kamailio.addr)
    );
    assert_eq!(leaked(&invites[0]), [""; 0]);
}

/// 401: not a trusted peer; 403: domain not served; 5xx: TFPS itself fails.
#[tokio::test]
async fn an_answer_that_is_no_decision_counts_as_none() {
    let tfps = Uas::start(|invite| {
        let number = invite.number();
        Script::Refuse(number[number.len() - 3..].parse().unwrap())
    })
    .await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let closed = kamailio(Mode::Prevention, tfps.addr, &gateway);
    let open = kamailio(Mode::PreventionFailOpen, tfps.addr, &gateway);

    let codes = [401, 403, 408, 500, 502, 503, 504];
    for code in codes {
        let number = format!("5548900000{code}");
        for (kamailio, status) in [(&closed, 503), (&open, 200)] {
            let mut call = Call::place(kamailio.addr, "alice", &number).await;
            assert_eq!(call.status().await, status, "{code}");
        }
    }
    assert_eq!(gateway.seen("INVITE").len(), codes.len());
}

#[tokio::test]
async fn a_call_cancelled_while_tfps_is_asked_goes_nowhere_even_when_failing_open() {
    let tfps = Uas::start(|_| Script::Silent).await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::PreventionFailOpen, tfps.addr, &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    tfps.wait_for("INVITE", 1).await;
    call.cancel().await;
    assert_eq!(call.status().await, 487);
    assert!(gateway.seen("INVITE").is_empty());
}

#[tokio::test]
async fn an_approval_that_crosses_the_cancel_goes_nowhere() {
    let tfps =
        Uas::start(|invite| Script::RedirectOnCancel(format!("A00{}", invite.number()))).await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::Prevention, tfps.addr, &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    tfps.wait_for("INVITE", 1).await;
    call.cancel().await;
    assert_eq!(call.status().await, 487);
    tfps.wait_for("ACK", 1).await;
    assert!(gateway.seen("INVITE").is_empty());
}

#[tokio::test]
async fn a_call_cancelled_while_ringing_is_cancelled_at_the_gateway() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Ring).await;
    let kamailio = kamailio(Mode::Prevention, tfps.prevention(), &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    call.progress(180).await;
    call.cancel().await;
    assert_eq!(call.status().await, 487);
    gateway.wait_for("CANCEL", 1).await;
    gateway.wait_for("ACK", 1).await;
}

/// TFPS gets a second, the gateway `fr_timer`: a gateway that is given up as early as TFPS would never ring for long.
#[tokio::test]
async fn the_gateway_has_its_own_time() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Silent).await;
    let kamailio = kamailio(Mode::Prevention, tfps.prevention(), &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    gateway.wait_for("INVITE", 1).await;
    let waiting = Instant::now();
    assert_eq!(call.status().await, 408);
    assert!(
        waiting.elapsed() > Duration::from_secs(3),
        "given up after {:?}",
        waiting.elapsed()
    );
}
