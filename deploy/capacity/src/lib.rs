//! A fleet of workers, simulated: uploads → queue → workers → scaling policy. `make capacity` runs it;
//! docs/capacity.md tells what it found, and where each of its numbers comes from.

pub mod catalogue;
pub mod delays;
pub mod experiment;
pub mod group;
pub mod load;
pub mod machine;
pub mod outcome;
pub mod plots;
pub mod policy;
pub mod prices;
pub mod random;
pub mod recommended;
pub mod simulate;
pub mod tables;
pub mod time;
pub mod work;
