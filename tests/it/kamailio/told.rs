//! What TFPS is told about a call, and that the gateway is told none of it.

use super::customer::Call;
use super::harness::{Kamailio, Mode, Setup};
use super::prevention::{NUMBER, OURS, kamailio, leaked};
use super::tfps::Tfps;
use super::uas::{Script, Uas};

/// A TFPS whose questions can be read, and that approves all.
async fn approving() -> Uas {
    Uas::start(|invite| Script::Redirect(format!("A00{}", invite.number()))).await
}

#[tokio::test]
async fn tfps_is_told_the_source_the_user_agent_and_the_calls_and_forgeries_are_dropped() {
    let tfps = approving().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = kamailio(Mode::Prevention, tfps.addr, &gateway);

    let forged = OURS.map(|name| (name, "203.0.113.66"));
    assert_eq!(
        Call::place_with(kamailio.addr, "alice", NUMBER, &forged)
            .await
            .status()
            .await,
        200
    );

    let asked = &tfps.seen("INVITE")[0];
    assert_eq!(
        asked.request_uri(),
        format!("sip:{NUMBER}@{}", kamailio.addr)
    );
    assert_eq!(asked.all("P-Received").collect::<Vec<_>>(), ["127.0.0.1"]);
    assert_eq!(asked.all("P-UA").collect::<Vec<_>>(), ["Customer-PBX/1.0"]);
    assert_eq!(asked.all("P-Calls").collect::<Vec<_>>(), ["0"]);
    assert_eq!(asked.header("P-TFPS"), None);
    assert_eq!(asked.header("X-TFPS"), None);
    assert_eq!(leaked(&gateway.seen("INVITE")[0]), [""; 0]);
    tfps.wait_for("ACK", 1).await;
}

#[tokio::test]
async fn tfps_is_told_whose_policy_applies_where_that_is_configured() {
    let tfps = approving().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let (tfps_addr, gateway_addr, account) = (tfps.addr, gateway.addr, "sales@itsp.example");
    for mode in [Mode::Prevention, Mode::Detection, Mode::DetectionCopy] {
        let asked_before = tfps.seen("INVITE").len();
        let kamailio = Kamailio::start(Setup {
            prevention: tfps_addr,
            detection: tfps_addr,
            gateway: gateway_addr,
            mode,
            account: Some(account),
        });
        assert_eq!(
            Call::place(kamailio.addr, "alice", NUMBER)
                .await
                .status()
                .await,
            200
        );
        let asked = tfps.wait_for("INVITE", asked_before + 1).await;
        assert_eq!(
            asked.last().unwrap().header("X-TFPS"),
            Some(account),
            "{mode:?}"
        );
        assert_eq!(
            gateway.seen("INVITE").last().unwrap().header("X-TFPS"),
            None,
            "{mode:?}"
        );
    }
}

/// Two calls up, one refused by the gateway, one of somebody else; then they hang up.
#[tokio::test]
async fn p_calls_counts_the_callers_other_calls() {
    let tfps = Tfps::start().await;
    let refused = "5548900000486";
    let gateway = Uas::start(move |invite| {
        if invite.number() == refused {
            Script::Refuse(486)
        } else {
            Script::Answer
        }
    })
    .await;
    let kamailio = kamailio(Mode::Prevention, tfps.prevention(), &gateway);
    let try_as = async |caller: &str| {
        let mut call = Call::place(kamailio.addr, caller, refused).await;
        assert_eq!(call.status().await, 486);
    };

    let mut first = Call::place(kamailio.addr, "alice", NUMBER).await;
    assert_eq!(first.status().await, 200);
    let mut second = Call::place(kamailio.addr, "alice", NUMBER).await;
    assert_eq!(second.status().await, 200);
    try_as("alice").await;
    try_as("bob").await;
    // What ended, answered or not, counts no more.
    assert_eq!(first.hang_up().await, 200);
    try_as("alice").await;
    assert_eq!(second.hang_up().await, 200);
    try_as("alice").await;

    tfps.recorded(6);
    assert_eq!(
        tfps.column("concat(user, ' ', toString(concurrent))"),
        [
            "alice 0", "alice 1", "alice 2", "bob 0", "alice 1", "alice 0"
        ]
    );
}

#[tokio::test]
async fn a_retransmitted_invite_is_asked_about_once() {
    let tfps = approving().await;
    let gateway = Uas::start(|_| Script::Ring).await;
    let kamailio = kamailio(Mode::Prevention, tfps.addr, &gateway);

    let mut call = Call::place(kamailio.addr, "alice", NUMBER).await;
    call.resend_invite().await;
    call.progress(180).await;
    call.resend_invite().await;
    call.cancel().await;
    assert_eq!(call.status().await, 487);
    assert_eq!(
        (tfps.seen("INVITE").len(), gateway.seen("INVITE").len()),
        (1, 1)
    );
}
