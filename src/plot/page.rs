//! A self-contained HTML page: text, tables, figures; no scripts, nothing from elsewhere.

use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: #fff; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.25rem; border-top: 1px solid #ccc; padding-top: 1.2rem; margin-top: 2.4rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; font-size: .86rem; margin: .6rem 0; }
th, td { padding: .22rem .6rem; text-align: left; border-bottom: 1px solid #e3e3e3; }
th { border-bottom: 2px solid #888; background: #fafafa; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.baseline td { color: #666; }
tr.best td { font-weight: 600; }
.wide { overflow-x: auto; }
.whole { white-space: nowrap; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.figures svg { max-width: 100%; height: auto; }
.note { color: #555; font-size: .88rem; }
details { margin: .6rem 0; }
summary { cursor: pointer; }
code { font-size: .85rem; }
";

/// A page under construction.
pub(super) struct Page {
    body: String,
    title: String,
}

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let mut page = Page {
            body: String::new(),
            title: title.to_string(),
        };
        page.tag("h1", title);
        page
    }

    pub(super) fn tag(&mut self, tag: &str, text: &str) {
        let _ = writeln!(self.body, "<{tag}>{}</{tag}>", with_code(text));
    }

    pub(super) fn heading(&mut self, id: &str, text: &str) {
        let _ = writeln!(
            self.body,
            "<h2 id=\"{}\">{}</h2>",
            escaped(id),
            escaped(text)
        );
    }

    pub(super) fn note(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p class=\"note\">{}</p>", with_code(text));
    }

    /// HTML as it is: figures.
    pub(super) fn raw(&mut self, html: &str) {
        self.body.push_str(html);
        self.body.push('\n');
    }

    pub(super) fn figures(&mut self, all: &[String]) {
        self.raw("<div class=\"figures\">");
        for svg in all {
            self.raw(svg);
        }
        self.raw("</div>");
    }

    /// A table; a row may have a class. Cells break at spaces where the page is too narrow for them.
    pub(super) fn table(&mut self, table: &Grid) {
        self.raw("<div class=\"wide\"><table>");
        let number = |i: usize| {
            let is_number = |row: &(String, Vec<String>)| {
                row.1.get(i).is_none_or(|c| {
                    matches!(c.as_str(), "" | "undefined")
                        || c.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '−')
                })
            };
            !table.rows.is_empty() && table.rows.iter().all(is_number)
        };
        if table.columns.iter().any(|name| !name.is_empty()) {
            self.raw("<thead><tr>");
            for (i, name) in table.columns.iter().enumerate() {
                let class = if number(i) { " class=\"number\"" } else { "" };
                let name = escaped(name).replace('_', "_<wbr>");
                let _ = write!(self.body, "<th{class}>{name}</th>");
            }
            self.raw("</tr></thead>");
        }
        self.raw("<tbody>");
        for (class, cells) in &table.rows {
            let _ = write!(self.body, "<tr class=\"{}\">", escaped(class));
            for (i, cell) in cells.iter().enumerate() {
                let (class, text) = match number(i) {
                    true => (" class=\"number\"", with_minus(cell)),
                    // Coordinates and names stay whole.
                    false if !cell.contains(' ') => (" class=\"whole\"", cell.clone()),
                    false => ("", cell.clone()),
                };
                let _ = write!(self.body, "<td{class}>{}</td>", escaped(&text));
            }
            self.raw("</tr>");
        }
        self.raw("</tbody></table></div>");
    }

    pub(super) fn finish(self) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
            escaped(&self.title),
            self.body
        )
    }
}

/// A table of text, each row with a class.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<String>)>,
}

impl Grid {
    pub(super) fn new(columns: &[&str]) -> Self {
        Grid {
            columns: columns.iter().map(|c| c.to_string()).collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, class: &str, cells: Vec<String>) {
        self.rows.push((class.to_string(), cells));
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|c| c.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = line(&self.columns);
        text.push_str(&format!("|{}\n", "---|".repeat(self.columns.len())));
        for (class, cells) in &self.rows {
            match class.as_str() {
                "best" => {
                    let bold: Vec<String> = cells
                        .iter()
                        .map(|c| {
                            if c.is_empty() {
                                String::new()
                            } else {
                                format!("**{c}**")
                            }
                        })
                        .collect();
                    text.push_str(&line(&bold));
                }
                _ => text.push_str(&line(cells)),
            }
        }
        text
    }
}

/// A number, or several, with a minus in place of the hyphen.
fn with_minus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let is_minus = c == '-'
            && matches!(before, ' ' | '(')
            && letters.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_minus { '−' } else { c });
        before = c;
    }
    out
}

/// Text for HTML, in which what stands between backticks is code.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick opens nothing.
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        match i % 2 {
            0 => out.push_str(&escaped(part)),
            _ => {
                let _ = write!(out, "<code>{}</code>", escaped(part));
            }
        }
    }
    out
}

/// Text that HTML takes for text.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_numbers_have_a_minus() {
        assert_eq!(
            with_code("run `persea a<b` now"),
            "run <code>persea a&lt;b</code> now"
        );
        assert_eq!(with_code("one ` alone"), "one ` alone");
        assert_eq!(with_minus("-0.1 (-0.2 to 0.3)"), "−0.1 (−0.2 to 0.3)");
        assert_eq!(with_minus("2026-11-30"), "2026-11-30");
        let mut page = Page::new("t");
        page.table(&Grid::new(&["", ""]));
        assert!(!page.finish().contains("<thead>"));
    }

    #[test]
    fn text_is_escaped_and_numbers_stand_to_the_right() {
        let mut page = Page::new("a < b");
        let mut grid = Grid::new(&["name", "value"]);
        grid.row("baseline", vec!["x & y".into(), "0.5".into()]);
        grid.row("best", vec!["<script>".into(), String::new()]);
        grid.row("", vec!["y".into(), "undefined".into()]);
        page.table(&grid);
        let html = page.finish();
        assert!(html.contains("<title>a &lt; b</title>"));
        assert!(html.contains("<td class=\"number\">0.5</td>"));
        assert!(html.contains("<td class=\"number\">undefined</td>"));
        assert!(html.contains("<td>x &amp; y</td>") && !html.contains("<script"));
        assert!(html.contains("<td class=\"whole\">y</td>"));
        let markdown = grid.markdown();
        assert!(
            markdown.contains("| x & y | 0.5 |\n| **<script>** |  |"),
            "{markdown}"
        );
    }
}
