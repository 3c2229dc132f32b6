//! Captures made here packet by packet, in both formats and on every link that is read.

mod files;
mod pieces;

use super::*;
use crate::replay::Row;
use crate::sip::Malformed;
use etherparse::PacketBuilder;
use std::net::Ipv4Addr;

const START: i64 = 1_700_000_000;
const NOW: Timestamp = Timestamp::from_secs(START + 365 * 86_400);
const CALLER: [u8; 4] = [192, 0, 2, 1];
const PROXY: [u8; 4] = [192, 0, 2, 9];

/// A pcap file being written: Ethernet unless another link is said.
struct Pcap {
    bytes: Vec<u8>,
}

impl Pcap {
    fn new(link: u32) -> Self {
        let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(262_144_u32.to_le_bytes());
        bytes.extend(link.to_le_bytes());
        Self { bytes }
    }

    fn packet(&mut self, millis: i64, data: &[u8]) -> &mut Self {
        let at = START * 1_000 + millis;
        let length = u32::try_from(data.len()).expect("short");
        for number in [
            u32::try_from(at / 1_000).expect("now"),
            u32::try_from(at % 1_000 * 1_000).expect("micros"),
            length,
            length,
        ] {
            self.bytes.extend(number.to_le_bytes());
        }
        self.bytes.extend(data);
        self
    }

    fn udp(&mut self, millis: i64, from: [u8; 4], to: [u8; 4], text: &str) -> &mut Self {
        let packet = ethernet(&ip(from, to, text.as_bytes()));
        self.packet(millis, &packet)
    }

    fn read(&self) -> Seen {
        read(&self.bytes)
    }
}

/// What came of a capture.
struct Seen {
    rows: Vec<Row>,
    counts: Counts,
    broken: Vec<(u64, Broken)>,
    packets: u64,
}

fn read(bytes: &[u8]) -> Seen {
    let mut packets = Packets::new(bytes).expect("a capture");
    let mut reader = Reader::new(NOW);
    let (mut rows, mut broken, mut count) = (Vec::new(), Vec::new(), 0);
    loop {
        let more = packets.next(&mut |packet| {
            count = packet.number;
            reader.take(packet, &mut |number, why| broken.push((number, why)));
        });
        rows.extend(reader.finished());
        if !more.expect("readable") {
            break;
        }
    }
    let (left, counts) = reader.end(&mut |number, why| broken.push((number, why)));
    rows.extend(left);
    rows.sort_by_key(|row| (row.record.time, row.line));
    Seen {
        rows,
        counts,
        broken,
        packets: count,
    }
}

fn ip(from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(from, to, 64).udp(5060, 5060);
    let mut packet = Vec::new();
    builder.write(&mut packet, payload).expect("written");
    packet
}

fn ethernet(ip: &[u8]) -> Vec<u8> {
    let kind: [u8; 2] = if ip[0] >> 4 == 4 {
        [8, 0]
    } else {
        [0x86, 0xdd]
    };
    [&[2; 12][..], &kind, ip].concat()
}

/// What an INVITE and its answers have in common.
struct Talk {
    call: &'static str,
    cseq: u32,
}

const TALK: Talk = Talk {
    call: "one",
    cseq: 1,
};

impl Talk {
    fn head(&self, method: &str, to_tag: &str) -> String {
        format!(
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}{}\r\nFrom: <sip:alice@a.example>;tag=f{}\r\n\
             To: <sip:0044207946000@a.example>{to_tag}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n",
            self.call, self.cseq, self.call, self.call, self.cseq
        )
    }

    fn invite(&self) -> String {
        let head = self.head("INVITE", "");
        format!(
            "INVITE sip:0044207946000@a.example SIP/2.0\r\n{head}User-Agent: phone 1\r\nContent-Length: 0\r\n\r\n"
        )
    }

    fn answer(&self, status: u16) -> String {
        let head = self.head("INVITE", ";tag=t");
        format!("SIP/2.0 {status} Words\r\n{head}Content-Length: 0\r\n\r\n")
    }

    /// Hung up by the caller, or by the called.
    fn bye(&self, by_caller: bool) -> String {
        let call = self.call;
        let (from, to) = match by_caller {
            true => (format!("f{call}"), "t".to_owned()),
            false => ("t".to_owned(), format!("f{call}")),
        };
        format!(
            "BYE sip:x@a.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\n\
             From: <sip:a@a.example>;tag={from}\r\nTo: <sip:b@a.example>;tag={to}\r\nCall-ID: {call}\r\n\
             CSeq: 77 BYE\r\nContent-Length: 0\r\n\r\n"
        )
    }
}

#[test]
fn a_call_from_invite_to_bye() {
    for by_caller in [true, false] {
        let mut file = Pcap::new(1);
        file.udp(0, CALLER, PROXY, &TALK.invite())
            .udp(500, CALLER, PROXY, &TALK.invite())
            .udp(600, PROXY, [192, 0, 2, 20], &TALK.invite())
            .udp(700, PROXY, CALLER, &TALK.answer(180))
            .udp(5_000, PROXY, CALLER, &TALK.answer(200))
            .udp(5_100, PROXY, CALLER, &TALK.answer(200))
            .udp(65_000, CALLER, PROXY, &TALK.bye(by_caller));
        let seen = file.read();
        let [row] = &seen.rows[..] else {
            panic!("{:?}", seen.rows)
        };
        let record = &row.record;
        assert_eq!(record.time, Timestamp::from_secs(START));
        assert_eq!(
            (record.user.as_str(), record.domain.as_str()),
            ("alice", "a.example")
        );
        assert_eq!(record.dialed_number, "0044207946000");
        assert_eq!(record.source_ip, IpAddr::from(CALLER));
        assert_eq!(
            (record.user_agent.as_str(), record.call_id.as_deref()),
            ("phone 1", Some("one"))
        );
        assert_eq!((record.answered, record.duration_s), (Some(true), Some(60)));
        assert_eq!((row.up_s, row.line), (Some(65), 1));
        assert_eq!(seen.counts.copies, 2);
        assert_eq!((seen.broken.len(), seen.packets), (0, 7));
    }
}

#[test]
fn a_password_a_refusal_a_fork_and_a_call_that_goes_on() {
    let asked = Talk {
        call: "asked",
        cseq: 1,
    };
    let again = Talk {
        call: "asked",
        cseq: 2,
    };
    let busy = Talk {
        call: "busy",
        cseq: 1,
    };
    let forked = Talk {
        call: "forked",
        cseq: 1,
    };
    let rings = Talk {
        call: "rings",
        cseq: 1,
    };
    let mut file = Pcap::new(1);
    file.udp(0, CALLER, PROXY, &asked.invite())
        .udp(10, PROXY, CALLER, &asked.answer(407))
        .udp(1_000, CALLER, PROXY, &again.invite())
        .udp(2_000, PROXY, CALLER, &again.answer(200))
        .udp(3_000, CALLER, PROXY, &busy.invite())
        .udp(4_000, PROXY, CALLER, &busy.answer(486))
        .udp(5_000, CALLER, PROXY, &forked.invite())
        .udp(6_000, PROXY, CALLER, &forked.answer(480))
        .udp(7_000, PROXY, CALLER, &forked.answer(200))
        .udp(9_000, CALLER, PROXY, &forked.bye(true))
        .udp(10_000, CALLER, PROXY, &rings.invite());
    let seen = file.read();
    let told: Vec<_> = seen
        .rows
        .iter()
        .map(|row| {
            let id = row.record.call_id.clone().unwrap_or_default();
            (id, row.record.answered, row.record.duration_s, row.up_s)
        })
        .collect();
    let expected = [
        // Nobody hung up: up until the capture ends, and how long it was is not known.
        ("asked", Some(true), None, Some(9)),
        ("busy", Some(false), Some(0), Some(1)),
        ("forked", Some(true), Some(2), Some(4)),
        ("rings", None, None, Some(0)),
    ];
    let expected = expected.map(|(id, answered, talk, up)| (id.to_owned(), answered, talk, up));
    assert_eq!(told, expected);
    assert_eq!(seen.counts.challenged, 1);
}

#[test]
fn calls_that_are_over_are_let_go_and_do_not_come_again() {
    let mut reader = Reader::new(NOW);
    let take = |reader: &mut Reader, secs: i64, text: &str| {
        let data = ethernet(&ip(CALLER, PROXY, text.as_bytes()));
        let packet = Packet {
            number: 1,
            at: Some(Timestamp::from_secs(START + secs)),
            link: pcap_parser::Linktype::ETHERNET,
            data: &data,
        };
        reader.take(&packet, &mut |_, why| panic!("{why}"));
    };
    let other = Talk {
        call: "other",
        cseq: 1,
    };
    take(&mut reader, 0, &TALK.invite());
    take(&mut reader, 1, &TALK.answer(486));
    take(&mut reader, 40, &TALK.invite());
    assert_eq!(reader.finished().count(), 0, "copies may still come");
    take(&mut reader, 200, &other.invite());
    let over: Vec<Row> = reader.finished().collect();
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].record.call_id.as_deref(), Some("one"));
    assert_eq!(reader.dialogs.counts().copies, 1);
    let (left, _) = reader.end(&mut |_, why| panic!("{why}"));
    assert_eq!(left.len(), 1);
}

#[test]
fn every_link_that_is_read() {
    let invite = TALK.invite();
    let v4 = ip(CALLER, PROXY, invite.as_bytes());
    let mut v6 = Vec::new();
    let source = "2001:db8::1"
        .parse::<std::net::Ipv6Addr>()
        .expect("an address")
        .octets();
    PacketBuilder::ipv6(source, [0xfd; 16], 64)
        .udp(5060, 5060)
        .write(&mut v6, invite.as_bytes())
        .expect("written");
    let tagged = [&[2; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 8, 0], &v4].concat();
    let sll = [&[0; 14][..], &[8, 0], &v4].concat();
    let sll2 = [&[0x86, 0xdd][..], &[0; 18], &v6].concat();
    let null = [&[2, 0, 0, 0][..], &v4].concat();
    let loopback = [&[0, 0, 0, 30][..], &v6].concat();
    let short = Ipv4Addr::from(CALLER).to_string();
    for (link, packet, from) in [
        (1, ethernet(&v4), short.as_str()),
        (1, ethernet(&v6), "2001:db8::1"),
        (1, tagged, &short),
        (113, sll, &short),
        (276, sll2, "2001:db8::1"),
        (0, null, &short),
        (108, loopback, "2001:db8::1"),
        (101, v4.clone(), &short),
        (228, v4.clone(), &short),
        (229, v6.clone(), "2001:db8::1"),
    ] {
        let seen = Pcap::new(link).packet(0, &packet).read();
        assert_eq!(seen.rows.len(), 1, "link {link}: {:?}", seen.broken);
        assert_eq!(
            seen.rows[0].record.source_ip.to_string(),
            from,
            "link {link}"
        );
    }
    let wireless = Pcap::new(105).packet(0, &v4).read();
    assert_eq!(wireless.broken, [(1, Broken::Link)]);
    let cut = Pcap::new(1).packet(0, &ethernet(&v4)[..60]).read();
    assert_eq!(cut.broken, [(1, Broken::Cut)]);
    let arp = [&[2; 12][..], &[8, 6], &[0; 28]].concat();
    assert!(Pcap::new(1).packet(0, &arp).read().broken.is_empty());
}

#[test]
fn what_the_softswitch_says_goes_before_the_packet() {
    let invite = TALK.invite().replace(
        "User-Agent:",
        "P-Received: 203.0.113.5\r\nP-Calls: 4\r\nX-TFPS: bob@b.example\r\nP-UA: own\r\nUser-Agent:",
    );
    let seen = Pcap::new(1).udp(0, CALLER, PROXY, &invite).read();
    let row = &seen.rows[0];
    assert_eq!(row.record.source_ip.to_string(), "203.0.113.5");
    assert_eq!(
        (row.record.calls, row.record.user_agent.as_str()),
        (Some(4), "own")
    );
    let message = row.message.as_ref().expect("a message");
    assert_eq!(message.peer, IpAddr::from(CALLER));
    assert_eq!(
        message.policy_user,
        Some(("bob".into(), "b.example".into()))
    );
}

#[test]
fn what_is_no_sip_is_passed_over_and_broken_sip_is_told() {
    let mut file = Pcap::new(1);
    file.udp(0, CALLER, PROXY, "\u{80}\u{0}media")
        .udp(1, CALLER, PROXY, "GET / HTTP/1.1\r\n\r\n")
        .udp(2, CALLER, PROXY, "\r\n\r\n")
        .udp(3, CALLER, PROXY, &TALK.invite().replace("Call-ID", "X-Id"))
        .udp(
            4,
            CALLER,
            PROXY,
            &TALK.invite().replace("sip:0044207946000@", "sip:"),
        );
    let seen = file.read();
    assert_eq!(seen.broken, [(4, Broken::Sip(Malformed::NoEnvelope))]);
    assert_eq!((seen.rows.len(), seen.counts.numberless), (0, 1));
}
