//! A stream makes the same frames however it was cut.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

/// All frames of a stream that comes in these pieces, and what broke it.
fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, Option<Malformed>) {
    let mut framer = Framer::new();
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(broken) => return (found, Some(broken.fault)),
            }
        }
    }
    (found, None)
}

fn message(text: &[u8]) -> Frame {
    Frame::Message(Bytes::copy_from_slice(text))
}

#[test]
fn what_a_stream_holds() {
    let invite = wire(INVITE.trim_end());
    let bare = INVITE.trim_end().as_bytes();
    let long = wire(&INVITE.replace("P-Calls: 3", &format!("X: {}", "x".repeat(MAX_MESSAGE))));
    let length = |value: &str| wire(&INVITE.replace("Content-Length: 4", value));
    let whole = |bytes: &[u8]| vec![message(bytes)];
    let ping = || Frame::Ping;
    let none = Vec::new;
    let table = [
        ("nothing", vec![], none(), None),
        ("a ping", b"\r\n\r\n".to_vec(), vec![ping()], None),
        ("half a ping", b"\r\n\r".to_vec(), none(), None),
        (
            "a pong and a ping",
            b"\r\n\r\n\r\n".to_vec(),
            vec![ping()],
            None,
        ),
        (
            "empty lines before a message",
            [b"\r\n\n\r\n", &invite[..], b"\r\n\r\n"].concat(),
            // Four bytes of body; what is left are empty lines.
            whole(&[&invite[..], b"\r"].concat()),
            None,
        ),
        (
            "another protocol",
            b"GET / HTTP/1.1\r\n".to_vec(),
            none(),
            Some(Malformed::NotSip),
        ),
        (
            "TLS where there is none",
            vec![22, 3, 1, 2],
            none(),
            Some(Malformed::NotSip),
        ),
        ("no first line yet", b"INVITE sip:x".to_vec(), none(), None),
        (
            "no length",
            length("X: 4"),
            none(),
            Some(Malformed::NoLength),
        ),
        (
            "two lengths",
            length("l: 4\nContent-Length: 4"),
            none(),
            Some(Malformed::Duplicate),
        ),
        (
            "no number",
            length("Content-Length: -4"),
            none(),
            Some(Malformed::ContentLength),
        ),
        (
            "too long a body",
            length("Content-Length: 16384"),
            none(),
            Some(Malformed::TooLarge),
        ),
        (
            "too long a length",
            length("Content-Length: 4294967295"),
            none(),
            Some(Malformed::TooLarge),
        ),
        ("too long a head", long, none(), Some(Malformed::TooLarge)),
        (
            "no line ends",
            vec![b'A'; MAX_MESSAGE + 1],
            none(),
            Some(Malformed::TooLarge),
        ),
        ("a body that is not all there", invite.clone(), none(), None),
        (
            "bare line feeds",
            [bare, b"\n"].concat(),
            whole(&[bare, b"\n"].concat()),
            None,
        ),
        (
            "a response",
            b"SIP/2.0 200 OK\r\nl:0\r\n\r\n".to_vec(),
            whole(b"SIP/2.0 200 OK\r\nl:0\r\n\r\n"),
            None,
        ),
    ];
    for (what, bytes, expected, fault) in table {
        assert_eq!(frames(&[&bytes]), (expected, fault), "{what}");
    }
}

#[test]
fn what_a_broken_stream_is_told() {
    let endpoint = endpoint(Ingress::Prevention);
    let refuse = |text: &str| {
        let mut framer = Framer::new();
        framer.push(&wire(text));
        let broken = framer.next_frame().expect_err("broken");
        match endpoint.refuse(&broken.read, source(), broken.fault) {
            Outcome::Reply { status, reason, .. } => (status.code(), reason),
            Outcome::Drop(reason) => (0, reason),
            other => panic!("{other:?}"),
        }
    };
    let without = INVITE.replace("Content-Length: 4\n", "");
    assert_eq!(refuse(&without), (400, "no-content-length"));
    let ack = method_text("ACK").replace("Content-Length: 4\n", "");
    assert_eq!(refuse(&ack), (0, "no-content-length"), "never answered");
    let endless = INVITE.replace("P-Calls: 3", &"X: y\n".repeat(5_000));
    assert_eq!(refuse(&endless), (400, "too-large"));
    assert_eq!(refuse("SIP/2.0 200 OK\n\n"), (0, "no-content-length"));
    assert_eq!(refuse("GET / HTTP/1.1\n"), (0, "not-sip"));
}

#[test]
fn who_is_amid_a_message_must_hurry() {
    let mut framer = Framer::new();
    let mut amid = |bytes: &[u8]| {
        framer.push(bytes);
        while framer.next_frame().expect("whole").is_some() {}
        framer.is_amid_message()
    };
    assert!(!amid(b"\r\n"));
    assert!(!amid(b"\r\n"));
    assert!(amid(b"O"));
    assert!(amid(b"PTIONS sip:x SIP/2.0\r\nl:1\r\n\r\n"));
    assert!(!amid(b"x"));
}

/// One item of a stream: what may come between messages, and messages with bodies that look
/// like more of them.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let body = prop::sample::select(vec![
        &b""[..],
        b"\r\n\r\n",
        b"x",
        b"\n\nINVITE sip:1@x SIP/2.0\r\nl: 9\r\n\r\n",
        b"\0\xff\r",
    ]);
    let end = prop::sample::select(vec!["\r\n", "\n"]);
    let name = prop::sample::select(vec!["Content-Length: ", "l:", "CONTENT-LENGTH \t: "]);
    let messages = (body, end, name, any::<bool>()).prop_map(|(body, end, name, folded)| {
        let fold = if folded {
            format!("{end} ")
        } else {
            String::new()
        };
        let head = format!(
            "OPTIONS sip:x SIP/2.0{end}X: a{end}\ty{end}{name}{fold}{}{end}{end}",
            body.len()
        );
        [head.as_bytes(), body].concat()
    });
    prop_oneof![
        4 => messages,
        1 => Just(b"\r\n\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"\n".to_vec()),
    ]
}

proptest! {
    #[test]
    fn cutting_changes_nothing(
        items in prop::collection::vec(item(), 0..6),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut stream = items.concat();
        if let Some((at, byte)) = damage.filter(|_| !stream.is_empty()) {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let whole = frames(&[&stream]);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|w| &stream[w[0]..w[1]]).collect();
        prop_assert_eq!(&frames(&pieces), &whole);
        let bytes: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(&frames(&bytes), &whole);
    }

    #[test]
    fn what_went_in_comes_out(items in prop::collection::vec(item(), 0..6)) {
        let (found, fault) = frames(&[&items.concat()]);
        prop_assert_eq!(fault, None);
        let found: Vec<_> = found.into_iter().filter(|f| *f != Frame::Ping).collect();
        let sent: Vec<_> = items.iter().filter(|i| i.starts_with(b"O")).map(|i| message(i)).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = frames(&[&bytes]);
    }
}
