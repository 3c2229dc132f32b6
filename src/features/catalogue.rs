//! The features, in order. The order and the meaning are frozen under one VERSION.

use crate::domain::FeatureSpec;

/// Raised whenever a feature is added, removed, moved or computed differently.
pub const VERSION: u16 = 2;

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

// Each costs memory and time with every call, in ClickHouse and in training.
const _: () = assert!(COUNT <= 110);

// Counts and sums of money are ln(1 + x); novelties run from 0 (long known) to 1 (never seen) and
// fall to 1/e in three days unless it says otherwise. A block is a thousand numbers: the number
// without its last three digits. A network is the /24 of an IPv4 address, the /48 of an IPv6 one.
catalogue! {
    // the number itself
    NumberNotInPlan: "number_not_in_plan", "bad-number", "1 when the number does not fit its country's numbering plan";
    ClassPremium: "class_premium", "premium", "1 for premium-rate and shared-cost numbers";
    ClassSatellite: "class_satellite", "satellite", "1 for satellite and global-service numbers";
    ClassTollFree: "class_toll_free", "toll-free", "1 for toll-free numbers";
    ClassMobile: "class_mobile", "mobile", "1 for mobile numbers";
    LengthUnusual: "length_unusual", "number-length", "how rarely numbers of this country that are called have this length (0 usual, 1 never)";
    CountryRisk: "country_risk", "risky-country", "how often the country is named in revenue share fraud: 0 seldom, 0.5, 1 often";
    // how new the destination is
    CountryNewForUser: "country_new_user", "new-country", "novelty of the destination country for this caller";
    CountryNewForTenant: "country_new_tenant", "new-country-tenant", "novelty of the destination country for the whole tenant";
    PrefixNewForUser: "prefix_new_user", "new-prefix", "novelty of the 6-digit prefix for this caller";
    PrefixNewForTenant: "prefix_new_tenant", "new-prefix-tenant", "novelty of the 6-digit prefix for the whole tenant";
    PrefixNew: "prefix_new", "unknown-prefix", "novelty of the 6-digit prefix for everybody";
    BlockNew: "block_new", "unknown-range", "novelty of the block of a thousand numbers for everybody";
    NumberNewForUser: "number_new_user", "new-number", "novelty of the number for this caller";
    NumberNew: "number_new", "unknown-number", "novelty of the number for everybody";
    CountryShare: "country_share_user", "usual-country", "share of this caller's calls of 30 days that went to this country";
    CountryShareTenant: "country_share_tenant", "usual-country-tenant", "share of the tenant's calls of 30 days that went to this country";
    ForeignShare: "user_foreign_share", "calls-abroad", "share of this caller's calls of 30 days to countries his tenant seldom calls";
    // how well the caller is known
    UserNew: "user_new", "new-caller", "novelty of the caller himself (7 days to 1/e)";
    TenantNew: "tenant_new", "new-tenant", "novelty of the tenant (14 days to 1/e): its habits are not learned yet";
    UserKnown: "user_known", "known-caller", "calls of this caller, 30 days";
    // how much the caller calls
    User1s: "user_calls_1s", "burst-1s", "calls of this caller, 1 s";
    User10s: "user_calls_10s", "burst-10s", "calls of this caller, 10 s";
    User1m: "user_calls_1m", "burst-1m", "calls of this caller, 1 min";
    User10m: "user_calls_10m", "burst-10m", "calls of this caller, 10 min";
    User1h: "user_calls_1h", "burst-1h", "calls of this caller, 1 h";
    User1d: "user_calls_1d", "busy-day", "calls of this caller, 1 day";
    UserBurst: "user_burst", "above-habit", "ln of this hour's calls over the caller's usual hour (30 days)";
    UserDayBurst: "user_day_burst", "above-habit-day", "ln of this day's calls over the caller's usual day (30 days)";
    TenantBurst: "tenant_burst", "tenant-burst", "ln of the tenant's last 10 min over its usual 10 min (30 days)";
    // what the caller calls
    UserNumbers1h: "user_numbers_1h", "many-numbers", "distinct numbers called by this caller, 1 h";
    UserPrefixes1h: "user_prefixes_1h", "many-prefixes", "distinct prefixes called by this caller, 1 h";
    UserCountries1d: "user_countries_1d", "many-countries", "distinct countries called by this caller, 1 day";
    UserNovel10m: "user_novel_10m", "novel-burst", "calls of this caller to countries new to him, 10 min";
    UserRedial10m: "user_redial_10m", "redial", "calls of this caller to this very number, 10 min";
    UserRun1h: "user_run_1h", "sequential-numbers", "calls of this caller to a number next to one he called before, 1 h";
    UserBlock1h: "user_block_calls_1h", "many-of-one-range", "calls of this caller to this block, 1 h";
    PrefixConcentration: "prefix_concentration", "one-prefix", "share of this caller's calls of the hour that went to this prefix";
    // what everybody calls
    Prefix10m: "prefix_calls_10m", "busy-prefix", "calls to this 6-digit prefix by everybody, 10 min";
    PrefixBurst: "prefix_burst", "prefix-burst", "ln of this prefix's last hour over its usual hour (30 days)";
    PrefixTenants1h: "prefix_tenants_1h", "range-many-tenants", "distinct tenants calling this prefix, 1 h";
    Block10m: "block_calls_10m", "busy-range", "calls to this block by everybody, 10 min";
    BlockBurst: "block_burst", "range-burst", "ln of this block's last hour over its usual hour (30 days)";
    BlockCallers10m: "block_callers_10m", "range-many-callers", "distinct callers of this block who began within 10 min";
    BlockCallers1h: "block_callers_1h", "range-many-callers", "distinct callers of this block, 1 h";
    BlockCallersBurst: "block_callers_burst", "range-callers-burst", "ln of this block's callers of the hour over its usual hour (30 days)";
    BlockTenants1h: "block_tenants_1h", "range-many-tenants", "distinct tenants calling this block, 1 h";
    Number1h: "number_calls_1h", "busy-number", "calls to this number by everybody, 1 h";
    NumberCallers1h: "number_callers_1h", "number-many-callers", "distinct callers of this number, 1 h";
    // source address
    Source1m: "source_calls_1m", "source-burst", "calls from this source address, 1 min";
    Source1h: "source_calls_1h", "source-burst", "calls from this source address, 1 h";
    SourceNewForUser: "source_new_user", "new-source", "novelty of the source address for this caller";
    SourceNewForTenant: "source_new_tenant", "new-source-tenant", "novelty of the source address for the whole tenant";
    NetNewForUser: "net_new_user", "new-network", "novelty of the source network for this caller";
    NetNewForTenant: "net_new_tenant", "new-network-tenant", "novelty of the source network for the whole tenant";
    OriginNewForUser: "origin_new_user", "new-origin", "novelty of the country of origin for this caller; 0 when it is not known";
    OriginUnknown: "origin_unknown", "origin-unknown", "1 when the country of origin is not known";
    SourceUsers1h: "source_users_1h", "source-many-callers", "distinct callers from this source address, 1 h";
    SourceTenants1d: "source_tenants_1d", "source-many-tenants", "distinct tenants called from this source address, 1 day";
    UserSources1h: "user_sources_1h", "many-sources", "distinct source addresses of this caller, 1 h";
    // user agent and message
    AgentNewForUser: "agent_new_user", "new-agent", "novelty of the user agent for this caller";
    AgentNewForTenant: "agent_new_tenant", "new-agent-tenant", "novelty of the user agent for the whole tenant";
    FamilyNewForUser: "agent_family_new_user", "other-device", "novelty of the make of the device (the user agent's first word) for this caller";
    AgentTenants: "agent_tenants_30d", "common-agent", "distinct tenants that use this user agent, 30 days";
    AgentTool: "agent_tool", "tool-agent", "1 for user agents of known scanning and dialling tools";
    AgentEmpty: "agent_empty", "no-agent", "1 when no user agent was sent";
    SignsTool: "signs_tool", "tool-message", "signs in the message of known tools (their names, tags, Call-IDs)";
    SignsMedia: "signs_media", "odd-media", "signs that nobody could talk by the offered media";
    SignsHeader: "signs_header", "odd-headers", "headers that telephones send and this message lacks, or has wrong";
    // dialling
    DialPrefixOdd: "dial_prefix_odd", "odd-dial-prefix", "1 when an exit code had to be guessed away";
    DialVariety1h: "dial_variety_1h", "prefix-probing", "distinct beginnings dialled before the same last digits from this source, 1 h";
    // time of day
    HourUnusual: "hour_unusual", "unusual-hour", "how rarely this caller calls at this hour (0 usual, 1 never)";
    WeekHourUnusual: "week_hour_unusual", "unusual-hour", "how rarely this caller calls at this hour of working days, or of weekends (0 usual, 1 never)";
    WeekendUnusual: "weekend_unusual", "unusual-day", "at the weekend: how rarely this caller calls then (0 usual, 1 never); else 0";
    TenantHourUnusual: "tenant_hour_unusual", "unusual-hour-tenant", "how rarely the tenant calls at this hour (0 usual, 1 never)";
    // concurrency
    Concurrent: "concurrent", "concurrent", "ln(1 + calls this caller has up now)";
    ConcurrentUnknown: "concurrent_unknown", "concurrent-unknown", "1 when P-Calls was not sent";
    ConcurrentUnusual: "concurrent_unusual", "concurrent-above-habit", "ln of the calls this caller has up over what he usually has (30 days)";
    // money, in hundredths of the deck's currency
    Price: "price", "price", "ln(1 + price of a minute in cents)";
    PriceUnusual: "price_unusual", "above-usual-price", "ln of the price over what this caller usually pays (30 days; the tenant's mean while he is new)";
    PriceClassNewForUser: "price_class_new_user", "new-price-class", "novelty for this caller of prices of this order";
    PriceClassNewForTenant: "price_class_new_tenant", "new-price-class-tenant", "novelty for the tenant of prices of this order";
    ExpensiveShare: "user_expensive_share", "expensive-calls", "share of this caller's calls of 30 days at 0.20 a minute or more";
    UserSpend10m: "user_spend_10m", "spend-10m", "sum of the minute prices of this caller's calls, 10 min";
    UserSpend1h: "user_spend_1h", "spend-1h", "sum of the minute prices of this caller's calls, 1 h";
    UserSpend1d: "user_spend_1d", "spend-1d", "sum of the minute prices of this caller's calls, 1 day";
    TenantSpend1h: "tenant_spend_1h", "spend-tenant", "sum of the minute prices of the tenant's calls, 1 h";
    TenantSpendBurst: "tenant_spend_burst", "spend-tenant", "ln of the tenant's spending of the hour over its usual hour (30 days)";
    // honeypot neighbourhood
    HoneypotPrefix: "honeypot_prefix", "honeypot-prefix", "networks that called this prefix at a honeypot, 7 days";
    HoneypotBlock: "honeypot_block", "honeypot-range", "networks that called this block at a honeypot, 7 days";
    HoneypotSource: "honeypot_source", "honeypot-source", "calls of this source address at a honeypot, 7 days";
    HoneypotNet: "honeypot_net", "honeypot-network", "calls from this source network at a honeypot, 7 days";
    HoneypotAgent: "honeypot_agent", "honeypot-agent", "networks that used this user agent at a honeypot, 7 days";
    // crosses: what a straight line over the others cannot say
    NewCountryBurst: "x_new_country_burst", "new-country-burst", "novelty of country x calls of the last 10 min";
    NewCountryUnusualHour: "x_new_country_hour", "new-country-at-odd-hour", "novelty of country x rarity of the hour";
    NewCountryPrice: "x_new_country_price", "costly-new-country", "novelty of country x price";
    NewPrefixPrice: "x_new_prefix_price", "costly-new-prefix", "novelty of prefix x price";
    NewSourceNewCountry: "x_new_source_country", "new-source-and-country", "novelty of source address x novelty of country";
    NewSourceNewAgent: "x_new_source_agent", "new-source-and-agent", "novelty of source address x novelty of user agent";
    NewNetPrice: "x_new_net_price", "costly-from-new-network", "novelty of source network x price";
    NewPrefixNumbers: "x_new_prefix_numbers", "new-prefix-many-numbers", "novelty of prefix x distinct numbers of the last hour";
    KnownNewCountry: "x_known_new_country", "known-caller-new-country", "novelty of country x how well the caller is known";
    KnownNewSource: "x_known_new_source", "known-caller-new-source", "novelty of source address x how well the caller is known";
    PriceBurst: "x_price_burst", "costly-burst", "price x calls of the last 10 min";
    PriceUnusualHour: "x_price_hour", "costly-at-odd-hour", "price x rarity of the hour";
    PriceRange: "x_price_range", "costly-range-many-callers", "price x distinct callers of the block, 1 h";
    NewRangeCallers: "x_new_range_callers", "new-range-many-callers", "novelty of the block for everybody x its distinct callers, 1 h";
    NewTenantNewCountry: "x_new_tenant_country", "new-tenant-new-country", "novelty of the tenant x novelty of country: how little the novelty says yet";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Sign;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_the_enum_matches_the_catalogue() {
        let names: HashSet<_> = CATALOGUE.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), COUNT);
        assert_eq!(
            CATALOGUE[Feature::KnownNewSource as usize].name,
            "x_known_new_source"
        );
        assert_eq!(Feature::NewTenantNewCountry as usize, COUNT - 1);
    }

    #[test]
    fn tags_are_short_and_words_are_for_people() {
        for spec in CATALOGUE {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(
                spec.tag.len() <= 28 && spec.tag.bytes().all(plain),
                "{}",
                spec.tag
            );
            assert!(spec.words.len() > 15, "{}", spec.name);
        }
    }

    /// A guide that tells of other features than there are is worse than none.
    #[test]
    fn the_guide_has_every_feature_and_sign() {
        const GUIDE: &str = include_str!("../../docs/features.md");
        let rows: Vec<&str> = GUIDE.lines().filter(|line| line.contains(" | `")).collect();
        let features = CATALOGUE.iter().enumerate().map(|(at, spec)| {
            let FeatureSpec { name, tag, words } = spec;
            format!("| {at} | `{name}` | {tag} | {words} |")
        });
        let signs = Sign::ALL.iter().map(|&sign| {
            let group = format!("{:?}", sign.group()).to_lowercase();
            let (bit, name, words) = (sign as u8, sign.as_str(), sign.words());
            format!("| {bit} | `{name}` | {group} | {words} |")
        });
        let expected: Vec<String> = features.chain(signs).collect();
        assert_eq!(rows, expected, "docs/features.md is out of date");
        assert!(GUIDE.contains(&format!("## The features, version {VERSION}\n")));
    }
}
