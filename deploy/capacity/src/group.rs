//! The scaling group: how many machines it wants, what its rules have seen, its warm pool. It leaves the
//! machines themselves to `simulate`.

use crate::delays;
use crate::policy::{Metric, Policy};
use crate::time::Time;

/// A scaling group under one policy.
#[derive(Debug)]
pub struct Group<'a> {
    policy: &'a Policy,
    desired: usize,
    /// For how many periods on end each rule's metric was too high.
    high: Vec<usize>,
    /// Since when each rule's metric is low.
    low: Vec<Option<Time>>,
    /// How far the metric is below its bound: the machines that would do.
    enough: Vec<usize>,
    reported: usize,
    /// When each place of the warm pool is filled again.
    pool: Vec<Time>,
}

impl Group<'_> {
    /// One that begins with `machines`; with as many as it always has, if it has no rules.
    pub fn new(policy: &Policy, machines: usize) -> Group<'_> {
        let rules = policy.rules.len();
        let desired = if rules == 0 { policy.minimum } else { machines.max(policy.minimum) };
        Group {
            policy,
            desired,
            high: vec![0; rules],
            low: vec![None; rules],
            enough: vec![0; rules],
            reported: desired,
            pool: vec![Time::ZERO; policy.warm_pool],
        }
    }

    /// How many machines it wants.
    pub fn desired(&self) -> usize {
        self.desired
    }

    /// Sets how many machines it wants.
    pub fn set_desired(&mut self, wanted: usize) {
        self.desired = wanted.max(self.policy.minimum);
    }

    /// Whether the next machine is a spot machine, when there are `above` already: none up to the minimum,
    /// this `share` of those beyond.
    pub fn is_spot(&self, above: usize, share: f64) -> bool {
        let beyond = |count: usize| (count.saturating_sub(self.policy.minimum) as f64 * share).floor();
        beyond(above + 1) > beyond(above)
    }

    /// A rule's period and delay, in seconds.
    pub fn timing(&self, rule: usize) -> (f64, f64) {
        (self.policy.rules[rule].period, self.policy.rules[rule].delay)
    }

    /// For how long a rule does not count a new machine, in seconds.
    pub fn warm_up(&self, rule: usize) -> f64 {
        self.policy.rules[rule].warm_up
    }

    /// What a rule looks at.
    pub fn metric(&self, rule: usize) -> Metric {
        self.policy.rules[rule].metric
    }

    /// The group's own metric: how many machines are in service.
    pub fn report(&mut self, serving: usize) {
        self.reported = serving;
    }

    /// Messages by machine in service, as last reported.
    pub fn per_instance(&self, visible: usize) -> f64 {
        visible as f64 / self.reported.max(1) as f64
    }

    /// How long the next machine takes to start if the warm pool has one. Its place is filled again later, by
    /// a machine that is launched and stopped.
    pub fn launch(&mut self, now: Time) -> Option<(f64, f64)> {
        let place = self.pool.iter_mut().find(|ready| **ready <= now)?;
        *place = now + Time::seconds(delays::POOL_REFILL);
        Some(delays::START_STOPPED)
    }

    /// A rule's alarm judges a value; how many machines are wanted if that is another number than now.
    pub fn judge(&mut self, number: usize, value: f64, settled: usize, now: Time) -> Option<usize> {
        let rule = &self.policy.rules[number];
        match rule.wanted(value, settled) {
            Some(wanted) => {
                self.high[number] += 1;
                self.low[number] = None;
                (self.high[number] >= rule.datapoints && wanted > self.desired).then_some(wanted)
            }
            None => {
                self.high[number] = 0;
                self.note_low(number, value, now);
                self.shrink(now)
            }
        }
    }

    fn note_low(&mut self, number: usize, value: f64, now: Time) {
        match self.policy.rules[number].shrink_below {
            Some(bound) if value < bound => {
                self.low[number].get_or_insert(now);
                self.enough[number] = (self.desired as f64 * value / bound).ceil() as usize;
            }
            _ => self.low[number] = None,
        }
    }

    /// Fewer machines, if every rule that may shrink the group has seen little for long enough.
    fn shrink(&mut self, now: Time) -> Option<usize> {
        let patience = Time::seconds(delays::SHRINK_PATIENCE);
        let mut enough = self.policy.minimum;
        let mut any = false;
        for (number, rule) in self.policy.rules.iter().enumerate() {
            if rule.shrink_below.is_some() {
                any = true;
                self.low[number].filter(|since| now - *since >= patience)?;
                enough = enough.max(self.enough[number]);
            }
        }
        let most = ((self.desired as f64 * delays::SHRINK_SHARE) as usize).max(1);
        let wanted = enough.max(self.desired.saturating_sub(most));
        if !any || wanted >= self.desired {
            return None;
        }
        // The next one when another minute has passed.
        let again = now - patience + Time::seconds(60.0);
        self.low.iter_mut().flatten().for_each(|since| *since = again);
        Some(wanted)
    }
}
