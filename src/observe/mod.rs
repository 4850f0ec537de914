//! What an operator sees: logs, and what the machine has.

pub mod log;
pub mod memory;
pub mod time;
