//! Novelty is told and has no say.

use super::*;
use crate::features::{CATALOGUE, VERSION};
use crate::model::testing::all_is_novel;

fn decided(alarm: f32) -> Decided {
    let engine = engine(|accounts| {
        accounts
            .change_policy("root", "default", NOW, |rules| {
                rules.set_mode(Check::R15, Mode::Enforce);
                Ok(())
            })
            .expect("changed");
    });
    engine
        .model
        .swap(Some(Arc::new(all_is_novel(CATALOGUE, VERSION, alarm))));
    let asked = call(Ingress::Prevention, "127.0.0.1", "442079460123");
    engine.decide(asked, NOW)
}

#[test]
fn the_most_novel_call_there_can_be_is_approved_kept_and_told_of() {
    let told = decided(0.9);
    let event = told.event.expect("kept");
    assert_eq!(event.decision.code, Code::A00);
    assert_eq!(event.decision.novelty, Some(1.0));
    assert!(event.decision.score.is_some_and(|score| score < 0.1));
    assert!(told.novel);
}

#[test]
fn a_call_at_the_alarm_is_not_told_of() {
    assert!(!decided(1.0).novel);
}

#[test]
fn without_a_model_nothing_is_novel() {
    let asked = call(Ingress::Prevention, "127.0.0.1", "442079460123");
    let decided = engine(|_| ()).decide(asked, NOW);
    assert!(!decided.novel);
    assert_eq!(decided.event.expect("kept").decision.novelty, None);
}
