//! Progressive pictures (ITU-T T.81, G.2): scan by scan, each bringing some bits of some coefficients.
//!
//! Of each block the coefficients are held that its scale keeps, and of all 64 whether they are zero so far:
//! a scan that refines brings a bit for each that is not. All else is decoded and forgotten.

use super::band::Band;
use super::bits::{Bits, Fault};
use super::huffman::{Lookup, extend};
use super::pixels::Pixels;
use super::plan::{Plan, Strip};
use super::scale::{Block, Scale};
use super::stream::{Scan, Stream};
use super::{fault, lacks_data};
use crate::image::Error;

/// One component's coefficients so far.
pub(super) struct Store {
    scale: Scale,
    /// Blocks of a row, those included that fill up minimum coded units.
    pub columns: usize,
    /// N × N a block.
    kept: Vec<i16>,
    /// A bit for each coefficient in zigzag order: whether it is not zero. DC is left out.
    nonzero: Vec<u64>,
}

impl Store {
    fn new(plan: &Plan, component: usize) -> Store {
        let (columns, rows) = plan.padded(component);
        let scale = plan.components[component].scale;
        let side = scale.side();
        Store {
            scale,
            columns,
            kept: vec![0; columns * rows * side * side],
            nonzero: vec![0; columns * rows],
        }
    }

    #[inline(always)]
    pub fn block(&mut self, index: usize) -> Coefficients<'_> {
        let area = self.scale.side() * self.scale.side();
        let kept = &mut self.kept[index * area..][..area];
        let (places, last) = (self.scale.packed(), self.scale.last() as u32);
        Coefficients { kept, nonzero: &mut self.nonzero[index], places, last, other: 0 }
    }

    fn dc(&self, index: usize) -> i16 {
        self.kept[index * self.scale.side() * self.scale.side()]
    }

    /// A block as it is transformed.
    fn unpack(&self, index: usize, block: &mut Block) {
        let side = self.scale.side();
        let kept = &self.kept[index * side * side..][..side * side];
        for (to, from) in block.chunks_exact_mut(self.scale.stride()).zip(kept.chunks_exact(side)) {
            to[..side].copy_from_slice(from);
        }
    }
}

/// One block's coefficients.
pub(super) struct Coefficients<'s> {
    kept: &'s mut [i16],
    /// See [`Store`].
    pub nonzero: &'s mut u64,
    places: &'static [u8; 64],
    /// The last that is kept, in zigzag order.
    pub last: u32,
    /// Stands for any that is not.
    other: i16,
}

impl Coefficients<'_> {
    /// Coefficient `k` in zigzag order, or what stands for it if it is not kept.
    #[inline(always)]
    pub fn at(&mut self, k: u32) -> &mut i16 {
        self.kept.get_mut(usize::from(self.places[(k & 63) as usize])).unwrap_or(&mut self.other)
    }
}

/// Decodes all scans, then transforms and pushes all rows.
pub(super) fn decode(stream: &Stream<'_>, plan: &Plan, pixels: &mut Pixels<'_>) -> Result<(), Error> {
    let mut stores: Vec<Store> = (0..plan.components.len()).map(|c| Store::new(plan, c)).collect();
    for scan in &stream.scans {
        if *scan.header.band.start() == 0 {
            dc_scan(scan, plan, &mut stores).map_err(fault)?;
        } else {
            let spec = scan.ac.first().and_then(Option::as_ref).ok_or_else(lacks_data)?;
            let component = scan.header.parts[0].component;
            let mut band = Band::new(scan, Lookup::new(spec));
            let c = &plan.components[component];
            band.scan(scan, &mut stores[component], c.rows, c.columns).map_err(fault)?;
        }
    }
    let mut strips: Vec<Strip> = (0..stores.len()).map(|component| plan.strip(component, 1)).collect();
    let mut block: Block = [0; 128];
    for row in 0..plan.mcu_rows {
        for ((store, strip), c) in stores.iter().zip(&mut strips).zip(&plan.components) {
            for y in (0..c.v).take_while(|y| row * c.v + y < c.rows) {
                for column in 0..c.columns {
                    let index = (row * c.v + y) * store.columns + column;
                    let stride = strip.stride;
                    let out = strip.at(c.scale, column, y);
                    if store.nonzero[index] == 0 {
                        c.inverse.flat(store.dc(index), out, stride);
                    } else {
                        store.unpack(index, &mut block);
                        c.inverse.block(&block, out, stride);
                    }
                }
            }
        }
        pixels.strips(&strips, 0)?;
    }
    Ok(())
}

/// MCUs up to the next restart marker.
pub(super) struct Restarts {
    interval: u64,
    left: u64,
}

impl Restarts {
    pub fn new(scan: &Scan<'_>) -> Restarts {
        let interval = if scan.restart_interval == 0 { u64::MAX } else { scan.restart_interval };
        Restarts { interval, left: interval }
    }

    /// Whether a marker stands before the next MCU, which is counted.
    pub fn is_due(&mut self) -> bool {
        let is_due = self.left == 0;
        self.left = if is_due { self.interval } else { self.left } - 1;
        is_due
    }
}

/// A scan of DC coefficients (G.1.2.1), of one component or several.
fn dc_scan(scan: &Scan<'_>, plan: &Plan, stores: &mut [Store]) -> Result<(), Fault> {
    let mut bits = Bits::new(scan.data);
    let mut restarts = Restarts::new(scan);
    let lookups: Vec<Option<Lookup>> =
        scan.dc.iter().map(|spec| spec.as_ref().map(|spec| Lookup::new(spec))).collect();
    let mut levels = [0i32; 4];
    let parts = &scan.header.parts;
    let (rows, columns) = match parts[..] {
        [only] => (plan.components[only.component].rows, plan.components[only.component].columns),
        _ => (plan.mcu_rows, plan.mcu_columns),
    };
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        if restarts.is_due() {
            bits.restart()?;
            levels = [0; 4];
        }
        for ((part, lookup), level) in parts.iter().zip(&lookups).zip(&mut levels) {
            let c = &plan.components[part.component];
            let (h, v) = if parts.len() == 1 { (1, 1) } else { (c.h, c.v) };
            let store = &mut stores[part.component];
            for (y, x) in (0..v).flat_map(|y| (0..h).map(move |x| (y, x))) {
                let index = (row * v + y) * store.columns + column * h + x;
                let area = store.scale.side() * store.scale.side();
                dc(&mut bits, lookup.as_ref(), scan.header.low, level, &mut store.kept[index * area])?;
            }
        }
    }
    bits.finish()
}

/// One block's DC: by a table, or a further bit.
#[inline]
fn dc(
    bits: &mut Bits<'_>,
    lookup: Option<&Lookup>,
    low: u32,
    level: &mut i32,
    dc: &mut i16,
) -> Result<(), Fault> {
    let (mut register, window) = bits.prepare()?;
    register.fill_32(&window);
    let result = match lookup {
        Some(lookup) => lookup.symbol(&mut register).map(|size| {
            let size = u32::from(size & 15);
            *level = level.wrapping_add(extend(register.top(), size));
            register.take(size);
            // What leads out of 16 bits is damage, and any level will do.
            *dc = level.wrapping_shl(low) as i16;
        }),
        None => {
            *dc |= i16::from(register.bit()) << low;
            Ok(())
        }
    };
    bits.put(register);
    result.map_err(|fault| bits.fault(fault))
}
