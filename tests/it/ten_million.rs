//! What ten million numbers cost: `cargo test --test it ten_million -- --ignored --nocapture`.

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

/// Resident memory of this process, MiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.expect("there").parse::<u64>().expect("a number") / 1_024
}

/// Nanoseconds of one look-up, on average.
fn look_up(snapshot: &Snapshot, number: fn(u64) -> Number, is_listed: bool) -> u128 {
    const TIMES: u64 = 1_000_000;
    let numbers: Vec<Number> = (0..TIMES).map(|n| number(n * 7_919)).collect();
    let start = Instant::now();
    for &number in &numbers {
        let found = snapshot.system.black.numbers.find(black_box(number), NOW);
        assert_eq!(found.is_some(), is_listed);
    }
    start.elapsed().as_nanos() / u128::from(TIMES)
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
        let start = Instant::now();
        let output = Command::new(TFPS)
            .args(["list", "import", "--reason", "measured", "--data-dir"])
            .args([&data, &file])
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        start.elapsed()
    };
    println!("import: {:?}", import());
    println!("the same again: {:?}", import());
    let size = fs::metadata(data.join("accounts.sqlite"))
        .expect("there")
        .len();
    println!("file: {} MiB", size >> 20);

    let accounts = Accounts::open(&data, NOW).expect("opened");
    let before = memory();
    let start = Instant::now();
    let snapshot = Snapshot::load(&accounts).expect("snapshot");
    println!("load: {:?}", start.elapsed());
    println!("memory: {} MiB more", memory() - before);
    assert_eq!(snapshot.system.black.numbers.len() as u64, NUMBERS);
    println!("look-up, hit: {} ns", look_up(&snapshot, listed, true));
    println!(
        "look-up, miss: {} ns",
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
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) || times.len() < 100_000 {
        let number = listed(times.len() as u64 * 31);
        let start = Instant::now();
        let found = engine.accounts().system.black.numbers.find(number, NOW);
        times.push(start.elapsed());
        assert!(found.is_some());
    }
    println!("reload: {:?}", reader.join().expect("read"));
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{} look-ups meanwhile: median {:?}, 99.9 % {:?}, slowest {:?}",
        times.len(),
        at(0.5),
        at(0.999),
        at(1.0)
    );
}
