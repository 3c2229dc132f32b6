//! The lists in a policy file: entries that share list and note stand together.

use super::{FileError, Included, MOST_ENTRIES, PolicyFile, Wrong};
use crate::accounts::audit::Edit;
use crate::accounts::entries::{self, Note};
use crate::accounts::listing::{self, check_agents, check_fits};
use crate::accounts::names::{DomainName, Name, Reason, Source};
use crate::accounts::{AccountsError, EntryFilter, EntryKind, Expiry, ListEntry, ListKind, Scope};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Most changed entries that each get a line of the audit log; of more, each list gets one.
const LINES: usize = 1_000;

/// Entries of one list with the same reason, source and expiry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListGroup {
    /// `system`, or `domain/policy`.
    pub of: Of,
    /// black, white or group.
    pub list: ListKind,
    /// number, prefix, network or agent.
    pub kind: EntryKind,
    /// Why; of a group: its name.
    pub reason: Reason,
    /// Who listed it.
    pub source: Source,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// What is listed.
    pub values: Vec<String>,
}

/// Whose list: the system's before those of policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Of(Option<(DomainName, Name)>);

impl TryFrom<String> for Of {
    type Error = FileError;

    fn try_from(text: String) -> Result<Self, FileError> {
        if text == "system" {
            return Ok(Self(None));
        }
        let names = text
            .split_once('/')
            .and_then(|(domain, policy)| Some((domain.parse().ok()?, policy.parse().ok()?)));
        match names {
            Some(names) => Ok(Self(Some(names))),
            None => Err(FileError {
                line: None,
                place: None,
                what: Wrong::Of(text),
            }),
        }
    }
}

impl From<Of> for String {
    fn from(of: Of) -> Self {
        match of.0 {
            None => "system".to_owned(),
            Some((domain, policy)) => format!("{domain}/{policy}"),
        }
    }
}

impl Of {
    fn scope(&self) -> Scope {
        match &self.0 {
            None => Scope::System,
            Some((domain, policy)) => Scope::Policy {
                domain: domain.to_string(),
                policy: policy.to_string(),
            },
        }
    }

    const fn is_system(&self) -> bool {
        self.0.is_none()
    }
}

/// Where an entry stands; its order is that of the file.
type Place = (Of, ListKind, EntryKind, String);

/// What is listed and why, of the lists a file speaks of.
pub(super) fn read(
    db: &Connection,
    included: Included,
) -> Result<BTreeMap<Place, Note>, AccountsError> {
    let is_wanted = |of_system| match of_system {
        true => included.has_system(),
        false => included.has_policies(),
    };
    let mut counted = 0;
    for of_system in [true, false].into_iter().filter(|&of| is_wanted(of)) {
        let some = listing::count(db, of_system)?;
        counted += usize::try_from(some).unwrap_or(usize::MAX);
    }
    if counted > MOST_ENTRIES {
        return Err(FileError::at("lists", Wrong::TooManyEntries(counted)).into());
    }
    let mut found = BTreeMap::new();
    if included == Included::None {
        return Ok(found);
    }
    // Millions of the system's may be passed over: list by list, and not entry by entry.
    let of_system = Scope::System;
    if included.has_system() {
        collect(db, Some(&of_system), &mut found)?;
    }
    for scope in listing::policy_scopes(db)? {
        collect(db, Some(&scope), &mut found)?;
    }
    Ok(found)
}

fn collect(
    db: &Connection,
    scope: Option<&Scope>,
    found: &mut BTreeMap<Place, Note>,
) -> Result<(), AccountsError> {
    let filter = EntryFilter {
        scope,
        ..EntryFilter::default()
    };
    listing::each(db, &filter, u64::MAX, |row| {
        let (place, note) = entry(row)?;
        found.insert(place, note);
        Ok::<_, AccountsError>(())
    })
}

fn entry(row: ListEntry) -> Result<(Place, Note), AccountsError> {
    let of = match row.scope.is_empty() {
        true => Of(None),
        false => Of::try_from(row.scope)?,
    };
    let unknown = || AccountsError::NoEntry(row.value.clone());
    let list = ListKind::parse(&row.list).ok_or_else(unknown)?;
    let kind = EntryKind::parse(&row.kind).ok_or_else(unknown)?;
    let note = Note {
        reason: row.reason,
        source: row.source,
        expires: row.expires_at.map(Expiry::from_secs),
    };
    Ok(((of, list, kind, row.value), note))
}

/// Entries as they stand in a file.
pub(super) fn group(found: BTreeMap<Place, Note>) -> Result<Vec<ListGroup>, AccountsError> {
    let mut groups: BTreeMap<ListGroup, Vec<String>> = BTreeMap::new();
    for ((of, list, kind, value), note) in found {
        let key = ListGroup {
            of,
            list,
            kind,
            reason: note.reason.parse()?,
            source: note.source.parse()?,
            expires: note.expires,
            values: Vec::new(),
        };
        groups.entry(key).or_default().push(value);
    }
    let whole = groups
        .into_iter()
        .map(|(key, values)| ListGroup { values, ..key });
    Ok(whole.collect())
}

/// The entries of a file, each in its stored form, and none twice.
fn wanted(file: &PolicyFile) -> Result<BTreeMap<Place, Note>, AccountsError> {
    let counted: usize = file.lists.iter().map(|group| group.values.len()).sum();
    if counted > MOST_ENTRIES {
        return Err(FileError::at("lists", Wrong::TooManyEntries(counted)).into());
    }
    let mut found = BTreeMap::new();
    for (at, group) in file.lists.iter().enumerate() {
        let place = format!("lists[{at}]");
        check_group(file, group).map_err(|error| error.at(&place))?;
        for (number, value) in group.values.iter().enumerate() {
            let place = format!("{place}.values[{number}]");
            let stored = entries::stored_form(&group.of.scope(), group.list, group.kind, value)
                .map_err(|error| error.at(&place))?;
            let note = Note {
                reason: group.reason.to_string(),
                source: group.source.to_string(),
                expires: group.expires,
            };
            let key = (group.of.clone(), group.list, group.kind, stored);
            if found.insert(key, note).is_some() {
                return Err(FileError::at(&place, Wrong::Twice(value.clone())).into());
            }
        }
    }
    Ok(found)
}

fn check_group(file: &PolicyFile, group: &ListGroup) -> Result<(), AccountsError> {
    let is_included = match group.of.is_system() {
        true => file.lists_included.has_system(),
        false => file.lists_included.has_policies(),
    };
    if !is_included {
        let wrong = Wrong::NotIncluded(file.lists_included);
        return Err(FileError::at("of", wrong).into());
    }
    if let Some((domain, policy)) = &group.of.0 {
        let section = file.domains.get(domain);
        if section.is_none_or(|section| !section.policies.contains_key(policy)) {
            let wrong = Wrong::Of(String::from(group.of.clone()));
            return Err(FileError::at("of", wrong).into());
        }
    }
    check_fits(&group.of.scope(), group.list, group.kind, "").map_err(|error| error.at("list"))
}

/// Makes the lists a file speaks of equal to it.
pub(super) fn apply(edit: &Edit<'_>, file: &PolicyFile) -> Result<(), AccountsError> {
    let wanted = wanted(file)?;
    let there = read(edit, file.lists_included)?;
    let gone: Vec<&Place> = there
        .keys()
        .filter(|place| !wanted.contains_key(*place))
        .collect();
    let put: Vec<(&Place, &Note)> = wanted
        .iter()
        .filter(|(place, note)| there.get(*place) != Some(*note))
        .collect();
    let each = gone.len() + put.len() <= LINES;
    let mut counts: BTreeMap<(&Of, ListKind), [usize; 2]> = BTreeMap::new();
    for place in gone {
        let (of, list, kind, value) = place;
        entries::remove(edit, &of.scope(), *list, &kind.read(value)?, each)?;
        counts.entry((of, *list)).or_default()[1] += 1;
    }
    let mut patterns = BTreeSet::new();
    for (place, note) in put {
        let (of, list, kind, value) = place;
        entries::write(edit, &of.scope(), *list, *kind, value, note, each)?;
        counts.entry((of, *list)).or_default()[0] += 1;
        if *kind == EntryKind::Agent {
            patterns.insert((of, *list));
        }
    }
    for (of, list) in patterns {
        check_agents(edit, &of.scope(), list).map_err(|error| error.at("lists"))?;
    }
    if !each {
        for ((of, list), [listed, removed]) in counts {
            let subject = format!("{} {}", String::from(of.clone()), list.as_str());
            let counted = json!({"listed": listed, "removed": removed});
            edit.log("list import", &subject, Some(&counted))?;
        }
    }
    Ok(())
}
