//! Scaling policies: what is looked at, how often, and how many machines are then wanted. AWS does not
//! publish how target tracking decides; what is assumed of it stands at each rule. It leaves metrics and
//! machines to `simulate`.

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Processor use of the machines at work, averaged over the period, 0 to 1.
    Cpu,
    /// Messages that are visible.
    Backlog,
    /// Messages that are visible, by machine in service as the group last reported it.
    BacklogPerInstance,
}

/// When and by how much the group grows.
#[derive(Clone, Debug)]
pub enum Grow {
    /// Target tracking: as many more machines as the metric is above its target.
    InProportion {
        /// What the metric is held at.
        target: f64,
    },
    /// Step scaling by percent (`PercentChangeInCapacity`): from each bound on, this many times the machines
    /// there are, rising.
    Times(Vec<(f64, f64)>),
    /// Step scaling by number (`ChangeInCapacity`): from each bound on, so many more machines, rising.
    More(Vec<(f64, usize)>),
}

/// One rule: a metric, an alarm on it, and what the alarm does.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is looked at.
    pub metric: Metric,
    /// How often, in seconds.
    pub period: f64,
    /// How long after the metric's moment the alarm has judged it, in seconds.
    pub delay: f64,
    /// For how many periods on end the metric must be too high.
    pub datapoints: usize,
    /// For how long a new machine is not counted as one that this rule has already got, in seconds.
    pub warm_up: f64,
    /// What is done then.
    pub grow: Grow,
    /// Below this the group may shrink, if every rule that has such a bound agrees, for
    /// [`crate::delays::SHRINK_PATIENCE`] on end.
    pub shrink_below: Option<f64>,
}

/// A group's whole behaviour.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What plots and tables call it.
    pub name: String,
    /// Fewest machines.
    pub minimum: usize,
    /// Stopped machines that are kept ready.
    pub warm_pool: usize,
    /// Each acts for itself; the largest wish counts.
    pub rules: Vec<Rule>,
}

impl Rule {
    /// How many machines are wanted when the metric is `value` and `settled` machines are past their
    /// warm-up; `None` if it is not too high.
    pub fn wanted(&self, value: f64, settled: usize) -> Option<usize> {
        let now = settled.max(1) as f64;
        match &self.grow {
            Grow::InProportion { target } => {
                (value > *target).then(|| (now * value / target).ceil() as usize)
            }
            Grow::Times(steps) => {
                let (_, times) = steps.iter().rev().find(|(from, _)| value >= *from)?;
                Some((now * times).ceil() as usize)
            }
            Grow::More(steps) => {
                let (_, more) = steps.iter().rev().find(|(from, _)| value >= *from)?;
                Some(settled + more)
            }
        }
    }
}
