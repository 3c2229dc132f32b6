//! What holds for any input; `rsip` is the independent reader.

use super::*;
use proptest::prelude::*;
use rsip::headers::ToTypedHeader;
use rsip::message::HeadersExt;

/// Everything sent for a datagram, however it is decided.
fn answers_to(datagram: &[u8]) -> Vec<Packet> {
    let mut endpoint = endpoint(Ingress::Prevention);
    match endpoint.receive(datagram, source(), now()) {
        Outcome::Reply { packet, .. } => vec![packet],
        Outcome::Decide(call) => {
            let answer = Answer::Redirect {
                code: Code::A00,
                number: call.asked.attempt.dialed.clone(),
                host: call.asked.attempt.domain.clone(),
                score: None,
            };
            endpoint
                .complete(&call.pending, &answer)
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn assert_well_formed(packet: &Packet) {
    assert_eq!(
        packet.to.ip(),
        source().ip(),
        "nobody else is ever answered"
    );
    let text = text(&packet.bytes);
    assert!(text.ends_with("\r\n\r\n"));
    const OURS: [&str; 11] = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Allow",
        "Accept",
        "Unsupported",
        "Server",
        "Content-Length",
    ];
    for line in text.trim_end().split("\r\n").skip(1) {
        let name = line.split(':').next().expect("name");
        assert!(OURS.contains(&name), "{line:?}");
        // Behind a backslash one may stand in a quoted string; CR and LF never.
        let mut escaped = false;
        for c in line.chars() {
            let allowed = c == '\t' || (escaped && c != '\r' && c != '\n');
            assert!(!c.is_ascii_control() || allowed, "{line:?}");
            escaped = c == '\\' && !escaped;
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_never_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(answers_to(&bytes).is_empty());
    }

    #[test]
    fn a_broken_invite_never_panics_and_never_breaks_an_answer(
        which in 0..3_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 1..8),
    ) {
        let mut datagram = wire([INVITE, COMPACT, TEL][which]);
        for (at, kind, byte) in edits {
            let at = at.index(datagram.len());
            match kind {
                0 => datagram[at] = byte,
                1 => datagram.insert(at, byte),
                _ => { datagram.remove(at); }
            }
        }
        for packet in answers_to(&datagram) {
            assert_well_formed(&packet);
        }
    }

    #[test]
    fn no_header_value_can_start_a_header(
        header in prop::sample::select(vec!["From: ", "To: ", "Call-ID: ", "CSeq: ", "Via: SIP/2.0/UDP 192.0.2.7:5080", "INVITE sip:"]),
        evil in "[ -~\\r\\n\\t\\x00é%;,<>\"]{0,12}",
    ) {
        let datagram = INVITE.replace('\n', "\r\n").replacen(header, &format!("{header}{evil}Evil: 1"), 1);
        for packet in answers_to(datagram.as_bytes()) {
            assert_well_formed(&packet);
        }
    }

    #[test]
    fn a_valid_invite_makes_the_round_trip(
        dialed in "[0-9+#* a-z.@%é-]{1,20}",
        user in "[a-z][a-z0-9._-]{0,12}",
        domain in "[a-z]{1,8}\\.[a-z]{2,5}",
        branch in "[a-zA-Z0-9.-]{1,20}",
        call_id in "[a-zA-Z0-9.-]{1,20}(@[a-z.]{1,9})?",
        cseq in 0..u32::MAX,
        calls in any::<u32>(),
    ) {
        let mut escaped = Vec::new();
        crate::sip::text::escape_user(&mut escaped, &dialed);
        let datagram = wire(&format!(
            "INVITE sip:{}@gw SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.7;rport;branch=z9hG4bK{branch}\n\
             From: <sip:{user}@{domain}>;tag=t\nTo: <sip:x@gw>\nCall-ID: {call_id}\nCSeq: {cseq} INVITE\n\
             P-Calls: {calls}\nContent-Length: 0\n\n",
            text(&escaped),
        ));
        let mut endpoint = endpoint(Ingress::Prevention);
        let call = call(&mut endpoint, &datagram);
        prop_assert_eq!(&call.asked.attempt.dialed, dialed.trim());
        prop_assert_eq!((&call.asked.attempt.user, &call.asked.attempt.domain), (&user, &domain));
        prop_assert_eq!(call.asked.attempt.concurrent, Some(calls));
        let packet = endpoint.complete(&call.pending, &redirect("55")).expect("an answer");
        let response = read(&packet.bytes);
        prop_assert_eq!(response.call_id_header().expect("Call-ID").to_string(), format!("Call-ID: {call_id}"));
        let via = response.via_header().expect("Via").typed().expect("rsip reads the Via");
        prop_assert_eq!(via.branch().expect("branch").to_string(), format!("z9hG4bK{branch}"));
        prop_assert_eq!(via.received().expect("an address"), Some(source().ip()));
        let contact = response.contact_header().expect("Contact").typed().expect("rsip reads the Contact");
        prop_assert_eq!(contact.uri.user(), Some("A0055"));
    }
}
