//! Evidence on its way from the calls to the lists.
//!
//! ```text
//! Handler -> two bounded channels -> Learner::look, every second: Learned -> findings -> accounts
//! ```
//! Calls never wait: what finds a channel full is lost and counted. Ordinary life has a channel of
//! its own, so that the busiest hour cannot crowd out what is said against a number.

mod verdicts;

use super::{DataDir, clock};
use crate::accounts::{Accounts, AccountsError, Actor, EntryKind, LearnedFinding};
use crate::config::{LearnedEvidence, LearnedMode, LearnedSettings};
use crate::decide::Engine;
use crate::domain::{CallEvent, Timestamp};
use crate::learned::{
    Evidence, Finding, Keys, Learned, LearnedStateError, Sizes, Standing, Subject, read_state,
    write_state,
};
use crate::sip::Probe;
use crate::telemetry::{Event, Telemetry};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
pub(super) use verdicts::Verdicts;

/// Accusations that wait at most.
const ACCUSATIONS: usize = 8_192;
/// Ordinary calls that wait at most: those of a second under full load.
const ORDINARY: usize = 65_536;
/// Looks between two reviews of everything, when nothing was said against anything.
const REVIEW: u32 = 60;
/// Looks between two savings.
const SAVING: u32 = 30;

/// Where the calls put what they show.
#[derive(Clone)]
pub(super) struct Witness {
    keys: Keys,
    accusations: SyncSender<Evidence>,
    ordinary: SyncSender<Evidence>,
    telemetry: Arc<Telemetry>,
}

/// Makes lists of it.
pub(super) struct Learner {
    learned: Learned,
    accusations: Receiver<Evidence>,
    ordinary: Receiver<Evidence>,
    settings: LearnedSettings,
    engine: Arc<Engine>,
    data_dir: Arc<DataDir>,
    telemetry: Arc<Telemetry>,
    verdicts: Verdicts,
    looks: u32,
}

/// Both ends; `None`: nothing is learned.
pub(super) fn open(
    settings: LearnedSettings,
    engine: &Arc<Engine>,
    data_dir: &Arc<DataDir>,
    telemetry: &Arc<Telemetry>,
) -> Option<(Witness, Learner)> {
    if settings.mode == LearnedMode::Off {
        return None;
    }
    let keys = Keys::new(data_dir.learned_key());
    let mut learned = Learned::new(Sizes::default(), keys);
    restore(&data_dir.learned(), &mut learned);
    let (accusing, accusations) = sync_channel(ACCUSATIONS);
    let (living, ordinary) = sync_channel(ORDINARY);
    let witness = Witness {
        keys,
        accusations: accusing,
        ordinary: living,
        telemetry: Arc::clone(telemetry),
    };
    let learner = Learner {
        learned,
        accusations,
        ordinary,
        settings,
        engine: Arc::clone(engine),
        data_dir: Arc::clone(data_dir),
        telemetry: Arc::clone(telemetry),
        verdicts: Verdicts::default(),
        looks: 0,
    };
    Some((witness, learner))
}

impl Witness {
    /// A call was decided.
    pub(super) fn call(&self, event: &CallEvent) {
        if let Some(evidence) = Evidence::of_event(event, self.keys) {
            self.tell(evidence);
        }
    }

    /// A request at the honeypot was no call.
    pub(super) fn probe(&self, probe: &Probe, at: Timestamp) {
        self.telemetry.emit(&Event::Probed {
            proven: probe.proven,
        });
        let Probe {
            source,
            agent,
            proven,
        } = probe;
        self.tell(Evidence::of_probe(*source, agent, *proven, at, self.keys));
    }

    fn tell(&self, evidence: Evidence) {
        let (channel, kind) = match evidence {
            Evidence::Accusation(_) | Evidence::Withdrawal(_) => (&self.accusations, "accusation"),
            Evidence::Ordinary(_) => (&self.ordinary, "ordinary"),
        };
        // Disconnected: the service is ending.
        if let Err(TrySendError::Full(_)) = channel.try_send(evidence) {
            self.telemetry.emit(&Event::EvidenceLost { kind });
        }
    }
}

impl Learner {
    /// With what people say of calls.
    pub(super) fn asking(self, verdicts: Verdicts) -> Self {
        Self { verdicts, ..self }
    }

    /// Takes in what was said since the last look, and puts on lists what follows.
    pub(super) fn look(&mut self) {
        let news = self.take_in();
        if news || self.looks.is_multiple_of(REVIEW) {
            self.review();
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(SAVING) {
            self.save();
        }
    }

    /// Whether anything was said against anything.
    fn take_in(&mut self) -> bool {
        // Ordinary life first: what protects a number should be known when it is accused.
        for evidence in self.ordinary.try_iter().take(ORDINARY) {
            self.learned.hear(&evidence);
        }
        let mut news = false;
        for evidence in self.accusations.try_iter().take(ACCUSATIONS) {
            self.learned.hear(&evidence);
            news = true;
        }
        let keys = self.learned.keys();
        let said = self.verdicts.since(&mut self.learned.heard, keys);
        for evidence in said {
            self.learned.hear(&evidence);
            news = true;
        }
        news
    }

    fn review(&mut self) {
        let now = clock::now();
        let findings: Vec<LearnedFinding> = self
            .learned
            .review(now)
            .into_iter()
            .map(|finding| self.entry(finding))
            .collect();
        let (candidates, ordinary, evicted, refused) = self.learned.sizes();
        self.telemetry
            .show_learned(candidates, ordinary, evicted + refused);
        match self.put(&findings, now) {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "what was learned could not be put on the lists; the next review tries again");
            }
        }
    }

    fn put(&self, findings: &[LearnedFinding], now: Timestamp) -> Result<(), AccountsError> {
        let mut accounts = Accounts::open(self.data_dir.path(), now)?;
        accounts.act_as(Actor::Program);
        let done = accounts.learn(findings, now)?;
        if done.held_back > 0 {
            let entries = done.held_back;
            tracing::warn!(entries, "learned lists are full: the rest is only proposed");
        }
        if done != crate::accounts::Learnt::default() {
            self.telemetry.emit(&Event::Learned {
                listed: done.listed,
                proposed: done.proposed,
            });
        }
        Ok(())
    }

    /// As it goes to the lists, with why it is withheld if it is.
    fn entry(&self, finding: Finding) -> LearnedFinding {
        let withheld = self.withheld(&finding);
        let evidence: serde_json::Map<_, _> = finding
            .witnesses()
            .map(|(kind, weight)| (kind.as_str().to_owned(), rounded(weight).into()))
            .collect();
        LearnedFinding {
            kind: match finding.subject {
                Subject::Address(_) | Subject::Network(_) => EntryKind::Network,
                Subject::Number(_) => EntryKind::Number,
                Subject::Block(_) => EntryKind::Prefix,
                Subject::Agent(_) => EntryKind::Agent,
            },
            value: finding.subject.value(),
            withheld,
            reason: finding.reason,
            evidence: evidence.into(),
            weight: finding.weight,
            parties: finding.parties,
            first: finding.first,
            last: finding.last,
            expires: finding.expires,
        }
    }

    fn withheld(&self, finding: &Finding) -> Option<String> {
        let is_trusted = match finding.subject {
            Subject::Address(network) | Subject::Network(network) => {
                self.engine.trusts_any_of(network)
            }
            _ => false,
        };
        if is_trusted {
            return Some("it is, or holds, a trusted peer's address".to_owned());
        }
        match finding.standing {
            Standing::Protected(life) => Some(format!(
                "its ordinary life: {} tenants, about {} callers, {} days",
                life.tenants, life.callers, life.days
            )),
            Standing::TooSoon { days, tenants } => Some(format!(
                "ordinary life has been watched for {days} days, of {tenants} established \
                 customers: 14 days and one are needed"
            )),
            Standing::Guilty if self.settings.mode == LearnedMode::Audit => {
                Some("learned.mode is audit".to_owned())
            }
            Standing::Guilty
                if self.settings.evidence == LearnedEvidence::Honeypot && !finding.by_honeypot =>
            {
                Some("the honeypot's evidence alone is not enough".to_owned())
            }
            Standing::Guilty => None,
        }
    }

    /// Saves what was learned; a failure costs only what a restart would forget.
    pub(super) fn save(&self) {
        let path = self.data_dir.learned();
        let draft = path.with_extension("draft");
        let write = || -> Result<(), LearnedStateError> {
            let mut out = BufWriter::new(File::create(&draft)?);
            write_state(&mut out, &self.learned)?;
            out.flush()?;
            out.get_ref().sync_all()?;
            Ok(std::fs::rename(&draft, &path)?)
        };
        if let Err(error) = write() {
            tracing::error!(%error, "what was learned could not be saved");
        }
    }

    /// The last look of a service that ends.
    pub(super) fn finish(&mut self) {
        // ClickHouse is asked no more: the runtime is ending.
        self.verdicts = Verdicts::default();
        self.take_in();
        self.review();
        self.save();
    }
}

/// To two places: an `f32` written as JSON has many more.
fn rounded(weight: f32) -> f64 {
    (f64::from(weight) * 100.0).round() / 100.0
}

fn restore(path: &PathBuf, learned: &mut Learned) {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            tracing::error!(%error, "what was learned cannot be read");
            return;
        }
    };
    if let Err(error) = read_state(&mut BufReader::new(file), learned) {
        let moved = std::fs::rename(path, path.with_extension("damaged")).is_ok();
        tracing::error!(%error, moved, "what was learned is not restored");
    }
}
