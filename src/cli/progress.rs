//! Progress: bars on a terminal, a line now and then in a log.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two lines in a log.
const EVERY: Duration = Duration::from_secs(10);

/// A bar over the bytes of a file.
pub(super) fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {percent}% {bytes_per_sec} {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target())
        .with_style(style)
        .with_message(what)
}

/// A bar over so many of something.
pub(super) fn share(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target())
        .with_style(style)
        .with_message(what)
}

/// A bar over rows.
pub(super) fn rows(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% {per_sec} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target())
        .with_style(style)
        .with_message(what)
}

/// Shows that something goes on whose end is not known.
pub(super) fn waiting(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target()).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Says how far a long work is, where stderr is no terminal and shows no bar.
pub(super) struct Ticker {
    begun: Instant,
    told: Instant,
    in_log: bool,
}

impl Ticker {
    pub(super) fn new() -> Self {
        let begun = Instant::now();
        Self {
            begun,
            told: begun,
            in_log: !std::io::stderr().is_terminal(),
        }
    }

    /// Says it, if nothing was said for ten seconds.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.in_log && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            eprintln!("{:>5.0} s: {}", self.begun.elapsed().as_secs_f64(), what());
        }
    }
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}
