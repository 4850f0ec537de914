//! The project against its peers. `make bench` runs it; the numbers to read are ratios of medians of
//! rounds in turns on one core, which hold on a busy machine too.

use std::process::ExitCode;

mod bench;
mod bytes;
mod child;
mod decode;
mod kernel;
mod measure;
mod pictures;
mod quality;
mod report;
mod scene;
mod serve;
#[cfg(feature = "turbojpeg")]
mod turbo;

const USAGE: &str = "\
peers bench --tools DIR --worker FILE --out DIR [--images DIR] [--rounds N] [--set full|quick]
peers bytes full|quick DIR IMAGES
                        bytes of JPEG and PNG thumbnails against the peers' (made-up pictures where IMAGES is empty)
peers bytes check DIR OUT full|quick
                        whether djpeg, pngcheck and Pillow read our files without a remark
peers bytes tune IMAGES DIR [ENCODER…]
                        our JPEG encoders' bytes against the peers' at equal scores; DIR is --tools above
peers kernel            the kernel and the JPEG encoder alone
peers pictures DIR SET  makes the pictures that are measured with
peers serve             makes thumbnails as told on standard input
peers serve small       the same in fewer bytes
peers serve turbojpeg   the same by libjpeg-turbo and fast_image_resize, where that was built in
peers decode FILE…      the JPEG decoder alone, at each size
peers memory CMD…       runs a command and prints the peak of its resident memory, in bytes";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match &words[..] {
        ["bench", options @ ..] => bench::run(options),
        ["bytes", options @ ..] => bytes::run(options),
        ["kernel"] => kernel::print(),
        ["decode", files @ ..] => decode::print(files),
        ["pictures", folder, set] => pictures::make(folder.as_ref(), set),
        ["serve"] => serve::run(serve::fast),
        ["serve", "small"] => serve::run(serve::small),
        #[cfg(feature = "turbojpeg")]
        ["serve", "turbojpeg"] => serve::run(turbo::thumbnails),
        ["memory", program, arguments @ ..] => measure::print_peak(program, arguments),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
