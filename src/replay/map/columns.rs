//! Where in a file's rows each field of a call stands: the map's names and numbers found in the
//! file's header, once, before the first row.

use super::file::{ColumnName, MapError, MapFile, Place, Places, Seconds, pattern};
use regex::Regex;

/// A column of the file and what of it is the value.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) at: usize,
    pub(super) pattern: Option<Regex>,
}

/// Where each field comes from.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) time: Vec<Taken>,
    pub(super) end: Vec<Taken>,
    pub(super) user: Vec<Taken>,
    pub(super) dialed_number: Vec<Taken>,
    pub(super) domain: Vec<Taken>,
    pub(super) source_ip: Vec<Taken>,
    pub(super) user_agent: Vec<Taken>,
    pub(super) calls: Vec<Taken>,
    pub(super) call_id: Vec<Taken>,
    pub(super) verdict: Vec<Taken>,
    pub(super) campaign: Vec<Taken>,
    pub(super) duration: Vec<Taken>,
    pub(super) up: Vec<Taken>,
    pub(super) answered: Option<Taken>,
    pub(super) only: Vec<Taken>,
}

/// The columns of the file, by name where it has a header.
pub(super) struct Columns(pub(super) Option<Vec<String>>);

impl Columns {
    /// `None`: not there, and need not be.
    fn at(
        &self,
        field: &'static str,
        column: &ColumnName,
        optional: bool,
    ) -> Result<Option<usize>, MapError> {
        let Self(header) = self;
        let found = match (column, header) {
            (ColumnName::Number(0), _) => None,
            (ColumnName::Number(number), None) => Some(number - 1),
            (ColumnName::Number(number), Some(header)) => {
                Some(number - 1).filter(|at| *at < header.len())
            }
            (ColumnName::Name(name), None) => {
                return Err(MapError::NameWithoutHeader(name.clone()));
            }
            (ColumnName::Name(name), Some(header)) => header
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name)),
        };
        match found {
            None if !optional => Err(MapError::NoColumn {
                column: column.to_string(),
                field,
                header: match header {
                    None => "columns are numbered from 1".to_owned(),
                    Some(header) => {
                        let names = header.join(", ").chars().take(400).collect::<String>();
                        format!("its header has {names}")
                    }
                },
            }),
            found => Ok(found),
        }
    }

    fn taken(&self, field: &'static str, places: &Places) -> Result<Vec<Taken>, MapError> {
        let mut taken = Vec::new();
        for Place {
            column,
            pattern: text,
            optional,
        } in places.all()
        {
            if let Some(at) = self.at(field, column, *optional)? {
                let pattern = text.as_ref().map(|text| pattern(field, text)).transpose()?;
                taken.push(Taken { at, pattern });
            }
        }
        Ok(taken)
    }

    /// As [`Self::taken`], of what every row must have.
    fn needed(&self, field: &'static str, places: &Places) -> Result<Vec<Taken>, MapError> {
        let taken = self.taken(field, places)?;
        match (taken.is_empty(), places.all().first()) {
            (true, Some(place)) => Err(MapError::NoColumn {
                column: place.column.to_string(),
                field,
                header: "and none of the others the map tries".to_owned(),
            }),
            _ => Ok(taken),
        }
    }

    fn pattern(
        &self,
        field: &'static str,
        column: &ColumnName,
        text: &str,
        optional: bool,
    ) -> Result<Option<Taken>, MapError> {
        let pattern = pattern(field, text)?;
        Ok(self.at(field, column, optional)?.map(|at| Taken {
            at,
            pattern: Some(pattern),
        }))
    }
}

impl Fields {
    pub(super) fn of(map: &MapFile, columns: &Columns) -> Result<Self, MapError> {
        let seconds = |field, how: Option<&Seconds>| match how {
            None => Ok(Vec::new()),
            Some(how) => columns.taken(field, &how.from),
        };
        let mut only = Vec::new();
        for rule in &map.only {
            only.extend(columns.pattern("only", &rule.column, &rule.pattern, rule.optional)?);
        }
        let answered = match &map.answered {
            None => None,
            Some(how) => columns.pattern("answered", &how.column, &how.pattern, how.optional)?,
        };
        let domain = columns.taken("domain", &map.domain)?;
        if domain.is_empty() && map.constant.domain.is_none() {
            return Err(MapError::Unsaid("domain"));
        }
        let source_ip = columns.taken("source_ip", &map.source_ip)?;
        if source_ip.is_empty() && map.constant.source_ip.is_none() {
            return Err(MapError::Unsaid("source_ip"));
        }
        Ok(Self {
            time: columns.needed("time", &map.time.from)?,
            end: columns.taken("end", &map.end)?,
            user: columns.needed("user", &map.user)?,
            dialed_number: columns.needed("dialed_number", &map.dialed_number)?,
            domain,
            source_ip,
            user_agent: columns.taken("user_agent", &map.user_agent)?,
            calls: columns.taken("calls", &map.calls)?,
            call_id: columns.taken("call_id", &map.call_id)?,
            verdict: columns.taken("verdict", &map.verdict)?,
            campaign: columns.taken("campaign", &map.campaign)?,
            duration: seconds("duration", map.duration.as_ref())?,
            up: seconds("up", map.up.as_ref())?,
            answered,
            only,
        })
    }
}
