//! From a request's body to a stored original and a queued job.

pub mod multipart;
mod parameters;
