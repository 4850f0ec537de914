//! The promises of a [`Store`](super::Store), each as a named case.

/// The cases: what is promised, and its check on an empty store.
pub const CASES: &[(&str, fn(&dyn super::Store))] = &[];
