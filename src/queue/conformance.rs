//! The promises of a [`Queue`](super::Queue), each as a named case.

/// The cases: what is promised, and its check on an empty queue.
pub const CASES: &[(&str, fn(&dyn super::Queue))] = &[];
