//! From a request's body to a stored original and a queued job.
//!
//! [`intake`] takes a body apart as it comes, [`spool`] keeps its bytes, [`accept`] checks, strips,
//! stores and queues them. HTTP's words (headers, statuses, answers) are left to `web`.

pub mod intake;
pub mod multipart;
pub mod spool;

mod error;
mod parameters;

pub use error::Error;
