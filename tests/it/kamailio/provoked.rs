//! What a caller can do to be answered with no decision does not let him through, whatever the form.

use super::customer::Call;
use super::harness::Mode;
use super::prevention::{NUMBER, kamailio};
use super::tfps::{BLACKLISTED, Tfps};
use super::uas::{Script, Uas};

const FORMS: [Mode; 2] = [Mode::Prevention, Mode::PreventionFailOpen];

/// A refused call with `header` stays refused, an approved one goes on with it, and TFPS decides both.
async fn decided_all_the_same(header: (&str, &str), at_the_gateway: &str) {
    for mode in FORMS {
        let tfps = Tfps::start().await;
        let gateway = Uas::start(|_| Script::Answer).await;
        let kamailio = kamailio(mode, tfps.prevention(), &gateway);
        for (number, status) in [(BLACKLISTED, 403), (NUMBER, 200)] {
            let mut call = Call::place_with(kamailio.addr, "alice", number, &[header]).await;
            assert_eq!(call.status().await, status, "{mode:?}: {header:?}");
        }
        let seen: Vec<String> = gateway
            .seen("INVITE")
            .iter()
            .map(|invite| format!("{} {:?}", invite.number(), invite.header(header.0)))
            .collect();
        assert_eq!(seen, [format!("{NUMBER} {:?}", Some(at_the_gateway))]);
        tfps.recorded(2);
        assert_eq!(tfps.column("code"), ["R03", "A00"], "{mode:?}: {header:?}");
    }
}

#[tokio::test]
async fn by_a_hop_count_that_ends_at_tfps() {
    decided_all_the_same(("Max-Forwards", "1"), "0").await;
}

#[tokio::test]
async fn by_an_extension_that_tfps_does_not_know() {
    decided_all_the_same(("Require", "teleport"), "teleport").await;
}

/// TFPS says nothing to what is over 16 KiB, also when that is the proxy's doing.
#[tokio::test]
async fn by_a_message_too_long_for_tfps() {
    for mode in FORMS {
        let tfps = Tfps::start().await;
        let gateway = Uas::start(|_| Script::Answer).await;
        let kamailio = kamailio(mode, tfps.prevention(), &gateway);
        for (name, bytes, status) in [
            ("Subject", 9_000, 403),
            ("User-Agent", 9_000, 403),
            ("Subject", 13_000, 513),
            ("Subject", 17_000, 513),
            ("User-Agent", 17_000, 513),
        ] {
            let long = "x".repeat(bytes);
            let header = [(name, long.as_str())];
            let mut call = Call::place_with(kamailio.addr, "alice", BLACKLISTED, &header).await;
            assert_eq!(call.status().await, status, "{mode:?}: {name}, {bytes}");
        }
        assert!(gateway.seen("INVITE").is_empty());
        tfps.recorded(2);
    }
}

/// Of five calls at once one is within the rate; the others are busy, and with that refused.
#[tokio::test]
async fn by_more_calls_than_the_rate() {
    for mode in FORMS {
        let tfps = Tfps::with_policy(&["--calls-per-second", "1"]);
        let gateway = Uas::start(|_| Script::Answer).await;
        let kamailio = kamailio(mode, tfps.prevention(), &gateway);
        let mut calls = Vec::new();
        for _ in 0..5 {
            calls.push(Call::place(kamailio.addr, "alice", NUMBER).await);
        }
        let mut statuses = Vec::new();
        for call in &mut calls {
            statuses.push(call.status().await);
        }
        let of = |status| statuses.iter().filter(|&&s| s == status).count();
        assert_eq!(of(200) + of(403), 5, "{mode:?}: {statuses:?}");
        assert!(of(403) > 0, "{mode:?}: {statuses:?}");
        assert_eq!(gateway.seen("INVITE").len(), of(200), "{mode:?}");
        tfps.recorded(of(200) as u64);
    }
}

/// By whatever else it may be: only silence, 401, 403, 408 and failures of TFPS itself are no decision.
#[tokio::test]
async fn by_any_other_answer() {
    let tfps = Uas::start(|invite| {
        let number = invite.number();
        match number[number.len() - 3..].parse().unwrap() {
            302 => Script::Redirect(number.to_owned()),
            503 => Script::Busy,
            code => Script::Refuse(code),
        }
    })
    .await;
    let gateway = Uas::start(|_| Script::Answer).await;
    for mode in FORMS {
        let kamailio = kamailio(mode, tfps.addr, &gateway);
        for code in [
            302, 400, 404, 405, 413, 420, 480, 482, 483, 484, 486, 503, 505, 513, 600, 606,
        ] {
            let mut call = Call::place(kamailio.addr, "alice", &format!("5548900000{code}")).await;
            assert_eq!(call.status().await, 403, "{mode:?}: {code}");
        }
    }
    assert!(gateway.seen("INVITE").is_empty());
}
