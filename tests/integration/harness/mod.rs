//! Starts the real programs on folders of their own or on real S3 and SQS servers, and talks to them as a client would.

mod aws;
mod client;
pub mod disk;
pub mod imds;
pub mod peer;
mod pictures;
mod process;
pub mod proxy;
mod random;
mod wire;

pub use client::{Client, Reply, form};
pub use disk::Disk;
pub use imds::{Away, Imds};
pub use peer::{Keys, MINISTACK, MOTO, Peer, Place};
pub use pictures::{dimensions, noise_jpeg, picture};
pub use process::{Folder, Process, Sharer, Site, Surroundings, command};
pub use proxy::{Fault, Proxy, Rule};
pub use random::{Random, number};
