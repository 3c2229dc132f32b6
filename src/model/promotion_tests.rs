use super::*;
use crate::model::testing::{CATALOGUE, VERSION, model};

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

fn folder(ids: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (i, id) in (0u8..).zip(ids) {
        model(id, 1.0 + f32::from(i))
            .save(&path_of(dir.path(), id))
            .unwrap();
    }
    dir
}

fn id_of(pointer: &InForce) -> Option<&str> {
    pointer.model.as_ref().map(|m| m.id.as_str())
}

#[test]
fn promoting_and_rolling_back_walks_the_history_to_the_shipped_one() {
    let dir = folder(&["a", "b", "c"]);
    let dir = dir.path();
    assert_eq!(in_force(dir).unwrap(), None);
    assert!(matches!(
        roll_back(dir, NOW, CATALOGUE, VERSION),
        Err(ModelError::NoHistory)
    ));
    for id in ["a", "b", "c"] {
        promote(dir, id, NOW, CATALOGUE, VERSION).unwrap();
    }
    assert_eq!(in_force(dir).unwrap().unwrap().history.len(), 2);
    for id in [Some("b"), Some("a"), None] {
        let pointer = roll_back(dir, NOW, CATALOGUE, VERSION).unwrap();
        assert_eq!(id_of(&pointer), id);
    }
    assert!(matches!(
        roll_back(dir, NOW, CATALOGUE, VERSION),
        Err(ModelError::NoHistory)
    ));
}

#[test]
fn a_bad_file_is_not_promoted_and_the_pointer_stays() {
    let dir = folder(&["a", "b"]);
    let dir = dir.path();
    let before = promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    let path = path_of(dir, "b");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(promote(dir, "b", NOW, CATALOGUE, VERSION).is_err());
    assert_eq!(in_force(dir).unwrap(), Some(before));
}

#[test]
fn rolling_back_passes_over_a_lost_file() {
    let dir = folder(&["a", "b", "c"]);
    let dir = dir.path();
    for id in ["a", "b", "c"] {
        promote(dir, id, NOW, CATALOGUE, VERSION).unwrap();
    }
    std::fs::remove_file(path_of(dir, "b")).unwrap();
    assert_eq!(
        id_of(&roll_back(dir, NOW, CATALOGUE, VERSION).unwrap()),
        Some("a")
    );
}

#[test]
fn the_list_tells_the_usable_from_the_refused() {
    let dir = folder(&["a", "b"]);
    let dir = dir.path();
    promote(dir, "b", NOW, CATALOGUE, VERSION).unwrap();
    std::fs::write(dir.join("broken.json"), "{}").unwrap();
    std::fs::write(dir.join("b.card.md"), "not a model").unwrap();
    std::fs::write(dir.join("b.comparison.json"), "{}").unwrap();
    std::fs::copy(path_of(dir, "a"), dir.join("renamed.json")).unwrap();
    let listed = list(dir, CATALOGUE, VERSION).unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|l| (l.id.as_str(), l.in_force, l.model.is_ok()))
        .collect();
    assert_eq!(
        seen,
        [
            ("a", false, true),
            ("b", true, true),
            ("broken", false, false),
            ("renamed", false, false)
        ]
    );
    assert!(
        list(&dir.join("nowhere"), CATALOGUE, VERSION)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn ids_cannot_leave_the_folder() {
    let dir = folder(&["a"]);
    for id in [
        "../a",
        "a/b",
        "",
        ".a",
        "in-force",
        "a.comparison",
        "a b",
        "ä",
        &"a".repeat(81),
    ] {
        let refused = promote(dir.path(), id, NOW, CATALOGUE, VERSION);
        assert!(matches!(refused, Err(ModelError::BadId { .. })), "{id}");
    }
}

#[test]
fn the_history_is_bounded_and_a_garbled_pointer_is_replaced() {
    let dir = folder(&["a", "b"]);
    let dir = dir.path();
    std::fs::write(dir.join(POINTER), "{").unwrap();
    assert!(matches!(in_force(dir), Err(ModelError::Pointer { .. })));
    for _ in 0..40 {
        promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
        promote(dir, "b", NOW, CATALOGUE, VERSION).unwrap();
    }
    assert_eq!(in_force(dir).unwrap().unwrap().history.len(), HISTORY);
}

#[test]
fn a_forced_promotion_is_on_record_and_rolling_back_needs_no_comparison() {
    let dir = folder(&["a", "b"]);
    let dir = dir.path();
    promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    let forced = Forced {
        by: "ann".into(),
        why: "the old one refuses everybody".into(),
    };
    promote_as(dir, "b", Some(forced.clone()), NOW, CATALOGUE, VERSION).unwrap();
    let pointer = in_force(dir).unwrap().unwrap();
    assert_eq!(pointer.model.unwrap().forced, Some(forced));
    assert_eq!(pointer.history[0].forced, None);
    let back = roll_back(dir, NOW, CATALOGUE, VERSION).unwrap();
    assert_eq!(id_of(&back), Some("a"));
}

#[test]
fn what_serves_is_the_promoted_one_if_it_can_and_else_the_shipped() {
    let dir = folder(&["a"]);
    let dir = dir.path();
    let shipped = Arc::new(model("shipped", 0.5));
    let serving = |shipped: Option<&Arc<Model>>| {
        let model = serving(dir, shipped.cloned(), CATALOGUE, VERSION);
        model.map(|model| model.id().to_owned())
    };
    assert_eq!(serving(None), None);
    assert_eq!(serving(Some(&shipped)).as_deref(), Some("shipped"));
    promote(dir, "a", NOW, CATALOGUE, VERSION).unwrap();
    assert_eq!(serving(Some(&shipped)).as_deref(), Some("a"));
    std::fs::write(path_of(dir, "a"), "{}").unwrap();
    assert_eq!(serving(Some(&shipped)).as_deref(), Some("shipped"));
}
