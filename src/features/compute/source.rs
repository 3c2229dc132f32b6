//! Where a call comes from, with which device, and how it was dialled.

use super::pass::Pass;
use crate::features::entities::{Entities, Kind, key};
use crate::features::track::Window;
use crate::features::{Context, Feature};

pub(super) fn source(pass: &mut Pass<'_>, context: &Context<'_>, e: &Entities, v: &mut [f32]) {
    let source = pass.see(Kind::Source, e.source, 0);
    v[Feature::Source1m as usize] = pass.rate(source, Window::Minute);
    v[Feature::Source1h as usize] = pass.rate(source, Window::Hour);
    let user = pass.see(Kind::UserSource, e.user, e.source);
    v[Feature::SourceNewForUser as usize] = pass.novelty(user);
    let users = pass.distinct(Kind::SourceUsers, e.source, 0, user, Window::Hour);
    v[Feature::SourceUsers1h as usize] = pass.kinds(&users, Window::Hour);
    let sources = pass.distinct(Kind::UserSources, e.user, 0, user, Window::Hour);
    v[Feature::UserSources1h as usize] = pass.kinds(&sources, Window::Hour);
    let tenant = pass.see(Kind::TenantSource, e.tenant, e.source);
    v[Feature::SourceNewForTenant as usize] = pass.novelty(tenant);
    let tenants = pass.distinct(Kind::SourceTenants, e.source, 0, tenant, Window::Day);
    v[Feature::SourceTenants1d as usize] = pass.kinds(&tenants, Window::Day);
    let user_net = pass.see(Kind::UserNet, e.user, e.net);
    v[Feature::NetNewForUser as usize] = pass.novelty(user_net);
    let tenant_net = pass.see(Kind::TenantNet, e.tenant, e.net);
    v[Feature::NetNewForTenant as usize] = pass.novelty(tenant_net);
    // Unknown is no country: without a geographic database its novelty would be the caller's own.
    if context.origin.is_known() {
        let origin = pass.see(Kind::UserOrigin, e.user, e.origin);
        v[Feature::OriginNewForUser as usize] = pass.novelty(origin);
    }
}

pub(super) fn agent(pass: &mut Pass<'_>, e: &Entities, v: &mut [f32]) {
    let user = pass.see(Kind::UserAgent, e.user, e.agent);
    v[Feature::AgentNewForUser as usize] = pass.novelty(user);
    let family = pass.see(Kind::UserFamily, e.user, e.family);
    v[Feature::FamilyNewForUser as usize] = pass.novelty(family);
    let tenant = pass.see(Kind::TenantAgent, e.tenant, e.agent);
    v[Feature::AgentNewForTenant as usize] = pass.novelty(tenant);
    let tenants = pass.distinct(Kind::AgentTenants, e.agent, 0, tenant, Window::Days30);
    v[Feature::AgentTenants as usize] = pass.kinds(&tenants, Window::Days30);
}

/// The same last digits behind many beginnings: a scanner in search of the one that goes through.
pub(super) fn dialling(pass: &mut Pass<'_>, e: &Entities, v: &mut [f32]) {
    let target = key(Kind::Beginnings, e.source, e.suffix);
    let beginning = pass.see(Kind::Beginning, target, e.beginning);
    let variety = pass.distinct(
        Kind::Beginnings,
        e.source,
        e.suffix,
        beginning,
        Window::Hour,
    );
    v[Feature::DialVariety1h as usize] = pass.kinds(&variety, Window::Hour);
}
