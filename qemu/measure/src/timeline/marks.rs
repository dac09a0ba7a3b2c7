//! A boot's marks as they come out of the guest, and what they say.

use agent::port::{BOTH_CLOCKS, FROM_AGENT, FROM_INIT, FROM_LOG, Mark};
use anyhow::{Context, Result, bail};

/// Bytes of a mark: agent::port::mark.
const LENGTH: usize = 12;

/// What a guest marked; times are those of its time stamp counter.
#[derive(Debug, Default, PartialEq)]
pub struct Marks {
    /// Init's entry, where init was built to mark it.
    pub entry: Option<u64>,
    /// Line and time of each step, in order.
    pub steps: Vec<(u16, u64)>,
    pub service: Option<u64>,
    pub container: Option<u64>,
    pub container_end: Option<u64>,
    /// Microseconds of the kernel's log, and the message.
    pub log: Vec<(u64, String)>,
    /// Where each of the first marks ends among the bytes, and its time: those before the log.
    pub ends: Vec<(usize, u64)>,
}

impl Marks {
    pub fn read(bytes: &[u8]) -> Result<Marks> {
        let mut marks = Marks::default();
        let mut at = 0;
        while at < bytes.len() {
            let mark = bytes.get(at..at + LENGTH).context("the last mark came in part only")?;
            let (time, rest) = mark.split_at(8);
            let time = u64::from_le_bytes(time.try_into()?);
            let number = u16::from_le_bytes([rest[0], rest[1]]);
            at += LENGTH;
            match [rest[2], rest[3]] {
                FROM_INIT if number == 0 => marks.entry = Some(time),
                FROM_INIT => marks.steps.push((number, time)),
                FROM_AGENT => *marks.of_agent(number)? = Some(time),
                FROM_LOG => {
                    let text = bytes.get(at..at + usize::from(number)).context("the log came in part only")?;
                    marks.log.push((time, String::from_utf8_lossy(text).into_owned()));
                    at += usize::from(number);
                    continue;
                }
                who => bail!("a mark from {who:?} at byte {}", at - LENGTH),
            }
            marks.ends.push((at, time));
        }
        Ok(marks)
    }

    fn of_agent(&mut self, number: u16) -> Result<&mut Option<u64>> {
        const SERVICE: u16 = Mark::Service as u16;
        const CONTAINER: u16 = Mark::ContainerStart as u16;
        const CONTAINER_END: u16 = Mark::ContainerEnd as u16;
        Ok(match number {
            SERVICE => &mut self.service,
            CONTAINER => &mut self.container,
            CONTAINER_END => &mut self.container_end,
            _ => bail!("the agent has no mark {number}"),
        })
    }

    /// The counter when the clock of the kernel's log stood at 0, by the message that tells both.
    pub fn log_start(&self, khz: f64) -> Option<f64> {
        let both = |(time, text): &(u64, String)| Some((*time, text.strip_prefix(BOTH_CLOCKS)?.parse::<u64>().ok()?));
        let (microseconds, ticks) = self.log.iter().find_map(both)?;
        Some(ticks as f64 - microseconds as f64 * khz / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use agent::port::mark;

    use super::*;

    #[test]
    fn are_read_as_they_were_written() {
        let mut bytes = [mark(5, 0, FROM_INIT), mark(6, 300, FROM_INIT), mark(7, 1, FROM_AGENT)].concat();
        bytes.extend(mark(1, 4, FROM_LOG));
        bytes.extend(b"text");
        let both = format!("{BOTH_CLOCKS}9000");
        bytes.extend(mark(2, both.len() as u16, FROM_LOG));
        bytes.extend(both.as_bytes());
        let marks = Marks::read(&bytes).unwrap();
        assert_eq!((marks.entry, marks.service, marks.container), (Some(5), Some(7), None));
        assert_eq!(marks.steps, [(300, 6)]);
        assert_eq!(marks.log[0], (1, "text".to_string()));
        assert_eq!(marks.ends, [(12, 5), (24, 6), (36, 7)]);
        assert_eq!(marks.log_start(2_000_000.0), Some(5000.0));
        assert!(Marks::read(&bytes[..bytes.len() - 1]).is_err());
    }
}
