//! libFuzzer's target: any bytes are judged by the parser as by the model.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::assert_right(bytes);
});
