//! The command reference as Markdown: a page per command, and an overview.

use std::fmt::Write;

use clap::{Arg, Command};

/// All pages: file name without extension, and text. The page `overview` lists the commands.
pub fn pages(mut program: Command) -> Vec<(String, String)> {
    program.build();
    let verbs: Vec<&Command> = listed(&program).collect();
    let mut pages = vec![("overview".to_string(), overview(&program, &verbs))];
    for verb in verbs {
        let mut text = String::new();
        section(&mut text, verb, "#", &format!("persea {}", verb.get_name()));
        pages.push((verb.get_name().to_string(), text));
    }
    pages
}

/// The subcommands that `--help` lists.
fn listed(command: &Command) -> impl Iterator<Item = &Command> {
    let shown = |c: &&Command| !c.is_hide_set() && c.get_name() != "help";
    command.get_subcommands().filter(shown)
}

fn overview(program: &Command, verbs: &[&Command]) -> String {
    let mut text = String::from(
        "# Commands\n\nThese pages are generated from the program. `persea COMMAND --help` prints the same text.\n\n\
         Results go to stdout. Notes, progress and errors go to stderr. The exit status is 0 on success, 1 on\n\
         failure and 2 if the arguments make no sense.\n\n| command | purpose |\n|---|---|\n",
    );
    for verb in verbs {
        let about = verb.get_about().map(ToString::to_string);
        let name = verb.get_name();
        let _ = writeln!(text, "| [`{name}`]({name}.md) | {} |", cell(about));
    }
    text.push_str("\n## Global options\n\nEvery command accepts these options.\n\n");
    table(
        &mut text,
        program.get_arguments().filter(|a| a.is_global_set()),
    );
    text
}

/// A command with its options, then its subcommands one level below.
fn section(text: &mut String, command: &Command, level: &str, name: &str) {
    let _ = writeln!(text, "{level} {name}\n");
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(about) = about {
        let _ = writeln!(text, "{}\n", paragraphs(&about.to_string()));
    }
    let usage = command.clone().render_usage().to_string();
    let forms = usage.trim_start_matches("Usage:").trim().lines();
    let forms: Vec<String> = forms.map(|form| format!("`{}`", form.trim())).collect();
    let _ = writeln!(text, "Usage: {}\n", forms.join(" or "));
    if let Some(examples) = command.get_after_help() {
        let _ = writeln!(text, "{}", example_block(&examples.to_string()));
    }
    let own = || {
        let shown = |a: &&Arg| !a.is_global_set() && !a.is_hide_set() && a.get_id() != "help";
        command.get_arguments().filter(shown)
    };
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in own() {
        let heading = argument.get_help_heading();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            let _ = writeln!(text, "{level}# {heading}\n");
        }
        table(text, own().filter(|a| a.get_help_heading() == heading));
    }
    for inner in listed(command) {
        let name = format!("{name} {}", inner.get_name());
        section(text, inner, &format!("{level}#"), &name);
    }
}

fn table<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    text.push_str("| option | default | meaning |\n|---|---|---|\n");
    for argument in arguments {
        let help = argument.get_long_help().or_else(|| argument.get_help());
        let _ = writeln!(
            text,
            "| {} | {} | {}{} |",
            spelling(argument),
            cell(default(argument)),
            cell(help.map(ToString::to_string)),
            values(argument),
        );
    }
    text.push('\n');
}

/// `-k`, `--name NAME` or `REGION`, as code.
fn spelling(argument: &Arg) -> String {
    let short = argument.get_short().map(|s| format!("-{s}"));
    let long = argument.get_long().map(|l| format!("--{l}"));
    let flags: Vec<String> = short.into_iter().chain(long).collect();
    let takes_value = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let value = names
        .iter()
        .map(|n| n.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let written = match (flags.is_empty(), takes_value) {
        (true, _) => value,
        (false, true) => format!("{} {value}", flags.join(", ")),
        (false, false) => flags.join(", "),
    };
    format!("`{}`", written.replace('|', "\\|"))
}

fn default(argument: &Arg) -> Option<String> {
    if !argument.get_action().takes_values() || argument.is_hide_default_value_set() {
        return None;
    }
    let values: Vec<String> = (argument.get_default_values().iter())
        .map(|v| format!("`{}`", v.to_string_lossy()))
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The values that an option accepts, each with its meaning.
fn values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let mut text = String::new();
    for value in argument.get_possible_values() {
        if value.is_hide_set() {
            continue;
        }
        let _ = write!(text, "<br>`{}`", value.get_name());
        if let Some(help) = value.get_help() {
            let _ = write!(text, ": {}", cell(Some(help.to_string())));
        }
    }
    text
}

/// Text for a cell of a table: one line, without bars that would end the cell.
fn cell(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    escape(&words.join(" "))
}

/// Angle brackets would be read as HTML, bars as the end of a cell, stars as emphasis.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' => in_code = !in_code,
            '<' if !in_code => {
                escaped.push_str("&lt;");
                continue;
            }
            '*' | '_' if !in_code => escaped.push('\\'),
            '|' => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
    }
    escaped
}

fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|p| {
        let words: Vec<&str> = p.split_whitespace().collect();
        escape(&words.join(" "))
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// `Example: …` or `Examples: …` as a block of commands.
fn example_block(text: &str) -> String {
    let commands = text
        .trim_start_matches("Examples:")
        .trim_start_matches("Example:");
    let lines: Vec<&str> = commands.lines().map(str::trim).collect();
    format!("```sh\n{}\n```\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_listed_command_has_a_page_and_an_entry_in_the_overview() {
        let pages = pages(super::super::Arguments::command());
        let overview = &pages[0].1;
        let program = super::super::Arguments::command();
        for verb in listed(&program) {
            let name = verb.get_name();
            assert!(pages.iter().any(|(page, _)| page == name), "{name}");
            assert!(overview.contains(&format!("({name}.md)")), "{name}");
        }
        assert!(overview.contains("`--db DIR`"));
        assert!(!overview.contains("(reference.md)"));
    }

    #[test]
    fn an_option_stands_with_its_default_its_meaning_and_its_values() {
        let command = Command::new("persea").subcommand(
            Command::new("cut").about("Cut <it>.").arg(
                Arg::new("size")
                    .long("size")
                    .short('s')
                    .value_name("A|B")
                    .value_parser(["small", "large"])
                    .default_value("small")
                    .help("How * large"),
            ),
        );
        let (_, text) = pages(command).pop().unwrap();
        assert!(text.starts_with("# persea cut\n\nCut &lt;it>.\n"), "{text}");
        let row = "| `-s, --size A\\|B` | `small` | How \\* large<br>`small`<br>`large` |";
        assert!(text.contains(row), "{text}");
    }
}
