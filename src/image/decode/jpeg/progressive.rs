//! Progressive pictures (ITU-T T.81, G.2): scan by scan, each bringing some bits of some coefficients. Those of DC are
//! decoded here; `band.rs` and `refine.rs` do the others, `store.rs` holds all.

use super::band;
use super::bits::{Bits, Fault};
use super::pixels::Pixels;
use super::plan::{Plan, Strip};
use super::refine::Refining;
use super::steps::{Banded, Differential};
use super::store::Store;
use super::stream::{Scan, Stream};
use super::{fault, lacks_data};
use crate::image::Error;

/// Decodes all scans, then transforms and pushes all rows.
pub(super) fn decode(stream: &Stream<'_>, plan: &Plan, pixels: &mut Pixels<'_>) -> Result<(), Error> {
    let mut stores: Vec<Store> = (0..plan.components.len()).map(|c| Store::new(plan, c)).collect();
    for scan in &stream.scans {
        if *scan.header.band.start() == 0 {
            dc_scan(scan, plan, &mut stores).map_err(fault)?;
        } else {
            let spec = scan.ac.first().and_then(Option::as_ref).ok_or_else(lacks_data)?;
            let component = scan.header.parts[0].component;
            let (c, store) = (&plan.components[component], &mut stores[component]);
            match scan.header.refines {
                false => band::scan(scan, &Banded::new(spec), store, c.rows, c.columns),
                true => Refining::new(scan, spec).scan(scan, store, c.rows, c.columns),
            }
            .map_err(fault)?;
        }
    }
    let mut strips: Vec<Strip> = (0..stores.len()).map(|component| plan.strip(component, 1)).collect();
    let mut room = [[0; 128]; 2];
    for row in 0..plan.mcu_rows {
        for ((store, strip), c) in stores.iter().zip(&mut strips).zip(&plan.components) {
            for y in (0..c.v).take_while(|y| row * c.v + y < c.rows) {
                let first = (row * c.v + y) * store.columns;
                for column in (0..c.columns).step_by(2) {
                    let blocks = first + column..first + c.columns.min(column + 2);
                    let stride = strip.stride;
                    store.transform(blocks, &mut room, &c.inverse, strip.at(c.scale, column, y), stride);
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
    let lookups: Vec<Option<Differential>> =
        scan.dc.iter().map(|spec| spec.as_ref().map(|spec| Differential::new(spec))).collect();
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
                dc(&mut bits, lookup.as_ref(), scan.header.low, level, store.dc(index))?;
            }
        }
    }
    bits.finish()
}

/// One block's DC: by a table, or a further bit.
#[inline]
fn dc(
    bits: &mut Bits<'_>,
    lookup: Option<&Differential>,
    low: u32,
    level: &mut i32,
    dc: &mut i16,
) -> Result<(), Fault> {
    bits.prepare()?;
    let (mut register, window) = bits.lend();
    register.fill_32(&window);
    let result = match lookup {
        Some(lookup) => lookup.difference(lookup.step(register.top()), &mut register).map(|difference| {
            *level = level.wrapping_add(difference);
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
