//! The worker's job on local files: `image-worker thumbnail FILE… --out DIR`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::image::thumbnails::{self, Limits, Spec};
use crate::image::{Effort, Format, probe};
use crate::job::SIZES;

/// Makes the thumbnails of one file and writes `<name>-small.jpg` … into `out`. Returns their paths.
///
/// # Errors
/// What went wrong, in a sentence that names the file.
pub fn thumbnail(file: &Path, out: &Path, limits: &Limits, effort: Effort) -> Result<Vec<PathBuf>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = fs::read(file).map_err(|e| said(&e))?;
    let probe = probe::probe_bytes(&bytes).map_err(|e| said(&e))?;
    let format = probe.thumbnail_format();
    let wanted: Vec<Spec> =
        SIZES.iter().map(|(_, bounds)| Spec { bounds: *bounds, format, effort }).collect();
    let made = thumbnails::make(&bytes, &wanted, limits).map_err(|e| said(&e))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut paths = Vec::new();
    for ((name, _), thumbnail) in SIZES.iter().zip(made) {
        let path = out.join(format!("{stem}-{name}.{}", Format::extension(format)));
        fs::write(&path, thumbnail.bytes).map_err(|e| format!("{}: {e}", path.display()))?;
        paths.push(path);
    }
    Ok(paths)
}
