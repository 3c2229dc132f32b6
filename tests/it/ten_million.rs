//! What ten million numbers cost: `cargo test --test it ten_million -- --ignored --nocapture`, with
//! `CARGO_PROFILE_DEV_OPT_LEVEL=2` for times that count.
//!
//! Times of the processor are given where another process on the machine would blur the clock's.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tfps::accounts::{Accounts, Snapshot};
use tfps::decide::{Engine, WindowSizes};
use tfps::domain::{NeutralAnswer, Number, Timestamp};
use tfps::geo::Geo;
use tfps::model::ModelSlot;

use crate::support::{TFPS, run_folder};

const NUMBERS: u64 = 10_000_000;
/// A prime above it: multiples of anything are all different below it.
const PRIME: u64 = 10_000_019;
const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

/// The numbers of the list are even, in an order that is none.
fn listed(n: u64) -> Number {
    let spread = (n % NUMBERS + 1) * 48_271 % PRIME;
    Number::from_u64(40_210_000_000 + spread * 74).expect("a number")
}

fn not_listed(n: u64) -> Number {
    Number::from_u64(listed(n).as_u64() + 1).expect("a number")
}

/// Seconds this thread has had of the processor.
fn processor() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split_whitespace().next().expect("there");
    nanos.parse::<f64>().expect("a number") / 1e9
}

/// Seconds that ended children have had of the processor.
fn processor_of_children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, after_name) = text.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    // cutime and cstime of proc(5), in hundredths of a second.
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(13) + ticks(14)) / 100.0
}

/// Resident memory of this process, MiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.expect("there").parse::<u64>().expect("a number") / 1_024
}

/// Nanoseconds of one look-up, on average.
fn look_up(snapshot: &Snapshot, number: fn(u64) -> Number, is_listed: bool) -> f64 {
    const TIMES: u64 = 1_000_000;
    let numbers: Vec<Number> = (0..TIMES).map(|n| number(n * 7_919)).collect();
    let start = processor();
    for &number in &numbers {
        let found = snapshot.system.black.numbers.find(black_box(number), NOW);
        assert_eq!(found.is_some(), is_listed);
    }
    (processor() - start) * 1e9 / TIMES as f64
}

/// Looks up as calls do, at least 100,000 times and until `done`, and says how long it took.
fn look_up_until(engine: &Engine, done: &AtomicBool, what: &str) -> String {
    let mut times = Vec::new();
    while times.len() < 100_000 || !done.load(Ordering::Relaxed) {
        let number = listed(times.len() as u64 * 31);
        let start = Instant::now();
        let found = engine.accounts().system.black.numbers.find(number, NOW);
        times.push(start.elapsed());
        assert!(found.is_some());
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!(
        "{} look-ups {what}: median {:?}, 99.9 % {:?}, slowest {:?}",
        times.len(),
        at(0.5),
        at(0.999),
        at(1.0)
    )
}

#[test]
#[ignore = "measures for minutes"]
fn ten_million_numbers() {
    let folder = tempfile::tempdir_in(run_folder()).expect("a folder");
    let (data, file) = (
        folder.path().join("data"),
        folder.path().join("numbers.csv"),
    );
    let mut rows = std::io::BufWriter::new(File::create(&file).expect("a file"));
    writeln!(rows, "value").expect("written");
    for n in 0..NUMBERS {
        writeln!(rows, "{}", listed(n)).expect("written");
    }
    rows.flush().expect("written");

    let import = || {
        let (start, before) = (Instant::now(), processor_of_children());
        let output = Command::new(TFPS)
            .args(["list", "import", "--reason", "measured", "--data-dir"])
            .args([&data, &file])
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        let processor = processor_of_children() - before;
        format!("{:.1?}, {processor:.1} s of the processor", start.elapsed())
    };
    println!("import: {}", import());
    println!("the same again: {}", import());
    let size = fs::metadata(data.join("accounts.sqlite"))
        .expect("there")
        .len();
    println!("file: {} MiB", size >> 20);

    let accounts = Accounts::open(&data, NOW).expect("opened");
    let before = memory();
    let (start, begun) = (Instant::now(), processor());
    let snapshot = Snapshot::load(&accounts).expect("snapshot");
    println!(
        "load: {:.1?}, {:.1} s of the processor",
        start.elapsed(),
        processor() - begun
    );
    println!("memory: {} MiB more", memory() - before);
    assert_eq!(snapshot.system.black.numbers.len() as u64, NUMBERS);
    println!("look-up, hit: {:.0} ns", look_up(&snapshot, listed, true));
    println!(
        "look-up, miss: {:.0} ns",
        look_up(&snapshot, not_listed, false)
    );

    let sizes = WindowSizes {
        tracks: 1_000,
        key: [1; 16],
    };
    let model = Arc::new(ModelSlot::new(None));
    let neutral = NeutralAnswer::default();
    let engine = Arc::new(Engine::new(snapshot, Geo::default(), sizes, model, neutral));
    let done = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let (engine, done) = (Arc::clone(&engine), Arc::clone(&done));
        move || {
            let start = Instant::now();
            let read = accounts.load_numbers(&[1]).expect("read");
            let next = engine
                .accounts()
                .reload(&accounts, Some(read))
                .expect("followed");
            let mut retired = engine.swap_accounts(next);
            // As the watcher does: no look-up frees the old lists.
            while Arc::get_mut(&mut retired).is_none() {
                std::thread::yield_now();
            }
            drop(retired);
            done.store(true, Ordering::Relaxed);
            start.elapsed()
        }
    });
    println!("{}", look_up_until(&engine, &done, "during a reload"));
    println!("reload: {:.1?}", reader.join().expect("read"));
    println!("{}", look_up_until(&engine, &done, "with nothing going on"));
}
