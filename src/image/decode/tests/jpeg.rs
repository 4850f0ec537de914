//! What the decoder makes of JPEG files of the collection.

use super::*;

/// Plane sizes and ratios.
fn sampling(name: &str) -> Vec<(u32, u32, f64, f64)> {
    let picture = picture(name);
    assert_eq!(picture.color(), Color::YCbCr, "{name}");
    let planes = &picture.layout().planes;
    planes.iter().map(|p| (p.size.width, p.size.height, p.ratio.0, p.ratio.1)).collect()
}

#[test]
fn planes_come_at_their_own_sampling() {
    let full = (125, 83, 1.0, 1.0);
    for (name, cb, cr) in [
        ("baseline-444.jpg", full, full),
        ("baseline-422.jpg", (63, 83, 2.0, 1.0), (63, 83, 2.0, 1.0)),
        ("baseline-420.jpg", (63, 42, 2.0, 2.0), (63, 42, 2.0, 2.0)),
        ("baseline-411.jpg", (32, 83, 4.0, 1.0), (32, 83, 4.0, 1.0)),
        ("baseline-440.jpg", (125, 42, 1.0, 2.0), (125, 42, 1.0, 2.0)),
        ("baseline-410.jpg", (32, 42, 4.0, 2.0), (32, 42, 4.0, 2.0)),
        ("uneven-sampling.jpg", (125, 42, 1.0, 2.0), (63, 83, 2.0, 1.0)),
        ("factors-1x2-all.jpg", full, full),
    ] {
        assert_eq!(sampling(name), [full, cb, cr], "{name}");
    }
    assert_eq!(sampling("luma-halved.jpg"), [(63, 83, 2.0, 1.0), full, full], "chroma larger than luma");
}

#[test]
fn luma_is_the_same_whatever_the_chroma() {
    let luma = |name: &str| picture(name).planes.swap_remove(0);
    let reference = luma("baseline-444.jpg");
    for kind in ["422", "420", "411", "440", "410"] {
        assert!(luma(&format!("baseline-{kind}.jpg")) == reference, "{kind}");
    }
    assert!(luma("uneven-sampling.jpg") == reference);
    assert!(luma("factors-1x2-all.jpg") == reference);
}

#[test]
fn how_scans_are_laid_out_changes_nothing() {
    for (name, same) in [
        ("three-scans.jpg", "baseline-420.jpg"),
        ("restarts-420.jpg", "baseline-420.jpg"),
        ("extended-8-bit.jpg", "baseline-420.jpg"),
        ("no-eoi.jpg", "baseline-420.jpg"),
        ("fill-bytes.jpg", "baseline-444.jpg"),
        ("progressive-420.jpg", "optimised-420.jpg"),
        ("progressive-restarts.jpg", "progressive-420.jpg"),
        ("grey-2x2.jpg", "grey.jpg"),
        ("ycc-bare.jpg", "ycc-adobe.jpg"),
        ("rgb-ids.jpg", "rgb-adobe.jpg"),
        ("cmyk-no-adobe.jpg", "cmyk.jpg"),
    ] {
        assert!(picture(name).planes == picture(same).planes, "{name} and {same}");
    }
}

#[test]
fn inks_and_rgb_become_one_plane_of_rgb() {
    let reference = picture("rgb-adobe.jpg");
    assert_eq!(reference.color(), Color::Rgb);
    for (name, mean) in [("cmyk.jpg", 3.0), ("ycck.jpg", 3.0), ("ycck-420.jpg", 5.0)] {
        let inks = picture(name);
        assert_eq!(inks.color(), Color::Rgb, "{name}");
        let difference = difference(&inks.planes[0], &reference.planes[0]);
        assert!(difference.1 < mean, "{name}: {difference:?}");
    }
}

#[test]
fn grey_stays_grey() {
    for name in ["grey.jpg", "progressive-grey.jpg", "wide.jpg", "high.jpg"] {
        assert_eq!(picture(name).color(), Color::Grey, "{name}");
    }
    let steps = picture("wide.jpg").planes.swap_remove(0);
    assert_eq!((steps[0], steps[65_534], steps.is_sorted()), (0, 224, true));
}

#[test]
fn a_second_picture_behind_the_first_is_not_looked_at() {
    // A preview of another size follows the end marker, then bytes of a video.
    assert_eq!(picture("private.jpg").color(), Color::YCbCr);
}

/// Where the entropy-coded data of the last scan lie.
fn last_scan(bytes: &[u8]) -> std::ops::Range<usize> {
    let header = bytes.windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[header + 2], bytes[header + 3]]));
    header + 2 + length..bytes.len() - 2
}

#[test]
fn an_end_marker_before_the_end_is_no_picture() {
    for name in ["baseline-444.jpg", "baseline-420.jpg", "restarts-420.jpg", "grey.jpg", "cmyk.jpg"] {
        let bytes = file(name);
        let data = last_scan(&bytes);
        for cut in data.clone().step_by(data.len() / 40).chain(data.end - 5..data.end) {
            let ended = [&bytes[..cut], &[0xFF, 0xD9]].concat();
            let error = decoded(&ended).err();
            assert!(error.as_ref().is_some_and(is_truncated), "{name} cut at {cut}: {error:?}");
        }
    }
}

#[test]
fn a_restart_marker_that_lacks_is_noticed() {
    let mut bytes = file("restarts-420.jpg");
    let data = last_scan(&bytes);
    let restarts: Vec<usize> =
        data.clone().filter(|&i| bytes[i] == 0xFF && matches!(bytes[i + 1], 0xD0..=0xD7)).collect();
    // The picture ends at the third, whole up to there.
    bytes.drain(restarts[2]..data.end);
    assert!(decoded(&bytes).err().as_ref().is_some_and(is_truncated));
}

#[test]
fn a_file_without_tables_is_read_with_those_of_the_standard() {
    use crate::image::Size;
    use crate::image::encode::jpeg::{Planes, encode};

    // Our encoder uses them.
    let luma: Vec<u8> = (0..40 * 24).map(|i| (i * 7 % 251) as u8).collect();
    let mut bytes = Vec::new();
    encode(&Planes { size: Size { width: 40, height: 24 }, luma: &luma, chroma: None }, 90, &mut bytes);
    let (mut bare, mut at) = (bytes[..2].to_vec(), 2);
    while bytes[at + 1] != 0xDA {
        let next = at + 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        if bytes[at + 1] != 0xC4 {
            bare.extend_from_slice(&bytes[at..next]);
        }
        at = next;
    }
    bare.extend_from_slice(&bytes[at..]);
    assert!(bare.len() + 200 < bytes.len());
    assert!(decoded(&bare).unwrap().planes == decoded(&bytes).unwrap().planes);
}

#[test]
fn scans_are_limited() {
    let bytes = file("progressive-grey.jpg");
    let last = bytes.windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
    let scan = &bytes[last..bytes.len() - 2];
    let many = [&bytes[..last], &scan.repeat(70), &[0xFF, 0xD9]].concat();
    assert!(matches!(decoded(&many), Err(Error::Unsupported(_))));
}

#[test]
fn a_claim_of_size_that_its_data_can_not_fill_is_refused_at_once() {
    assert!(is_truncated(&error("claims-16383.jpg")));
}

#[test]
fn a_picture_of_another_size_than_probed_is_refused() {
    let bytes = file("grey.jpg");
    let mut probe = probe_bytes(&bytes).unwrap();
    probe.size.width += 1;
    let result = decode(&bytes, &probe, &mut Picture::default());
    assert!(matches!(result, Err(Error::Corrupt(_))), "{result:?}");
}
