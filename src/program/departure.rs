//! Watches for EC2's word that this machine will go, and ends the program in order.
//!
//! Two words: the spot notice, after which a machine has two minutes, and Auto Scaling's, which waits (the
//! template's lifecycle hook) until a machine that it takes out of its group is done with its work.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};

use crate::aws::imds::{self, Imds};
use crate::stop::Stop;

/// How often is looked: what EC2's manual recommends.
const EVERY: Duration = Duration::from_secs(5);

/// After so many looks without any answer, this is no EC2 machine.
const LOOKS: u32 = 3;

/// What Auto Scaling brings a machine into whose place is given up.
const LEAVING: &str = "Terminated";

/// What was said.
enum Word {
    /// EC2 takes the machine away soon.
    Spot(imds::SpotNotice),
    /// Auto Scaling takes it out of the group, and waits.
    Leave,
}

/// Looks on a thread of its own. Sets `stop` at the spot notice, and `last` where Auto Scaling takes the
/// machine out: no jobs are to be taken from then on, and those in hand may be finished.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch(imds: Arc<Imds>, stop: &Stop, last: &Stop) -> Result<(), String> {
    let (stop, last) = (stop.clone(), last.clone());
    let run = move || look(&imds, &stop, &last, EVERY);
    let thread = std::thread::Builder::new().name("departure".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| format!("no thread to look for the spot notice: {e}"))
}

fn look(imds: &Imds, stop: &Stop, last: &Stop, every: Duration) {
    let (mut unanswered, mut answered) = (0, false);
    while !stop.is_set() {
        match word(imds) {
            Ok(Some(Word::Spot(notice))) => {
                warn!(action = notice.action; "EC2 takes this spot machine away; stopping");
                stop.set();
            }
            Ok(Some(Word::Leave)) if !last.is_set() => {
                info!("Auto Scaling takes this machine out of its group; finishing what is in hand");
                last.set();
            }
            Ok(_) => answered = true,
            Err(imds::Error::Unreachable(_)) if !answered => {
                unanswered += 1;
                if unanswered == LOOKS {
                    info!("no EC2 metadata here: no notice of the machine's end is looked for");
                    return;
                }
            }
            Err(error) => debug!(error:%; "the notice of the machine's end could not be looked for"),
        }
        stop.sleep(every);
    }
}

fn word(imds: &Imds) -> Result<Option<Word>, imds::Error> {
    if let Some(notice) = imds.spot_notice()? {
        return Ok(Some(Word::Spot(notice)));
    }
    let state = imds.target_lifecycle_state()?;
    Ok((state.as_deref() == Some(LEAVING)).then_some(Word::Leave))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::request::Response;
    use crate::aws::testing::{ManualClock, Script, answer, at};
    use crate::aws::transport::Failure;

    /// Looks until it ends by itself; says whether it stopped the program, and how often it asked.
    fn looked<const N: usize>(answers: [Result<Response, Failure>; N]) -> (bool, usize) {
        let (stopped, _, asked) = looked_at(answers);
        (stopped, asked)
    }

    /// Says besides whether no more jobs were to be taken.
    fn looked_at<const N: usize>(answers: [Result<Response, Failure>; N]) -> (bool, bool, usize) {
        let (script, stop, last) = (Script::of(answers), Stop::new(), Stop::new());
        let imds = Imds::new("http://imds.test", script.clone(), ManualClock::at(at(0)));
        look(&imds, &stop, &last, Duration::ZERO);
        (stop.is_set(), last.is_set(), script.seen().len())
    }

    #[test]
    fn a_notice_stops_the_program() {
        let notice = r#"{"action":"terminate","time":"1970-01-01T00:02:00Z"}"#;
        let token = answer(200, &[], "token");
        let (none, in_service) = (answer(404, &[], ""), answer(200, &[], "InService"));
        assert_eq!(looked([token, none, in_service, answer(200, &[], notice)]), (true, 4));
    }

    #[test]
    fn auto_scalings_word_ends_the_taking_of_jobs_and_not_the_program() {
        let leaving = || [answer(404, &[], ""), answer(200, &[], "Terminated")];
        let mut answers = vec![answer(200, &[], "token"), answer(404, &[], ""), answer(404, &[], "")];
        answers.extend([leaving(), leaving()].into_iter().flatten());
        // What ends this look is the spot notice: Auto Scaling's word leaves the program running.
        answers.push(answer(200, &[], r#"{"action":"stop","time":"1970-01-01T00:02:00Z"}"#));
        let answers: [_; 8] = answers.try_into().expect("8 answers");
        assert_eq!(looked_at(answers), (true, true, 8));
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
        let mut answers = vec![answer(200, &[], "token"), answer(404, &[], ""), answer(404, &[], "")];
        answers.extend((0..16).map(|_| silence()));
        answers.push(answer(200, &[], notice));
        let answers: [_; 20] = answers.try_into().expect("20 answers");
        assert_eq!(looked(answers), (true, 20));
    }
}
