//! What pictures have in common: SVG without a background, in colors that are others where the reader's are dark.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// Of text and arrows.
pub const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
/// Of what is said in passing.
pub const FAINT: RGBColor = RGBColor(0x59, 0x63, 0x6e);
/// Of frames and axes.
pub const LINE: RGBColor = RGBColor(0xb7, 0xbd, 0xc8);
/// What frames have in them.
pub const GROUND: RGBColor = RGBColor(0xf3, 0xf5, 0xf8);
pub const ORANGE: RGBColor = RGBColor(0xc8, 0x50, 0x14);
pub const BLUE: RGBColor = RGBColor(0x14, 0x6e, 0xbe);
pub const GREEN: RGBColor = RGBColor(0x28, 0x8c, 0x46);
pub const GRAY: RGBColor = RGBColor(0x96, 0x9d, 0xa6);

/// Each with the one that takes its place in the dark.
const DARK: [(RGBColor, &str); 8] = [
    (INK, "#e6edf3"),
    (FAINT, "#9aa4af"),
    (LINE, "#4a525c"),
    (GROUND, "#1b222b"),
    (ORANGE, "#f08a4b"),
    (BLUE, "#58a6ff"),
    (GREEN, "#4cc46b"),
    (GRAY, "#7d8590"),
];

pub const TEXT: i32 = 14;

/// A picture, with a title for those who cannot see it.
pub fn picture(size: (u32, u32), title: &str, draw: impl FnOnce(&Area) -> Drawn<()>) -> Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    draw(&area).and_then(|()| area.present()).map_err(|error| anyhow!("{error}"))?;
    drop(area);
    let (head, body) = svg.split_once('\n').ok_or_else(|| anyhow!("no SVG was drawn"))?;
    Ok(format!("{head}\n<title>{title}</title>\n{}\n{body}", style()))
}

/// Rules win over the attributes that a color is written in.
fn style() -> String {
    let rule = |(RGBColor(r, g, b), dark): &(RGBColor, &str)| {
        let light = format!("#{r:02X}{g:02X}{b:02X}");
        format!("[fill=\"{light}\"] {{ fill: {dark} }}\n[stroke=\"{light}\"] {{ stroke: {dark} }}\n")
    };
    let rules: String = DARK.iter().map(rule).collect();
    format!("<style>@media (prefers-color-scheme: dark) {{\n{rules}}}</style>")
}

/// Text that begins at a point, in the middle of its height.
pub fn text(area: &Area, words: &str, at: (i32, i32), size: i32, color: RGBColor) -> Drawn<()> {
    anchored(area, words, at, size, color, HPos::Left)
}

/// Text with its middle there.
pub fn centered(area: &Area, words: &str, at: (i32, i32), size: i32, color: RGBColor) -> Drawn<()> {
    anchored(area, words, at, size, color, HPos::Center)
}

fn anchored(area: &Area, words: &str, at: (i32, i32), size: i32, color: RGBColor, side: HPos) -> Drawn<()> {
    let style = ("sans-serif", f64::from(size) * SVG_SCALE).into_font().color(&color).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(words.to_string(), at, style))
}

/// plotters divides a font's size by this.
const SVG_SCALE: f64 = 1.24;

/// A filled rectangle, of two pixels at least.
pub fn bar(area: &Area, (left, top): (i32, i32), width: f64, height: i32, color: RGBColor) -> Drawn<()> {
    let right = left + (width.round() as i32).max(2);
    area.draw(&Rectangle::new([(left, top), (right, top + height)], color.filled()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_others_in_the_dark() {
        let svg = picture((40, 20), "a bar", |area| bar(area, (1, 2), 0.1, 5, ORANGE)).unwrap();
        assert!(svg.contains("fill=\"#C85014\"") && svg.contains("[fill=\"#C85014\"] { fill: #f08a4b }"), "{svg}");
        assert!(svg.contains("<title>a bar</title>") && svg.contains("width=\"2\""), "{svg}");
    }
}
