//! A tmpfs' `size=`.

/// How much a tmpfs may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Bytes(u64),
    /// Percent of the guest's memory.
    Percent(u64),
    Unlimited,
}

/// A tmpfs' `size=`: shmem_parse_one in mm/shmem.c, memparse in lib/cmdline.c.
pub fn size(value: &str) -> Option<Size> {
    let digits = value.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(value.len());
    let number: u64 = value[..digits].parse().ok()?;
    let power = match &value[digits..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "t" | "T" => 40,
        "%" => return Some(Size::Percent(number)),
        _ => return None,
    };
    let bytes = number.checked_mul(1 << power)?;
    Some(if bytes == 0 { Size::Unlimited } else { Size::Bytes(bytes) })
}

/// The last `size=` of a tmpfs' options; half of the memory where there is none: shmem_default_max_blocks.
pub fn size_of(options: &str) -> Size {
    let sizes = options.split(',').filter_map(|option| option.strip_prefix("size="));
    sizes.map(size).next_back().flatten().unwrap_or(Size::Percent(50))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_kernels() {
        for (options, expected) in [
            ("size=128m,mode=0755", Size::Bytes(128 << 20)),
            ("size=1k,size=3G", Size::Bytes(3 << 30)),
            ("size=4096", Size::Bytes(4096)),
            ("size=30%", Size::Percent(30)),
            ("mode=0755", Size::Percent(50)),
            ("size=0", Size::Unlimited),
        ] {
            assert_eq!(size_of(options), expected, "{options}");
        }
    }
}
