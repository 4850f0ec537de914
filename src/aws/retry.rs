//! Which failures are worth another attempt, after what pause, and how many in all.
//!
//! Backoff with full jitter, and a budget of retries that all calls of a client share: when a
//! service is down, its clients do not multiply their load (as in the SDKs' standard mode;
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::error::Refusal;
use super::transport::Failure;

/// Most attempts of one call.
pub const MAX_ATTEMPTS: u32 = 5;

/// Longest first pause; each further one may be twice as long.
const BASE: Duration = Duration::from_millis(100);

/// The same after the service asked for less: it means it.
const THROTTLED_BASE: Duration = Duration::from_millis(500);

/// Longest pause.
const CAP: Duration = Duration::from_secs(10);

/// What a full budget holds.
const CAPACITY: u32 = 500;

/// What a retry takes from it.
const COST: u32 = 5;

/// What a retry after a time-out takes: it has cost the service and us more.
const TIMEOUT_COST: u32 = 10;

/// What a success without a retry puts back.
const REFILL: u32 = 1;

/// What a failed attempt was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May work at once: a dead connection, an internal error.
    Transient,
    /// May work, and was slow to fail.
    Slow,
    /// The service asks for fewer calls.
    Throttled,
    /// Will not work however often it is tried.
    Final,
}

const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "KmsThrottled",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// `ConditionalRequestConflict` is S3's answer to one of two conditional writes at the same moment:
/// the next attempt meets the other's result.
const TRANSIENT: &[&str] = &[
    "ConditionalRequestConflict",
    "IDPCommunicationError",
    "InternalError",
    "InternalFailure",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
];

impl Kind {
    /// Of an answer of refusal.
    pub fn of_refusal(refusal: &Refusal) -> Kind {
        if THROTTLED.contains(&refusal.code.as_str()) || refusal.status == 429 {
            Kind::Throttled
        } else if TRANSIENT.contains(&refusal.code.as_str()) || matches!(refusal.status, 500 | 502..=504) {
            Kind::Transient
        } else {
            Kind::Final
        }
    }

    /// Of an attempt without an answer.
    pub fn of_failure(failure: &Failure) -> Kind {
        match failure {
            Failure::Unreached(_) | Failure::Lost(_) => Kind::Transient,
            Failure::TimedOut(_) => Kind::Slow,
            Failure::TooLarge { .. } | Failure::Content(_) | Failure::Malformed(_) => Kind::Final,
        }
    }

    /// The pause before attempt number `next` (the first retry is attempt 2): anything up to a
    /// bound that doubles, so that clients that failed together do not come back together.
    /// `chance` is uniform over all of `u32`.
    pub fn pause(self, next: u32, chance: u32) -> Duration {
        let base = if self == Kind::Throttled { THROTTLED_BASE } else { BASE };
        let bound = base.saturating_mul(1 << next.saturating_sub(2).min(16)).min(CAP);
        bound.mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    fn cost(self) -> u32 {
        if self == Kind::Slow { TIMEOUT_COST } else { COST }
    }
}

/// The retries that all calls of a client may yet make.
#[derive(Debug)]
pub struct Budget(Mutex<u32>);

impl Default for Budget {
    fn default() -> Budget {
        Budget(Mutex::new(CAPACITY))
    }
}

/// What a call has taken from the budget.
#[derive(Debug, Default)]
pub struct Taken(u32);

impl Budget {
    /// Takes what one retry costs; says whether there was enough.
    pub fn take(&self, kind: Kind, taken: &mut Taken) -> bool {
        let mut left = self.left();
        let Some(rest) = left.checked_sub(kind.cost()) else { return false };
        *left = rest;
        taken.0 = kind.cost();
        true
    }

    /// A call succeeded: what its last retry cost goes back, or a little where it needed none.
    pub fn succeeded(&self, taken: &Taken) {
        let mut left = self.left();
        *left = (*left + taken.0.max(REFILL)).min(CAPACITY);
    }

    fn left(&self) -> std::sync::MutexGuard<'_, u32> {
        // A number is never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str) -> Kind {
        Kind::of_refusal(&Refusal {
            status,
            code: code.to_owned(),
            message: String::new(),
            request_id: String::new(),
            after_doubt: false,
        })
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for (status, code) in [(503, "SlowDown"), (400, "ThrottlingException"), (429, "Http429")] {
            assert_eq!(refusal(status, code), Kind::Throttled, "{status} {code}");
        }
        for (status, code) in [(500, "InternalError"), (502, "Http502"), (400, "RequestTimeout"), (504, "x")]
        {
            assert_eq!(refusal(status, code), Kind::Transient, "{status} {code}");
        }
        for (status, code) in
            [(403, "AccessDenied"), (404, "NoSuchKey"), (412, "PreconditionFailed"), (501, "NotImplemented")]
        {
            assert_eq!(refusal(status, code), Kind::Final, "{status} {code}");
        }
    }

    #[test]
    fn pauses_are_spread_over_a_bound_that_doubles_up_to_a_cap() {
        let longest = |kind: Kind, next| kind.pause(next, u32::MAX).as_millis();
        assert_eq!([2, 3, 4].map(|next| longest(Kind::Transient, next)), [100, 200, 400]);
        assert_eq!(longest(Kind::Throttled, 2), 500);
        assert_eq!(longest(Kind::Transient, 40), CAP.as_millis());
        assert_eq!(Kind::Transient.pause(9, 0), Duration::ZERO);
    }

    #[test]
    fn an_outage_uses_the_budget_up_and_successes_fill_it() {
        let budget = Budget::default();
        let mut taken = Taken::default();
        let retries = (0..1000).take_while(|_| budget.take(Kind::Transient, &mut taken)).count();
        assert_eq!(retries as u32, CAPACITY / COST);
        (0..COST).for_each(|_| budget.succeeded(&Taken::default()));
        assert!(budget.take(Kind::Transient, &mut taken) && !budget.take(Kind::Transient, &mut taken));
        budget.succeeded(&taken);
        assert!(!budget.take(Kind::Slow, &mut taken) && budget.take(Kind::Transient, &mut taken));
    }
}
