//! The innocent surprises by name: what is rare, large or new, and yet nobody's fraud.

/// Everybody of a country calls five to eight times as much: New Year, a storm.
pub const PEAK_DAY: &str = "peak-day";
/// An office wins a customer in a country it never called, and calls there from one day on.
pub const NEW_CUSTOMER_ABROAD: &str = "new-customer-abroad";
/// A hotel or office has guests from everywhere for three days.
pub const CONFERENCE: &str = "conference";
/// A tenant replaces every device, and the addresses of its border controllers, in one night.
pub const DEVICE_MIGRATION: &str = "device-migration";
/// A call centre rings a range of numbers one after the other.
pub const CAMPAIGN: &str = "campaign";
/// A subscriber without history.
pub const NEW_SUBSCRIBER: &str = "new-subscriber";
/// Within hours, many call one country where something has happened.
pub const DISASTER_ABROAD: &str = "disaster-abroad";
/// Somebody calls from another country.
pub const TRAVEL: &str = "travel";
/// A whole tenant without history.
pub const NEW_TENANT: &str = "new-tenant";
/// A fax or an alarm dials the same number every few seconds.
pub const REDIAL_STORM: &str = "redial-storm";

/// All of them.
pub const ALL: [&str; 10] = [
    PEAK_DAY,
    NEW_CUSTOMER_ABROAD,
    CONFERENCE,
    DEVICE_MIGRATION,
    CAMPAIGN,
    NEW_SUBSCRIBER,
    DISASTER_ABROAD,
    TRAVEL,
    NEW_TENANT,
    REDIAL_STORM,
];
