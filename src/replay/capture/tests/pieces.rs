//! Messages in pieces: IP fragments and TCP segments.

use super::*;

/// The IP packet in pieces of `size` bytes, a multiple of 8.
fn fragments(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let pieces = payload.chunks(size).enumerate();
    let last = payload.len().div_ceil(size) - 1;
    pieces
        .map(|(at, piece)| {
            let mut header = header.to_vec();
            let length = u16::try_from(20 + piece.len()).expect("short");
            header[2..4].copy_from_slice(&length.to_be_bytes());
            let more = if at < last { 0x2000 } else { 0 };
            let offset = u16::try_from(at * size / 8).expect("short") | more;
            header[4..6].copy_from_slice(&[7, 7]);
            header[6..8].copy_from_slice(&offset.to_be_bytes());
            ethernet(&[header, piece.to_vec()].concat())
        })
        .collect()
}

#[test]
fn fragments_in_any_order_make_the_message() {
    let long = TALK.invite().replace("phone 1", &"x".repeat(2_000));
    let pieces = fragments(&ip(CALLER, PROXY, long.as_bytes()), 512);
    assert!(pieces.len() > 3);
    let mut file = Pcap::new(1);
    for (at, piece) in pieces.iter().rev().enumerate() {
        file.packet(at as i64, piece);
    }
    let seen = file.read();
    assert_eq!((seen.rows.len(), seen.broken.len()), (1, 0));
    assert_eq!(seen.rows[0].line, pieces.len() as u64);
    let mut file = Pcap::new(1);
    pieces[1..].iter().for_each(|piece| {
        file.packet(0, piece);
    });
    let seen = file.read();
    assert_eq!(seen.rows.len(), 0);
    assert_eq!(seen.broken, [(0, Broken::Unfinished)]);
}

fn segment(number: u32, flags: &str, payload: &[u8]) -> Vec<u8> {
    let mut builder = PacketBuilder::ipv4(CALLER, PROXY, 64).tcp(40_000, 5060, number, 1_000);
    if flags.contains('S') {
        builder = builder.syn();
    }
    if flags.contains('F') {
        builder = builder.fin();
    }
    let mut packet = Vec::new();
    builder.write(&mut packet, payload).expect("written");
    ethernet(&packet)
}

#[test]
fn a_stream_in_pieces_out_of_order_and_twice() {
    let second = Talk {
        call: "two",
        cseq: 1,
    };
    let bytes = [TALK.invite(), "\r\n\r\n".to_owned(), second.invite()]
        .concat()
        .into_bytes();
    // Numbers go round on the way.
    let first = u32::MAX - 100;
    let piece = |from: usize, to: usize| {
        let number = first
            .wrapping_add(1)
            .wrapping_add(u32::try_from(from).expect("short"));
        segment(number, "", &bytes[from..to])
    };
    let mut file = Pcap::new(1);
    file.packet(0, &segment(first, "S", b""))
        .packet(1, &piece(0, 150))
        .packet(2, &piece(300, 450))
        .packet(3, &piece(450, bytes.len()))
        .packet(4, &piece(100, 200))
        .packet(5, &piece(0, 150))
        .packet(6, &piece(200, 300));
    let seen = file.read();
    assert_eq!(
        (seen.rows.len(), seen.broken.len()),
        (2, 0),
        "{:?}",
        seen.broken
    );
    let lines: Vec<u64> = seen.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [7, 7], "where each was whole");
    // Joined in the middle: from the first message on.
    let mut file = Pcap::new(1);
    file.packet(0, &segment(5, "", b"rest of something\r\n"))
        .packet(1, &segment(24, "", &bytes));
    assert_eq!(file.read().rows.len(), 2);
}

#[test]
fn a_gap_in_a_stream_is_told_and_read_over() {
    let mut file = Pcap::new(1);
    file.packet(0, &segment(0, "S", b""))
        .packet(1, &segment(1, "", b"INVITE sip:1@a"));
    let mut number = 50_000;
    for n in 0..70 {
        let call: &'static str = ["c0", "c1", "c2", "c3", "c4"][n % 5];
        let bytes = Talk { call, cseq: 1 }.invite().into_bytes();
        file.packet(2, &segment(number, "", &bytes));
        number += u32::try_from(bytes.len()).expect("short");
    }
    let seen = file.read();
    assert_eq!(
        seen.broken
            .iter()
            .filter(|(_, why)| *why == Broken::Gap)
            .count(),
        1
    );
    assert_eq!(seen.rows.len(), 5);
}
