//! What `check` prints: for people, for programs, for GitHub's annotations.

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::plan::Finding;

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    /// A line for each: FILE:LINE:COLUMN: MESSAGE
    #[default]
    Text,
    /// An array of objects with file, line, column, severity and message
    Json,
    /// Annotations of GitHub Actions
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

/// A finding and the file that it is in. Line and column count from 1; there are none of a finding in the whole file.
#[derive(Debug, Serialize)]
pub struct Report {
    pub file: String,
    line: Option<usize>,
    column: Option<usize>,
    pub severity: Severity,
    message: String,
}

impl Report {
    pub fn of_file(file: &str, severity: Severity, message: String) -> Report {
        Report { file: file.to_string(), line: None, column: None, severity, message }
    }

    pub fn of_finding(plan: &str, finding: Finding) -> Report {
        let severity = if finding.is_warning { Severity::Warning } else { Severity::Error };
        let (line, column) = finding.place.unzip();
        Report { line, column, ..Report::of_file(plan, severity, finding.text) }
    }

    fn text(&self) -> String {
        let place = self.line.zip(self.column).map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        let (color, label) = match self.severity {
            Severity::Error => (AnsiColor::Red, ""),
            Severity::Warning => (AnsiColor::Yellow, "warning: "),
            Severity::Note => (AnsiColor::Cyan, ""),
        };
        let style: Style = color.on_default().bold();
        format!("{style}{}{place}:{style:#} {label}{}", self.file, self.message)
    }

    /// A workflow command: its values may have no line ends, and its properties no separators.
    fn github(&self) -> String {
        let command = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = self.line.zip(self.column).map(|(line, column)| format!(",line={line},col={column}"));
        let file = escaped(&self.file).replace(':', "%3A").replace(',', "%2C");
        format!("::{command} file={file}{}::{}", place.unwrap_or_default(), escaped(&self.message))
    }
}

/// escapeData in actions/toolkit packages/core/src/command.ts.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

impl Format {
    /// Prints what was found, and the plans in which nothing was.
    pub fn show(self, reports: &[Report], clean: &[String]) -> Result<()> {
        if let Format::Json = self {
            println!("{}", serde_json::to_string_pretty(reports).context("cannot write JSON")?);
            return Ok(());
        }
        for report in reports {
            match self {
                // Without colors where stdout is no terminal, or NO_COLOR is set.
                Format::Text => anstream::println!("{}", report.text()),
                _ => println!("{}", report.github()),
            }
        }
        for plan in clean {
            println!("{plan}: no problems found");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_escaped() {
        let finding = Finding { place: Some((3, 5)), text: "size=50%, a\r\nb: c".into(), is_warning: true };
        let report = Report::of_finding("a,b:100%.plan", finding);
        let expected = "::warning file=a%2Cb%3A100%25.plan,line=3,col=5::size=50%25, a%0D%0Ab: c";
        assert_eq!(report.github(), expected);
        let report = Report::of_file("p", Severity::Note, "add".into());
        assert_eq!(report.github(), "::notice file=p::add");
    }
}
