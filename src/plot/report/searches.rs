//! Examples of similar positions, biosamples and assays.

use super::super::Theme;
use super::super::database::similarity_figure;
use super::super::page::{Grid, Page};
use crate::genome::Gene;
use crate::model::{NamedAxis, TrainedModel};
use crate::search::{Annotation, Answer, Class, GenePart, Query, similar};
use crate::store::Database;
use persea_drawing::decimals;
use persea_drawing::{grouped, spoken_region};

/// Hits of an example.
const HITS: usize = 5;

pub(super) fn searches(
    page: &mut Page,
    database: &Database,
    model: &TrainedModel,
) -> crate::Result<()> {
    let annotation = Annotation::read(database, model.axis())?;
    let queries = examples(database, model, &annotation)?;
    if queries.is_empty() {
        page.tag(
            "p",
            "The model covers no gene and no enhancer to ask about.",
        );
    } else {
        let asked: Vec<Query> = queries.iter().map(|q| q.1.clone()).collect();
        let answers = similar(database).k(HITS).run_on(model, &annotation, &asked);
        match answers {
            Ok(answers) => table(page, &queries, &answers, &annotation),
            Err(why) => page.note(&format!("Similar positions could not be searched: {why}.")),
        }
    }
    let figures = [NamedAxis::Biosamples, NamedAxis::Assays]
        .into_iter()
        .map(|axis| Ok(similarity_figure(database, model, axis, None)?.svg(Theme::Light)))
        .collect::<crate::Result<Vec<_>>>()?;
    page.figures(&figures);
    Ok(())
}

/// A promoter, a gene's body and an enhancer, from the middle of the lists.
fn examples(
    database: &Database,
    model: &TrainedModel,
    annotation: &Annotation,
) -> crate::Result<Vec<(String, Query)>> {
    let axis = model.axis();
    let covered: Vec<&Gene> = (annotation.genes().iter())
        .filter(|g| axis.bin_at(&g.interval.chrom, g.tss()).is_some())
        .collect();
    let mut queries = Vec::new();
    // A third and two thirds down the list: any are as good, and these are the same each time.
    for (place, part) in [
        (covered.len() / 3, GenePart::Promoter),
        (covered.len() * 2 / 3, GenePart::Body),
    ] {
        if let Some(gene) = covered.get(place) {
            let name = gene.name.clone();
            queries.push((
                format!("{} of {name}", part.name()),
                Query::Gene { name, part },
            ));
        }
    }
    let enhancers = database.enhancers()?;
    let inside: Vec<_> = (enhancers.iter())
        .map(|e| (e, e.start + e.len() / 2))
        .filter(|(e, middle)| axis.bin_at(&e.chrom, *middle).is_some())
        .collect();
    if let Some((enhancer, middle)) = inside.get(inside.len() / 2) {
        queries.push((
            format!("enhancer {}", spoken_region(enhancer)),
            Query::position(&enhancer.chrom, *middle),
        ));
    }
    Ok(queries)
}

fn table(
    page: &mut Page,
    queries: &[(String, Query)],
    answers: &[Answer],
    annotation: &Annotation,
) {
    page.tag(
        "p",
        "By the Euclidean distance between factors, exactly; not within 50 kb of the query, and one hit for \
         each 5 kbp.",
    );
    let mut grid = Grid::new(&[
        "looks like",
        "place",
        "distance",
        "nearest gene",
        "from its start",
        "lies in",
    ]);
    for ((name, _), answer) in queries.iter().zip(answers) {
        for (i, hit) in answer.hits.iter().enumerate() {
            let gene = annotation.nearest_gene(&hit.interval);
            let classes: Vec<&str> = annotation
                .classes(&hit.bins)
                .iter()
                .map(|c: &Class| c.name())
                .collect();
            grid.row(
                "",
                vec![
                    if i == 0 { name.clone() } else { String::new() },
                    spoken_region(&hit.interval),
                    decimals(hit.distance, 3),
                    gene.as_ref().map_or(String::new(), |g| g.name.clone()),
                    gene.map_or(String::new(), |g| from_start(g.distance)),
                    classes.join(", "),
                ],
            );
        }
    }
    page.table(&grid);
}

/// +1,234 bp: downstream of the start.
fn from_start(bp: i64) -> String {
    let sign = if bp < 0 { "−" } else { "+" };
    format!("{sign}{} bp", grouped(&bp.unsigned_abs().to_string()))
}
