//! Packs texts: the pair of bytes that is met most often becomes one byte, again and again, as long as that saves
//! anything. src/line.rs unpacks them.

use std::collections::BTreeMap;

/// How many bytes src/line.rs has room for while it takes a pair apart.
const MOST_AT_ONCE: usize = 8;

/// The source of PACKED, PAIRS and FIRST_PAIR.
pub fn source(texts: &[Vec<u8>]) -> String {
    let highest = texts.iter().flatten().copied().max().unwrap_or(0).max(0x7f);
    let first = u16::from(highest) + 1;
    let mut texts: Vec<Vec<u16>> =
        texts.iter().map(|text| text.iter().map(|byte| u16::from(*byte)).collect()).collect();
    let mut pairs: Vec<[u16; 2]> = Vec::new();
    let mut rooms: Vec<usize> = Vec::new();
    while let Some(code) = Some(first + pairs.len() as u16).filter(|code| *code < 256) {
        // What a byte takes while it is taken apart: the second waits for the first.
        let room = |byte: u16| byte.checked_sub(first).map_or(1, |place| rooms[usize::from(place)]);
        let room_of = |[one, other]: [u16; 2]| (room(one) + 1).max(room(other));
        // Two bytes for the pair, and one less each time it is met.
        let times = |(pair, times): &([u16; 2], usize)| *times > 2 && room_of(*pair) <= MOST_AT_ONCE;
        let Some((pair, _)) = counted(&texts).into_iter().filter(times).max_by_key(|(_, times)| *times) else { break };
        rooms.push(room_of(pair));
        texts = texts.iter().map(|text| replaced(text, pair, code)).collect();
        pairs.push(pair);
    }
    let packed: Vec<u16> = texts.into_iter().flat_map(|text| text.into_iter().chain([0])).collect();
    format!(
        "static PACKED: [u8; {}] = {packed:?};\nstatic PAIRS: [[u8; 2]; {}] = {pairs:?};\nconst FIRST_PAIR: usize = {first};\n",
        packed.len(),
        pairs.len()
    )
}

/// Each pair, and how many times it is met.
fn counted(texts: &[Vec<u16>]) -> BTreeMap<[u16; 2], usize> {
    let mut times = BTreeMap::new();
    for pair in texts.iter().flat_map(|text| text.windows(2)) {
        *times.entry([pair[0], pair[1]]).or_insert(0) += 1;
    }
    times
}

fn replaced(text: &[u16], pair: [u16; 2], code: u16) -> Vec<u16> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        if rest.starts_with(&pair) {
            replaced.push(code);
            rest = &rest[2..];
        } else {
            replaced.push(*byte);
            rest = behind;
        }
    }
    replaced
}
