//! Typed events: a log line and its counter together.
//!
//! Whatever happens in the service that an operator may have to know of is one variant of
//! [`Event`]; emitting it counts it and, where a line helps, logs it. Nothing here carries a
//! phone number: those are personal data.

mod event;
mod model;

pub use event::Event;
pub use model::Shifted;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Buckets of the decision latency, seconds: 5 us to 50 ms.
const LATENCY_BUCKETS: [f64; 12] = [
    5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DecidedLabels {
    ingress: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct IngressLabels {
    ingress: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RejectedLabels {
    ingress: &'static str,
    status: u16,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DroppedLabels {
    ingress: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TransportLabels {
    ingress: &'static str,
    transport: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConnectionLabels {
    ingress: &'static str,
    transport: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NameLabels {
    name: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Calls of all doors together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// INVITEs decided.
    pub decided: u64,
    /// Of them with a refusal's code, in shadow or not.
    pub refused: u64,
}

/// Counters behind `/metrics`.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    decided: Family<DecidedLabels, Counter>,
    /// Not registered: what `decided` sums up to.
    decided_total: Counter,
    refused_total: Counter,
    latency: Family<IngressLabels, Histogram, fn() -> Histogram>,
    novel: Family<IngressLabels, Counter>,
    retransmissions: Family<IngressLabels, Counter>,
    rejected: Family<RejectedLabels, Counter>,
    dropped: Family<DroppedLabels, Counter>,
    bad_headers: Family<NameLabels, Counter>,
    evictions: Family<NameLabels, Counter>,
    spool_lost: Family<ReasonLabels, Counter>,
    spool_torn: Counter,
    spool_sync_failures: Counter,
    spool_read_failures: Counter,
    ship_blocked: Counter,
    surplus: Counter,
    shipped: Counter,
    ship_failures: Counter,
    quarantined: Counter,
    model_swaps: Counter,
    model_refusals: Counter,
    model: model::ModelMetrics,
    accounts_swaps: Counter,
    accounts_refusals: Counter,
    rates_swaps: Counter,
    rates_refusals: Counter,
    send_failures: Counter,
    connections_open: Family<TransportLabels, Gauge>,
    connections_opened: Family<TransportLabels, Counter>,
    connections_closed: Family<ConnectionLabels, Counter>,
    connections_refused: Family<ConnectionLabels, Counter>,
    certificate_swaps: Counter,
    certificate_refusals: Counter,
    /// Records spooled and not yet in ClickHouse.
    pub spool_backlog: Gauge,
    tracks: Gauge,
    track_evictions: Gauge,
    usage_counters: Gauge,
    usage_evictions: Gauge,
    usage_forgotten: Counter,
    probes: Family<NameLabels, Counter>,
    evidence_lost: Family<NameLabels, Counter>,
    learned_listed: Counter,
    learned_proposed: Counter,
    learned_candidates: Gauge,
    learned_ordinary: Gauge,
    learned_crowded_out: Gauge,
    /// 1 while the embedded or configured ClickHouse answers.
    pub store_up: Gauge,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Telemetry {
    /// All counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let new_histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let mut this = Self {
            registry: Registry::with_prefix("tfps"),
            decided: Family::default(),
            decided_total: Counter::default(),
            refused_total: Counter::default(),
            latency: Family::new_with_constructor(new_histogram),
            novel: Family::default(),
            retransmissions: Family::default(),
            rejected: Family::default(),
            dropped: Family::default(),
            bad_headers: Family::default(),
            evictions: Family::default(),
            spool_lost: Family::default(),
            spool_torn: Counter::default(),
            spool_sync_failures: Counter::default(),
            spool_read_failures: Counter::default(),
            ship_blocked: Counter::default(),
            surplus: Counter::default(),
            shipped: Counter::default(),
            ship_failures: Counter::default(),
            quarantined: Counter::default(),
            model_swaps: Counter::default(),
            model_refusals: Counter::default(),
            model: model::ModelMetrics::default(),
            accounts_swaps: Counter::default(),
            accounts_refusals: Counter::default(),
            rates_swaps: Counter::default(),
            rates_refusals: Counter::default(),
            send_failures: Counter::default(),
            connections_open: Family::default(),
            connections_opened: Family::default(),
            connections_closed: Family::default(),
            connections_refused: Family::default(),
            certificate_swaps: Counter::default(),
            certificate_refusals: Counter::default(),
            spool_backlog: Gauge::default(),
            tracks: Gauge::default(),
            track_evictions: Gauge::default(),
            usage_counters: Gauge::default(),
            usage_evictions: Gauge::default(),
            usage_forgotten: Counter::default(),
            probes: Family::default(),
            evidence_lost: Family::default(),
            learned_listed: Counter::default(),
            learned_proposed: Counter::default(),
            learned_candidates: Gauge::default(),
            learned_ordinary: Gauge::default(),
            learned_crowded_out: Gauge::default(),
            store_up: Gauge::default(),
        };
        this.register();
        this
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("calls", "INVITEs decided", self.decided.clone());
        r.register(
            "decision_seconds",
            "From a datagram's arrival to its decision",
            self.latency.clone(),
        );
        r.register(
            "novel_calls",
            "Calls unlike those the model was trained on; none is refused for it",
            self.novel.clone(),
        );
        r.register(
            "retransmissions",
            "Messages answered from the transaction table",
            self.retransmissions.clone(),
        );
        r.register(
            "rejected",
            "Messages given a final answer that is no decision",
            self.rejected.clone(),
        );
        r.register("dropped", "Datagrams given no answer", self.dropped.clone());
        r.register(
            "bad_headers",
            "Headers that were of no use and were taken as absent",
            self.bad_headers.clone(),
        );
        r.register(
            "evictions",
            "Entries that made room because a table's bound was met",
            self.evictions.clone(),
        );
        r.register(
            "spool_lost_events",
            "Calls answered but not spooled, by why",
            self.spool_lost.clone(),
        );
        r.register(
            "spool_torn",
            "Times half a record was cut off the spool's end at the start",
            self.spool_torn.clone(),
        );
        r.register(
            "spool_sync_failures",
            "Times the disk could not catch up with the spool",
            self.spool_sync_failures.clone(),
        );
        r.register(
            "spool_read_failures",
            "Times the shipper could not use the spool's files",
            self.spool_read_failures.clone(),
        );
        r.register(
            "ship_blocked",
            "Inserts that wait for an operator",
            self.ship_blocked.clone(),
        );
        r.register(
            "surplus_rows",
            "Rows found in ClickHouse beyond those sent",
            self.surplus.clone(),
        );
        r.register("shipped_rows", "Rows in ClickHouse", self.shipped.clone());
        r.register(
            "ship_failures",
            "Inserts to be tried again",
            self.ship_failures.clone(),
        );
        r.register(
            "quarantined_records",
            "Records set aside because they can never be shipped",
            self.quarantined.clone(),
        );
        r.register(
            "model_swaps",
            "Models gone into force",
            self.model_swaps.clone(),
        );
        r.register(
            "model_refusals",
            "Model files refused",
            self.model_refusals.clone(),
        );
        self.model.register(r);
        r.register(
            "rates_swaps",
            "Rate decks gone into force",
            self.rates_swaps.clone(),
        );
        r.register(
            "rates_refusals",
            "Rate decks refused",
            self.rates_refusals.clone(),
        );
        r.register(
            "accounts_swaps",
            "Account snapshots gone into force",
            self.accounts_swaps.clone(),
        );
        r.register(
            "accounts_refusals",
            "Account snapshots that could not be read",
            self.accounts_refusals.clone(),
        );
        r.register(
            "send_failures",
            "Answers the system would not send",
            self.send_failures.clone(),
        );
        r.register(
            "connections_open",
            "Connections that are up",
            self.connections_open.clone(),
        );
        r.register(
            "connections_opened",
            "Connections accepted",
            self.connections_opened.clone(),
        );
        r.register(
            "connections_closed",
            "Connections ended, by why",
            self.connections_closed.clone(),
        );
        r.register(
            "connections_refused",
            "Connections there was no room for, by the bound that was met",
            self.connections_refused.clone(),
        );
        r.register(
            "certificate_swaps",
            "TLS certificates gone into force while running",
            self.certificate_swaps.clone(),
        );
        r.register(
            "certificate_refusals",
            "TLS certificates that could not be used",
            self.certificate_refusals.clone(),
        );
        r.register(
            "spool_backlog_records",
            "Records spooled and not yet in ClickHouse",
            self.spool_backlog.clone(),
        );
        r.register("tracks", "Habits kept in memory", self.tracks.clone());
        r.register(
            "track_evictions",
            "Habits that made room since the start because their bound was met",
            self.track_evictions.clone(),
        );
        r.register(
            "usage_counters",
            "Subscribers, and callers with a number, whose use is counted",
            self.usage_counters.clone(),
        );
        r.register(
            "usage_evictions",
            "Counters of use that made room for others",
            self.usage_evictions.clone(),
        );
        r.register(
            "usage_forgotten",
            "Counters of use that made room while they still mattered",
            self.usage_forgotten.clone(),
        );
        self.register_learned();
        let r = &mut self.registry;
        r.register(
            "store_up",
            "1 while ClickHouse answers",
            self.store_up.clone(),
        );
    }

    fn register_learned(&mut self) {
        let r = &mut self.registry;
        r.register(
            "honeypot_probes",
            "Requests at the honeypot that were no calls, by whether the source proved its address",
            self.probes.clone(),
        );
        r.register(
            "learned_evidence_lost",
            "Evidence that found no room on its way to the learned lists",
            self.evidence_lost.clone(),
        );
        r.register(
            "learned_listed",
            "Entries that were learned, listed or renewed",
            self.learned_listed.clone(),
        );
        r.register(
            "learned_proposed",
            "Proposals that were learned and wait for a person",
            self.learned_proposed.clone(),
        );
        r.register(
            "learned_candidates",
            "Addresses, networks, numbers, blocks and user agents there is evidence against",
            self.learned_candidates.clone(),
        );
        r.register(
            "learned_ordinary",
            "The same that have an ordinary life",
            self.learned_ordinary.clone(),
        );
        r.register(
            "learned_crowded_out",
            "Candidates that made room, and those for which there was none",
            self.learned_crowded_out.clone(),
        );
    }

    /// Counts, and logs where a line helps.
    pub fn emit(&self, event: &Event<'_>) {
        match event {
            Event::Decided {
                ingress,
                code,
                latency,
            } => {
                let ingress = ingress.as_str();
                self.decided_total.inc();
                if !code.is_approved() {
                    self.refused_total.inc();
                }
                let code = code.as_str();
                self.decided
                    .get_or_create(&DecidedLabels { ingress, code })
                    .inc();
                self.latency
                    .get_or_create(&IngressLabels { ingress })
                    .observe(*latency);
            }
            Event::Novel {
                ingress,
                id,
                novelty,
                tell,
            } => {
                let ingress = ingress.as_str();
                self.novel.get_or_create(&IngressLabels { ingress }).inc();
                if let Some(calls) = tell {
                    tracing::warn!(
                        ingress, %id, novelty, calls,
                        "calls unlike those the model was trained on; the latest is named"
                    );
                }
            }
            Event::Retransmission { ingress } => {
                let ingress = ingress.as_str();
                self.retransmissions
                    .get_or_create(&IngressLabels { ingress })
                    .inc();
            }
            Event::Rejected {
                ingress,
                status,
                reason,
            } => {
                let labels = RejectedLabels {
                    ingress: ingress.as_str(),
                    status: *status,
                    reason,
                };
                self.rejected.get_or_create(&labels).inc();
            }
            Event::Dropped { ingress, reason } => {
                let ingress = ingress.as_str();
                self.dropped
                    .get_or_create(&DroppedLabels { ingress, reason })
                    .inc();
            }
            Event::BadHeader { header } => {
                self.bad_headers
                    .get_or_create(&NameLabels { name: header })
                    .inc();
            }
            Event::Evicted { table } => {
                self.evictions
                    .get_or_create(&NameLabels { name: table })
                    .inc();
            }
            Event::UsageForgotten { counters } => {
                self.usage_forgotten.inc_by(*counters);
                tracing::error!(
                    counters,
                    "counts of use forgotten before their time: too many subscribers, or callers and numbers under R13"
                );
            }
            Event::SpoolLost { events, error } => {
                self.lost("refused").inc_by(*events);
                tracing::error!(events, error, "calls answered but not spooled");
            }
            Event::FreeCallsLost { events, first } => {
                self.lost("free-share").inc_by(*events);
                if *first {
                    tracing::error!(
                        "free calls fill three quarters of the spool: until some are shipped, \
                         further ones are answered and not stored; paying ones are"
                    );
                }
            }
            Event::SpoolTorn { bytes } => {
                self.spool_torn.inc();
                tracing::warn!(bytes, "half a record cut off the spool's end");
            }
            Event::SpoolSyncFailed { error } => {
                self.spool_sync_failures.inc();
                tracing::error!(error, "the disk cannot catch up with the spool");
            }
            Event::SpoolUnreadable { error } => {
                self.spool_read_failures.inc();
                tracing::error!(
                    error,
                    "the spool's files cannot be used, will be tried again"
                );
            }
            Event::ShipBlocked { error } => {
                self.ship_blocked.inc();
                tracing::error!(error, "nothing reaches ClickHouse until this is mended");
            }
            Event::RowsSurplus { rows } => {
                self.surplus.inc_by(*rows);
                tracing::error!(rows, "ClickHouse holds more rows of a batch than were sent");
            }
            Event::Shipped { rows } => {
                self.shipped.inc_by(*rows);
            }
            Event::ShipFailed { error } => {
                self.ship_failures.inc();
                tracing::warn!(error, "insert into ClickHouse failed, will be tried again");
            }
            Event::Quarantined { records, error } => {
                self.quarantined.inc_by(*records);
                tracing::error!(
                    records,
                    error,
                    "records set aside: they can never be shipped"
                );
            }
            Event::ModelSwapped { id } => {
                self.model_swaps.inc();
                tracing::info!(id, "model in force");
            }
            Event::ModelRefused { error } => {
                self.model_refusals.inc();
                tracing::error!(error, "model refused, the one in force stays");
            }
            Event::RatesSwapped { prefixes, own } => {
                self.rates_swaps.inc();
                tracing::info!(prefixes, own, "rate deck in force");
            }
            Event::RatesRefused { error } => {
                self.rates_refusals.inc();
                tracing::error!(error, "rate deck refused, the one in force stays");
            }
            Event::ModelDrifted {
                id,
                score_day,
                score_hour,
                changed,
            } => {
                self.model.drift_raised();
                tracing::warn!(
                    id,
                    score_day,
                    score_hour,
                    changed,
                    "customers' calls are not like those the model was trained on: see `tfps models status`,                      docs/models.md says what to do"
                );
            }
            Event::ModelDriftEnded { id } => {
                self.model.drift_ended();
                tracing::info!(id, "customers' calls are as the model knows them");
            }
            Event::ModelMiscalibrated { id, calls, error } => {
                self.model.off_raised();
                tracing::warn!(
                    id,
                    calls,
                    error,
                    "judged calls were not what the model's scores said: see `tfps models status`, train anew"
                );
            }
            Event::ModelCalibrated { id } => {
                self.model.off_ended();
                tracing::info!(id, "judged calls are what the model's scores say");
            }
            Event::AccountsSwapped { version } => {
                self.accounts_swaps.inc();
                tracing::info!(version, "accounts in force");
            }
            Event::AccountsRefused { error } => {
                self.accounts_refusals.inc();
                tracing::error!(error, "accounts not read, those in force stay");
            }
            Event::ConnectionOpened { ingress, transport } => {
                let labels = TransportLabels {
                    ingress: ingress.as_str(),
                    transport,
                };
                self.connections_open.get_or_create(&labels).inc();
                self.connections_opened.get_or_create(&labels).inc();
            }
            Event::ConnectionClosed {
                ingress,
                transport,
                reason,
            } => {
                let ingress = ingress.as_str();
                self.connections_open
                    .get_or_create(&TransportLabels { ingress, transport })
                    .dec();
                self.connections_closed
                    .get_or_create(&ConnectionLabels {
                        ingress,
                        transport,
                        reason,
                    })
                    .inc();
            }
            Event::ConnectionRefused {
                ingress,
                transport,
                reason,
            } => {
                self.connections_refused
                    .get_or_create(&ConnectionLabels {
                        ingress: ingress.as_str(),
                        transport,
                        reason,
                    })
                    .inc();
            }
            Event::CertificatesSwapped => {
                self.certificate_swaps.inc();
                tracing::info!("new TLS certificates in force");
            }
            Event::CertificatesRefused { error } => {
                self.certificate_refusals.inc();
                tracing::error!(error, "TLS certificates refused, those in force stay");
            }
            Event::Probed { proven } => {
                let name = if *proven { "proven" } else { "unproven" };
                self.probes.get_or_create(&NameLabels { name }).inc();
            }
            Event::EvidenceLost { kind } => {
                self.evidence_lost
                    .get_or_create(&NameLabels { name: kind })
                    .inc();
            }
            Event::Learned { listed, proposed } => {
                self.learned_listed.inc_by(*listed);
                self.learned_proposed.inc_by(*proposed);
                tracing::info!(listed, proposed, "learned: `tfps list learned` shows it");
            }
            Event::SendFailed { peer, error } => {
                self.send_failures.inc();
                tracing::debug!(%peer, error, "answer not sent");
            }
        }
    }

    fn lost(&self, reason: &'static str) -> Counter {
        let labels = ReasonLabels { reason };
        self.spool_lost.get_or_create(&labels).clone()
    }

    /// Shows how full the memory of habits is.
    pub fn show_windows(&self, tracks: usize, evictions: u64) {
        let clamp = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.tracks.set(clamp(tracks as u64));
        self.track_evictions.set(clamp(evictions));
    }

    /// Shows how far live calls are from those of the model's training; what is not in `shifted`
    /// is not known.
    pub fn show_drift(&self, shifted: &[Shifted]) {
        self.model.show_drift(shifted);
    }

    /// Shows what came of the calls the model in force scored: how many were judged, the expected
    /// calibration error and the precision above its threshold, where they are known.
    pub fn show_observed(&self, judged: u64, error: Option<f64>, precision: Option<f64>) {
        self.model.show_observed(judged, error, precision);
    }

    /// Shows how many counters of use are kept and how many made room so far.
    pub fn show_usage(&self, counters: usize, evictions: u64) {
        let clamp = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.usage_counters.set(clamp(counters as u64));
        self.usage_evictions.set(clamp(evictions));
    }

    /// Shows how much evidence is remembered, and how much found no room.
    pub fn show_learned(&self, candidates: usize, ordinary: usize, crowded_out: u64) {
        let clamp = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.learned_candidates.set(clamp(candidates as u64));
        self.learned_ordinary.set(clamp(ordinary as u64));
        self.learned_crowded_out.set(clamp(crowded_out));
    }

    /// Sums for the status page.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            decided: self.decided_total.get(),
            refused: self.refused_total.get(),
        }
    }

    /// The counters in the text format of Prometheus (OpenMetrics 1.0).
    ///
    /// # Errors
    /// Never in practice: formatting into a `String`.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
