//! Looks out for the notice that a spot machine will be taken away, two minutes before, and stops the
//! program then, so that its work is finished or given back in time.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, warn};

use crate::aws::imds::Imds;
use crate::stop::Stop;

/// How often the notice is looked for, as AWS's documentation of `spot/instance-action` recommends.
const EVERY: Duration = Duration::from_secs(5);

/// How often where nothing answers: this is no EC2 machine, or its metadata service has trouble.
const EVERY_WITHOUT_ANSWER: Duration = Duration::from_secs(60);

/// Watches on a thread of its own until `stop` is set, and sets it when the notice comes.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch(imds: Arc<Imds>, stop: Stop) -> std::io::Result<()> {
    std::thread::Builder::new().name("spot".to_owned()).spawn(move || {
        let mut pause = Duration::ZERO;
        while !stop.sleep(pause) {
            pause = match imds.spot_notice() {
                Ok(None) => EVERY,
                Ok(Some(notice)) => {
                    warn!(action = notice.action; "this spot machine is taken away: stopping");
                    stop.set();
                    return;
                }
                Err(error) => {
                    debug!(error:%; "no metadata service");
                    EVERY_WITHOUT_ANSWER
                }
            };
        }
    })?;
    Ok(())
}
