//! An image-sharing service, in the order in which one upload's bytes pass through it.
//!
//! A module knows the one below it in this list and nothing above: see `ARCHITECTURE.md`.

pub mod door;
pub mod durable;
pub mod image;
pub mod job;
pub mod key;
pub mod observe;
pub mod queue;
pub mod record;
pub mod settings;
pub mod store;
pub mod upload;
pub mod web;
pub mod worker;
