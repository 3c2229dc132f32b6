//! Address -> country, from a database the operator has; without one, "unknown" is a value.

use crate::domain::Country;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Where Debian's `tor-geoipdb` puts its two files.
const DEBIAN_FILES: [&str; 2] = ["/usr/share/tor/geoip", "/usr/share/tor/geoip6"];

/// `[geo]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeoSettings {
    /// false: no database is used, every country of origin is unknown.
    pub enabled: bool,
    /// A `.mmdb` file with `country.iso_code` or `country_code`. Unset: Debian's
    /// `tor-geoipdb` when installed, else every country is unknown.
    pub database: Option<PathBuf>,
}

impl Default for GeoSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            database: None,
        }
    }
}

/// Why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// The `.mmdb` file.
    #[error(
        "configuration key `geo.database`: `{path}` does not do: expected a readable MaxMind DB file ({source})"
    )]
    Mmdb {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: maxminddb::MaxMindDbError,
    },
    /// A range file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A database in memory.
#[derive(Debug, Default)]
pub struct Geo {
    source: Source,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    None,
    Mmdb(Box<maxminddb::Reader<Vec<u8>>>),
    Ranges {
        v4: Vec<Range<u32>>,
        v6: Vec<Range<u128>>,
    },
}

#[derive(Debug)]
struct Range<A> {
    first: A,
    last: A,
    country: Country,
}

impl Geo {
    /// Opens what the settings name, else Debian's files, else nothing.
    ///
    /// # Errors
    /// Only for a database that is named and cannot be used, or Debian's when unreadable.
    pub fn open(settings: &GeoSettings) -> Result<Self, GeoError> {
        if !settings.enabled {
            return Ok(Self::default());
        }
        if let Some(path) = &settings.database {
            let reader =
                maxminddb::Reader::open_readfile(path).map_err(|source| GeoError::Mmdb {
                    path: path.clone(),
                    source,
                })?;
            return Ok(Self {
                source: Source::Mmdb(Box::new(reader)),
            });
        }
        let [v4, v6] = DEBIAN_FILES.map(Path::new);
        if !v4.exists() {
            return Ok(Self::default());
        }
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| GeoError::Io {
                path: path.to_owned(),
                source,
            })
        };
        let v6 = if v6.exists() {
            read(v6)?
        } else {
            String::new()
        };
        Ok(Self::from_ranges(&read(v4)?, &v6))
    }

    /// From the text of tor's two files: `first,last,CC` a line, IPv4 as integers.
    #[must_use]
    pub fn from_ranges(v4: &str, v6: &str) -> Self {
        Self {
            source: Source::Ranges {
                v4: ranges(v4, |text| text.parse().ok()),
                v6: ranges(v6, |text| text.parse::<Ipv6Addr>().ok().map(u128::from)),
            },
        }
    }

    /// What the countries come from, for the start-up lines.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self.source {
            Source::None => "none: countries of origin are unknown",
            Source::Mmdb(_) => "the configured MaxMind DB file",
            Source::Ranges { .. } => "Debian's tor-geoipdb",
        }
    }

    /// The country of a public address; unknown for private, shared and reserved ones.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Country {
        let address = address.to_canonical();
        if !is_public(address) {
            return Country::UNKNOWN;
        }
        match (&self.source, address) {
            (Source::None, _) => Country::UNKNOWN,
            (Source::Mmdb(reader), _) => from_mmdb(reader, address).unwrap_or_default(),
            (Source::Ranges { v4, .. }, IpAddr::V4(a)) => find(v4, u32::from(a)),
            (Source::Ranges { v6, .. }, IpAddr::V6(a)) => find(v6, u128::from(a)),
        }
    }
}

fn ranges<A: Ord>(text: &str, parse: impl Fn(&str) -> Option<A>) -> Vec<Range<A>> {
    let mut all: Vec<Range<A>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split(',');
            Some(Range {
                first: parse(fields.next()?)?,
                last: parse(fields.next()?)?,
                country: Country::parse(fields.next()?)?,
            })
        })
        .collect();
    all.sort_unstable_by(|a, b| a.first.cmp(&b.first));
    all
}

fn find<A: Ord + Copy>(ranges: &[Range<A>], address: A) -> Country {
    let after = ranges.partition_point(|range| range.first <= address);
    after
        .checked_sub(1)
        .map(|at| &ranges[at])
        .filter(|range| address <= range.last)
        .map_or(Country::UNKNOWN, |range| range.country)
}

fn from_mmdb(reader: &maxminddb::Reader<Vec<u8>>, address: IpAddr) -> Option<Country> {
    let found = reader.lookup(address).ok()?;
    let nested: Option<&str> = found
        .decode_path(&maxminddb::path!["country", "iso_code"])
        .ok()
        .flatten();
    let code = match nested {
        Some(code) => code,
        None => found
            .decode_path::<&str>(&maxminddb::path!["country_code"])
            .ok()??,
    };
    Country::parse(code)
}

/// Whether an address can have a country at all (RFC 1918, 6598, 3927, 4193, 5737 and the like
/// cannot).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            let shared = a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
            !(a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || a.is_broadcast()
                || a.is_documentation()
                || a.is_multicast()
                || a == Ipv4Addr::UNSPECIFIED
                || shared)
        }
        IpAddr::V6(a) => {
            !(a.is_loopback()
                || a.is_unspecified()
                || a.is_multicast()
                || a.is_unique_local()
                || a.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_with_holes_and_private_addresses() {
        let geo = Geo::from_ranges(
            "# comment\n16777216,16777471,AU\n16777472,16778239,CN\n",
            "2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n",
        );
        let country = |a: &str| geo.country(a.parse().expect("address")).to_string();
        assert_eq!(country("1.0.0.1"), "AU");
        assert_eq!(country("1.0.1.0"), "CN");
        assert_eq!(country("::ffff:1.0.0.1"), "AU");
        assert_eq!(country("1.0.4.0"), "ZZ");
        assert_eq!(country("0.0.0.1"), "ZZ");
        assert_eq!(country("2001:200::1"), "JP");
        for private in ["10.0.0.1", "127.0.0.1", "100.64.0.1", "fe80::1", "fc00::1"] {
            assert_eq!(country(private), "ZZ", "{private}");
        }
    }

    #[test]
    fn a_named_database_must_be_one() {
        let settings = GeoSettings {
            database: Some("/nonexistent.mmdb".into()),
            ..GeoSettings::default()
        };
        let error = Geo::open(&settings).expect_err("not there").to_string();
        assert!(
            error.contains("`geo.database`: `/nonexistent.mmdb`"),
            "{error}"
        );
    }
}
