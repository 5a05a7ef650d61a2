//! What to do next: commands that work as they are printed.

use std::path::Path;

use persea::store::{ModelRecord, TrackRole};

/// Prints commands to try next, each with the database that they are about.
pub fn next(database: &Path, commands: &[String]) {
    let db = quoted(&database.display().to_string());
    for (i, command) in commands.iter().enumerate() {
        let lead = if i == 0 { "next" } else { "  or" };
        eprintln!("{lead}: persea {command} --db {db}");
    }
}

/// What a new model is good for: scores, where tracks were held out, and what nobody has measured.
pub fn of_model(record: &ModelRecord) -> Vec<String> {
    let name = quoted(&record.name);
    let mut commands = Vec::new();
    if record.tracks.iter().any(|t| t.role == TrackRole::Hold) {
        commands.push(format!("evaluate --model {name}"));
    }
    commands.push(format!(
        "impute --all-missing --model {name} --output imputed"
    ));
    commands
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_or_change_them() {
        assert_eq!(quoted("a/b-c.persea"), "a/b-c.persea");
        assert_eq!(quoted("T cells"), "'T cells'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
