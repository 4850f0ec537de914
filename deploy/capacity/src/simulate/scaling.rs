//! What the group sees and does: metrics, alarms, machines asked for and sent away.

use super::{Event, Simulation};
use crate::delays;
use crate::machine::{Life, Machine};
use crate::policy::Metric;
use crate::time::Time;

impl Simulation<'_> {
    pub(super) fn serving(&self) -> usize {
        self.machines.iter().filter(|machine| machine.life == Life::Serving).count()
    }

    pub(super) fn sample(&mut self, rule: usize) {
        let (period, delay) = self.group.timing(rule);
        let value = match self.group.metric(rule) {
            Metric::Cpu => self.processor_use(period),
            Metric::Backlog => self.visible.len() as f64,
            Metric::BacklogPerInstance => self.group.per_instance(self.visible.len()),
        };
        self.after(delay, Event::Judge { rule, thousandths: (value * 1e3).round() as u64 });
        self.after(period, Event::Sample { rule });
    }

    pub(super) fn processor_use(&mut self, period: f64) -> f64 {
        let cores = self.scenario.size.cores.min(self.scenario.size.jobs) as f64;
        let serving = self.serving().max(1) as f64;
        let serves = |machine: &&mut Machine| machine.life == Life::Serving;
        let worked =
            self.machines.iter_mut().filter(serves).map(|machine| std::mem::take(&mut machine.worked));
        (worked.sum::<f64>() / (period * cores * serving)).min(1.0)
    }

    pub(super) fn judge(&mut self, rule: usize, value: f64) {
        let warm = Time::seconds(self.group.warm_up(rule));
        let settled = |machine: &&Machine| machine.life == Life::Serving && self.now - machine.served >= warm;
        // Those that were there from the start have been warm for long.
        let early = |machine: &&Machine| machine.life == Life::Serving && machine.served == Time::ZERO;
        let settled = self.machines.iter().filter(|machine| settled(machine) || early(machine)).count();
        if let Some(wanted) = self.group.judge(rule, value, settled, self.now) {
            let action = self.random.between(delays::SCALING_ACTION.0, delays::SCALING_ACTION.1);
            self.after(action, Event::Launch { wanted });
        }
    }

    pub(super) fn resize(&mut self, wanted: usize) {
        self.group.set_desired(wanted);
        self.replace();
    }

    /// Launches what is missing, ends what is too many: the youngest first.
    pub(super) fn replace(&mut self) {
        let alive = |machine: &Machine| matches!(machine.life, Life::Starting | Life::Serving);
        let there = self.machines.iter().filter(|machine| alive(machine)).count();
        for _ in there..self.group.desired() {
            let machine = self.add_machine();
            let (least, most) = self.group.launch(self.now).unwrap_or(self.scenario.launch);
            let time = self.random.between(least, most) + self.scenario.boot;
            self.after(time, Event::Up { machine });
        }
        for _ in self.group.desired()..there {
            if let Some(youngest) = (0..self.machines.len()).rev().find(|n| alive(&self.machines[*n])) {
                self.drain(youngest);
            }
        }
    }

    pub(super) fn second(&mut self) {
        self.recorder.second(self.now, self.visible.len(), self.serving());
        self.after(1.0, Event::Second);
    }
}
