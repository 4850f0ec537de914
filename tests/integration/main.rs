//! The contract, promise by promise, against the real programs on real folders.

mod harness;

mod bad_input;
mod crash;
mod formats;
mod fleet;
mod pages;
mod programs;
mod upload;
