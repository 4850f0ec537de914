//! The operator's side of a queue in a folder: its dead letters, and what comes and goes.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use super::{DirectoryQueue, Listing};
use crate::key::Id;
use crate::queue::letters::{DeadLetters, Flow, Letter, Which};
use crate::queue::{Cause, Error};

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_millis(20);

impl DeadLetters for DirectoryQueue {
    fn letters(&self, most: usize) -> Result<Vec<Letter>, Error> {
        let letter = |dead: super::DeadLetter| Letter {
            id: dead.id.to_string(),
            body: dead.body,
            cause: Cause { cause: dead.cause, program: dead.program, host: dead.host },
            since: dead.died,
        };
        Ok(self.dead_letters()?.into_iter().take(most).map(letter).collect())
    }

    fn put_back(&self, which: &Which, each: &mut dyn FnMut(&str)) -> Result<usize, Error> {
        let ids = match which {
            // Whatever else is written there is the name of no letter.
            Which::One(id) => Id::parse(id).into_iter().collect(),
            Which::All => self.dead_letters()?.into_iter().map(|letter| letter.id).collect::<Vec<_>>(),
        };
        let mut count = 0;
        for id in ids {
            // Another may have put it back meanwhile.
            if self.requeue(&id)? {
                each(id.as_str());
                count += 1;
            }
        }
        Ok(count)
    }

    fn flow(&self, time: Duration) -> Result<Flow, Error> {
        let until = Instant::now() + time;
        let (mut came, mut went) = (0, 0);
        let mut here = self.ids()?;
        while Instant::now() < until {
            thread::sleep(LOOK);
            let now = self.ids()?;
            came += now.difference(&here).count() as u64;
            went += here.difference(&now).count() as u64;
            here = now;
        }
        Ok(Flow::Seen { came, went })
    }
}

impl DirectoryQueue {
    /// Every message that is there, in whoever's hands.
    fn ids(&self) -> Result<HashSet<String>, Error> {
        let Listing { visible, hidden } = self.list()?;
        Ok(visible.into_iter().chain(hidden).map(|name| name.id.to_string()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Queue;
    use crate::queue::directory::Config;
    use crate::queue::letters::conformance;

    fn queue() -> (tempfile::TempDir, DirectoryQueue) {
        let folder = tempfile::tempdir().unwrap();
        let queue = DirectoryQueue::open(folder.path(), Config::default()).unwrap();
        (folder, queue)
    }

    #[test]
    fn keeps_the_promises_of_dead_letters() {
        conformance::all(&queue().1);
    }

    #[test]
    fn what_comes_and_what_goes_is_seen() {
        let (_folder, queue) = queue();
        (0..3).for_each(|i| queue.send(&i.to_string()).unwrap());
        let flow = thread::scope(|scope| {
            // Far longer than it takes to see the first listing.
            let watching = scope.spawn(|| queue.flow(Duration::from_secs(4)).unwrap());
            thread::sleep(Duration::from_secs(1));
            queue.send("late").unwrap();
            for delivery in queue.receive(2, Duration::from_secs(60), Duration::ZERO).unwrap() {
                queue.delete(&[delivery.receipt]).remove(0).unwrap();
            }
            watching.join().unwrap()
        });
        assert_eq!(flow, Flow::Seen { came: 1, went: 2 });
    }
}
