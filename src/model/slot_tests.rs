use super::*;
use crate::domain::Timestamp;
use crate::model::testing::{CATALOGUE, VERSION, model};

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

fn step(slot: &ModelSlot, dir: &Path) -> Option<Result<Swapped, ModelError>> {
    slot.watch_step(dir, CATALOGUE, VERSION)
}

fn id(slot: &ModelSlot) -> Option<String> {
    slot.current().as_ref().map(|m| m.id().to_owned())
}

#[test]
fn the_slot_follows_the_pointer_and_keeps_the_last_good_model() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let slot = ModelSlot::new(Some(Arc::new(model("shipped", 0.5))));
    assert!(step(&slot, dir).is_none());
    model("a", 1.0).save(&promotion::path_of(dir, "a")).unwrap();
    promotion::promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    let swapped = step(&slot, dir).unwrap().unwrap();
    assert_eq!(swapped.from.as_deref(), Some("shipped"));
    assert_eq!(swapped.to.as_deref(), Some("a"));
    assert_eq!(slot.previous().unwrap().id(), "shipped");
    assert!(step(&slot, dir).is_none());
    promotion::roll_back(dir, NOW, CATALOGUE, VERSION).unwrap();
    assert_eq!(
        step(&slot, dir).unwrap().unwrap().to.as_deref(),
        Some("shipped")
    );
    std::fs::remove_file(dir.join(POINTER)).unwrap();
    assert!(step(&slot, dir).is_none());
    assert_eq!(id(&slot).as_deref(), Some("shipped"));
}

#[test]
fn a_refused_file_is_reported_once_and_taken_when_mended() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let slot = ModelSlot::new(None);
    assert!(slot.current().is_none());
    model("a", 1.0).save(&promotion::path_of(dir, "a")).unwrap();
    promotion::promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    let path = promotion::path_of(dir, "a");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() - 9]).unwrap();
    assert!(matches!(step(&slot, dir), Some(Err(ModelError::NotSealed))));
    assert!(step(&slot, dir).is_none());
    assert!(slot.current().is_none());
    std::fs::write(&path, &good).unwrap();
    assert!(step(&slot, dir).unwrap().is_ok());
    assert_eq!(id(&slot).as_deref(), Some("a"));
}

#[test]
fn only_the_very_file_that_was_promoted_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let slot = ModelSlot::new(None);
    let path = promotion::path_of(dir, "a");
    model("a", 1.0).save(&path).unwrap();
    promotion::promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    model("a", 2.0).save(&path).unwrap();
    assert!(matches!(
        step(&slot, dir),
        Some(Err(ModelError::NotThePromoted { .. }))
    ));
    assert!(slot.current().is_none());
}

#[test]
fn a_garbled_pointer_is_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let slot = ModelSlot::new(Some(Arc::new(model("shipped", 0.5))));
    std::fs::write(dir.path().join(POINTER), "{").unwrap();
    assert!(matches!(
        step(&slot, dir.path()),
        Some(Err(ModelError::Pointer { .. }))
    ));
    assert!(step(&slot, dir.path()).is_none());
    assert_eq!(id(&slot).as_deref(), Some("shipped"));
}
