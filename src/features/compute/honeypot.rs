//! What honeypots saw of the things a call touches.

use super::pass::Pass;
use crate::domain::Timestamp;
use crate::features::entities::{Entities, Kind, key};
use crate::features::table::TrackTable;
use crate::features::track::Window;
use crate::features::{Context, Feature, Near};

/// How long a honeypot's hit is of use: ranges and addresses are rented by the week.
const WINDOW: Window = Window::Days7;

/// Reads the neighbourhood of a call from the windows of a honeypot.
pub(in crate::features) fn near(
    table: &TrackTable,
    context: &Context<'_>,
    e: &Entities,
    now: Timestamp,
) -> Near {
    let count = |kind, entity| {
        let track = table.get(key(kind, entity, 0));
        track.map_or(0.0, |track| track.count(WINDOW, now))
    };
    Near {
        prefix: count(Kind::HoneypotPrefix, e.prefix),
        block: count(Kind::HoneypotBlock, e.block),
        source: count(Kind::HoneypotSource, e.source),
        net: count(Kind::HoneypotNet, e.net),
        agent: if context.attempt.user_agent.is_empty() {
            0.0
        } else {
            count(Kind::HoneypotAgent, e.agent)
        },
    }
}

/// Counts a call at a honeypot.
pub(in crate::features) fn note(pass: &mut Pass<'_>, context: &Context<'_>, e: &Entities) {
    pass.see(Kind::HoneypotSource, e.source, 0);
    pass.see(Kind::HoneypotNet, e.net, 0);
    let named = !context.attempt.user_agent.is_empty();
    for (kind, pair, entity, counts) in [
        (
            Kind::HoneypotPrefix,
            Kind::HoneypotPrefixNet,
            e.prefix,
            true,
        ),
        (Kind::HoneypotBlock, Kind::HoneypotBlockNet, e.block, true),
        (Kind::HoneypotAgent, Kind::HoneypotAgentNet, e.agent, named),
    ] {
        if counts {
            let pair = pass.see(pair, entity, e.net);
            pass.distinct(kind, entity, 0, pair, WINDOW);
        }
    }
}

/// Writes the neighbourhood into the vector.
pub(super) fn neighbourhood(context: &Context<'_>, v: &mut [f32]) {
    let near = context.near;
    v[Feature::HoneypotPrefix as usize] = near.prefix.ln_1p();
    v[Feature::HoneypotBlock as usize] = near.block.ln_1p();
    v[Feature::HoneypotSource as usize] = near.source.ln_1p();
    v[Feature::HoneypotNet as usize] = near.net.ln_1p();
    v[Feature::HoneypotAgent as usize] = near.agent.ln_1p();
}
