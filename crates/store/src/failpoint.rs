//! Named points at which a test lets the whole process die, to see that what was promised is kept (R12, R20).
//!
//! RINGDOWN_FAILPOINT=NAME, or NAME:N for the Nth time that the point is reached. Only a build with debug assertions
//! knows any of this; in others [`reach`] is empty.

/// Every point. The loop in `tests/e2e/test_durability.py` reads this list and dies at each.
pub const ALL: &[&str] = &[
    "migrate.before_step",
    "migrate.after_step",
    "store.before_commit",
    "store.in_commit",
    "store.after_commit",
    "core.before_promise",
    "core.before_register_ok",
    "core.before_answer",
    "backup.before_files",
    "backup.before_rename",
    "restore.before_rename",
];

/// Dies here when this point is armed.
#[inline]
pub fn reach(point: &'static str) {
    #[cfg(debug_assertions)]
    armed::reach(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// What is armed that nobody would ever reach.
#[must_use]
pub fn misnamed() -> Option<String> {
    #[cfg(debug_assertions)]
    return armed::misnamed();
    #[cfg(not(debug_assertions))]
    None
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let text = std::env::var("RINGDOWN_FAILPOINT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU32::new(times.parse().unwrap_or(1))))
    });

    pub(super) fn reach(point: &'static str) {
        debug_assert!(super::ALL.contains(&point), "{point} is not in the list");
        if let Some((name, left)) = &*ARMED
            && name == point
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            eprintln!("failpoint {point}: the process dies here");
            std::process::abort();
        }
    }

    pub(super) fn misnamed() -> Option<String> {
        let (name, _) = ARMED.as_ref()?;
        (!super::ALL.contains(&name.as_str())).then(|| name.clone())
    }
}
