//! Rows as the programs write them, and maps that are wrong.

use super::*;
use crate::replay::Row;
use crate::replay::csv::{RowError, RowProblem};

fn said(zone: &str) -> Said {
    Said {
        domain: Some("pbx.example".into()),
        source_ip: Some("192.0.2.10".into()),
        user_agent: None,
        zone: Some(zone.parse().expect("a zone")),
    }
}

fn read(map: &str, said: &Said, text: &str) -> (Vec<Row>, Vec<(u64, RowProblem)>, u64) {
    let map = MapFile::parse(map, said).expect("a map");
    let mut reader = MapReader::new(text.as_bytes(), map).expect("a header");
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for row in &mut reader {
        match row {
            Ok(row) => rows.push(row),
            Err(RowError::Bad(row)) => bad.push((row.line, row.problem)),
            Err(error) => panic!("{error}"),
        }
    }
    (rows, bad, reader.left().0)
}

fn ready_rows(name: &str, text: &str) -> (Vec<Row>, Vec<(u64, RowProblem)>, u64) {
    read(ready(name).expect("there"), &said("Europe/Madrid"), text)
}

#[test]
fn asterisk() {
    let text = concat!(
        r#""","100","0044207946000","from-internal","""Alice"" <100>","PJSIP/alice-0000002a","PJSIP/trunk-0000002b","Dial","PJSIP/0044207946000@trunk","2026-07-01 10:30:00","2026-07-01 10:30:07","2026-07-01 10:31:07",67,60,"ANSWERED","DOCUMENTATION","1782894600.42","""#,
        "\n",
        r#""","4915112345678","s","from-trunk","","PJSIP/trunk-0000002c","","Playback","x","2026-07-01 10:31:00","","2026-07-01 10:31:01",1,0,"ANSWERED","DOCUMENTATION""#,
        "\n",
        r#""","4915112345678","00351210000000","from-internal","","Local/5@x-0000002c;2","","Dial","x","2026-01-01 10:31:00","","2026-01-01 10:31:01",1,0,"NO ANSWER","DOCUMENTATION""#,
        "\n",
    );
    let (rows, bad, left) = ready_rows("asterisk", text);
    assert_eq!((bad, left), (Vec::new(), 1));
    let [call, other] = &rows[..] else {
        panic!("{rows:?}")
    };
    let record = &call.record;
    // Summer: two hours before UTC.
    assert_eq!(record.time.to_rfc3339(), "2026-07-01T08:30:00.000Z");
    assert_eq!(
        (record.user.as_str(), record.domain.as_str()),
        ("alice", "pbx.example")
    );
    assert_eq!(record.dialed_number, "0044207946000");
    assert_eq!((record.duration_s, record.answered), (Some(60), Some(true)));
    assert_eq!((call.up_s, call.line), (Some(67), 1));
    assert_eq!(record.call_id.as_deref(), Some("1782894600.42"));
    // Winter; no unique id; a channel that is no endpoint.
    assert_eq!(other.record.time.to_rfc3339(), "2026-01-01T09:31:00.000Z");
    assert_eq!(
        (other.record.user.as_str(), other.line),
        ("4915112345678", 3)
    );
    assert_eq!(
        (other.record.answered, other.record.call_id.as_ref()),
        (Some(false), None)
    );
}

#[test]
fn freeswitch() {
    let text = concat!(
        r#""Alice","1000","0044207946000","default","2026-07-01 10:30:00","2026-07-01 10:30:07","2026-07-01 10:31:07","67","60","NORMAL_CLEARING","8a1d","9b2e","alice","PCMA","PCMA""#,
        "\n",
        r#""Bob","1001","0044207946001","default","2026-07-01 10:30:01","","2026-07-01 10:30:09","8","0","ORIGINATOR_CANCEL","8a1e","","","",""#,
        "\n",
    );
    let (rows, bad, left) = ready_rows("freeswitch", text);
    assert_eq!((rows.len(), bad.len(), left), (1, 1, 0), "{bad:?}");
    assert!(matches!(bad[0], (2, RowProblem::Quotes)));
    let record = &rows[0].record;
    assert_eq!(
        (record.user.as_str(), record.answered),
        ("alice", Some(true))
    );
    assert_eq!((record.duration_s, rows[0].up_s), (Some(60), Some(67)));
    assert_eq!(record.call_id.as_deref(), Some("8a1d"));
}

#[test]
fn kamailio_and_opensips() {
    let text = "id\tmethod\tfrom_tag\tto_tag\tcallid\tsip_code\tsip_reason\ttime\tsrc_user\tsrc_domain\tsrc_ip\tdst_ouser\tdst_user\tdst_domain\n\
        1\tINVITE\ta\tb\tc1\t200\tOK\t2026-07-01 10:30:00\talice\tA.example\t192.0.2.1\t1\t0044207946000\tgw\n\
        2\tBYE\ta\tb\tc1\t200\tOK\t2026-07-01 10:31:00\talice\tA.example\t192.0.2.1\t1\t0044207946000\tgw\n\
        3\tINVITE\ta\tb\tc2\t486\tBusy\t2026-07-01 10:32:00\talice\tA.example\tNULL\t1\t0044207946000\tgw\n";
    let said = Said {
        zone: "Europe/Madrid".parse().ok(),
        ..Said::default()
    };
    let (rows, bad, left) = read(ready("kamailio").expect("there"), &said, text);
    assert_eq!((rows.len(), left), (1, 1));
    assert_eq!(
        (bad.len(), bad[0].0),
        (1, 4),
        "an address is not guessed: {bad:?}"
    );
    assert_eq!(rows[0].record.source_ip.to_string(), "192.0.2.1");
    assert_eq!((rows[0].record.duration_s, rows[0].up_s), (None, None));

    let text = "id\tmethod\tcallid\tsip_code\ttime\tduration\tsetuptime\tcreated\tfrom_uri\truri\tsrc_ip\tua\n\
        1\tINVITE\tc1\t200\t2026-07-01 10:30:07\t60\t7\t2026-07-01 10:30:00\tsip:alice@a.example:5060\tsip:0044207946000@gw;user=phone\t192.0.2.1\tphone 1\n";
    let (rows, bad, _) = read(ready("opensips").expect("there"), &said, text);
    assert_eq!((rows.len(), bad.len()), (1, 0), "{bad:?}");
    let record = &rows[0].record;
    assert_eq!(record.time.to_rfc3339(), "2026-07-01T08:30:00.000Z");
    assert_eq!(
        (record.user.as_str(), record.domain.as_str()),
        ("alice", "a.example")
    );
    assert_eq!(record.dialed_number, "0044207946000");
    assert_eq!(
        (record.duration_s, record.user_agent.as_str()),
        (Some(60), "phone 1")
    );
}

const OWN: &str = r#"
delimiter = ";"
user = { column = "who", pattern = '"[^"]*" <(\d+)>' }
dialed_number = { column = "to" }
call_id = { column = "id" }
[time]
from = { column = "at" }
format = ["epoch", "%d/%m/%Y %H:%M:%S"]
zone = "Europe/Madrid"
[duration]
from = { column = "ms" }
milliseconds = true
[constant]
domain = "a.example"
source_ip = "192.0.2.1"
"#;

#[test]
fn one_s_own_map_with_every_trick() {
    let text = "at;who;to;id;ms;other\n\
        1782894600.25;\"\"\"Al; x\"\" <100>\";0044207946000;1;1499;x\n\
        29/03/2026 02:30:00;\"\"\"A\"\" <100>\";0044207946000;1;;x\n\
        25/10/2026 02:30:00;\"\"\"A\"\" <100>\";0044207946000;1;;x\n\
        01/07/2026 10:30;\"\"\"A\"\" <100>\";0044207946000;1;;x\n\
        01/07/2026 10:30:00;alice;0044207946000;1;;x\n\
        01/07/2026 10:30:00;\"\"\"A\"\" <100>\";0044207946000;1;-5;x\n\
        01/07/2026 10:30:00;\"\"\"A\"\" <100>\";;1;;x\n\
        01/07/2026 10:30:00;short\n";
    let (rows, bad, _) = read(OWN, &Said::default(), text);
    assert_eq!(rows.len(), 1, "{bad:?}");
    let record = &rows[0].record;
    assert_eq!(record.time.0, 1_782_894_600_250_000);
    assert_eq!((record.user.as_str(), record.duration_s), ("100", Some(1)));
    let problems: Vec<RowProblem> = bad.into_iter().map(|(_, problem)| problem).collect();
    let map = |problem: MapProblem| RowProblem::Map(problem);
    assert_eq!(
        problems,
        [
            map(MapProblem::NoSuchTime("time")),
            map(MapProblem::TwiceThere("time")),
            map(MapProblem::Time("time")),
            map(MapProblem::Missing("user")),
            map(MapProblem::Seconds("duration")),
            map(MapProblem::Missing("dialed_number")),
            RowProblem::ColumnCount {
                expected: 6,
                found: 2
            },
        ]
    );
    let twice = OWN.replace("zone =", "twice = \"later\"\nzone =");
    let (rows, ..) = read(
        &twice,
        &Said::default(),
        "at;who;to;id;ms\n25/10/2026 02:30:00;\"\"\"A\"\" <1>\";0044207946000;1;\n",
    );
    assert_eq!(rows[0].record.time.to_rfc3339(), "2026-10-25T01:30:00.000Z");
}

#[test]
fn a_wrong_map_is_told_by_its_key() {
    let error = |text: &str, said: &Said| MapFile::parse(text, said).expect_err(text).to_string();
    let none = Said::default();
    for (name, unsaid) in [
        ("asterisk", "`domain`"),
        ("freeswitch", "`domain`"),
        ("kamailio", "no zone"),
    ] {
        let told = error(ready(name).expect("there"), &none);
        assert!(told.contains(unsaid), "{told}");
    }
    for (from, to, told) in [
        ("delimiter = \";\"", "delimiter = \"ä\"", "`delimiter`"),
        ("\"epoch\", ", "\"soon\", ", "`time.format`: `soon`"),
        ("\"192.0.2.1\"", "\"here\"", "`source_ip`: `here`"),
        ("Europe/Madrid", "Europe/Madrd", "no time zone"),
        ("[duration]", "[duratoin]", "duratoin"),
        ("column = \"who\"", "colunm = \"who\"", "user"),
        (
            "column = \"who\"",
            "colunm = \"who\"",
            "unknown field `colunm`",
        ),
        (
            "column = \"who\"",
            "colunm = \"who\"",
            "expected one of `column`",
        ),
        ("{ column = \"to\" }", "\"to\"", "dialed_number"),
        (
            "{ column = \"to\" }",
            "\"to\"",
            "string \"to\", expected a table such as",
        ),
        ("\"to\"", "0", "integer `0`, expected a column"),
        ("\"to\"", "true", "boolean `true`, expected a column"),
        ("[\"epoch\", ", "[1, ", "integer `1`, expected"),
        (
            "\"epoch\", \"%d/%m/%Y %H:%M:%S\"",
            "\"%d/%m/%Y %H:%M:%S %Z\"",
            "no %Z",
        ),
    ] {
        let text = OWN.replace(from, to);
        assert_ne!(text, OWN);
        let error = error(&text, &none);
        assert!(error.contains(told), "{error}");
    }
    let open = |map: &str, text: &str| {
        let map = MapFile::parse(map, &none).expect("a map");
        MapReader::new(text.as_bytes(), map)
            .expect_err("refused")
            .to_string()
    };
    assert!(open(OWN, "").contains("empty"));
    assert!(open(OWN, "at;to\n").contains("no column `who`"));
    assert!(open(&OWN.replace("\"[^\"]*\"", "("), "at;who;to;id;ms\n").contains("user.pattern"));
    assert!(
        open(
            &OWN.replace("delimiter", "header = false\ndelimiter"),
            "x\n"
        )
        .contains("give its number")
    );
}

#[test]
fn an_offset_in_whatever_form_is_what_the_text_means() {
    for (format, text) in [
        ("%Y-%m-%d %H:%M:%S %z", "2026-07-01 10:30:00 +0200"),
        ("%Y-%m-%d %H:%M:%S %:z", "2026-07-01 10:30:00 +02:00"),
        ("%Y-%m-%d %H:%M:%S %#z", "2026-07-01 10:30:00 +02"),
        ("%+", "2026-07-01T10:30:00+02:00"),
        ("%s", "1782894600"),
        // No offset at all: the map's zone, which is another than those above.
        ("%Y-%m-%d %H:%M:%S %%z", "2026-07-01 17:30:00 %z"),
    ] {
        let map = OWN
            .replace("\"epoch\", \"%d/%m/%Y %H:%M:%S\"", &format!("{format:?}"))
            .replace("Europe/Madrid", "Asia/Tokyo");
        let rows = format!("at;who;to;id;ms\n{text};\"\"\"A\"\" <1>\";0044207946000;1;\n");
        let (rows, bad, _) = read(&map, &Said::default(), &rows);
        assert_eq!((rows.len(), bad.len()), (1, 0), "{format}: {bad:?}");
        let time = rows[0].record.time.to_rfc3339();
        assert_eq!(time, "2026-07-01T08:30:00.000Z", "{format}");
    }
}

#[test]
fn what_the_file_tells_is_asked_of_the_file_and_not_of_the_map() {
    let map = OWN.replace(
        "call_id =",
        "calls = { column = \"up\", optional = true }\ncall_id =",
    );
    let map = map.replace("column = \"ms\"", "column = \"ms\", optional = true");
    let told = |header: &str| {
        let map = MapFile::parse(&map, &Said::default()).expect("a map");
        let reader = MapReader::new(header.as_bytes(), map).expect("a header");
        (reader.tells_calls(), reader.tells_lengths())
    };
    assert_eq!(told("at;who;to;id;ms;up\n"), (true, true));
    assert_eq!(told("at;who;to;id;ms\n"), (false, true));
    assert_eq!(told("at;who;to;id\n"), (false, false));
}

#[test]
fn rows_set_aside_are_read_by_the_same_map_with_a_header_and_without() {
    const HEADED: &str = "delimiter = \"\\t\"\n[time]\nfrom = { column = \"at\" }\nformat = \"epoch\"\n[user]\ncolumn = \"who\"\n\
        [dialed_number]\ncolumn = \"dst\"\n";
    const BARE: &str = "header = false\n[time]\nfrom = { column = 1 }\nformat = \"epoch\"\n[user]\ncolumn = 2\n\
        [dialed_number]\ncolumn = 3\n";
    for (map, text) in [
        (
            HEADED,
            "line\tproblem\tat\twho\tdst\n7\t\"a\tb \"\"c\"\"\"\t1767225600\talice\t442079460123\n",
        ),
        (
            BARE,
            "\u{feff}line,problem,row\n7,\"a, b\",1767225600,alice,442079460123\n",
        ),
    ] {
        let (rows, bad, left) = read(map, &said("UTC"), text);
        assert_eq!((rows.len(), bad.len(), left), (1, 0, 0), "{bad:?}");
        assert_eq!(rows[0].record.user, "alice");
    }
}

#[test]
fn a_file_divided_otherwise_is_told_so() {
    let map = MapFile::parse(ready("kamailio").expect("ready"), &said("UTC")).expect("a map");
    let error = MapReader::new(&b"id,method,from_tag\n1,INVITE,a\n"[..], map).expect_err("commas");
    let text = error.to_string();
    assert!(
        text.contains("divided by tabs") && text.contains("divided by commas"),
        "{text}"
    );
}
