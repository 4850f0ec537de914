//! Watches for the notice that EC2 will take this spot machine away, and then ends the program in
//! order: a machine has two minutes from the notice, and a worker drains in less than one.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};

use crate::aws::imds::{self, Imds};
use crate::stop::Stop;

/// How often is looked: what EC2's manual recommends.
const EVERY: Duration = Duration::from_secs(5);

/// After so many looks without any answer, this is no EC2 machine.
const LOOKS: u32 = 3;

/// Looks for the notice on a thread of its own, and sets `stop` when it is there.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch(imds: Arc<Imds>, stop: &Stop) -> Result<(), String> {
    let stop = stop.clone();
    let run = move || look(&imds, &stop, EVERY);
    let thread = std::thread::Builder::new().name("spot".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| format!("no thread to look for the spot notice: {e}"))
}

fn look(imds: &Imds, stop: &Stop, every: Duration) {
    let (mut unanswered, mut answered) = (0, false);
    while !stop.is_set() {
        match imds.spot_notice() {
            Ok(Some(notice)) => {
                warn!(action = notice.action; "EC2 takes this spot machine away; stopping");
                stop.set();
            }
            Ok(None) => answered = true,
            Err(imds::Error::Unreachable(_)) if !answered => {
                unanswered += 1;
                if unanswered == LOOKS {
                    info!("no EC2 metadata here: no spot notice is looked for");
                    return;
                }
            }
            Err(error) => debug!(error:%; "the spot notice could not be looked for"),
        }
        stop.sleep(every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::request::Response;
    use crate::aws::testing::{ManualClock, Script, answer, at};
    use crate::aws::transport::Failure;

    /// Looks until it ends by itself; says whether it stopped the program, and how often it asked.
    fn looked<const N: usize>(answers: [Result<Response, Failure>; N]) -> (bool, usize) {
        let (script, stop) = (Script::of(answers), Stop::new());
        let imds = Imds::new("http://imds.test", script.clone(), ManualClock::at(at(0)));
        look(&imds, &stop, Duration::ZERO);
        (stop.is_set(), script.seen().len())
    }

    #[test]
    fn a_notice_stops_the_program() {
        let notice = r#"{"action":"terminate","time":"1970-01-01T00:02:00Z"}"#;
        let token = answer(200, &[], "token");
        assert_eq!(looked([token, answer(404, &[], ""), answer(200, &[], notice)]), (true, 3));
    }

    #[test]
    fn where_nobody_answers_it_is_given_up() {
        let silence = || Err(Failure::Unreached("no route".to_owned()));
        // Three looks of four tries each.
        assert_eq!(looked([(); 12].map(|()| silence())), (false, 12));
    }

    #[test]
    fn an_outage_after_an_answer_is_waited_out() {
        let silence = || Err(Failure::Unreached("no route".to_owned()));
        let notice = r#"{"action":"stop","time":"1970-01-01T00:02:00Z"}"#;
        let mut answers = vec![answer(200, &[], "token"), answer(404, &[], "")];
        answers.extend((0..16).map(|_| silence()));
        answers.push(answer(200, &[], notice));
        let answers: [_; 19] = answers.try_into().expect("19 answers");
        assert_eq!(looked(answers), (true, 19));
    }
}
