//! The embedded ClickHouse on a real libchdb: every test has a child, a directory and a port of
//! its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clickhouse::{Client, Compression, Row};
use serde::{Deserialize, Serialize};
use tfps::store::embedded::{Embedded, EmbeddedError, EmbeddedOptions};

use crate::support::{TFPS, TestService, eventually, is_alive, signal};

#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
struct Call {
    id: u64,
    day: u8,
    number: String,
    score: f64,
    calls: Option<u32>,
    checks: Vec<String>,
}

#[derive(Debug, PartialEq, Row, Serialize, Deserialize)]
struct Broken {
    number: u64,
    thrown: u8,
}

#[derive(Debug, PartialEq, Row, Serialize, Deserialize)]
struct Echo {
    x: u64,
    s: String,
    a: Vec<String>,
}

fn call(id: u64) -> Call {
    Call {
        id,
        day: (id % 3) as u8,
        number: format!("5548{id:010}"),
        score: id as f64 / 7.0,
        calls: id.is_multiple_of(2).then_some(7),
        checks: vec!["R03".to_owned(); (id % 3) as usize],
    }
}

const TABLE: &str = "CREATE TABLE calls (id UInt64, day UInt8, number String, score Float64, \
    calls Nullable(UInt32), checks Array(LowCardinality(String))) ENGINE = MergeTree ORDER BY id \
    PARTITION BY day SETTINGS non_replicated_deduplication_window = 1000";

struct Engine {
    embedded: Embedded,
    client: Client,
    directory: tempfile::TempDir,
}

fn options(path: &Path) -> EmbeddedOptions {
    EmbeddedOptions {
        path: path.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        library: None,
        executable: Some(PathBuf::from(TFPS)),
        sessions: 4,
    }
}

async fn engine() -> Engine {
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::start(options(directory.path())).await.unwrap();
    let client = client(&embedded);
    client.query(TABLE).execute().await.unwrap();
    Engine {
        embedded,
        client,
        directory,
    }
}

fn client(embedded: &Embedded) -> Client {
    Client::default()
        .with_url(embedded.url())
        .with_compression(Compression::None)
}

async fn insert(
    client: &Client,
    token: &str,
    ids: std::ops::Range<u64>,
) -> clickhouse::error::Result<()> {
    let client = client
        .clone()
        .with_header("X-TFPS-Rows", (ids.end - ids.start).to_string());
    let mut insert = client
        .insert::<Call>("calls")
        .await?
        .with_setting("insert_deduplication_token", token);
    for id in ids {
        insert.write(&call(id)).await?;
    }
    insert.end().await
}

async fn count(client: &Client) -> u64 {
    client
        .query("SELECT count() FROM calls")
        .fetch_one()
        .await
        .unwrap()
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !done().await {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what} did not happen"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_rows_come_back_as_they_went() {
    let engine = engine().await;
    let start = Instant::now();
    insert(&engine.client, "a", 0..500_000).await.unwrap();
    let inserted = start.elapsed();
    let mut cursor = engine
        .client
        .query("SELECT ?fields FROM calls ORDER BY id")
        .fetch::<Call>()
        .unwrap();
    let mut rows = 0;
    while let Some(row) = cursor.next().await.unwrap() {
        assert_eq!(row, call(rows));
        rows += 1;
    }
    assert_eq!(rows, 500_000);
    eprintln!(
        "500,000 rows in {inserted:?}, back after {:?}",
        start.elapsed()
    );
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_inserted_once_even_after_a_kill() {
    let engine = engine().await;
    insert(&engine.client, "batch-1", 0..10_000).await.unwrap();
    insert(&engine.client, "batch-1", 0..10_000).await.unwrap();
    assert_eq!(count(&engine.client).await, 10_000);
    // the same rows under another token are other calls
    insert(&engine.client, "batch-2", 0..10_000).await.unwrap();
    assert_eq!(count(&engine.client).await, 20_000);

    let pid = engine.embedded.pid().unwrap();
    let killed = Instant::now();
    signal(pid, "-KILL");
    until("the restart", async || {
        engine.embedded.pid().is_some_and(|new| new != pid)
    })
    .await;
    assert_eq!(count(&engine.client).await, 20_000);
    eprintln!("answers again {:?} after the kill", killed.elapsed());
    insert(&engine.client, "batch-2", 0..10_000).await.unwrap();
    assert_eq!(count(&engine.client).await, 20_000);
    assert_eq!(engine.embedded.restarts(), 1);
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_an_insert_is_healed_by_sending_it_again() {
    let engine = engine().await;
    let client = engine.client.clone();
    let inserting = tokio::spawn(async move { insert(&client, "big", 0..400_000).await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let pid = engine.embedded.pid().unwrap();
    signal(pid, "-KILL");
    let outcome = inserting.await.unwrap();
    until("the restart", async || {
        engine.embedded.pid().is_some_and(|new| new != pid)
    })
    .await;
    if outcome.is_ok() {
        assert_eq!(count(&engine.client).await, 400_000);
    }
    insert(&engine.client, "big", 0..400_000).await.unwrap();
    assert_eq!(count(&engine.client).await, 400_000);
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_run_while_rows_come_in() {
    let engine = engine().await;
    let mut tasks = tokio::task::JoinSet::new();
    for batch in 0..4 {
        let client = engine.client.clone();
        tasks.spawn(async move {
            insert(
                &client,
                &format!("b{batch}"),
                batch * 20_000..(batch + 1) * 20_000,
            )
            .await
            .unwrap();
        });
    }
    // more than there are sessions: the others wait
    for _ in 0..16 {
        let client = engine.client.clone();
        tasks.spawn(async move {
            let sum: u64 = client
                .query("SELECT sum(number) FROM numbers(1000000)")
                .fetch_one()
                .await
                .unwrap();
            assert_eq!(sum, 499_999_500_000);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(count(&engine.client).await, 80_000);
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_worded_as_by_a_server() {
    let engine = engine().await;
    let error = |sql: &'static str| {
        let client = engine.client.clone();
        async move { client.query(sql).execute().await.unwrap_err().to_string() }
    };
    assert!(
        error("SELECT * FROM nosuch")
            .await
            .contains("Code: 60. DB::Exception: ")
    );
    assert!(error("SELEC 1").await.contains("(SYNTAX_ERROR)"));
    assert!(
        error("SELECT 1; SELECT 2")
            .await
            .contains("Multi-statements are not allowed")
    );
    let insert = engine.client.insert::<Call>("nosuch").await;
    assert!(insert.err().unwrap().to_string().contains("UNKNOWN_TABLE"));

    // after 3,000,000 good rows: an error, never a short result
    let mut cursor = engine
        .client
        .query("SELECT number, throwIf(number = 3000000) AS thrown FROM numbers(4000000)")
        .fetch::<Broken>()
        .unwrap();
    let failure = loop {
        match cursor.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a broken result looked whole"),
            Err(error) => break error.to_string(),
        }
    };
    eprintln!("in mid-stream: {failure}");

    let lz4 = Client::default()
        .with_url(engine.embedded.url())
        .with_compression(Compression::Lz4);
    let value: u8 = lz4.query("SELECT 1").fetch_one().await.unwrap();
    assert_eq!(value, 1);
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_settings_reach_the_engine() {
    let engine = engine().await;
    let text = "tab\there 'quoted' \\ \n --B\r\n";
    let row: Echo = engine
        .client
        .query("SELECT {x:UInt32} + 1 AS x, {s:String} AS s, {a:Array(String)} AS a")
        .param("x", 41)
        .param("s", text)
        .param("a", vec!["p'q", "r"])
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(
        row,
        Echo {
            x: 42,
            s: text.to_owned(),
            a: vec!["p'q".to_owned(), "r".to_owned()]
        }
    );
    let threads: u64 = engine
        .client
        .query("SELECT toUInt64(getSetting('max_threads'))")
        .with_setting("max_threads", "3")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(threads, 3);
    let wrong = engine
        .client
        .query("SELECT 1")
        .with_setting("nosuch", "3")
        .execute()
        .await;
    assert!(wrong.unwrap_err().to_string().contains("UNKNOWN_SETTING"));

    engine
        .client
        .query("CREATE DATABASE tfps")
        .execute()
        .await
        .unwrap();
    let name: String = engine
        .client
        .clone()
        .with_database("tfps")
        .query("SELECT currentDatabase()")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(name, "tfps");
    let name: String = engine
        .client
        .query("SELECT currentDatabase()")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(name, "default");
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_stream_is_one_stream() {
    let engine = engine().await;
    let mut bytes = engine
        .client
        .query("SELECT number FROM numbers(300000)")
        .fetch_bytes("ArrowStream")
        .unwrap();
    let whole = bytes.collect().await.unwrap();
    let schemas = whole.windows(6).filter(|w| w == b"number").count();
    assert_eq!(schemas, 1, "one schema message");
    let end = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert!(whole.ends_with(&end));
    // every message: continuation, metadata length, metadata, body; the walk must end at the mark
    let mut batches = 0;
    let mut at = 0;
    while whole[at..] != end {
        assert_eq!(whole[at..at + 4], end[..4]);
        let metadata = u32::from_le_bytes(whole[at + 4..at + 8].try_into().unwrap()) as usize;
        at += 8 + metadata + body_length(&whole[at + 8..at + 8 + metadata]);
        batches += 1;
    }
    assert!(batches > 2, "schema and several batches, {batches}");
    engine.embedded.shutdown().await;
}

/// `bodyLength` of an Arrow `Message` flatbuffer: field 3 of its root table.
fn body_length(message: &[u8]) -> usize {
    let u32_at = |at: usize| u32::from_le_bytes(message[at..at + 4].try_into().unwrap());
    let table = u32_at(0) as usize;
    let vtable = table.wrapping_sub(u32_at(table) as i32 as usize);
    let slots = u16::from_le_bytes(message[vtable..vtable + 2].try_into().unwrap()) as usize;
    if slots < 4 + 2 * 4 {
        return 0;
    }
    let field = u16::from_le_bytes(message[vtable + 10..vtable + 12].try_into().unwrap()) as usize;
    if field == 0 {
        return 0;
    }
    u64::from_le_bytes(
        message[table + field..table + field + 8]
            .try_into()
            .unwrap(),
    ) as usize
}

/// Sends `request` as it is and reads what comes.
fn raw(address: SocketAddr, request: &[u8], end: bool) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request).unwrap();
    if !end {
        return String::new(); // dropped in the middle
    }
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn address(embedded: &Embedded) -> SocketAddr {
    embedded
        .url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_inserts_nothing() {
    let engine = engine().await;
    engine
        .client
        .query("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        .execute()
        .await
        .unwrap();
    let mut request = b"POST /?query=INSERT+INTO+t+FORMAT+RowBinary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1600000\r\n\r\n".to_vec();
    request.extend(std::iter::repeat_n(7, 800_000)); // 100,000 whole rows of 200,000
    let to = address(&engine.embedded);
    tokio::task::spawn_blocking(move || raw(to, &request, false))
        .await
        .unwrap();
    // and a row cut in its middle, with a regular end of the body
    let cut = b"POST /?query=INSERT+INTO+t+FORMAT+RowBinary HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 12\r\n\r\n123456789012";
    let answer = tokio::task::spawn_blocking(move || raw(to, cut, true))
        .await
        .unwrap();
    assert!(
        answer.contains("DB::Exception") && !answer.starts_with("HTTP/1.1 200"),
        "{answer}"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    let rows: u64 = engine
        .client
        .query("SELECT count() FROM t")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(rows, 0);
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_of_an_insert_with_inline_data_is_lost() {
    let engine = engine().await;
    engine
        .client
        .query("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        .execute()
        .await
        .unwrap();
    let values: Vec<String> = (0..300_000).map(|n| format!("({n})")).collect();
    let body = format!("INSERT INTO t VALUES {}", values.join(","));
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let to = address(&engine.embedded);
    let answer = tokio::task::spawn_blocking(move || raw(to, request.as_bytes(), true))
        .await
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(r#""written_rows":"300000""#),
        "{answer}"
    );
    engine
        .client
        .query("INSERT INTO t SELECT number FROM numbers(1000000)")
        .execute()
        .await
        .unwrap();
    let rows: u64 = engine
        .client
        .query("SELECT count() FROM t")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(rows, 1_300_000);

    // the client says how many it sends, and is told when it was another number
    let client = engine.client.clone().with_header("X-TFPS-Rows", "3");
    let mut short = client.insert::<Call>("calls").await.unwrap();
    short.write(&call(1)).await.unwrap();
    assert!(
        short
            .end()
            .await
            .unwrap_err()
            .to_string()
            .contains("1 rows written of 3 sent")
    );
    engine.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_per_directory_and_per_port() {
    let engine = engine().await;
    let second = Embedded::start(options(engine.directory.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(second, EmbeddedError::DataInUse { .. }),
        "{second}"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let same_port = EmbeddedOptions {
        listen: address(&engine.embedded),
        ..options(elsewhere.path())
    };
    let second = Embedded::start(same_port).await.unwrap_err();
    assert!(
        matches!(second, EmbeddedError::PortInUse { .. }),
        "{second}"
    );
    assert!(second.to_string().contains("embedded.listen"));
    let no_library = EmbeddedOptions {
        library: Some("/nonexistent.so".into()),
        ..options(elsewhere.path())
    };
    let second = Embedded::start(no_library).await.unwrap_err();
    assert!(second.to_string().contains("make setup"), "{second}");
    let outside = EmbeddedOptions {
        listen: ([0, 0, 0, 0], 0).into(),
        ..options(elsewhere.path())
    };
    let second = Embedded::start(outside).await.unwrap_err();
    assert!(second.to_string().contains("loopback"), "{second}");
    engine.embedded.shutdown().await;
}

#[test]
fn the_child_ends_with_its_parent() {
    let mut service = TestService::start();
    let engine = service.engine_pids();
    assert_eq!(engine.len(), 1);
    service.kill();
    eventually("the engine's end", || (!is_alive(engine[0])).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_cleanly_and_shutdown_ends_it_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(TFPS)
        .args(["embedded-clickhouse", "--listen", "127.0.0.1:0", "--path"])
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("listening on 127.0.0.1:"), "{line}");
    signal(child.id(), "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let embedded = Embedded::start(options(directory.path())).await.unwrap();
    let pid = embedded.pid().unwrap();
    assert!(embedded.is_up());
    embedded.shutdown().await;
    assert!(!is_alive(pid));
}
