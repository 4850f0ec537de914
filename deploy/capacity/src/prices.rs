//! What it costs: US dollars in us-east-1, each price with its page. Prices were looked up on 24 November
//! 2026 in stored copies of these pages; they change, and regions differ.

use crate::outcome::Outcome;

/// A `c7a.medium` on demand, an hour. AWS's price list as Karpenter's generated table has it, made on
/// 19 January 2026:
/// <https://github.com/aws/karpenter-provider-aws/blob/main/pkg/providers/pricing/zz_generated.pricing_aws.go>
pub const MACHINE_HOUR: f64 = 0.05132;

/// Of a spot machine's price, its share of the on-demand price. An assumption: spot prices move; AWS says
/// "up to 90 %" off. <https://aws.amazon.com/ec2/spot/pricing/>
pub const SPOT_SHARE: f64 = 0.5;

/// What every machine has beside its processor, an hour: a public IPv4 address ($0.005,
/// <https://aws.amazon.com/vpc/pricing/>), detailed monitoring (seven metrics at $0.30 a month of 730
/// hours, <https://aws.amazon.com/cloudwatch/pricing/>), a root volume of 1 GiB ($0.08 a month,
/// <https://aws.amazon.com/ebs/pricing/>).
pub const MACHINE_EXTRAS_HOUR: f64 = 0.005 + 7.0 * 0.30 / 730.0 + 0.08 / 730.0;

/// A stopped machine of a warm pool, an hour: its volume.
pub const STOPPED_HOUR: f64 = 0.08 / 730.0;

/// A thousand PUTs to S3 Standard. <https://aws.amazon.com/s3/pricing/>
pub const PUTS_THOUSAND: f64 = 0.005;

/// A thousand GETs. Same page.
pub const GETS_THOUSAND: f64 = 0.0004;

/// A million requests to a standard queue. <https://aws.amazon.com/sqs/pricing/>
pub const QUEUE_MILLION: f64 = 0.40;

/// PUTs for one upload: original, record, three thumbnails.
pub const PUTS: f64 = 5.0;

/// GETs of a worker for one upload: the record three times, the original once.
pub const GETS: f64 = 4.0;

/// Requests to the queue for one upload at most: sent, received, deleted, each for itself.
pub const QUEUE_REQUESTS: f64 = 3.0;

/// Requests to store and queue for a million images; the same under every policy.
pub fn requests_million() -> f64 {
    1e3 * (PUTS * PUTS_THOUSAND + GETS * GETS_THOUSAND) + QUEUE_REQUESTS * QUEUE_MILLION
}

/// Machines for a million images, as this outcome had them; `pool` stopped ones beside them.
pub fn machines_million(outcome: &Outcome, pool: usize) -> f64 {
    let on_demand = outcome.on_demand_hours * (MACHINE_HOUR + MACHINE_EXTRAS_HOUR);
    let spot = outcome.spot_hours * (MACHINE_HOUR * SPOT_SHARE + MACHINE_EXTRAS_HOUR);
    let stopped = pool as f64 * outcome.hours() * STOPPED_HOUR;
    (on_demand + spot + stopped) / outcome.images as f64 * 1e6
}
