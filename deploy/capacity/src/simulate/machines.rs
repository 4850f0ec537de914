//! A machine's life: asked for, up, draining, gone; and what can befall it.

use super::{Event, Incident, Simulation};
use crate::delays;
use crate::machine::{Life, Machine};

impl Simulation<'_> {
    pub(super) fn add_machine(&mut self) -> usize {
        let above = self.machines.iter().filter(|machine| machine.life != Life::Gone).count();
        let spot = self.group.is_spot(above, self.scenario.spot);
        self.machines.push(Machine::new(&self.scenario.size, spot, self.now));
        self.machines.len() - 1
    }

    pub(super) fn up(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        if machine.life == Life::Starting {
            machine.life = Life::Serving;
            machine.served = self.now;
            self.receive(number);
        }
    }

    pub(super) fn drain(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        if machine.life == Life::Starting {
            machine.life = Life::Gone;
            self.recorder.paid(machine.spot, machine.billed, self.now);
            return;
        }
        machine.life = Life::Draining;
        self.waiting.retain(|waiting| *waiting != number);
        let mut back = machine.fetch.give_back();
        back.extend(machine.make.give_back());
        for job in back {
            self.give_back(number, job);
        }
        self.end_if_drained(number);
    }

    pub(super) fn end_if_drained(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        if machine.life == Life::Draining && machine.hand.is_empty() {
            machine.life = Life::Gone;
            self.recorder.paid(machine.spot, machine.billed, self.now);
        }
    }

    pub(super) fn kill(&mut self, number: usize) {
        self.waiting.retain(|waiting| *waiting != number);
        let machine = &mut self.machines[number];
        machine.life = Life::Gone;
        self.recorder.paid(machine.spot, machine.billed, self.now);
        for job in std::mem::take(&mut machine.hand) {
            let back = self.random.between(delays::ORPHANED.0, delays::ORPHANED.1);
            self.after(back, Event::Returned { job });
        }
    }

    pub(super) fn incident(&mut self) {
        let spot = |machine: &Machine| machine.spot && machine.life == Life::Serving;
        let struck: Vec<usize> =
            (0..self.machines.len()).filter(|number| spot(&self.machines[*number])).step_by(2).collect();
        for number in struck {
            match self.scenario.incident {
                Some(Incident::Kill(_)) => self.kill(number),
                _ => self.drain(number),
            }
            let noticed = self.random.between(delays::REPLACEMENT.0, delays::REPLACEMENT.1);
            self.after(noticed, Event::Replace);
        }
    }

    pub(super) fn is_gone(&self, number: usize) -> bool {
        self.machines[number].life == Life::Gone
    }
}
