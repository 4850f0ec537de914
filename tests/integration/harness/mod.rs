//! Starts the real programs on folders of their own, and talks to them as a client would.

mod client;
mod pictures;
mod process;

pub use client::{Client, Reply, form};
pub use pictures::{dimensions, noise_jpeg, picture};
pub use process::{Folder, Sharer, Site, command};
