//! The numbers that the template takes, as recommended.json holds them: made from the catalogue, so that
//! what is deployed is what was simulated. Quotas and budgets are the operator's to know.

use std::fmt::Write;

use crate::{catalogue, delays};

/// Where the file is.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recommended.json");

/// The most machines that the recommended policy had in the surge, rounded up: a limit to what a mistake
/// can cost.
const MAXIMUM: usize = 70;

/// The file's text.
pub fn json() -> String {
    let mut steps = String::new();
    for (number, (from, times)) in catalogue::STEPS.iter().enumerate() {
        let comma = if number + 1 < catalogue::STEPS.len() { "," } else { "" };
        let percent = (times - 1.0) * 100.0;
        // Writing to a string cannot fail.
        let _ = writeln!(steps, r#"      {{ "from_per_instance": {from}, "percent": {percent} }}{comma}"#);
    }
    format!(
        r#"{{
  "instance_type": "c7a.medium",
  "sharer_jobs": {jobs},
  "minimum_instances": {minimum},
  "maximum_instances": {MAXIMUM},
  "spot_percent_above_minimum": {spot},
  "warm_pool_instances": {pool},
  "headroom": {{
    "metric": "ASGAverageCPUUtilization",
    "target_percent": {headroom},
    "warm_up_seconds": {slow}
  }},
  "backlog": {{
    "metric_period_seconds": {period},
    "evaluation_periods": 1,
    "warm_up_seconds": {fast},
    "steps_percent_change": [
{steps}    ]
  }}
}}
"#,
        jobs = catalogue::JOBS,
        minimum = catalogue::MINIMUM,
        spot = catalogue::SPOT * 100.0,
        pool = catalogue::recommended().warm_pool,
        headroom = catalogue::HEADROOM * 100.0,
        slow = delays::WARM_UP_MINUTE,
        period = delays::TEN_SECONDS,
        fast = delays::WARM_UP_TEN_SECONDS,
    )
}
