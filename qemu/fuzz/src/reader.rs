//! libFuzzer's target: any bytes are read by the reader that the environment names.
#![no_main]

use std::sync::LazyLock;

use fuzz::readers::{Reader, named};

static READER: LazyLock<&Reader> = LazyLock::new(|| {
    let name = std::env::var("READER").expect("READER names the reader");
    named(&name).expect("READER names one of the readers")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (READER.read)(bytes));
