//! The name of a message's file, which is all of the message's state.
//!
//! `<visible>.<granted>.<sent>.<id>.<receives>.<nonce>`: numbers in decimal, the nonce in hexadecimal.

use std::fmt;
use std::time::Duration;

use crate::key::Id;

/// Longest time that a message can be hidden for (SQS's own limit).
const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 60 * 60);

/// A message's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// From when on it can be received, in milliseconds since 1970 (UTC).
    pub visible: u64,
    /// For how long it was hidden when `visible` was set, in milliseconds.
    granted: u64,
    /// When it was sent, in milliseconds since 1970 (UTC).
    pub sent: u64,
    /// Which message it is.
    pub id: Id,
    /// How often it was received.
    pub receives: u32,
    /// Tells one receiver's hold from every other's.
    nonce: u64,
}

impl Name {
    /// Of a message that was never received, visible at once.
    pub fn new(id: Id, sent: u64, now: u64) -> Name {
        Name { visible: now, granted: 0, sent, id, receives: 0, nonce: 0 }
    }

    /// Reads a file's name; `None` if it is not exactly of the form above.
    pub fn parse(text: &str) -> Option<Name> {
        let mut parts = text.split('.');
        let mut part = || parts.next();
        let name = Name {
            visible: part()?.parse().ok()?,
            granted: part()?.parse().ok()?,
            sent: part()?.parse().ok()?,
            id: Id::parse(part()?)?,
            receives: part()?.parse().ok()?,
            nonce: u64::from_str_radix(part()?, 16).ok()?,
        };
        // No `+1`, no `007`: a state has one name.
        (name.to_string() == text).then_some(name)
    }

    /// Whether it can be received at `now`.
    ///
    /// What seems hidden for longer than was ever granted is visible: the clock was set back since.
    /// So a clock set back hides nothing for longer than its visibility time-out, and one set forward
    /// makes deliveries come early; both can lead to a second delivery, none to a loss.
    pub fn is_visible(&self, now: u64) -> bool {
        self.visible.checked_sub(now).is_none_or(|hidden| hidden == 0 || hidden > self.granted)
    }

    /// Its state in the hands of a new receiver, told from others by `nonce`.
    pub fn received(&self, now: u64, visibility: Duration, nonce: u64) -> Name {
        let receives = self.receives.saturating_add(1);
        Name { receives, nonce, ..self.clone() }.hidden(now, visibility)
    }

    /// Its state in the same hands, hidden from now on for `visibility`.
    pub fn hidden(&self, now: u64, visibility: Duration) -> Name {
        // At most 12 hours, so the cast loses nothing.
        let granted = visibility.min(MAX_VISIBILITY).as_millis() as u64;
        Name { visible: now.saturating_add(granted), granted, ..self.clone() }
    }

    /// Whether both are the same hold on the same message, however long it is hidden.
    pub fn is_same_hold(&self, other: &Name) -> bool {
        (&self.id, self.receives, self.nonce) == (&other.id, other.receives, other.nonce)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { visible, granted, sent, id, receives, nonce } = self;
        write!(f, "{visible}.{granted}.{sent}.{id}.{receives}.{nonce:x}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> Name {
        Name::new(Id::from_bytes([9; 16]), 500, 1000)
    }

    #[test]
    fn a_received_message_is_hidden_until_its_time_out() {
        assert!(name().is_visible(1000));
        let held = name().received(2000, Duration::from_millis(50), 7);
        let at = |now| held.is_visible(now);
        assert_eq!((at(2000), at(2049), at(2050), at(u64::MAX)), (false, false, true, true));
    }

    #[test]
    fn a_clock_set_back_hides_nothing_for_longer_than_was_granted() {
        assert!(name().is_visible(0), "never received");
        let held = name().received(2000, Duration::from_millis(50), 7);
        assert!(!held.is_visible(2000));
        assert!(held.is_visible(1999), "hidden for 51 ms, of 50");
        assert!(held.is_visible(0));
    }

    #[test]
    fn no_message_is_hidden_for_ever() {
        let held = name().received(2000, Duration::MAX, 7);
        assert!(held.is_visible(2000 + 12 * 60 * 60 * 1000));
    }

    #[test]
    fn a_hold_stays_the_same_when_it_is_extended_and_ends_when_it_is_received_again() {
        let held = name().received(2000, Duration::from_secs(1), 7);
        assert!(held.is_same_hold(&held.hidden(9000, Duration::ZERO)));
        assert!(!held.is_same_hold(&held.received(9000, Duration::from_secs(1), 8)));
    }

    proptest! {
        #[test]
        fn names_read_back(visible: u64, granted: u64, sent: u64, id: [u8; 16], receives: u32, nonce: u64) {
            let name = Name { visible, granted, sent, id: Id::from_bytes(id), receives, nonce };
            prop_assert_eq!(Name::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn other_names_are_told_apart(text in "[0-9a-z+./_-]{0,20}(\\.[0-9a-z+]{0,30}){0,6}") {
            if let Some(name) = Name::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
