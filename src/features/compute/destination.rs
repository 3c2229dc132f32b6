//! What everybody calls just now: prefixes, blocks of a thousand, numbers.

use super::caller::Caller;
use super::pass::Pass;
use crate::features::Feature;
use crate::features::entities::{Entities, Kind};
use crate::features::track::Window;

pub(super) fn everybody(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    prefix(pass, e, caller, v);
    block(pass, e, v);
    number(pass, e, caller, v);
}

fn prefix(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    let prefix = pass.see(Kind::Prefix, e.prefix, 0);
    v[Feature::PrefixNew as usize] = pass.novelty(prefix);
    v[Feature::Prefix10m as usize] = pass.rate(prefix, Window::Minutes10);
    v[Feature::PrefixBurst as usize] = pass.burst(prefix, Window::Hour, 1.0);
    let pair = caller.tenant_prefix;
    let tenants = pass.distinct(Kind::PrefixTenants, e.prefix, 0, pair, Window::Hour);
    v[Feature::PrefixTenants1h as usize] = pass.kinds(&tenants, Window::Hour);
}

fn block(pass: &mut Pass<'_>, e: &Entities, v: &mut [f32]) {
    let block = pass.see(Kind::Block, e.block, 0);
    v[Feature::BlockNew as usize] = pass.novelty(block);
    v[Feature::Block10m as usize] = pass.rate(block, Window::Minutes10);
    v[Feature::BlockBurst as usize] = pass.burst(block, Window::Hour, 1.0);
    let user = pass.see(Kind::UserBlock, e.user, e.block);
    v[Feature::UserBlock1h as usize] = pass.rate(user, Window::Hour);
    let callers = pass.distinct(Kind::BlockCallers, e.block, 0, user, Window::Hour);
    v[Feature::BlockCallers10m as usize] = pass.kinds(&callers, Window::Minutes10);
    v[Feature::BlockCallers1h as usize] = pass.kinds(&callers, Window::Hour);
    v[Feature::BlockCallersBurst as usize] = pass.burst(callers.before, Window::Hour, 1.0);
    let tenant = pass.see(Kind::TenantBlock, e.tenant, e.block);
    let tenants = pass.distinct(Kind::BlockTenants, e.block, 0, tenant, Window::Hour);
    v[Feature::BlockTenants1h as usize] = pass.kinds(&tenants, Window::Hour);
}

fn number(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    let number = pass.see(Kind::Number, e.number, 0);
    v[Feature::NumberNew as usize] = pass.novelty(number);
    v[Feature::Number1h as usize] = pass.rate(number, Window::Hour);
    let pair = caller.user_number;
    let callers = pass.distinct(Kind::NumberCallers, e.number, 0, pair, Window::Hour);
    v[Feature::NumberCallers1h as usize] = pass.kinds(&callers, Window::Hour);
}
