//! What is refused, and what memory is reckoned with.

use super::*;

const WANTED: [Spec; 1] = [spec(600, 600, Format::Jpeg)];

#[test]
fn pixels_are_counted_before_anything_is_decoded() {
    let limits = Limits { max_pixels: 100_000_000, ..PLENTY };
    let size = Size { width: 16_383, height: 16_383 };
    assert_eq!(
        make(&file("claims-16383.jpg"), &WANTED, &limits),
        Err(Error::TooManyPixels { size, limit: 100_000_000 })
    );
    let exact = Limits { max_pixels: 125 * 83, ..PLENTY };
    assert!(make(&file("grey.jpg"), &WANTED, &exact).is_ok());
    let less = Limits { max_pixels: 125 * 83 - 1, ..PLENTY };
    assert!(matches!(make(&file("grey.jpg"), &WANTED, &less), Err(Error::TooManyPixels { .. })));
}

#[test]
fn memory_is_budgeted_by_how_a_picture_is_coded() {
    let needed = |name: &str| {
        let mut probe = probe_bytes(&file(name)).unwrap();
        probe.size = Size { width: 10_000, height: 10_000 };
        memory_needed(&probe, 1_000_000, &WANTED) >> 20
    };
    assert!(needed("baseline-420.jpg") < 30);
    assert!(needed("rgba-16.png") < 30);
    assert!((38..48).contains(&needed("progressive-420.jpg")), "18 bytes for 64 pixels");
    assert!(needed("three-scans.jpg") < 24);
    assert!((380..500).contains(&needed("rgb-16-interlaced.png")));
    assert!((90..200).contains(&needed("static.gif")));
    assert!((1100..1300).contains(&needed("lossy-alpha.webp")));
}

#[test]
fn larger_thumbnails_need_more_of_a_progressive_picture() {
    let mut probe = probe_bytes(&file("progressive-420.jpg")).unwrap();
    probe.size = Size { width: 10_000, height: 10_000 };
    let needed = |side: u32| memory_needed(&probe, 0, &[spec(side, side, Format::Jpeg)]) >> 20;
    let [small, usual, large, whole] = [100, 600, 2000, 10_000].map(needed);
    assert!(small <= usual && usual < large && large < whole, "{small} {usual} {large} {whole}");
    assert!((1400..1550).contains(&whole), "three and a quarter bytes a pixel, twelve of the thumbnail's");
}

#[test]
fn the_largest_sides_that_a_header_can_claim_are_budgeted_too() {
    let mut probe = probe_bytes(&file("rgb-16-interlaced.png")).unwrap();
    probe.size = Size { width: (1 << 31) - 1, height: (1 << 31) - 1 };
    assert_eq!(memory_needed(&probe, 1000, &WANTED), u64::MAX);
}

#[test]
fn what_needs_more_memory_than_there_is_is_refused() {
    let bytes = file("progressive-420.jpg");
    let needed = memory_needed(&probe_bytes(&bytes).unwrap(), bytes.len() as u64, &WANTED);
    let limits = Limits { memory: needed, ..PLENTY };
    assert!(make(&bytes, &WANTED, &limits).is_ok());
    let limits = Limits { memory: needed - 1, ..PLENTY };
    assert_eq!(
        make(&bytes, &WANTED, &limits),
        Err(Error::TooLargeForWorker { needed, available: needed - 1 })
    );
}

#[test]
fn thumbnails_themselves_must_fit_the_budget() {
    let bytes = file("wide.png");
    let memory = memory_needed(&probe_bytes(&bytes).unwrap(), bytes.len() as u64, &WANTED);
    let many = vec![spec(60_000, 60_000, Format::Png); 16];
    let made = make(&bytes, &many, &Limits { memory, ..PLENTY });
    assert!(matches!(made, Err(Error::TooLargeForWorker { .. })), "{made:?}");
}

#[test]
fn only_jpeg_and_png_are_made() {
    let made = make(&file("grey.jpg"), &[spec(9, 9, Format::Webp)], &PLENTY);
    assert!(matches!(made, Err(Error::Unsupported(_))));
}

#[test]
fn a_decoder_that_panics_is_a_damaged_picture() {
    let result = guarded(|| panic!("a crafted file, for the test"));
    assert_eq!(result, Err(Error::Corrupt("the decoder gave up".to_owned())));
}

#[test]
fn bad_pictures_say_what_they_are() {
    let error = |name: &str| make(&file(name), &WANTED, &PLENTY).map(|_| ()).unwrap_err().code();
    for name in
        ["cut-in-data.jpg", "progressive-cut.jpg", "cut-in-data.png", "cut-in-data.gif", "cut-in-data.webp"]
    {
        assert_eq!(error(name), "truncated_image", "{name}");
    }
    for name in ["bad-data-crc.png", "two-frames.jpg", "claims-30000.png"] {
        let code = error(name);
        assert!(matches!(code, "corrupt_image" | "too_many_pixels"), "{name}: {code}");
    }
    assert_eq!(error("arithmetic.jpg"), "unsupported_image");
    assert_eq!(make(b"GIF97a", &WANTED, &PLENTY), Err(Error::NotAnImage));
}

#[test]
fn what_people_upload_fits_the_least_memory_that_a_worker_can_be_given() {
    const LEAST: u64 = 64 << 20;
    for (name, width, height) in [("baseline-420.jpg", 8000, 6000), ("rgba-8.png", 8000, 6000)] {
        let mut probe = probe_bytes(&file(name)).unwrap();
        probe.size = Size { width, height };
        let format = probe.thumbnail_format();
        for effort in [Effort::Fast, Effort::Small] {
            let wanted = [600, 300, 100].map(|side| Spec { effort, ..spec(side, side, format) });
            let needed = memory_needed(&probe, 16 << 20, &wanted);
            assert!(needed < LEAST, "{name}: {needed} bytes");
        }
    }
}
