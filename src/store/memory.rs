//! A store in memory, for unit tests.
