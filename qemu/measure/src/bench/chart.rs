//! The native figures as a picture: time against carried bytes, and every candidate with a crun of 2 MB.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::candidate::{Candidate, Carry, Kind};
use super::native::Line;
use super::record::Record;

const SIZE: (u32, u32) = (1000, 460);
const LEFT: u32 = 470;
const CARRIED_MB: f64 = 2.0;
const TEXT: (&str, i32) = ("sans-serif", 14);
const TITLE: (&str, i32) = ("sans-serif", 16);

/// Draws the record.
pub fn draw(record: &Record, out: &Path) -> Result<()> {
    let root = SVGBackend::new(out, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(text)?;
    let (title, body) = root.split_vertically(24);
    let words = format!("init's first instruction to the service's, {}, {}", record.machine, record.date);
    title.draw(&Text::new(words, (10, 6), TEXT.into_font().color(&BLACK.mix(0.6)))).map_err(text)?;
    let (left, right) = body.split_horizontally(LEFT);
    growth(&left, &record.native).map_err(text)?;
    candidates(&right, &record.native).map_err(text)?;
    root.present().map_err(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

fn color(who: Candidate) -> RGBColor {
    match (who.kind, who.carry) {
        (Kind::Moveroot, Carry::Copy) => RGBColor(200, 60, 20),
        (Kind::Moveroot, Carry::Bind) => RGBColor(20, 110, 190),
        (Kind::Fixed, _) => RGBColor(110, 60, 160),
        (Kind::Floor, _) => RGBColor(170, 170, 170),
        _ => RGBColor(110, 110, 110),
    }
}

/// One line for each who carried every file.
fn growth(area: &Area, lines: &[Line]) -> Drawn<()> {
    let grown = [
        Candidate::COPY,
        Candidate { carry: Carry::Bind, ..Candidate::COPY },
        Candidate { kind: Kind::C, ..Candidate::COPY },
    ];
    let points = |who| {
        let mine = lines.iter().filter(move |line| line.who == who);
        mine.map(|line| (line.carried_mb, line.microseconds.median / 1000.0)).collect::<Vec<_>>()
    };
    let highest = grown.iter().flat_map(|who| points(*who)).map(|(_, time)| time).fold(0.0, f64::max);
    let widest = lines.iter().map(|line| line.carried_mb).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("time against carried bytes", TITLE)
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..widest * 1.05, 0.0..highest * 1.1)?;
    chart.configure_mesh().x_desc("carried, MB").y_desc("ms").label_style(TEXT).light_line_style(TRANSPARENT).draw()?;
    for who in grown {
        let style = color(who).stroke_width(2);
        let series = chart.draw_series(LineSeries::new(points(who), style).point_size(3))?;
        series.label(who.to_string()).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE).label_font(TEXT).draw()?;
    Ok(())
}

/// A bar for each, the fastest on top, its figure behind it.
fn candidates(area: &Area, lines: &[Line]) -> Drawn<()> {
    let mut lines: Vec<&Line> = lines.iter().filter(|line| line.carried_mb == CARRIED_MB).collect();
    lines.sort_by(|a, b| b.microseconds.median.total_cmp(&a.microseconds.median));
    let longest = lines.iter().map(|line| line.microseconds.median / 1000.0).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("crun of 2 MB", TITLE)
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(120)
        .build_cartesian_2d(0.0..longest * 1.2, 0.0..lines.len() as f64)?;
    chart.configure_mesh().disable_mesh().disable_y_axis().x_desc("ms").label_style(TEXT).draw()?;
    let plane = chart.plotting_area();
    for (place, line) in lines.iter().enumerate() {
        let (bottom, time) = (place as f64, line.microseconds.median / 1000.0);
        plane.draw(&Rectangle::new([(0.0, bottom + 0.2), (time, bottom + 0.8)], color(line.who).filled()))?;
        let figure = format!("{time:.2}");
        plane.draw(&Text::new(figure, (time + longest * 0.01, bottom + 0.72), TEXT))?;
        let (_, y) = plane.map_coordinate(&(0.0, bottom + 0.72));
        let (top, _) = (area.get_base_pixel().1, 0);
        area.draw(&Text::new(line.candidate.clone(), (12, y - top), TEXT))?;
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{error}")
}
