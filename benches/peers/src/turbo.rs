//! libjpeg-turbo with fast_image_resize: what a C library that decodes at reduced size makes of a JPEG. Built
//! where its headers are (`--features turbojpeg`), linked with the library that the system has.

use std::ffi::{c_int, c_uchar, c_ulong, c_void};
use std::ptr;

use fast_image_resize as fir;
use image_sharer::image::Size;

use crate::serve::SIDES;

const RGB: c_int = 0;
const YUV_420: c_int = 2;
const QUALITY: c_int = 80;
const ACCURATE_DCT: c_int = 4096;

// turbojpeg.h, of version 2; version 3 has them too.
#[link(name = "turbojpeg")]
unsafe extern "C" {
    fn tjInitDecompress() -> *mut c_void;
    fn tjInitCompress() -> *mut c_void;
    fn tjDestroy(handle: *mut c_void) -> c_int;
    fn tjFree(buffer: *mut c_uchar);
    fn tjDecompressHeader3(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        size: c_ulong,
        width: *mut c_int,
        height: *mut c_int,
        sampling: *mut c_int,
        space: *mut c_int,
    ) -> c_int;
    fn tjDecompress2(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        size: c_ulong,
        out: *mut c_uchar,
        width: c_int,
        pitch: c_int,
        height: c_int,
        format: c_int,
        flags: c_int,
    ) -> c_int;
    fn tjCompress2(
        handle: *mut c_void,
        samples: *const c_uchar,
        width: c_int,
        pitch: c_int,
        height: c_int,
        format: c_int,
        jpeg: *mut *mut c_uchar,
        size: *mut c_ulong,
        sampling: c_int,
        quality: c_int,
        flags: c_int,
    ) -> c_int;
}

/// The three thumbnails' files: decoded at twice the largest or more, then each made of the one before.
pub fn thumbnails(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut image = decoded(bytes)?;
    let whole = (image.width(), image.height());
    let mut files = Vec::new();
    let options =
        fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Lanczos3));
    for side in SIDES {
        let (width, height) = fitted(whole, side);
        let mut smaller = fir::images::Image::new(width, height, fir::PixelType::U8x3);
        fir::Resizer::new().resize(&image, &mut smaller, &options).map_err(|e| e.to_string())?;
        files.push(encoded(&smaller)?);
        image = smaller;
    }
    Ok(files)
}

fn fitted((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let scale = (f64::from(side) / f64::from(width.max(height))).min(1.0);
    let of = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    (of(width), of(height))
}

fn decoded(bytes: &[u8]) -> Result<fir::images::Image<'static>, String> {
    let (mut width, mut height, mut sampling, mut space) = (0, 0, 0, 0);
    let (jpeg, size) = (bytes.as_ptr(), bytes.len() as c_ulong);
    // SAFETY: the handle is the library's own, destroyed once; `jpeg` has `size` readable bytes; the numbers
    // outlive the call.
    let handle = unsafe { tjInitDecompress() };
    let found = unsafe {
        tjDecompressHeader3(handle, jpeg, size, &mut width, &mut height, &mut sampling, &mut space)
    };
    let scaled = |length: c_int, eighths: c_int| (length * eighths + 7) / 8;
    let twice = 2 * SIDES[0] as c_int;
    let eighths = (1..8).find(|&n| scaled(width.max(height), n) >= twice).unwrap_or(8);
    let (width, height) = (scaled(width, eighths), scaled(height, eighths));
    let mut samples = vec![0; (width * height * 3) as usize];
    // SAFETY: as above; `samples` has room for `height` rows of `pitch` bytes, 3 a pixel.
    let done =
        unsafe { tjDecompress2(handle, jpeg, size, samples.as_mut_ptr(), width, width * 3, height, RGB, 0) };
    // SAFETY: the handle is not used again.
    unsafe { tjDestroy(handle) };
    if found != 0 || done != 0 {
        return Err("libjpeg-turbo does not decode it".to_owned());
    }
    fir::images::Image::from_vec_u8(width as u32, height as u32, samples, fir::PixelType::U8x3)
        .map_err(|e| e.to_string())
}

fn encoded(image: &fir::images::Image<'_>) -> Result<Vec<u8>, String> {
    compressed((image.width(), image.height()), image.buffer(), QUALITY, 0)
}

/// A file of R, G and B, 4:2:0, by the transform that libjpeg-turbo's own program uses.
pub fn encode(size: Size, rgb: &[u8], quality: u8) -> Result<Vec<u8>, String> {
    compressed((size.width, size.height), rgb, c_int::from(quality), ACCURATE_DCT)
}

fn compressed(
    (width, height): (u32, u32),
    rgb: &[u8],
    quality: c_int,
    flags: c_int,
) -> Result<Vec<u8>, String> {
    assert_eq!(rgb.len() as u64, u64::from(width) * u64::from(height) * 3, "three samples a pixel");
    let (width, height) = (width as c_int, height as c_int);
    let (mut jpeg, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the handle is the library's own, destroyed once; `rgb` has `height` rows of `width` × 3
    // bytes; the library allocates the file, which is copied and then freed by it.
    unsafe {
        let handle = tjInitCompress();
        let done = tjCompress2(
            handle,
            rgb.as_ptr(),
            width,
            width * 3,
            height,
            RGB,
            &mut jpeg,
            &mut size,
            YUV_420,
            quality,
            flags,
        );
        tjDestroy(handle);
        if done != 0 {
            return Err("libjpeg-turbo does not encode it".to_owned());
        }
        let file = std::slice::from_raw_parts(jpeg, size as usize).to_vec();
        tjFree(jpeg);
        Ok(file)
    }
}
