//! Sequential pictures (ITU-T T.81, F.2): each block is decoded, transformed and done with. Of a picture of one
//! scan a row of minimum coded units is held, else its planes.

use std::rc::Rc;

use super::bits::{Bits, Fault};
use super::block::Coding;
use super::bmi2::{self, Select, Work};
use super::huffman::Spec;
use super::pixels::Pixels;
use super::plan::{Plan, Strip};
use super::scale::{Block, Scale};
use super::steps::{Alternating, Differential};
use super::stream::{Scan, Stream};
use super::{fault, lacks_data};
use crate::image::Error;

/// Decodes all scans and pushes all rows.
pub(super) fn decode(stream: &Stream<'_>, plan: &Plan, pixels: &mut Pixels<'_>) -> Result<(), Error> {
    match &stream.scans[..] {
        [only] => {
            let mut strips = strips(plan, 1);
            let mut run = Run::new(only, plan).ok_or_else(lacks_data)?;
            for _ in 0..run.rows {
                run.row(&mut strips, 0).map_err(fault)?;
                pixels.strips(&strips, 0)?;
            }
            run.bits.finish().map_err(fault)
        }
        scans => {
            let mut strips = strips(plan, plan.mcu_rows);
            for scan in scans {
                let mut run = Run::new(scan, plan).ok_or_else(lacks_data)?;
                (0..run.rows).try_for_each(|row| run.row(&mut strips, row)).map_err(fault)?;
                run.bits.finish().map_err(fault)?;
            }
            (0..plan.mcu_rows).try_for_each(|row| pixels.strips(&strips, row))
        }
    }
}

/// Room for as many rows of minimum coded units.
fn strips(plan: &Plan, mcu_rows: usize) -> Vec<Strip> {
    (0..plan.components.len()).map(|component| plan.strip(component, mcu_rows)).collect()
}

/// A scan that is being decoded.
struct Run<'s> {
    bits: Bits<'s>,
    parts: Vec<Part<'s>>,
    /// Rows and columns of its minimum coded units.
    rows: usize,
    columns: usize,
    /// MCUs between restart markers, and to the next; `u64::MAX` for none.
    restart_interval: u64,
    to_restart: u64,
}

/// Look-ups of tables. Components mostly share those, and a processor's first cache is small.
struct Shared<L>(Vec<(Rc<Spec>, Scale, Rc<L>)>);

impl<L> Shared<L> {
    fn get(
        &mut self,
        spec: &Option<Rc<Spec>>,
        scale: Scale,
        make: impl Fn(&Spec, Scale) -> L,
    ) -> Option<Rc<L>> {
        let spec = spec.as_ref()?;
        let is_same = |of: &Rc<Spec>, at: Scale| Rc::ptr_eq(of, spec) && at.leaps() == scale.leaps();
        if let Some((_, _, made)) = self.0.iter().find(|(of, at, _)| is_same(of, *at)) {
            return Some(made.clone());
        }
        let made = Rc::new(make(spec, scale));
        self.0.push((spec.clone(), scale, made.clone()));
        Some(made)
    }
}

/// One of its components.
struct Part<'s> {
    component: usize,
    plan: &'s super::plan::Component,
    /// Blocks of a minimum coded unit of this scan.
    h: usize,
    v: usize,
    dc: Rc<Differential>,
    ac: Rc<Alternating>,
    /// DC of the block before.
    level: i32,
}

impl<'s> Run<'s> {
    /// `None` if a table lacks, which the stream has found out already.
    fn new(scan: &'s Scan<'_>, plan: &'s Plan) -> Option<Run<'s>> {
        let (mut of_dc, mut of_ac) = (Shared(Vec::new()), Shared(Vec::new()));
        let alone = scan.header.parts.len() == 1;
        let (mut rows, mut columns) = (plan.mcu_rows, plan.mcu_columns);
        let mut parts = Vec::new();
        for (part, (dc, ac)) in scan.header.parts.iter().zip(scan.dc.iter().zip(&scan.ac)) {
            let component = &plan.components[part.component];
            // A component alone has its blocks in rows, whatever its sampling (A.2.2).
            let (h, v) = if alone { (1, 1) } else { (component.h, component.v) };
            if alone {
                (rows, columns) = (component.rows, component.columns);
            }
            let (dc, ac) = (
                of_dc.get(dc, component.scale, |spec, _| Differential::new(spec))?,
                of_ac.get(ac, component.scale, Alternating::new)?,
            );
            parts.push(Part { component: part.component, plan: component, h, v, dc, ac, level: 0 });
        }
        let restart_interval = if scan.restart_interval == 0 { u64::MAX } else { scan.restart_interval };
        let bits = Bits::new(scan.data);
        Some(Run { bits, parts, rows, columns, restart_interval, to_restart: restart_interval })
    }

    /// Decodes a row of minimum coded units into row `at` of the strips.
    fn row(&mut self, strips: &mut [Strip], at: usize) -> Result<(), Fault> {
        bmi2::run(Row { run: self, strips, at })
    }
}

/// A row of minimum coded units.
struct Row<'r, 's> {
    run: &'r mut Run<'s>,
    strips: &'r mut [Strip],
    at: usize,
}

impl Work for Row<'_, '_> {
    type Done = Result<(), Fault>;

    #[inline(always)]
    fn with(self, _: impl Select) -> Result<(), Fault> {
        let Row { run, strips, at } = self;
        let mut block: Block = [0; 128];
        for column in 0..run.columns {
            if run.to_restart == 0 {
                run.bits.restart()?;
                run.parts.iter_mut().for_each(|part| part.level = 0);
                run.to_restart = run.restart_interval;
            }
            run.to_restart -= 1;
            for part in &mut run.parts {
                for y in 0..part.v {
                    for x in 0..part.h {
                        let place = (column * part.h + x, at * part.v + y);
                        part.block(&mut run.bits, &mut block, &mut strips[part.component], place)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Part<'_> {
    #[inline(always)]
    fn block(
        &mut self,
        bits: &mut Bits<'_>,
        block: &mut Block,
        strip: &mut Strip,
        (column, row): (usize, usize),
    ) -> Result<(), Fault> {
        let scale = self.plan.scale;
        scale.clear(block);
        let found = Coding { dc: &self.dc, ac: &self.ac, scale }.block(bits, block)?;
        // Differences that lead out of 16 bits are damage, and any level will do.
        self.level = self.level.wrapping_add(found.difference);
        let dc = self.level as i16;
        let stride = strip.stride;
        let out = strip.at(scale, column, row);
        if found.is_flat {
            self.plan.inverse.flat(dc, out, stride);
        } else {
            block[0] = dc;
            self.plan.inverse.block(block, out, stride);
        }
        Ok(())
    }
}
