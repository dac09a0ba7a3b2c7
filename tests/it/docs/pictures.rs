//! The pictures and tables in the tree are those that the newest records give, by `cargo vm docs --update`.

use anyhow::Result;
use vm::figures;

use super::read;

#[test]
fn are_those_of_the_newest_records() -> Result<()> {
    for (path, drawn) in figures::all()? {
        assert!(read(path)? == drawn, "{path} is not of the newest record: cargo vm docs --update draws it");
    }
    Ok(())
}

/// As GitHub shows them: without a style of the page, light or dark as the reader's browser is.
#[test]
fn need_nothing_else_and_are_legible_in_the_dark() -> Result<()> {
    let svgs = figures::all()?.into_iter().filter(|(path, _)| path.ends_with(".svg"));
    for (path, svg) in svgs {
        assert!(svg.contains("@media (prefers-color-scheme: dark)"), "{path}");
        let references = svg.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(
            !references.contains("http") && !svg.contains("fill=\"#FFFFFF\""),
            "{path} is not transparent, or loads something"
        );
        let colors = svg.split("fill=\"#").skip(1).chain(svg.split("stroke=\"#").skip(1));
        for color in colors.filter_map(|rest| rest.get(..6)) {
            assert!(svg.contains(&format!("[fill=\"#{color}\"] {{")), "{path}: #{color} is the same in the dark");
        }
    }
    Ok(())
}
