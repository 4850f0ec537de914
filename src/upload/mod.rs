//! From a request's body to a stored original and a queued job.
//!
//! [`intake`] takes a body apart as it comes, [`spool`] keeps its bytes, [`Uploads`] checks, strips,
//! stores and queues them. HTTP's words (headers, statuses, answers) are left to `web`.

pub mod intake;
pub mod multipart;
pub mod sizes;
pub mod spool;

mod accept;
mod error;
mod examine;
mod lifetime;
mod parameters;

pub use accept::{Accepted, Config, Uploads};
pub use error::Error;
pub use lifetime::Lifetime;
