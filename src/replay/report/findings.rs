//! What a reason found, as a sentence of a report has it: the catalogue says what a feature is, and
//! whoever reads a report wants to know what was odd about these calls.

use crate::features::CATALOGUE;

/// What raised the score, by its tag; `None`: no tag of the catalogue. Of tags that say little in
/// a sentence of their own it is what the catalogue says.
pub(super) fn finding(tag: &str) -> Option<&'static str> {
    let feature = CATALOGUE.iter().find(|feature| feature.tag == tag)?;
    Some(words(tag).unwrap_or(feature.words))
}

fn words(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "bad-number" => "numbers that fit no numbering plan",
        "premium" => "premium-rate numbers",
        "satellite" => "satellite numbers",
        "mobile" => "mobile numbers",
        "number-length" => "numbers of a length seldom called",
        "risky-country" => "a country often named in revenue share fraud",
        "new-country" => "a country new to the caller",
        "new-country-tenant" => "a country new to the whole tenant",
        "new-prefix" => "a prefix new to the caller",
        "new-prefix-tenant" => "a prefix new to the whole tenant",
        "unknown-prefix" => "a prefix that nobody called before",
        "unknown-range" => "a block of numbers that nobody called before",
        "new-number" => "numbers new to the caller",
        "unknown-number" => "numbers that nobody called before",
        "new-caller" => "a caller hardly known yet",
        "new-tenant" => "a tenant hardly known yet",
        "burst-1s" | "burst-10s" | "burst-1m" | "burst-10m" | "burst-1h" => {
            "many calls of the caller within a short time"
        }
        "busy-day" => "many calls of the caller within a day",
        "above-habit" | "above-habit-day" => "more calls than the caller usually makes",
        "tenant-burst" => "more calls than the tenant usually makes",
        "many-numbers" => "many different numbers within an hour",
        "many-prefixes" => "many different prefixes within an hour",
        "many-countries" => "many different countries within a day",
        "novel-burst" => "many calls to countries new to the caller",
        "redial" => "the same number again and again",
        "sequential-numbers" => "numbers next to each other",
        "many-of-one-range" => "many calls to one block of numbers",
        "one-prefix" => "nearly all calls to one prefix",
        "prefix-burst" | "busy-prefix" => "more calls to the prefix than usual",
        "range-burst" | "busy-range" => "more calls to the block of numbers than usual",
        "range-many-callers" | "range-callers-burst" => "many callers of one block of numbers",
        "range-many-tenants" => "many tenants call the same range",
        "number-many-callers" => "many callers of one number",
        "source-burst" => "many calls from one address",
        "new-source" => "an address new to the caller",
        "new-source-tenant" => "an address new to the whole tenant",
        "new-network" => "a network new to the caller",
        "new-network-tenant" => "a network new to the whole tenant",
        "new-origin" => "from a country new to the caller",
        "source-many-callers" => "many callers from one address",
        "source-many-tenants" => "many tenants called from one address",
        "many-sources" => "the caller from many addresses within an hour",
        "new-agent" => "a user agent new to the caller",
        "new-agent-tenant" => "a user agent new to the whole tenant",
        "other-device" => "a make of device new to the caller",
        "tool-agent" => "the user agent of a known scanning or dialling tool",
        "no-agent" => "no user agent",
        "unusual-hour" => "at an hour at which the caller seldom calls",
        "unusual-day" => "at a weekend, when the caller seldom calls",
        "unusual-hour-tenant" => "at an hour at which the tenant seldom calls",
        "concurrent" => "many calls of the caller up at once",
        "concurrent-above-habit" => "more calls up at once than the caller usually has",
        "price" => "a dear destination",
        "above-usual-price" => "dearer than the caller usually calls",
        "new-price-class" => "prices new to the caller",
        "new-price-class-tenant" => "prices new to the whole tenant",
        "spend-10m" | "spend-1h" | "spend-1d" => "much spent by the caller within a short time",
        "spend-tenant" => "more spent by the tenant than usual",
        "honeypot-prefix" | "honeypot-range" => "numbers that are called at honeypots, too",
        "honeypot-source" | "honeypot-network" => "an address or network known from honeypots",
        "new-country-burst" => "many calls to a country new to the caller",
        "new-country-at-odd-hour" => "a country new to the caller at an unusual hour",
        "costly-new-country" => "a dear country new to the caller",
        "costly-new-prefix" => "a dear prefix new to the caller",
        "new-source-and-country" => "a new country from an address new to the caller",
        "new-source-and-agent" => "an address and a user agent new to the caller",
        "costly-from-new-network" => "dear calls from a network new to the caller",
        "new-prefix-many-numbers" => "many numbers of a prefix new to the caller",
        "known-caller-new-country" => "a country new to a caller who is known well",
        "known-caller-new-source" => "an address new to a caller who is known well",
        "costly-burst" => "many dear calls within a short time",
        "costly-at-odd-hour" => "dear calls at an unusual hour",
        "costly-range-many-callers" => "many callers of a dear block of numbers",
        "new-range-many-callers" => "many callers of a block that nobody called before",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_of_the_catalogue_says_something_and_others_nothing() {
        for feature in CATALOGUE {
            let said = finding(feature.tag).expect(feature.tag);
            assert!(!said.is_empty() && !said.contains("novelty of the destination"));
        }
        assert_eq!(finding("new-country"), Some("a country new to the caller"));
        assert_eq!(finding("low-usual-country"), None);
    }
}
