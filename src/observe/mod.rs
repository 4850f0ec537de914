//! What an operator sees: logs, metrics, and what the machine has.

pub mod log;
pub mod memory;
pub mod metrics;
pub mod time;
