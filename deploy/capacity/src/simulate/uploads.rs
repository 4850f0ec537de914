//! An upload's way: queue, receive, fetch, make, keep, settled; as src/worker goes it.

use super::{BATCH, Event, Simulation, Upload};
use crate::delays;
use crate::machine::{Job, Life};

impl Simulation<'_> {
    pub(super) fn next_upload(&mut self) {
        let at = self.scenario.load.next(self.now, &mut self.arrivals);
        self.at(at, Event::Upload);
    }

    pub(super) fn upload(&mut self) {
        let (cpu, megabytes) = self.scenario.work.draw(&mut self.sizes);
        self.uploads.push(Upload { at: self.now, cpu, megabytes });
        self.show(self.uploads.len() - 1);
        self.next_upload();
    }

    /// A message is visible: who waits for one has it, and nobody says which of them.
    pub(super) fn show(&mut self, job: Job) {
        self.visible.push_back(job);
        if !self.waiting.is_empty() {
            let chosen = self.random.index(self.waiting.len());
            let machine = self.waiting.swap_remove(chosen);
            self.receive(machine);
        }
    }

    /// A machine asks for messages if it has room; waits if there are none.
    pub(super) fn receive(&mut self, number: usize) {
        let room = self.machines[number].room().min(BATCH);
        if room == 0 {
            return;
        }
        if self.visible.is_empty() {
            if !self.waiting.contains(&number) {
                self.waiting.push(number);
            }
            return;
        }
        let jobs: Vec<Job> = self.visible.drain(..room.min(self.visible.len())).collect();
        let machine = &mut self.machines[number];
        machine.receiving = true;
        machine.hand.extend(&jobs);
        let wait = self.queue_request();
        self.after(wait, Event::Received { machine: number, jobs });
    }

    pub(super) fn received(&mut self, number: usize, jobs: Vec<Job>) {
        self.machines[number].receiving = false;
        for job in jobs {
            let machine = &mut self.machines[number];
            match machine.life {
                Life::Serving => {
                    if machine.fetch.enter(job) {
                        self.fetch(number, job);
                    }
                }
                Life::Draining => self.give_back(number, job),
                Life::Starting | Life::Gone => {}
            }
        }
        self.receive(number);
    }

    pub(super) fn fetch(&mut self, machine: usize, job: Job) {
        // The record, then the original.
        let transfer = self.uploads[job].megabytes / delays::S3_MEGABYTES;
        let time = self.store_requests(2) + transfer;
        self.after(time, Event::Fetched { machine, job });
    }

    pub(super) fn fetched(&mut self, number: usize, job: Job) {
        if self.is_gone(number) {
            return;
        }
        if let Some(next) = self.machines[number].fetch.leave() {
            self.fetch(number, next);
        }
        if self.machines[number].life == Life::Draining {
            return self.give_back(number, job);
        }
        if self.machines[number].make.enter(job) {
            self.make(number, job);
        }
    }

    pub(super) fn make(&mut self, machine: usize, job: Job) {
        let cpu = self.uploads[job].cpu;
        self.after(cpu, Event::Made { machine, job });
    }

    pub(super) fn made(&mut self, number: usize, job: Job) {
        if self.is_gone(number) {
            return;
        }
        self.machines[number].worked += self.uploads[job].cpu;
        if let Some(next) = self.machines[number].make.leave() {
            self.make(number, next);
        }
        if self.machines[number].keep.enter(job) {
            self.keep(number, job);
        }
    }

    pub(super) fn keep(&mut self, machine: usize, job: Job) {
        // The record, then three thumbnails.
        let time = self.store_requests(4);
        self.after(time, Event::Stored { machine, job });
    }

    pub(super) fn stored(&mut self, number: usize, job: Job) {
        if self.is_gone(number) {
            return;
        }
        self.recorder.done(job, self.now);
        // The record once more, then the message is deleted.
        let time = self.store_requests(1) + self.queue_request();
        self.after(time, Event::Settled { machine: number, job });
    }

    pub(super) fn settled(&mut self, number: usize, job: Job) {
        if self.is_gone(number) {
            return;
        }
        if let Some(next) = self.machines[number].keep.leave() {
            self.keep(number, next);
        }
        self.machines[number].settle(job);
        self.end_if_drained(number);
        self.receive(number);
    }

    pub(super) fn give_back(&mut self, number: usize, job: Job) {
        self.machines[number].settle(job);
        self.show(job);
        self.end_if_drained(number);
    }
}
