//! The native figures as pictures: time and size of every candidate, and time against carried bytes.

use anyhow::{Context, Result};
use measure::bench::Record;
use measure::bench::candidate::{Candidate, Carry, Kind};
use measure::bench::native::{CRUN_MB, Line};
use plotters::prelude::*;

use crate::theme::{self, Area, BLUE, Drawn, FAINT, GRAY, INK, LINE, ORANGE, TEXT};

/// From the top down.
const ROWS: [(Kind, &str); 6] = [
    (Kind::Moveroot, "moveroot"),
    (Kind::Fixed, "moveroot, this plan alone"),
    (Kind::C, "C, static musl"),
    (Kind::Go, "Go, static"),
    (Kind::Klibc, "klibc: sh, run-init"),
    (Kind::Busybox, "busybox: sh, switch_root"),
];
const HEAD: i32 = 62;
const ROW: i32 = 46;
/// Where the bars of time and of size begin, and how long the longest are.
const TIME: (i32, f64) = (190, 400.0);
const SIZE: (i32, f64) = (690, 200.0);
const WIDTH: u32 = 1000;

/// A candidate's figures.
struct Row {
    name: &'static str,
    /// With `copy` and with `bind`, µs.
    times: [f64; 2],
    bytes: usize,
}

/// Time and size.
pub fn sizes_and_times(record: &Record) -> Result<String> {
    let rows: Vec<Row> = ROWS.iter().map(|(kind, name)| row(record, *kind, name)).collect::<Result<_>>()?;
    let caption = caption(record);
    let height = (HEAD + ROW * rows.len() as i32 + 10) as u32;
    theme::picture((WIDTH, height), "Time and size of moveroot and of its peers", |area| {
        theme::text(area, &caption, (10, 12), TEXT - 2, FAINT)?;
        theme::text(area, "time, µs, with a crun of 2 MB:", (TIME.0, 42), TEXT, INK)?;
        for (x, color, carry) in [(TIME.0 + 205, ORANGE, Carry::Copy), (TIME.0 + 275, BLUE, Carry::Bind)] {
            theme::bar(area, (x, 37), 12.0, 11, color)?;
            theme::text(area, &carry.to_string(), (x + 18, 42), TEXT, INK)?;
        }
        theme::text(area, "size, bytes", (SIZE.0, 42), TEXT, INK)?;
        rows.iter().enumerate().try_for_each(|(place, row)| draw_row(area, &rows, HEAD + ROW * place as i32, row))
    })
}

fn row(record: &Record, kind: Kind, name: &'static str) -> Result<Row> {
    let line = |carry| {
        let who = Candidate { kind, carry };
        let mut lines = record.native.iter().filter(move |line| line.carried_mb == CRUN_MB);
        lines.find(|line| line.who == who).with_context(|| format!("the record of {} has no {who}", record.date))
    };
    let [copy, bind] = [line(Carry::Copy)?, line(Carry::Bind)?];
    Ok(Row { name, times: [copy.microseconds.median, bind.microseconds.median], bytes: copy.program_bytes })
}

fn draw_row(area: &Area, rows: &[Row], top: i32, row: &Row) -> Drawn<()> {
    theme::text(area, row.name, (10, top + 19), TEXT, INK)?;
    let longest = rows.iter().flat_map(|row| row.times).fold(0.0, f64::max);
    for ((time, color), y) in row.times.into_iter().zip([ORANGE, BLUE]).zip([top + 2, top + 20]) {
        let width = time / longest * TIME.1;
        theme::bar(area, (TIME.0, y), width, 15, color)?;
        theme::text(area, &format!("{time:.0}"), (TIME.0 + width as i32 + 8, y + 8), TEXT - 1, INK)?;
    }
    let largest = rows.iter().map(|row| row.bytes).max().unwrap_or(1);
    let width = row.bytes as f64 / largest as f64 * SIZE.1;
    theme::bar(area, (SIZE.0, top + 11), width, 15, GRAY)?;
    theme::text(area, &row.bytes.to_string(), (SIZE.0 + width as i32 + 8, top + 19), TEXT - 1, INK)
}

fn caption(record: &Record) -> String {
    format!("init's first instruction to the service's, {}, {}", record.machine, record.date)
}

/// A line for each who carried every file.
const GROWING: [(Candidate, RGBColor); 3] = [
    (Candidate { kind: Kind::C, carry: Carry::Copy }, GRAY),
    (Candidate::COPY, ORANGE),
    (Candidate { kind: Kind::Moveroot, carry: Carry::Bind }, BLUE),
];

/// Time against carried bytes.
pub fn growth(record: &Record) -> Result<String> {
    let points = |who| {
        let mine = record.native.iter().filter(move |line| line.who == who);
        mine.map(|line: &Line| (line.carried_mb, line.microseconds.median / 1000.0)).collect::<Vec<_>>()
    };
    let all: Vec<(f64, f64)> = GROWING.iter().flat_map(|(who, _)| points(*who)).collect();
    let widest = all.iter().map(|(carried, _)| *carried).fold(0.0, f64::max);
    let highest = all.iter().map(|(_, time)| *time).fold(0.0, f64::max);
    let label = ("sans-serif", f64::from(TEXT) * 1.2).into_font().color(&INK);
    theme::picture((640, 380), "Time against carried bytes", |area| {
        theme::text(area, &caption(record), (10, 12), TEXT - 2, FAINT)?;
        let mut chart = ChartBuilder::on(area);
        chart.margin(10).margin_top(30).margin_right(120).x_label_area_size(40).y_label_area_size(56);
        let mut chart = chart.build_cartesian_2d(0.0..widest * 1.02, 0.0..highest * 1.05)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc("carried, MB").y_desc("ms").label_style(label).axis_style(LINE).bold_line_style(LINE.mix(0.5));
        mesh.light_line_style(TRANSPARENT).draw()?;
        for (who, color) in GROWING {
            let points = points(who);
            chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)).point_size(3))?;
            let last = points.last().copied().unwrap_or_default();
            let (x, y) = chart.plotting_area().map_coordinate(&last);
            theme::text(area, &who.to_string(), (x + 10, y), TEXT, INK)?;
        }
        Ok(())
    })
}
