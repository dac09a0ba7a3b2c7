//! The two roots and the hand-over, in three stages from left to right.

use anyhow::Result;
use plotters::prelude::*;

use crate::theme::{self, Area, BLUE, Drawn, FAINT, GREEN, GROUND, INK, LINE, ORANGE, TEXT};

const SIZE: (u32, u32) = (1000, 296);
const ROW: i32 = 30;
/// Of a frame's first line, below its top.
const FIRST: i32 = 62;

/// A root and what is in it.
struct Frame {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    /// What it is, and what is said of it.
    title: &'static str,
    note: &'static str,
    color: RGBColor,
    lines: &'static [(&'static str, RGBColor)],
}

/// A stage's words, each with the middle that it is written around.
const STAGES: [(&str, &str, i32); 3] = [
    ("1  the kernel starts /init", "", 120),
    ("2  the plan builds the new root beside it", "chroot changes between the two", 480),
    ("3  the hand-over", "MS_MOVE, chroot, exec", 860),
];

const FRAMES: [Frame; 5] = [
    Frame {
        left: 10,
        top: 70,
        width: 220,
        height: 215,
        title: "initramfs",
        note: "/ and the working directory",
        color: INK,
        lines: &[("/init", INK), ("/boot.plan", INK), ("/sbin/crun", ORANGE), ("/sbin/agent", BLUE)],
    },
    Frame {
        left: 265,
        top: 70,
        width: 185,
        height: 215,
        title: "initramfs",
        note: "the working directory",
        color: INK,
        lines: &[
            ("/init", INK),
            ("/boot.plan", INK),
            ("/sbin/crun, deleted", ORANGE),
            ("/sbin/agent", BLUE),
            ("/.moveroot", GREEN),
        ],
    },
    Frame {
        left: 525,
        top: 70,
        width: 180,
        height: 215,
        title: "new root, a tmpfs",
        note: "mounted on /.moveroot",
        color: GREEN,
        lines: &[("/proc /sys /dev /run", INK), ("", INK), ("/sbin/crun", ORANGE), ("/sbin/agent", BLUE)],
    },
    Frame {
        left: 770,
        top: 70,
        width: 220,
        height: 175,
        title: "initramfs",
        note: "covered: no path leads here",
        color: FAINT,
        lines: &[],
    },
    Frame {
        left: 745,
        top: 130,
        width: 220,
        height: 155,
        title: "new root, a tmpfs",
        note: "/",
        color: GREEN,
        lines: &[("/proc /sys /dev /run", INK), ("/sbin/crun", ORANGE), ("/sbin/agent, PID 1", BLUE)],
    },
];

pub fn draw() -> Result<String> {
    theme::picture(SIZE, "The two roots and the hand-over", |area| {
        for (words, more, middle) in STAGES {
            theme::centered(area, words, (middle, 18), TEXT + 1, INK)?;
            theme::centered(area, more, (middle, 42), TEXT, FAINT)?;
        }
        FRAMES.iter().try_for_each(|frame| draw_frame(area, frame))?;
        let row = |place: i32| 70 + FIRST + ROW * place;
        arrow(area, (455, row(2)), (528, row(2)), "copy", ORANGE)?;
        arrow(area, (455, row(3)), (528, row(3)), "bind", BLUE)?;
        arrow(area, (455, row(4)), (520, row(4)), "mount", GREEN)?;
        arrow(area, (232, 200), (262, 200), "", INK)?;
        arrow(area, (708, 200), (742, 200), "", INK)
    })
}

fn draw_frame(area: &Area, frame: &Frame) -> Drawn<()> {
    let corners = [(frame.left, frame.top), (frame.left + frame.width, frame.top + frame.height)];
    area.draw(&Rectangle::new(corners, GROUND.filled()))?;
    area.draw(&Rectangle::new(corners, if frame.color == INK { LINE } else { frame.color }.stroke_width(2)))?;
    let x = frame.left + 14;
    theme::text(area, frame.title, (x, frame.top + 18), TEXT + 1, frame.color)?;
    theme::text(area, frame.note, (x, frame.top + 37), TEXT - 1, FAINT)?;
    for (place, (words, color)) in frame.lines.iter().enumerate() {
        theme::text(area, words, (x, frame.top + FIRST + ROW * place as i32), TEXT, *color)?;
    }
    Ok(())
}

/// From left to right, with a word above it.
fn arrow(area: &Area, from: (i32, i32), to: (i32, i32), words: &str, color: RGBColor) -> Drawn<()> {
    area.draw(&PathElement::new([from, (to.0 - 6, to.1)], color.stroke_width(2)))?;
    area.draw(&Polygon::new([to, (to.0 - 9, to.1 - 5), (to.0 - 9, to.1 + 5)], color.filled()))?;
    theme::centered(area, words, ((from.0 + to.0) / 2, from.1 - 12), TEXT - 1, color)
}
