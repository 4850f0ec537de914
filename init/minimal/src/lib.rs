//! What the programs of a machine image share: `image-init`, the first process of the minimal flavour
//! (`main.rs`), and `image-unit`, which systemd runs before and after a service (`unit.rs`).

pub mod advice;
pub mod clock;
pub mod console;
pub mod dhcp;
pub mod http;
pub mod imds;
pub mod modules;
pub mod mounts;
pub mod netlink;
pub mod network;
pub mod power;
pub mod program;
pub mod settings;
pub mod supervise;
