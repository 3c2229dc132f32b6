//! One step: one batch settled, or the reason why not yet.

use super::{Pace, PrepareError, Sink};
use crate::spool::{Batch, Certainty, Record, SpoolError, SpoolReader};
use crate::store::{Meaning, StoreError};
use crate::telemetry::{Event, Telemetry};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// So often an insert may claim success and lack rows before the lacking ones alone are sent
/// under another token: the engine has noted the token and would drop the batch for ever, but
/// a replica that lags behind must have had the time to catch up.
const SHORT_CLAIMS: u32 = 5;

/// How much at once, how often again.
#[derive(Clone, Debug)]
pub struct ShipOptions {
    /// Records in one batch at most.
    pub max_records: usize,
    /// How long records may gather before they are sent.
    pub linger: Duration,
    /// First pause after a failure; it doubles.
    pub first_pause: Duration,
    /// Longest pause after a failure that passes by itself.
    pub longest_pause: Duration,
    /// Pause while an operator must act.
    pub operator_pause: Duration,
}

impl Default for ShipOptions {
    fn default() -> Self {
        Self {
            max_records: 20_000,
            linger: Duration::from_millis(500),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            operator_pause: Duration::from_secs(60),
        }
    }
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to ship.
    Idle,
    /// A batch is stored; `more`: it was a full one, so more is waiting.
    Shipped {
        /// Whether to go on at once.
        more: bool,
    },
    /// A batch was refused for its data: a smaller one is next, or its one record is set aside.
    Narrowed,
    /// Not yet; the same again after this pause.
    Failed(Duration),
}

/// What became of a batch.
enum Fate {
    Stored,
    Rejected(StoreError),
}

/// Why a batch is not settled.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("ClickHouse says that {sent} rows are stored and lacks {lacking} of them")]
    Short { sent: usize, lacking: usize },
}

impl Trouble {
    /// What ClickHouse or the network said, if they did.
    const fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Prepare(error) => error.store_error(),
            Self::Spool(_) | Self::Short { .. } => None,
        }
    }

    fn meaning(&self) -> Meaning {
        match (self, self.store_error()) {
            (_, Some(error)) => error.meaning(),
            (Self::Prepare(_), None) => Meaning::Operator,
            (_, None) => Meaning::Retry,
        }
    }

    const fn is_silence(&self) -> bool {
        matches!(
            self.store_error(),
            Some(StoreError::Unreachable(_) | StoreError::Timeout)
        )
    }
}

/// Carries records from a spool to a sink.
pub struct Shipper<T, S, P> {
    reader: SpoolReader<T>,
    sink: S,
    pace: P,
    options: ShipOptions,
    telemetry: Arc<Telemetry>,
    prepared: bool,
    /// Records in the next batch at most: halved when data is refused, doubled when stored.
    limit: usize,
    failures: u32,
    /// Claims of success that lacked rows, for the batch in flight.
    short_claims: u32,
}

impl<T: Record + Sync, S: Sink<T>, P: Pace> Shipper<T, S, P> {
    /// Nothing is read or sent yet.
    pub fn new(
        reader: SpoolReader<T>,
        sink: S,
        pace: P,
        options: ShipOptions,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self {
            reader,
            sink,
            pace,
            limit: options.max_records,
            options,
            telemetry,
            prepared: false,
            failures: 0,
            short_claims: 0,
        }
    }

    /// Ships until `shutdown`, then goes on for at most `drain` while there is something to
    /// ship and ClickHouse takes it. Whatever is left is shipped by the next process.
    pub async fn run(mut self, shutdown: CancellationToken, drain: Duration) {
        match self.reader.left_behind() {
            Ok(left) => {
                let left = i64::try_from(left).unwrap_or(i64::MAX);
                self.telemetry.spool_backlog.inc_by(left);
            }
            Err(error) => self.report(&Trouble::Spool(error)),
        }
        let deadline = async {
            shutdown.cancelled().await;
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            () = self.ship(&shutdown) => {}
            () = deadline => {}
        }
    }

    async fn ship(&mut self, shutdown: &CancellationToken) {
        loop {
            let step = self.step().await;
            let pause = match step {
                Step::Shipped { more: true } | Step::Narrowed => continue,
                Step::Shipped { more: false } | Step::Idle => self.options.linger,
                Step::Failed(pause) => pause,
            };
            if shutdown.is_cancelled() {
                match step {
                    Step::Idle | Step::Failed(_) => return,
                    Step::Shipped { .. } | Step::Narrowed => continue,
                }
            }
            tokio::select! {
                () = self.pace.pause(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Takes one batch as far as it goes. Dropping the future at any point loses nothing.
    pub async fn step(&mut self) -> Step {
        match self.try_step().await {
            Ok(step) => {
                self.failures = 0;
                step
            }
            Err(trouble) => {
                self.report(&trouble);
                Step::Failed(self.next_pause(trouble.meaning()))
            }
        }
    }

    async fn try_step(&mut self) -> Result<Step, Trouble> {
        if !self.prepared {
            self.sink.prepare().await?;
            self.prepared = true;
            self.telemetry.store_up.set(1);
        }
        let Some(batch) = self.reader.next_batch(self.limit)? else {
            let now = self.pace.now();
            self.reader.delete_shipped(now)?;
            return Ok(Step::Idle);
        };
        let range = batch.range;
        let step = match self.settle(batch).await? {
            Fate::Stored => {
                self.reader.commit(range)?;
                self.stored(range.records)
            }
            Fate::Rejected(error) if range.records <= 1 => {
                self.reader.set_aside(range, &error.to_string())?;
                self.telemetry
                    .spool_backlog
                    .dec_by(i64::from(range.records));
                Step::Narrowed
            }
            Fate::Rejected(error) => {
                let error = error.to_string();
                self.telemetry.emit(&Event::ShipFailed { error: &error });
                self.reader.withdraw()?;
                self.limit = (range.records as usize / 2).max(1);
                Step::Narrowed
            }
        };
        self.short_claims = 0;
        let now = self.pace.now();
        self.reader.delete_shipped(now)?;
        Ok(step)
    }

    fn stored(&mut self, records: u32) -> Step {
        let more = records as usize >= self.limit;
        self.limit = self.limit.saturating_mul(2).min(self.options.max_records);
        self.telemetry.store_up.set(1);
        self.telemetry.spool_backlog.dec_by(i64::from(records));
        let rows = u64::from(records);
        self.telemetry.emit(&Event::Shipped { rows });
        Step::Shipped { more }
    }

    /// Sees to it that each record of the batch is stored, and once.
    async fn settle(&mut self, mut batch: Batch<T>) -> Result<Fate, Trouble> {
        if batch.certainty != Certainty::Fresh {
            let present = self.sink.present(&batch).await?;
            let lacking = self.lacking(&batch, &present);
            if lacking.is_empty() {
                return Ok(Fate::Stored);
            }
            // Under the batch's own token the whole of it may go again, and must: another
            // attempt at it may still be at work. Where the token is not to be relied on, only
            // what lacks is sent.
            let refill = self.short_claims >= SHORT_CLAIMS;
            let recheck = batch.certainty == Certainty::Recheck;
            if (recheck && !present.is_empty()) || refill {
                let checked = batch.records.len();
                batch
                    .records
                    .retain(|stored| lacking.contains(&stored.offset));
                batch.token = format!("{}-{checked}-{}", batch.token, self.short_claims);
            }
        }
        match self.sink.insert(&batch).await {
            Err(error) if error.meaning() == Meaning::Data => {
                // Data is refused before anything is written; if not, nothing is certain.
                return if self.sink.present(&batch).await?.is_empty() {
                    Ok(Fate::Rejected(error))
                } else {
                    Err(Trouble::Store(error))
                };
            }
            inserted => inserted?,
        }
        let present = self.sink.present(&batch).await?;
        let lacking = self.lacking(&batch, &present).len();
        if lacking == 0 {
            return Ok(Fate::Stored);
        }
        self.short_claims += 1;
        let sent = batch.records.len();
        Err(Trouble::Short { sent, lacking })
    }

    /// Offsets of the batch that are not stored; tells of those stored more than once.
    fn lacking(&self, batch: &Batch<T>, present: &[u64]) -> HashSet<u64> {
        let mut lacking: HashSet<u64> = batch.records.iter().map(|s| s.offset).collect();
        for offset in present {
            lacking.remove(offset);
        }
        let twice = present.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if twice > 0 {
            let rows = twice as u64;
            self.telemetry.emit(&Event::RowsSurplus { rows });
        }
        lacking
    }

    fn report(&self, trouble: &Trouble) {
        if trouble.is_silence() {
            self.telemetry.store_up.set(0);
        }
        let error = trouble.to_string();
        let error = error.as_str();
        self.telemetry.emit(&match (trouble, trouble.meaning()) {
            (Trouble::Spool(_), _) => Event::SpoolUnreadable { error },
            (_, Meaning::Operator) => Event::ShipBlocked { error },
            (_, Meaning::Retry | Meaning::Data) => Event::ShipFailed { error },
        });
    }

    /// Doubles with each failure in a row, up to a cap; between half of that and all of it.
    fn next_pause(&mut self, meaning: Meaning) -> Duration {
        let doubled = self.options.first_pause * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let longest = match meaning {
            Meaning::Retry | Meaning::Data => self.options.longest_pause,
            Meaning::Operator => self.options.operator_pause,
        };
        doubled.min(longest).mul_f64(0.5 + 0.5 * self.pace.jitter())
    }
}

/// Runs a shipper on a thread and a runtime of its own, so that its files and its disk never
/// hold up the runtime that answers calls. `make` is called on that runtime.
///
/// # Errors
/// The system gives no thread or no runtime.
pub fn on_own_thread<T, S, P>(
    make: impl FnOnce() -> Shipper<T, S, P> + Send + 'static,
    shutdown: CancellationToken,
    drain: Duration,
) -> io::Result<JoinHandle<()>>
where
    T: Record + Sync,
    S: Sink<T>,
    P: Pace,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let body = move || runtime.block_on(async { make().run(shutdown, drain).await });
    std::thread::Builder::new().name("ship".into()).spawn(body)
}
