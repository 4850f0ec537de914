//! A queue's dead letters and its flow, as an operator looks at them: messages that workers gave up,
//! with their causes, and what puts them back.

use std::time::Duration;

use super::{Cause, Error, Queue};

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names it, for [`Which::One`].
    pub id: String,
    /// The message's text.
    pub body: String,
    /// Why it was given up, and by whom.
    pub cause: Cause,
    /// When it was given up, in milliseconds since 1970 (UTC). SQS tells when it was sent, where its
    /// redrive policy gave it up.
    pub since: u64,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of this id.
    One(String),
    /// All that are there.
    All,
}

impl Which {
    /// Whether this letter is one of them.
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Which::One(one) => one == id,
            Which::All => true,
        }
    }
}

/// What happened in a queue while it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Messages that came and that went, each seen. One that came and went between two looks was not.
    Seen {
        /// How many came.
        came: u64,
        /// How many went, worked on or given up.
        went: u64,
    },
    /// By how many messages it grew; that is all the queue tells.
    Grew(i64),
}

/// A queue whose dead letters can be read and put back. The operator's side of it: workers bury alone.
pub trait DeadLetters: Queue {
    /// Dead letters, at most `most`; they stay where they are.
    ///
    /// # Errors
    /// What kept them from being read, with what to do about it.
    fn letters(&self, most: usize) -> Result<Vec<Letter>, Error>;

    /// Puts dead letters back into the queue as if never received, and tells `each` one's id. Returns how
    /// many. Each is sent before it is removed: what fails in between leaves two, never none.
    ///
    /// # Errors
    /// What kept one from being put back; those told of are back.
    fn put_back(&self, which: &Which, each: &mut dyn FnMut(&str)) -> Result<usize, Error>;

    /// Watches the queue for so long.
    ///
    /// # Errors
    /// What kept it from being watched.
    fn flow(&self, time: Duration) -> Result<Flow, Error>;
}

/// The promises, for tests: `queue` is empty, and nobody else uses it. A case panics where one is broken.
pub fn conformance(queue: &dyn DeadLetters) {
    let (visibility, wait) = (Duration::from_secs(60), Duration::from_secs(15));
    let bury = |body: &str| {
        queue.send(body).expect("send");
        let delivery = queue.receive(1, visibility, wait).expect("receive").remove(0);
        let cause =
            Cause { cause: format!("{body} is no job"), program: "test 1".into(), host: "here".into() };
        queue.bury(&delivery, &cause).expect("bury");
    };
    let bodies = || {
        let mut bodies: Vec<String> =
            queue.letters(100).expect("letters").into_iter().map(|letter| letter.body).collect();
        bodies.sort();
        bodies
    };
    let next = || {
        let delivery = queue.receive(1, visibility, wait).expect("receive").remove(0);
        queue.delete(std::slice::from_ref(&delivery.receipt)).remove(0).expect("delete");
        (delivery.body, delivery.receives)
    };

    ["a", "b", "c"].into_iter().for_each(bury);
    let letters = queue.letters(100).expect("letters");
    let b = letters.iter().find(|letter| letter.body == "b").expect("b is among them");
    assert_eq!((b.cause.cause.as_str(), b.cause.program.as_str()), ("b is no job", "test 1"));
    assert!(b.since > 1_600_000_000_000, "{b:?}");
    assert_eq!(bodies(), ["a", "b", "c"], "reading them takes none away");
    assert_eq!(queue.letters(2).expect("letters").len(), 2);

    let mut told = Vec::new();
    let mut put_back = |which: Which| {
        told.clear();
        let count = queue.put_back(&which, &mut |id| told.push(id.to_owned())).expect("put back");
        assert_eq!(told.len(), count);
        count
    };
    assert_eq!(put_back(Which::One("aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned())), 0, "there is none of this id");
    assert_eq!(bodies(), ["a", "b", "c"]);
    assert_eq!(put_back(Which::One(b.id.clone())), 1);
    assert_eq!(next(), ("b".to_owned(), 1), "as if never received");
    assert_eq!(bodies(), ["a", "c"]);
    assert_eq!(put_back(Which::All), 2);
    let mut rest = [next().0, next().0];
    rest.sort();
    assert_eq!(rest, ["a", "c"]);
    assert_eq!((bodies().len(), put_back(Which::All)), (0, 0));
    queue.flow(Duration::from_millis(100)).expect("flow");
}
