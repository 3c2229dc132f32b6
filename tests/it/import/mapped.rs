//! Call records of other programs.

use super::{import, json, text, written};
use crate::support::TestService;

/// As cdr_csv writes them: at the end of each call, so the long one comes last.
const MASTER: &str = r#""","100","00442079460001","from-internal","","PJSIP/alice-0000002a","PJSIP/t-1","Dial","x","2026-07-01 10:30:05","","2026-07-01 10:30:09",4,0,"NO ANSWER","DOCUMENTATION","2"
"","100","00442079460002","from-internal","","PJSIP/alice-0000002b","PJSIP/t-1","Dial","x","2026-07-01 10:31:00","2026-07-01 10:31:02","2026-07-01 10:31:10",10,8,"ANSWERED","DOCUMENTATION","3"
"","100","00442079460000","from-internal","","PJSIP/alice-00000029","PJSIP/t-1","Dial","x","2026-07-01 10:30:00","2026-07-01 10:30:07","2026-07-01 10:31:07",67,60,"ANSWERED","DOCUMENTATION","1"
"","100","00442079460000","from-internal","","PJSIP/alice-00000029","PJSIP/t-1","Dial","x","tomorrow","","",67,60,"ANSWERED","DOCUMENTATION","1"
"#;

const SAID: [&str; 6] = [
    "--set",
    "domain=pbx.example",
    "--set",
    "source_ip=192.0.2.10",
    "--set",
    "zone=Europe/Madrid",
];

#[test]
fn records_in_the_order_of_their_ends_are_calls_in_the_order_of_their_starts() {
    let service = TestService::start_on_shared("import_mapped");
    let file = written(&service, "Master.csv", MASTER);
    let options = [
        &["import", "--json", text(&file), "--map", "asterisk"],
        &SAID[..],
    ]
    .concat();
    let ended = service.tfps(&options);
    let said = json(&ended, 65);
    assert_eq!(
        (&said["imported"]["calls"], &said["set_aside"]),
        (&3.into(), &1.into())
    );
    assert!(
        ended.stderr.contains("line 4: `time`: expected a time"),
        "{}",
        ended.stderr
    );
    let rows = service.sql(
        "SELECT toString(toTimeZone(at, 'UTC')), user, domain, number, IPv6NumToString(source_ip), concurrent, call_id \
         FROM calls ORDER BY at",
    );
    let expected = [
        "2026-07-01 08:30:00.000000\talice\tpbx.example\t442079460000\t::ffff:192.0.2.10\t0\t1",
        "2026-07-01 08:30:05.000000\talice\tpbx.example\t442079460001\t::ffff:192.0.2.10\t1\t2",
        "2026-07-01 08:31:00.000000\talice\tpbx.example\t442079460002\t::ffff:192.0.2.10\t1\t3",
    ];
    assert_eq!(rows, expected.join("\n"));

    // The ready map, printed and given as one's own, is the same map; and nothing comes twice.
    let own = service.tfps_ok(&["import", "--print-map", "asterisk"]);
    let own = written(&service, "own.toml", own);
    let good = written(
        &service,
        "good.csv",
        MASTER.lines().take(3).collect::<Vec<_>>().join("\n"),
    );
    let again = import(
        &service,
        &good,
        &[&["--map", text(&own)], &SAID[..]].concat(),
    );
    assert_eq!(
        (&again["imported"]["calls"], &again["imported"]["already"]),
        (&3.into(), &3.into())
    );
}

#[test]
fn what_the_file_does_not_say_must_be_said() {
    let service = TestService::prepare_on_shared("import_unsaid");
    let file = written(&service, "Master.csv", MASTER);
    for (options, told) in [
        (&["--map", "asterisk"][..], "`--set domain=...`"),
        (
            &["--map", "asterisk", "--set", "domain=a.example"],
            "`--set source_ip=...`",
        ),
        (
            &[
                "--map",
                "asterisk",
                "--set",
                "domain=a",
                "--set",
                "source_ip=192.0.2.1",
            ],
            "no zone",
        ),
        (&["--map", "asterisk", "--set", "zone=Mars"], "zone"),
        (&["--map", "nosuch"], "neither a ready one nor a file"),
    ] {
        let ended = service.tfps(&[&["import", text(&file)], options].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
    let ended = service.tfps(&["import", "--print-map", "nosuch"]);
    assert!(
        ended
            .stderr
            .contains("asterisk, freeswitch, kamailio, opensips"),
        "{ended:?}"
    );
    assert_eq!(service.tfps(&["import"]).code, Some(2));
}
