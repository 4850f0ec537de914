//! The right time, which signed requests need (AWS refuses what is five minutes off).
//!
//! The kernel starts with the hardware clock's. The metadata service's `Date`, which comes with the
//! settings anyway, corrects it before the program starts; Amazon Time Sync (NTP at a link-local
//! address, present on every EC2 machine, no route to the internet needed) corrects it to
//! milliseconds right after, and once an hour. Where that does not answer, `Date` does.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, Timespec, clock_settime};

/// How often the time is corrected.
pub const EVERY: Duration = Duration::from_secs(3600);

/// Amazon Time Sync
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-ec2-ntp.html>).
const TIME_SYNC: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 123), 123);

const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Differences below these are left alone: a `Date` is a second coarse, and came a moment ago.
const COARSE: Duration = Duration::from_secs(2);
const FINE: Duration = Duration::from_millis(20);

/// Seconds from NTP's epoch (1900) to Unix's.
const ERA: u64 = 2_208_988_800;

/// How far the clock is off: what is to be added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// The clock is late.
    Late(Duration),
    /// The clock is early.
    Early(Duration),
}

impl Offset {
    /// From `clock` to `right`.
    pub fn between(clock: SystemTime, right: SystemTime) -> Offset {
        match right.duration_since(clock) {
            Ok(late) => Offset::Late(late),
            Err(early) => Offset::Early(early.duration()),
        }
    }

    /// Its size.
    pub fn size(self) -> Duration {
        match self {
            Offset::Late(size) | Offset::Early(size) => size,
        }
    }
}

/// Sets the clock by a `Date`, if it is off by more than that can't help; returns by how much it was.
///
/// # Errors
/// When the kernel refuses it.
pub fn set_by_date(date: SystemTime) -> io::Result<Option<Offset>> {
    step(Offset::between(SystemTime::now(), date), COARSE)
}

/// Sets the clock by Amazon Time Sync; returns by how much it was off, if that was worth a change.
///
/// # Errors
/// When it does not answer, or not as NTP.
pub fn set_by_ntp() -> io::Result<Option<Offset>> {
    let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(ANSWER_TIME))?;
    socket.connect(TIME_SYNC)?;
    // In the place of our time, which is nobody's concern, a number that only the answerer knows.
    let mut nonce = [0; 8];
    let _ = getrandom(&mut nonce, GetRandomFlags::INSECURE);
    let sent = SystemTime::now();
    socket.send(&question(nonce))?;
    let mut answer = [0; 128];
    let length = socket.recv(&mut answer)?;
    let offset = offset(&answer[..length], nonce, sent, SystemTime::now());
    step(offset.ok_or_else(|| io::Error::other("the answer is no time"))?, FINE)
}

fn step(offset: Offset, least: Duration) -> io::Result<Option<Offset>> {
    if offset.size() < least {
        return Ok(None);
    }
    let now = SystemTime::now();
    let right = match offset {
        Offset::Late(size) => now.checked_add(size),
        Offset::Early(size) => now.checked_sub(size),
    };
    let since = right.and_then(|right| right.duration_since(UNIX_EPOCH).ok());
    let since = since.ok_or_else(|| io::Error::other("a time before 1970"))?;
    let time = Timespec { tv_sec: since.as_secs() as i64, tv_nsec: since.subsec_nanos().into() };
    clock_settime(ClockId::Realtime, time)?;
    Ok(Some(offset))
}

/// A client's question (RFC 5905, section 7.3, as its section 14 lets simple clients do).
fn question(nonce: [u8; 8]) -> [u8; 48] {
    let mut out = [0; 48];
    // No warning, version 4, client.
    out[0] = 0b00_100_011;
    out[40..48].copy_from_slice(&nonce);
    out
}

/// The clock's offset by a server's answer (section 8: the way there is taken to be as long as the
/// way back); `None` for what is no answer to this question, or one of a server without the time.
fn offset(answer: &[u8], nonce: [u8; 8], sent: SystemTime, came: SystemTime) -> Option<Offset> {
    let answer: &[u8; 48] = answer.first_chunk()?;
    let (warning, mode, stratum) = (answer[0] >> 6, answer[0] & 7, answer[1]);
    if warning == 3 || mode != 4 || !(1..=15).contains(&stratum) || answer[24..32] != nonce {
        return None;
    }
    let (received, answered) = (stamp(&answer[32..40])?, stamp(&answer[40..48])?);
    let middle = |a: SystemTime, b: SystemTime| match b.duration_since(a) {
        Ok(span) => a + span / 2,
        Err(error) => b + error.duration() / 2,
    };
    Some(Offset::between(middle(sent, came), middle(received, answered)))
}

/// An NTP timestamp: seconds since 1900 and their 2⁻³² parts. Those with the first bit clear are of
/// the era that begins in 2036.
fn stamp(bytes: &[u8]) -> Option<SystemTime> {
    let whole = u64::from(u32::from_be_bytes(*bytes.first_chunk()?));
    let parts = u64::from(u32::from_be_bytes(*bytes.last_chunk()?));
    let seconds = if whole < 1 << 31 { whole + (1 << 32) } else { whole };
    let nanos = (parts * 1_000_000_000) >> 32;
    Some(UNIX_EPOCH + Duration::new(seconds.checked_sub(ERA)?, nanos as u32))
}

/// A date as HTTP writes it: `Tue, 24 Nov 2026 06:00:00 GMT` (RFC 9110, section 5.6.7).
pub fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split(' ').skip(1);
    let day: u64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = words.next().filter(|name| name.len() == 3 && name.is_ascii())?;
    let month = MONTHS.find(name).filter(|at| at % 3 == 0)? as u64 / 3 + 1;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if hour > 23 || minute > 59 || second > 60 || words.next()? != "GMT" {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Days since 1 January 1970. The year is counted from March, so that the leap day is its last
/// (<https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// An answer of a server whose clock is at these two seconds of Unix's when it hears and answers.
    fn server(nonce: [u8; 8], received: u64, answered: u64) -> [u8; 48] {
        let mut out = [0; 48];
        out[0] = 0b00_100_100;
        out[1] = 3;
        out[24..32].copy_from_slice(&nonce);
        out[32..36].copy_from_slice(&((received + ERA) as u32).to_be_bytes());
        out[40..44].copy_from_slice(&((answered + ERA) as u32).to_be_bytes());
        out
    }

    const NONCE: [u8; 8] = [7; 8];

    #[test]
    fn dates_are_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(at(0)));
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(at(784_111_777)));
        assert_eq!(http_date("Tue, 29 Feb 2000 23:59:59 GMT"), Some(at(951_868_799)));
        assert_eq!(http_date("Tue, 24 Nov 2026 06:00:00 GMT"), Some(at(1_795_500_000)));
        for bad in [
            "",
            "Tue, 24 Nov 2026 06:00:00 CET",
            "Tue, 24 ovD 2026 06:00:00 GMT",
            "Tue, 0 Nov 2026 06:00:00 GMT",
            "Tue, 24 Nov 1969 06:00:00 GMT",
            "Tue, 24 Nov 2026 24:00:00 GMT",
            "Tue, 24 Nov 2026 06:00 GMT",
        ] {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_way_to_the_server_does_not_count() {
        // Sent at 100, heard at 1000 there; answered at 1002, here at 104: the middle of both.
        let answer = server(NONCE, 1000, 1002);
        let late = Offset::Late(Duration::from_secs(899));
        assert_eq!(offset(&answer, NONCE, at(100), at(104)), Some(late));
        assert_eq!(
            offset(&answer, NONCE, at(2000), at(2004)),
            Some(Offset::Early(Duration::from_secs(1001)))
        );
    }

    #[test]
    fn an_answer_to_another_or_of_a_server_without_time_is_not_believed() {
        let with = |at: usize, value: u8| {
            let mut answer = server(NONCE, 1000, 1000);
            answer[at] = value;
            answer
        };
        for answer in [with(24, 0), with(0, 0b11_100_100), with(0, 0b00_100_011), with(1, 0), with(1, 16)] {
            assert_eq!(offset(&answer, NONCE, at(1000), at(1000)), None);
        }
        assert_eq!(offset(&server(NONCE, 1, 1)[..47], NONCE, at(1), at(1)), None);
    }

    #[test]
    fn the_second_era_of_ntp_begins_in_2036() {
        assert_eq!(
            stamp(&[0, 0, 0, 0, 0x80, 0, 0, 0]),
            Some(at((1 << 32) - ERA) + Duration::from_millis(500))
        );
    }

    #[test]
    fn a_small_difference_changes_nothing() {
        assert_eq!(step(Offset::Late(Duration::from_millis(1999)), COARSE).unwrap(), None);
        assert_eq!(step(Offset::Early(Duration::from_millis(19)), FINE).unwrap(), None);
    }
}
