//! The features, in order. The order and the meaning are frozen under one VERSION.

use crate::domain::FeatureSpec;

/// Raised whenever a feature is added, removed, moved or computed differently.
pub const VERSION: u16 = 1;

macro_rules! catalogue {
    ($($feature:ident: $name:literal, $tag:literal, $words:literal;)+) => {
        /// One feature; the discriminant is its position in the vector.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        #[expect(missing_docs, reason = "the words stand in CATALOGUE, for people and docs alike")]
        pub enum Feature { $($feature),+ }

        /// Name, reason tag and words of every feature, by position.
        pub const CATALOGUE: &[FeatureSpec] = &[
            $(FeatureSpec { name: $name, tag: $tag, words: $words }),+
        ];
    };
}

/// Length of a feature vector.
pub const COUNT: usize = CATALOGUE.len();

// Counts are ln(1 + decayed count); novelties run from 0 (long known) to 1 (never seen).
catalogue! {
    // destination
    NumberNotInPlan: "number_not_in_plan", "bad-number", "1 when the number does not fit its country's numbering plan";
    ClassPremium: "class_premium", "premium", "1 for premium-rate and shared-cost numbers";
    ClassSatellite: "class_satellite", "satellite", "1 for satellite and global-service numbers";
    ClassTollFree: "class_toll_free", "toll-free", "1 for toll-free numbers";
    ClassMobile: "class_mobile", "mobile", "1 for mobile numbers";
    NumberLength: "number_length", "number-length", "digits of the number / 15";
    CountryNewForUser: "country_new_user", "new-country", "novelty of the destination country for this caller (3 days to 1/e)";
    CountryNewForTenant: "country_new_tenant", "new-country-tenant", "novelty of the destination country for the whole tenant (3 days to 1/e)";
    PrefixNewForUser: "prefix_new_user", "new-prefix", "novelty of the 6-digit prefix for this caller (3 days to 1/e)";
    PrefixNewForTenant: "prefix_new_tenant", "new-prefix-tenant", "novelty of the 6-digit prefix for the whole tenant (3 days to 1/e)";
    PrefixNew: "prefix_new", "unknown-prefix", "novelty of the 6-digit prefix for everybody (3 days to 1/e)";
    NumberNewForUser: "number_new_user", "new-number", "novelty of the number for this caller (3 days to 1/e)";
    CountryShare: "country_share_user", "usual-country", "share of this caller's calls of 30 days that went to this country";
    // rate
    User10s: "user_calls_10s", "burst-10s", "calls of this caller, 10 s";
    User1m: "user_calls_1m", "burst-1m", "calls of this caller, 1 min";
    User10m: "user_calls_10m", "burst-10m", "calls of this caller, 10 min";
    User1h: "user_calls_1h", "burst-1h", "calls of this caller, 1 h";
    User1d: "user_calls_1d", "busy-day", "calls of this caller, 1 day";
    UserBurst: "user_burst", "above-habit", "ln of this hour's calls over the caller's usual hour (30 days)";
    UserKnown: "user_known", "known-caller", "calls of this caller, 30 days";
    UserNumbers1h: "user_numbers_1h", "many-numbers", "distinct numbers called by this caller, 1 h";
    UserPrefixes1h: "user_prefixes_1h", "many-prefixes", "distinct prefixes called by this caller, 1 h";
    UserCountries1d: "user_countries_1d", "many-countries", "distinct countries called by this caller, 1 day";
    UserNovel10m: "user_novel_10m", "novel-burst", "calls of this caller to countries new to him, 10 min";
    Source1m: "source_calls_1m", "source-burst", "calls from this source address, 1 min";
    Source1h: "source_calls_1h", "source-burst", "calls from this source address, 1 h";
    TenantBurst: "tenant_burst", "tenant-burst", "ln of the tenant's last 10 min over its usual 10 min (30 days)";
    Prefix10m: "prefix_calls_10m", "busy-prefix", "calls to this 6-digit prefix by everybody, 10 min";
    Prefix1h: "prefix_calls_1h", "busy-prefix", "calls to this 6-digit prefix by everybody, 1 h";
    PrefixBurst: "prefix_burst", "prefix-burst", "ln of this prefix's last hour over its usual hour (30 days)";
    PrefixTenants1h: "prefix_tenants_1h", "range-many-tenants", "distinct tenants calling this prefix, 1 h";
    Number1h: "number_calls_1h", "busy-number", "calls to this number by everybody, 1 h";
    NumberCallers1h: "number_callers_1h", "number-many-callers", "distinct callers of this number, 1 h";
    // source address
    SourceNewForUser: "source_new_user", "new-source", "novelty of the source address for this caller (3 days to 1/e)";
    OriginNewForUser: "origin_new_user", "new-origin", "novelty of the country of origin for this caller (3 days to 1/e)";
    OriginUnknown: "origin_unknown", "origin-unknown", "1 when the country of origin is not known";
    SourceUsers1h: "source_users_1h", "source-many-callers", "distinct callers from this source address, 1 h";
    SourceTenants1d: "source_tenants_1d", "source-many-tenants", "distinct tenants called from this source address, 1 day";
    // user agent
    AgentNewForUser: "agent_new_user", "new-agent", "novelty of the user agent for this caller (3 days to 1/e)";
    AgentNewForTenant: "agent_new_tenant", "new-agent-tenant", "novelty of the user agent for the whole tenant (3 days to 1/e)";
    AgentTool: "agent_tool", "tool-agent", "1 for user agents of known scanning and dialling tools";
    AgentEmpty: "agent_empty", "no-agent", "1 when no user agent was sent";
    // dialling
    DialPrefixOdd: "dial_prefix_odd", "odd-dial-prefix", "1 when an exit code had to be guessed away";
    DialVariety1h: "dial_variety_1h", "prefix-probing", "distinct beginnings dialled before the same last digits from this source, 1 h";
    // time of day
    HourUnusual: "hour_unusual", "unusual-hour", "how rarely this caller calls at this hour (0 usual, 1 never)";
    Weekend: "weekend", "weekend", "1 on Saturday and Sunday, UTC";
    Night: "night", "night", "1 from 22 to 6 h, UTC";
    // concurrency
    Concurrent: "concurrent", "concurrent", "ln(1 + calls this caller has up now)";
    ConcurrentUnknown: "concurrent_unknown", "concurrent-unknown", "1 when P-Calls was not sent";
    // crosses: what a straight line over the others cannot say
    NewCountryBurst: "x_new_country_burst", "new-country-burst", "novelty of country x calls of the last 10 min";
    NewCountryUnusualHour: "x_new_country_hour", "new-country-at-odd-hour", "novelty of country x rarity of the hour";
    NewCountryConcurrent: "x_new_country_concurrent", "new-country-concurrent", "novelty of country x calls up now";
    NewSourceNewCountry: "x_new_source_country", "new-source-and-country", "novelty of source address x novelty of country";
    NewSourceNewAgent: "x_new_source_agent", "new-source-and-agent", "novelty of source address x novelty of user agent";
    NewOriginNewCountry: "x_new_origin_country", "new-origin-and-country", "novelty of origin x novelty of country";
    NewPrefixNumbers: "x_new_prefix_numbers", "new-prefix-many-numbers", "novelty of prefix x distinct numbers of the last hour";
    KnownNewCountry: "x_known_new_country", "known-caller-new-country", "novelty of country x how well the caller is known";
    KnownNewSource: "x_known_new_source", "known-caller-new-source", "novelty of source address x how well the caller is known";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_the_enum_matches_the_catalogue() {
        let names: HashSet<_> = CATALOGUE.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), COUNT);
        assert_eq!(
            CATALOGUE[Feature::KnownNewSource as usize].name,
            "x_known_new_source"
        );
        assert_eq!(Feature::KnownNewSource as usize, COUNT - 1);
    }
}
