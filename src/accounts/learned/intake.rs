//! What there is enough evidence against, on its way to the lists.
//!
//! Nothing here may grow with what strangers make up: of each kind so many findings are kept and so
//! many listed, user agents only as far as they can be read together, and proposals leave no lines
//! in the audit log.

use super::{
    LEARNED, LearnedFinding, LearnedRow, LearnedState, Learnt, RENEWED, enter, listed_by, row,
    row_expiry, rows, write,
};
use crate::accounts::audit::Edit;
use crate::accounts::listing::check_agents;
use crate::accounts::{AccountsError, EntryKind, ListKind, Scope};
use rusqlite::params;
use std::collections::{HashMap, HashSet};

/// By how much a new finding must outweigh one that is kept, to take its place.
const STAYS: f32 = 1.0;
/// Why a user agent is withheld that would make the list unreadable.
const TOO_LARGE: &str = "with it the user agents of the list would be too large together";

/// Most findings of a kind that are listed by themselves, and that are kept.
const fn most(kind: EntryKind) -> (usize, usize) {
    match kind {
        EntryKind::Network => (5_000, 6_000),
        EntryKind::Number => (2_000, 3_000),
        EntryKind::Prefix => (500, 700),
        EntryKind::Agent => (200, 300),
    }
}

/// How many more of each kind may be listed.
struct Places(HashMap<EntryKind, usize>);

/// Takes findings in.
pub(super) fn take_all_in(
    edit: &Edit<'_>,
    findings: &[LearnedFinding],
) -> Result<Learnt, AccountsError> {
    let before = rows(edit, None)?;
    reject_what_was_taken_off(edit, &before)?;
    let kept = kept(findings, &before);
    let mut places = Places::left(edit)?;
    let mut done = Learnt::default();
    let (agents, others): (Vec<_>, Vec<_>) = kept.iter().partition(|f| f.kind == EntryKind::Agent);
    for finding in others {
        take_in(edit, finding, None, &mut places, &mut done)?;
    }
    take_agents_in(edit, &agents, &mut places, &mut done)?;
    forget_the_rest(edit, &before, &kept)?;
    Ok(done)
}

/// The heaviest of each kind. One that is there already stays where a new one is not much heavier:
/// else those of like weight would push out each other for ever.
fn kept<'a>(findings: &'a [LearnedFinding], before: &[LearnedRow]) -> Vec<&'a LearnedFinding> {
    let known: HashSet<_> = before.iter().map(|r| (r.kind, r.value.as_str())).collect();
    let weight = |f: &LearnedFinding| {
        let stays = known.contains(&(f.kind, f.value.as_str()));
        f.weight + if stays { STAYS } else { 0.0 }
    };
    let mut kept: Vec<_> = findings.iter().map(|f| (weight(f), f)).collect();
    kept.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut taken: HashMap<EntryKind, usize> = HashMap::new();
    kept.retain(|(_, finding)| {
        let taken = taken.entry(finding.kind).or_default();
        *taken += 1;
        *taken <= most(finding.kind).1
    });
    kept.into_iter().map(|(_, finding)| finding).collect()
}

impl Places {
    fn left(edit: &Edit<'_>) -> Result<Self, AccountsError> {
        let mut statement = edit.prepare_cached(
            "SELECT kind, count(*) FROM learned
             WHERE state IN ('listed', 'approved') AND expires_at > ?1 GROUP BY kind",
        )?;
        let counts = statement.query_map([edit.now.secs()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut left: HashMap<_, _> = EntryKind::ALL
            .iter()
            .map(|&kind| (kind, most(kind).0))
            .collect();
        for count in counts {
            let (kind, count) = count?;
            if let Some(left) = EntryKind::parse(&kind).and_then(|kind| left.get_mut(&kind)) {
                *left = left.saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
            }
        }
        Ok(Self(left))
    }

    fn of(&self, kind: EntryKind) -> usize {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    fn take(&mut self, kind: EntryKind) {
        if let Some(left) = self.0.get_mut(&kind) {
            *left = left.saturating_sub(1);
        }
    }
}

/// User agents are read together, so that one more may be one too many: then those that are new
/// are proposed, and tried again when their evidence changes. All else is taken in all the same.
fn take_agents_in(
    edit: &Edit<'_>,
    agents: &[&LearnedFinding],
    places: &mut Places,
    done: &mut Learnt,
) -> Result<(), AccountsError> {
    let (left, listed) = (places.of(EntryKind::Agent), done.listed);
    let before = *done;
    edit.execute_batch("SAVEPOINT agents")?;
    for agent in agents {
        let row = row(edit, agent.kind, &agent.value)?;
        let was_tried = row.is_some_and(|r| r.why == TOO_LARGE && r.reason == agent.reason);
        take_in(edit, agent, was_tried.then_some(TOO_LARGE), places, done)?;
    }
    let fit = match done.listed > listed {
        true => check_agents(edit, &Scope::System, ListKind::Black),
        false => Ok(()),
    };
    match fit {
        Ok(()) => {}
        Err(error @ AccountsError::PatternsTogether { .. }) => {
            tracing::warn!(%error, "learned user agents are only proposed");
            edit.execute_batch("ROLLBACK TO agents")?;
            (*done, *places.0.entry(EntryKind::Agent).or_default()) = (before, left);
            for agent in agents {
                take_in(edit, agent, Some(TOO_LARGE), places, done)?;
            }
        }
        Err(error) => return Err(error),
    }
    Ok(edit.execute_batch("RELEASE agents")?)
}

/// An entry of a learned source that is gone before its time was taken off by a person.
fn reject_what_was_taken_off(edit: &Edit<'_>, before: &[LearnedRow]) -> Result<(), AccountsError> {
    for row in before {
        let should_be = matches!(row.state, LearnedState::Listed | LearnedState::Approved);
        let expires = row_expiry(edit, row.kind, &row.value)?;
        if should_be
            && expires > edit.now.secs()
            && listed_by(edit, row.kind, &row.value)?.is_none()
        {
            edit.execute(
                "UPDATE learned SET state = 'rejected', decided_by = 'list remove', decided_at = ?3
                 WHERE kind = ?1 AND value = ?2",
                params![row.kind.as_str(), row.value, edit.now.secs()],
            )?;
            let subject = format!("{} {}", row.kind.as_str(), row.value);
            edit.log("learned reject", &subject, None)?;
        }
    }
    Ok(())
}

/// Takes one finding in. `held`: why it may not be listed now, whatever speaks against it.
fn take_in(
    edit: &Edit<'_>,
    finding: &LearnedFinding,
    held: Option<&str>,
    places: &mut Places,
    done: &mut Learnt,
) -> Result<(), AccountsError> {
    let before = row(edit, finding.kind, &finding.value)?;
    let state = before.as_ref().map(|row| row.state);
    let listed = listed_by(edit, finding.kind, &finding.value)?;
    let is_mine = listed.as_deref().is_none_or(|source| source == LEARNED);
    let decided = matches!(state, Some(LearnedState::Approved | LearnedState::Rejected));
    let is_full = listed.is_none() && !decided && places.of(finding.kind) == 0;
    let full = format!("{} such entries are listed already", most(finding.kind).0);
    let withheld = finding.withheld.as_deref().or(held);
    let is_held_back = is_full && withheld.is_none();
    let withheld = withheld.or_else(|| is_full.then_some(&*full));
    let (next, why) = match (state, withheld) {
        (Some(LearnedState::Rejected), _) => (LearnedState::Rejected, ""),
        (Some(LearnedState::Approved), _) => (LearnedState::Approved, ""),
        (_, None) if is_mine => (LearnedState::Listed, ""),
        // What stands is not taken off before its time because something was said for it.
        (Some(LearnedState::Listed), Some(_)) if listed.is_some() => (LearnedState::Listed, ""),
        (_, Some(why)) => (LearnedState::Proposed, why),
        (_, None) => (LearnedState::Proposed, "another source has listed it"),
    };
    let may_list = withheld.is_none() || next == LearnedState::Approved;
    let expires = finding.expires.secs();
    let stands = match listed.is_some() {
        true => row_expiry(edit, finding.kind, &finding.value)?,
        false => 0,
    };
    let renews =
        may_list && is_mine && next != LearnedState::Rejected && expires >= stands + RENEWED;
    if renews {
        enter(
            edit,
            finding.kind,
            &finding.value,
            &finding.reason,
            finding.expires,
        )?;
        done.listed += 1;
        if listed.is_none() {
            places.take(finding.kind);
        }
    }
    let is_news = before
        .as_ref()
        .is_none_or(|row| row.state != next || row.why != why || row.reason != finding.reason);
    if !is_news && !renews {
        return Ok(());
    }
    let is_new = before.is_none() && next == LearnedState::Proposed;
    done.proposed += u64::from(is_new);
    done.held_back += u64::from(is_new && is_held_back);
    // An entry that is not renewed still ends when it does.
    let ends = if stands > 0 && !renews {
        stands
    } else {
        expires
    };
    write(edit, finding, next, why, ends)?;
    if !renews {
        edit.note_quietly();
    }
    Ok(())
}

/// Forgets what nobody decided and nothing speaks for any more; entries end by themselves.
fn forget_the_rest(
    edit: &Edit<'_>,
    before: &[LearnedRow],
    kept: &[&LearnedFinding],
) -> Result<(), AccountsError> {
    let kept: HashSet<(EntryKind, &str)> =
        kept.iter().map(|f| (f.kind, f.value.as_str())).collect();
    for row in before {
        if kept.contains(&(row.kind, row.value.as_str())) {
            continue;
        }
        let over = match row.state {
            LearnedState::Proposed => true,
            LearnedState::Listed | LearnedState::Approved => {
                row_expiry(edit, row.kind, &row.value)? <= edit.now.secs()
            }
            LearnedState::Rejected => false,
        };
        if over {
            edit.execute(
                "DELETE FROM learned WHERE kind = ?1 AND value = ?2",
                params![row.kind.as_str(), row.value],
            )?;
            edit.note_quietly();
        }
    }
    Ok(())
}
