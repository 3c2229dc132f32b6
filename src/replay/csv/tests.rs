//! Rows good and bad.

use super::*;
use crate::domain::{FieldProblem, Timestamp, Verdict};

const HEADER: &str = "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign\n";
const ROW: &str = "2026-03-01T09:00:00Z,a.example,alice,442079460000,198.51.100.7,phone,,,\n";

fn read(text: &str) -> Vec<Result<CallRecord, RowError>> {
    Reader::new(text.as_bytes()).expect("header").collect()
}

fn problem(row: &Result<CallRecord, RowError>) -> (u64, &RowProblem) {
    match row {
        Err(RowError::Bad(bad)) => (bad.line, &bad.problem),
        other => panic!("expected a bad row, got {other:?}"),
    }
}

fn record() -> CallRecord {
    CallRecord {
        time: Timestamp(1_772_355_600_123_456),
        domain: "itsp-1.example".into(),
        user: "alice".into(),
        dialed_number: "+442079460000".into(),
        source_ip: "2001:db8::7".parse().expect("address"),
        user_agent: "A \"quoted\", comma phone ".into(),
        calls: Some(2),
        verdict: Some(Verdict::Fraud),
        campaign: "hacked-pbx/1".into(),
        call_id: Some("x@y".into()),
        duration_s: Some(61),
        answered: Some(true),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let bare = CallRecord {
        calls: None,
        verdict: None,
        campaign: String::new(),
        call_id: None,
        duration_s: None,
        answered: None,
        user_agent: String::new(),
        ..record()
    };
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file).expect("writes");
    writer.write(&record()).expect("writes");
    writer.write(&bare).expect("writes");
    writer.flush().expect("writes");
    drop(writer);
    let rows: Vec<_> = Reader::new(&*file)
        .expect("header")
        .map(|row| row.expect("good"))
        .collect();
    assert_eq!(rows, [record(), bare]);
}

#[test]
fn the_order_of_columns_a_mark_at_the_start_and_crlf_do_not_matter() {
    let text = "\u{feff}user,time,\"domain\",source_ip,dialed_number,campaign,verdict,calls,user_agent\r\n\
                alice,2026-03-01T09:00:00Z,a.example,::1,44,,legitimate,7,phone\r\n\r\n";
    let rows = read(text);
    assert_eq!(rows.len(), 1);
    let row = rows[0].as_ref().expect("good");
    assert_eq!((row.user.as_str(), row.calls), ("alice", Some(7)));
    assert_eq!(row.user_agent, "phone");
}

#[test]
fn headers_that_do_not_describe_calls() {
    let error = |text: &str| Reader::new(text.as_bytes()).expect_err("refused");
    assert!(matches!(error(""), HeaderError::Empty));
    let unknown = error(&HEADER.replace("campaign", "campaign,colour"));
    assert!(unknown.to_string().contains("`colour`"), "{unknown}");
    let missing = error(&HEADER.replace(",verdict", ""));
    assert!(matches!(missing, HeaderError::Missing(Column::Verdict)));
    let twice = error(&HEADER.replace("domain", "domain,user"));
    assert!(matches!(twice, HeaderError::Duplicate(Column::User)));
}

#[test]
fn a_bad_row_is_named_by_its_line_and_spoils_no_other() {
    let long = "x".repeat(MAX_ROW_BYTES + 1);
    let bad_time = ROW.replace("2026-03-01T09:00:00Z", "noon");
    let stray = ROW.replace("phone", "\"phone");
    let middle = ROW.replace("phone", "pho\"ne");
    let text = format!("{HEADER}{ROW}{bad_time}{stray}{middle}a,b\n{long}\n{ROW}");
    let rows = read(&text);
    assert_eq!(rows.len(), 7);
    assert!(rows[0].is_ok() && rows[6].is_ok());
    let expected = FieldError {
        column: Column::Time,
        reason: FieldProblem::NotATime,
    };
    assert_eq!(problem(&rows[1]), (3, &RowProblem::Field(expected)));
    assert_eq!(problem(&rows[2]), (4, &RowProblem::Quotes));
    assert_eq!(problem(&rows[3]), (5, &RowProblem::Quotes));
    let count = RowProblem::ColumnCount {
        expected: 9,
        found: 2,
    };
    assert_eq!(problem(&rows[4]), (6, &count));
    assert_eq!(problem(&rows[5]), (7, &RowProblem::TooLong));
}

#[test]
fn bytes_that_are_not_utf8_and_a_last_line_without_an_end() {
    let mut file = format!("{HEADER}{ROW}").into_bytes();
    let at = file.len() - 6;
    file[at] = 0xff;
    file.extend_from_slice(ROW.trim_end().as_bytes());
    let mut reader = Reader::new(&*file).expect("header");
    let first = reader.next().expect("a row");
    assert_eq!(problem(&first), (2, &RowProblem::NotUtf8));
    assert!(reader.next().expect("a row").is_ok());
    assert_eq!((reader.line(), reader.bytes()), (3, file.len() as u64));
    assert!(reader.next().is_none());
}

#[test]
fn a_broken_disk_ends_the_reading() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let source = HEADER.as_bytes().chain(ROW.as_bytes()).chain(Broken);
    let mut reader = Reader::new(source).expect("header");
    assert!(reader.next().expect("a row").is_ok());
    let stopped = reader.next().expect("an error");
    assert!(matches!(stopped, Err(RowError::Io { line: 3, .. })));
    assert!(reader.next().is_none());
}
