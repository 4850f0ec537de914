//! An image-sharing service: upload with one `curl`, thumbnails made by workers off a queue.
//!
//! One upload's bytes go [`door`] → [`web`] → [`upload`] → [`store`] and [`queue`] → [`worker`] →
//! [`image`] → [`store`]. A module knows those to its right and nothing to its left;
//! `ARCHITECTURE.md` shows the house. [`program`] alone joins the parts.

// Rooms.
pub mod door;
pub mod image;
pub mod program;
pub mod upload;
pub mod web;
pub mod worker;

// Where bytes and jobs lie in between.
pub mod aws;
pub mod durable;
pub mod queue;
pub mod store;

// Words that all rooms share.
pub mod arrival;
pub mod job;
pub mod key;
pub mod observe;
pub mod pulse;
pub mod random;
pub mod record;
pub mod settings;
pub mod stop;
pub mod ticket;
