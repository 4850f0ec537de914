//! Random numbers that can be had again: the seed is printed, and `SHARER_TEST_SEED` sets it.

/// Reads a number that makes a test longer or repeats it.
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect(variable))
}

/// Random numbers (SplitMix64, Steele et al. 2014) from a seed that is printed.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
        let seed = number("SHARER_TEST_SEED", now);
        println!("SHARER_TEST_SEED={seed}");
        Random(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
