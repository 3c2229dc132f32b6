//! Products of two features, for what a straight line over the others cannot say.

use crate::features::Feature as F;

/// Each cross, and the two it is the product of.
const CROSSES: [(F, F, F); 15] = [
    (F::NewCountryBurst, F::CountryNewForUser, F::User10m),
    (
        F::NewCountryUnusualHour,
        F::CountryNewForUser,
        F::HourUnusual,
    ),
    (F::NewCountryPrice, F::CountryNewForUser, F::Price),
    (F::NewPrefixPrice, F::PrefixNewForUser, F::Price),
    (
        F::NewSourceNewCountry,
        F::SourceNewForUser,
        F::CountryNewForUser,
    ),
    (
        F::NewSourceNewAgent,
        F::SourceNewForUser,
        F::AgentNewForUser,
    ),
    (F::NewNetPrice, F::NetNewForUser, F::Price),
    (F::NewPrefixNumbers, F::PrefixNewForUser, F::UserNumbers1h),
    (F::KnownNewCountry, F::CountryNewForUser, F::UserKnown),
    (F::KnownNewSource, F::SourceNewForUser, F::UserKnown),
    (F::PriceBurst, F::Price, F::User10m),
    (F::PriceUnusualHour, F::Price, F::HourUnusual),
    (F::PriceRange, F::Price, F::BlockCallers1h),
    (F::NewRangeCallers, F::BlockNew, F::BlockCallers1h),
    (F::NewTenantNewCountry, F::TenantNew, F::CountryNewForUser),
];

/// After all others.
pub(super) fn crosses(v: &mut [f32]) {
    for (cross, a, b) in CROSSES {
        v[cross as usize] = v[a as usize] * v[b as usize];
    }
}
