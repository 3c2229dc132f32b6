//! What a file tells of its packets: interfaces and their clocks, an end in the middle, times that
//! are wrong or not there.

use super::*;

#[test]
fn pcapng_with_two_interfaces_of_their_own_clocks() {
    let block = |kind: u32, body: &[u8]| {
        let body = [body, &vec![0; (4 - body.len() % 4) % 4]].concat();
        let length = u32::try_from(12 + body.len()).expect("short").to_be_bytes();
        [&kind.to_be_bytes()[..], &length, &body, &length].concat()
    };
    let section = [
        &0x1a2b_3c4d_u32.to_be_bytes()[..],
        &[0, 1, 0, 0],
        &[0xff; 8],
    ]
    .concat();
    let interface = |link: u16, resolution: u8| {
        let options = [&[0, 9, 0, 1, resolution, 0, 0, 0][..], &[0, 0, 0, 0]].concat();
        [&link.to_be_bytes()[..], &[0, 0, 0, 4, 0, 0], &options].concat()
    };
    let packet = |id: u32, units: u64, data: &[u8]| {
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        let units = units.to_be_bytes();
        [
            &id.to_be_bytes()[..],
            &units[..4],
            &units[4..],
            &length,
            &length,
            data,
        ]
        .concat()
    };
    let v4 = ip(CALLER, PROXY, TALK.invite().as_bytes());
    let other = Talk {
        call: "two",
        cseq: 1,
    };
    let second = ip(CALLER, PROXY, other.invite().as_bytes());
    let seconds = u64::try_from(START).expect("later than 1970");
    let file = [
        block(0x0a0d_0d0a, &section),
        block(1, &interface(1, 9)),
        block(1, &interface(101, 3)),
        block(
            6,
            &packet(0, seconds * 1_000_000_000 + 250_000_000, &ethernet(&v4)),
        ),
        block(6, &packet(1, seconds * 1_000 + 500, &second)),
    ]
    .concat();
    assert!(is_capture([file[0], file[1], file[2], file[3]]));
    let seen = read(&file);
    let times: Vec<i64> = seen.rows.iter().map(|row| row.record.time.0).collect();
    assert_eq!(
        times,
        [START * 1_000_000 + 250_000, START * 1_000_000 + 500_000]
    );
}

#[test]
fn a_file_that_is_cut_is_read_as_far_as_it_goes() {
    let mut file = Pcap::new(1);
    file.udp(0, CALLER, PROXY, &TALK.invite())
        .udp(1, PROXY, CALLER, &TALK.answer(486));
    let bytes = &file.bytes[..file.bytes.len() - 5];
    let mut packets = Packets::new(bytes).expect("a capture");
    let mut count = 0;
    let error = loop {
        match packets.next(&mut |_| count += 1) {
            Ok(true) => {}
            Ok(false) => panic!("it is cut"),
            Err(error) => break error,
        }
    };
    assert_eq!(count, 1);
    assert!(matches!(error, CaptureError::Cut(2)), "{error}");
    assert!(matches!(
        Packets::new(&b"time,domain\n"[..]),
        Err(CaptureError::NotACapture)
    ));
}

#[test]
fn packets_without_a_time_or_with_an_impossible_one_are_set_aside() {
    let block = |kind: u32, body: &[u8]| {
        let length = u32::try_from(body.len().next_multiple_of(4) + 12).expect("short");
        let mut bytes = [kind.to_le_bytes(), length.to_le_bytes()].concat();
        bytes.extend(body);
        bytes.resize(length as usize - 4, 0);
        bytes.extend(length.to_le_bytes());
        bytes
    };
    let packet = ethernet(&ip(CALLER, PROXY, TALK.invite().as_bytes()));
    let length = u32::try_from(packet.len()).expect("short").to_le_bytes();
    let section = block(
        0x0a0d_0d0a,
        &[
            &0x1a2b_3c4d_u32.to_le_bytes()[..],
            &[1, 0, 0, 0],
            &[0xff; 8],
        ]
        .concat(),
    );
    let stamp = u64::try_from(START * 1_000_000).expect("positive");
    let high = u32::try_from(stamp >> 32).expect("32 bits").to_le_bytes();
    let low = (stamp as u32).to_le_bytes();
    let dated = [&[0; 4][..], &high, &low, &length, &length, &packet].concat();
    let simple = block(3, &[&length[..], &packet].concat());
    for (offset, why) in [
        (0_i64, None),
        (i64::MAX, Some(Broken::Misdated)),
        (i64::MIN, Some(Broken::Misdated)),
        (-START, Some(Broken::Misdated)),
        (366 * 86_400, Some(Broken::Misdated)),
    ] {
        // Option 14: seconds to be added to each time.
        let option = [&[14, 0, 8, 0][..], &offset.to_le_bytes(), &[0; 4]].concat();
        let interface = block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], &option].concat());
        let seen = read(&[&section[..], &interface, &simple, &block(6, &dated)].concat());
        let mut expected = vec![(1, Broken::Timeless)];
        expected.extend(why.map(|why| (2, why)));
        assert_eq!(seen.broken, expected, "offset {offset}");
        assert_eq!(seen.rows.len(), usize::from(why.is_none()));
    }
}

#[test]
fn one_wrong_date_does_not_end_the_calls_that_are_up() {
    let other = Talk {
        call: "other",
        cseq: 1,
    };
    let day = 86_400_000;
    let mut file = Pcap::new(1);
    file.udp(0, CALLER, PROXY, &TALK.invite())
        .udp(1_000, PROXY, CALLER, &TALK.answer(200))
        .udp(100 * day, CALLER, PROXY, &other.invite())
        .udp(60_000, CALLER, PROXY, &TALK.bye(true));
    let seen = file.read();
    assert_eq!(seen.rows.len(), 2);
    assert_eq!(seen.rows[0].record.duration_s, Some(59));
    // Two in a row are a capture that was stopped for a while.
    let mut file = Pcap::new(1);
    file.udp(0, CALLER, PROXY, &TALK.invite())
        .udp(1_000, PROXY, CALLER, &TALK.answer(200))
        .udp(100 * day, CALLER, PROXY, &other.invite())
        .udp(100 * day, CALLER, PROXY, &other.invite())
        .udp(100 * day + 1, CALLER, PROXY, &TALK.bye(true));
    let seen = file.read();
    assert_eq!(seen.rows[0].record.duration_s, None, "lost in between");
}
