//! An image-sharing service, in the order in which one upload's bytes pass through it.
//!
//! A module knows those below it in its list and nothing above: see `ARCHITECTURE.md`.

// Rooms.
pub mod program;
pub mod door;
pub mod web;
pub mod upload;
pub mod worker;
pub mod image;

// Seams: where the bytes and the jobs lie in between.
pub mod queue;
pub mod store;

// Words that all rooms share.
pub mod job;
pub mod key;
pub mod observe;
pub mod record;
pub mod settings;
pub mod stop;
