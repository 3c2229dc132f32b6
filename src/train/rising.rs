//! What can only speak against a call.
//!
//! Trees learn from some hundred attacks that, say, dear calls from a certain kind of caller were
//! all innocent; the next kind of attack comes from there. What an analyst knows beforehand, that
//! a dearer or a newer destination makes a call no safer, other things being equal, is said to
//! them: along these features the trees' sum never falls (monotone constraints, as in LightGBM and
//! XGBoost). On the kinds of attack that were learned from it changes next to nothing, on others it
//! helps.

use crate::domain::FeatureSpec;

/// Features along which the risk never falls.
const RISING: &[&str] = &[
    "number_not_in_plan",
    "class_premium",
    "class_satellite",
    "country_risk",
    "country_new_user",
    "country_new_tenant",
    "prefix_new_user",
    "prefix_new_tenant",
    "user_foreign_share",
    "user_novel_10m",
    "user_countries_1d",
    "source_new_user",
    "source_new_tenant",
    "net_new_user",
    "net_new_tenant",
    "origin_new_user",
    "user_sources_1h",
    "agent_new_user",
    "agent_new_tenant",
    "agent_family_new_user",
    "agent_tool",
    "signs_tool",
    "signs_media",
    "dial_prefix_odd",
    "dial_variety_1h",
    "hour_unusual",
    "week_hour_unusual",
    "weekend_unusual",
    "concurrent_unusual",
    "price",
    "price_unusual",
    "price_class_new_user",
    "price_class_new_tenant",
    "honeypot_prefix",
    "honeypot_block",
    "honeypot_source",
    "honeypot_net",
    "honeypot_agent",
    "x_new_country_burst",
    "x_new_country_hour",
    "x_new_country_price",
    "x_new_prefix_price",
    "x_new_source_country",
    "x_new_source_agent",
    "x_new_net_price",
    "x_known_new_country",
    "x_price_burst",
    "x_price_hour",
    "x_price_range",
];

/// Whether each feature of a catalogue is one of them.
pub(super) fn rising(catalogue: &[FeatureSpec]) -> Vec<bool> {
    let is = |spec: &FeatureSpec| RISING.contains(&spec.name);
    catalogue.iter().map(is).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::CATALOGUE;

    #[test]
    fn each_name_is_a_feature() {
        let found = rising(CATALOGUE).into_iter().filter(|is| *is).count();
        assert_eq!(found, RISING.len());
    }
}
