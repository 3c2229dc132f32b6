//! The pace of an attack: channels, each busy with one call at a time.

use super::super::dice::Dice;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Calls on a number of channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channels {
    pub(super) channels: u64,
    pub(super) calls: u64,
    /// Mean pause of a channel between two calls.
    pub(super) pause_ms: f64,
    /// Mean talk of a call that is answered.
    pub(super) talk_s: f64,
    pub(super) answered: f64,
}

/// When a call begins and how long it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) at_ms: u64,
    pub(super) ring_ms: u32,
    pub(super) talk_s: u32,
    pub(super) answered: bool,
}

impl Slot {
    /// No attack call is longer: gateways cut calls at about an hour.
    const LONGEST_S: f64 = 3_600.0;

    pub(super) fn drawn(at_ms: u64, talk_s: f64, answered: f64, dice: &mut Dice) -> Self {
        let answered = dice.chance(answered);
        let talk = (4.0 + dice.waiting(talk_s)).min(Self::LONGEST_S) as u32;
        Self {
            at_ms,
            ring_ms: dice.between(500, 15_000) as u32,
            talk_s: if answered { talk } else { 0 },
            answered,
        }
    }
}

impl Channels {
    /// The calls from a moment on, in order; a channel that is free calls after its pause.
    pub(super) fn slots(&self, from_ms: u64, dice: &mut Dice) -> Vec<Slot> {
        let ramp = (self.pause_ms as u64).max(20_000);
        let mut free: BinaryHeap<_> = (0..self.channels)
            .map(|_| Reverse(from_ms + dice.below(ramp)))
            .collect();
        let mut slots = Vec::new();
        while slots.len() < self.calls as usize
            && let Some(Reverse(at_ms)) = free.pop()
        {
            let slot = Slot::drawn(at_ms, self.talk_s, self.answered, dice);
            let busy = u64::from(slot.ring_ms) + u64::from(slot.talk_s) * 1_000;
            free.push(Reverse(at_ms + busy + dice.waiting(self.pause_ms) as u64));
            slots.push(slot);
        }
        slots
    }
}
