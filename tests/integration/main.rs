//! The contract, promise by promise, against the real programs on real folders and on real S3 and SQS servers.

mod harness;

mod aws_arrivals;
mod aws_credentials;
mod aws_direct;
mod aws_faults;
mod aws_idle;
mod aws_policies;
mod aws_queue;
mod aws_signing;
mod aws_store;
mod aws_upload;
mod bad_input;
mod crash;
mod disk;
mod documents;
mod expiry;
mod fleet;
mod formats;
mod metrics;
mod operator;
mod pages;
mod programs;
mod supervisor;
mod upload;
mod worker_faults;
