//! Features that need no memory.

use crate::domain::{Country, DialPrefix, NumberClass, RiskClass, SignGroup, is_tool_name};
use crate::features::{Context, Feature};
use std::collections::HashMap;
use std::sync::LazyLock;

pub(super) fn call_itself(c: &Context<'_>, v: &mut [f32]) {
    let yes = |is: bool| f32::from(u8::from(is));
    let d = c.destination;
    v[Feature::NumberNotInPlan as usize] = yes(d.class == NumberClass::NotInPlan);
    v[Feature::ClassPremium as usize] = yes(matches!(
        d.class,
        NumberClass::PremiumRate | NumberClass::SharedCost
    ));
    v[Feature::ClassSatellite as usize] = yes(matches!(
        d.class,
        NumberClass::Satellite | NumberClass::GlobalService
    ));
    v[Feature::ClassTollFree as usize] = yes(d.class == NumberClass::TollFree);
    v[Feature::ClassMobile as usize] = yes(d.class == NumberClass::Mobile);
    v[Feature::CountryRisk as usize] = risk(d.country);
    v[Feature::DialPrefixOdd as usize] = yes(d.dial_prefix == DialPrefix::Guessed);
    v[Feature::OriginUnknown as usize] = yes(!c.origin.is_known());
    v[Feature::AgentEmpty as usize] = yes(c.attempt.user_agent.is_empty());
    v[Feature::AgentTool as usize] = yes(is_tool_name(c.attempt.user_agent.as_bytes()));
    for (feature, group) in [
        (Feature::SignsTool, SignGroup::Tool),
        (Feature::SignsMedia, SignGroup::Media),
        (Feature::SignsHeader, SignGroup::Header),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "at most 16")]
        let signs = c.attempt.signs.count_of(group) as f32;
        v[feature as usize] = signs;
    }
    v[Feature::ConcurrentUnknown as usize] = yes(c.attempt.concurrent.is_none());
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let concurrent = c.attempt.concurrent.unwrap_or(0) as f32;
    v[Feature::Concurrent as usize] = concurrent.ln_1p();
}

/// The usual class and not the operator's: a model means the same everywhere.
fn risk(country: Country) -> f32 {
    static RISKS: LazyLock<HashMap<Country, f32>> = LazyLock::new(|| {
        let risk = |country| match RiskClass::usual(country) {
            RiskClass::Low => 0.0,
            RiskClass::Medium => 0.5,
            RiskClass::High => 1.0,
        };
        Country::every().map(|c| (c, risk(c))).collect()
    });
    RISKS.get(&country).copied().unwrap_or_default()
}
