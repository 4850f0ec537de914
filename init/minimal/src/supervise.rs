//! When the program starts, starts anew and ends: the states and times, without processes and clocks.

use std::time::Duration;

/// Time since the kernel's start.
pub type Now = Duration;

/// Pause before the first new start, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// A program that ran so long has started well: its next pause is the shortest again.
const WELL: Duration = Duration::from_secs(60);

/// How long the program may drain before it is ended; it takes 25 seconds itself.
const DRAIN: Duration = Duration::from_secs(40);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It could not be started at all.
    NotStarted,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The settings are there.
    Settings,
    /// The program ended.
    Ended(End),
    /// The power button was pressed, or the machine is to end for another reason.
    PowerButton,
    /// Time passed.
    Time,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// Nothing.
    Nothing,
    /// Ask for the settings; [`Event::Settings`] answers.
    Ask,
    /// Start the program with them.
    Start,
    /// Ask the program to drain and end (SIGTERM).
    Terminate,
    /// End the program at once (SIGKILL).
    Kill,
    /// Switch the machine off.
    PowerOff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asking,
    Running { since: Now },
    Pausing { until: Now },
    Draining { until: Now },
    Killed,
    Off,
}

/// Supervises one program.
#[derive(Debug)]
pub struct Supervisor {
    state: State,
    pause: Duration,
}

impl Supervisor {
    /// A supervisor whose settings were asked for already.
    pub fn asking() -> Supervisor {
        Supervisor { state: State::Asking, pause: FIRST_PAUSE }
    }

    /// When [`Event::Time`] is due; `None` if nothing waits for a time.
    pub fn due(&self) -> Option<Now> {
        match self.state {
            State::Pausing { until } | State::Draining { until } => Some(until),
            State::Asking | State::Running { .. } | State::Killed | State::Off => None,
        }
    }

    /// Takes an event and says what is to be done.
    pub fn on(&mut self, now: Now, event: Event) -> Do {
        let (state, what) = match (self.state, event) {
            (State::Asking, Event::Settings) => (State::Running { since: now }, Do::Start),
            (State::Asking | State::Pausing { .. }, Event::PowerButton) => (State::Off, Do::PowerOff),
            (State::Running { .. }, Event::PowerButton) => {
                (State::Draining { until: now + DRAIN }, Do::Terminate)
            }
            // A program that ends well by itself has nothing more to do on this machine: so ends a
            // worker that heard that EC2 takes its machine away.
            (State::Running { .. }, Event::Ended(End::Code(0))) => (State::Off, Do::PowerOff),
            (State::Running { since }, Event::Ended(_)) => (self.pause_after(now, since), Do::Nothing),
            (State::Pausing { until }, Event::Time) if now >= until => (State::Asking, Do::Ask),
            (State::Draining { until }, Event::Time) if now >= until => (State::Killed, Do::Kill),
            (State::Draining { .. } | State::Killed, Event::Ended(_)) => (State::Off, Do::PowerOff),
            (state, _) => (state, Do::Nothing),
        };
        self.state = state;
        what
    }

    /// How long is waited before the program starts anew.
    pub fn pause(&self, now: Now) -> Option<Duration> {
        match self.state {
            State::Pausing { until } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    fn pause_after(&mut self, now: Now, since: Now) -> State {
        if now.saturating_sub(since) >= WELL {
            self.pause = FIRST_PAUSE;
        }
        let until = now + self.pause;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        State::Pausing { until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Event = Event::Ended(End::Code(1));

    /// A supervisor and the test's clock, in seconds.
    struct Run(Supervisor, u64);

    impl Run {
        fn started() -> Run {
            let mut run = Run(Supervisor::asking(), 0);
            assert_eq!(run.on(Event::Settings), Do::Start);
            run
        }

        fn on(&mut self, event: Event) -> Do {
            self.0.on(Duration::from_secs(self.1), event)
        }

        /// The program fails after so many seconds; returns how long the pause is.
        fn fails_after(&mut self, seconds: u64) -> u64 {
            self.1 += seconds;
            assert_eq!(self.on(FAILED), Do::Nothing);
            let pause = self.0.due().unwrap().as_secs() - self.1;
            self.1 += pause - 1;
            assert_eq!(self.on(Event::Time), Do::Nothing);
            self.1 += 1;
            assert_eq!(self.on(Event::Time), Do::Ask);
            assert_eq!(self.on(Event::Settings), Do::Start);
            pause
        }
    }

    #[test]
    fn a_program_that_fails_starts_anew_later_and_later() {
        let mut run = Run::started();
        let pauses: Vec<_> = (0..7).map(|_| run.fails_after(0)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn after_a_minute_of_work_it_starts_anew_soon() {
        let mut run = Run::started();
        assert_eq!([run.fails_after(0), run.fails_after(59), run.fails_after(60)], [1, 2, 1]);
    }

    #[test]
    fn the_power_button_drains_the_program_and_then_the_machine_goes_off() {
        let mut run = Run::started();
        assert_eq!(run.on(Event::PowerButton), Do::Terminate);
        run.1 += 39;
        assert_eq!(run.on(Event::Time), Do::Nothing);
        assert_eq!(run.on(Event::PowerButton), Do::Nothing, "pressed again");
        assert_eq!(run.on(Event::Ended(End::Code(0))), Do::PowerOff);
    }

    #[test]
    fn a_program_that_fails_while_it_drains_does_not_start_anew() {
        let mut run = Run::started();
        run.on(Event::PowerButton);
        assert_eq!(run.on(FAILED), Do::PowerOff);
        assert_eq!(
            (run.on(Event::Time), run.on(Event::Settings), run.0.due()),
            (Do::Nothing, Do::Nothing, None)
        );
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_after_40_seconds() {
        let mut run = Run::started();
        run.on(Event::PowerButton);
        run.1 += 40;
        assert_eq!(run.on(Event::Time), Do::Kill);
        assert_eq!(run.on(Event::Time), Do::Nothing, "once");
        assert_eq!(run.on(Event::Ended(End::Signal(9))), Do::PowerOff);
    }

    #[test]
    fn without_a_program_the_power_button_switches_off_at_once() {
        assert_eq!(Run(Supervisor::asking(), 0).on(Event::PowerButton), Do::PowerOff);
        let mut run = Run::started();
        run.on(Event::Ended(End::NotStarted));
        assert_eq!(run.on(Event::PowerButton), Do::PowerOff);
    }

    #[test]
    fn a_program_that_ends_well_takes_the_machine_with_it() {
        assert_eq!(Run::started().on(Event::Ended(End::Code(0))), Do::PowerOff);
    }
}
