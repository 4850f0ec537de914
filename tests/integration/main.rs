//! The contract, promise by promise, against the real programs on real folders.

mod harness;

mod bad_input;
mod crash;
mod fleet;
mod formats;
mod pages;
mod programs;
mod upload;
