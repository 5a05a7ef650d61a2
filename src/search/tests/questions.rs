//! What is asked wrongly is refused with the reason.

use crate::genome::{Interval, Resolution};
use crate::model::TrainedModel;
use crate::search::{
    Annotation, Class, Filter, GenePart, Metric, Query, SearchOptions, Searcher, Similar,
    example_database, similar,
};

fn refused(search: Similar<'_>) -> String {
    search.run().unwrap_err().to_string()
}

#[test]
fn bad_questions_are_refused_with_a_reason() {
    let (_folder, database) = example_database().unwrap();
    let ask = |query| refused(similar(&database).query(query));
    let at = || similar(&database).query(Query::position("chr1", 40_000));
    for (message, part) in [
        (
            ask(Query::position("chr1", 310_000)),
            "the nearest covered region is chr1:25,001",
        ),
        (ask(Query::position("chr1", 1_000_000)), "beyond the end"),
        (
            ask(Query::position("chr7", 5)),
            "`chr7` is not in assembly example",
        ),
        (
            ask(Query::gene("ALPA")),
            "gene ALPA is not found; nearest: ALPHA",
        ),
        (refused(at().k(0)), "k is 0"),
        (
            refused(at().k(1_000_000)),
            "no more than the 20114 rows of 25bp",
        ),
        (
            refused(at().k(200).resolution(Resolution::Kbp5)),
            "rows of 5kbp",
        ),
        (
            ask(Query::vector([0.0; 7])),
            "7 numbers where the model's embeddings have 55: 5 at 25 bp",
        ),
        (
            ask(Query::vector([f32::NAN; 55])),
            "number 1 of the vector is NaN",
        ),
        (refused(similar(&database)), "nothing is asked for"),
        (
            refused(at().align().metric(Metric::Cosine)),
            "euclidean or network",
        ),
        (
            refused(
                similar(&database)
                    .query(Query::vector([0.0; 55]))
                    .metric(Metric::Cosine),
            ),
            "all zeros",
        ),
        (refused(at().model("exmple")), "nearest: example"),
    ] {
        let message = message.replace("25001", "25,001");
        assert!(message.contains(part), "`{part}` is missing: {message}");
    }
}

#[test]
fn a_filter_that_allows_nothing_says_what_each_condition_leaves() {
    let (_folder, database) = example_database().unwrap();
    let filter = Filter {
        chromosomes: vec!["chr2".into()],
        classes: vec![Class::Gene],
        ..Filter::default()
    };
    let message = refused(
        similar(&database)
            .query(Query::position("chr1", 40_000))
            .filter(filter),
    );
    for part in [
        "allows nothing",
        "chromosomes leaves 5003 bins",
        "class leaves 600 bins",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let filter = Filter {
        chromosomes: vec!["chr8".into()],
        ..Filter::default()
    };
    let message = refused(
        similar(&database)
            .query(Query::position("chr1", 40_000))
            .filter(filter),
    );
    assert!(message.contains("`chr8` is not in assembly"), "{message}");
}

#[test]
fn every_hit_is_what_the_filter_says_and_less_is_read() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let annotation = Annotation::read(&database, model.axis()).unwrap();
    let run = |filter: Filter| {
        let query = similar(&database).query(Query::position("chr2", 50_000));
        query
            .filter(filter)
            .exclude(None)
            .spread(None)
            .k(30)
            .run()
            .unwrap()
    };
    let unfiltered = run(Filter::default());
    let inside = Interval::new("chr1", 60_010, 62_000);
    let answer = run(Filter {
        inside: Some(vec![inside.clone()]),
        ..Filter::default()
    });
    assert!(answer.hits.iter().all(|h| {
        h.interval.chrom == "chr1" && h.interval.start < 62_000 && h.interval.end > 60_010
    }));
    assert!(answer.read.kbp5 < unfiltered.read.kbp5 / 2);
    // An interval of each list must be touched: 10 bins of the one, 4 of them of the other.
    let other = vec![
        Interval::new("chr1", 60_150, 60_250),
        Interval::new("chr2", 50_000, 60_000),
    ];
    let answer = run(Filter {
        labelled: vec![vec![Interval::new("chr1", 60_000, 60_250)], other],
        ..Filter::default()
    });
    let mut starts: Vec<u64> = answer.hits.iter().map(|h| h.interval.start).collect();
    starts.sort_unstable();
    assert_eq!(starts, [60_150, 60_175, 60_200, 60_225]);
    let answer = run(Filter {
        outside: vec![Interval::new("chr1", 0, 1_000_000)],
        ..Filter::default()
    });
    assert!(answer.hits.iter().all(|h| h.interval.chrom == "chr2"));
    let answer = run(Filter {
        tss_within: Some(500),
        ..Filter::default()
    });
    // ALPHA starts at 60,000 and BETA, on the other strand, at 124,999.
    assert!(answer.hits.iter().all(|h| {
        let near = |tss: u64| h.interval.start <= tss + 500 && h.interval.end > tss - 500;
        near(60_000) || near(124_999)
    }));
    for class in Class::ALL {
        let answer = run(Filter {
            classes: vec![class],
            ..Filter::default()
        });
        assert!(!answer.hits.is_empty());
        for hit in &answer.hits {
            assert!(annotation.classes(&hit.bins).contains(&class));
        }
        let answer = run(Filter {
            not_classes: vec![class],
            ..Filter::default()
        });
        for hit in &answer.hits {
            assert!(!annotation.classes(&hit.bins).contains(&class));
        }
    }
}

#[test]
fn masked_places_are_no_hits_unless_they_are_asked_for() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let annotation = Annotation::read(&database, model.axis()).unwrap();
    // The query lies in the mask, chr1:30,000-31,000: it is its own nearest.
    let query = || {
        similar(&database)
            .query(Query::position("chr1", 30_500))
            .exclude(None)
    };
    let masked = |search: Similar<'_>| {
        let answer = search.run().unwrap();
        let is_masked =
            |h: &&crate::search::Hit| annotation.classes(&h.bins).contains(&Class::Masked);
        answer.hits.iter().filter(is_masked).count()
    };
    let included = Filter {
        include_masked: true,
        ..Filter::default()
    };
    assert_eq!(masked(query().spread(None).k(40)), 0);
    assert!(masked(query().spread(None).k(40).filter(included.clone())) > 0);
    // A 250 bp row is left out where all of its bins are masked, as those of the mask are.
    let rows = || query().resolution(Resolution::Bp250).spread(None).k(4);
    assert_eq!(masked(rows()), 0);
    assert!(masked(rows().filter(included.clone())) > 0);
    // A window is left out where any of its bins is masked.
    let window = Query::region(Interval::new("chr1", 29_600, 30_100));
    let aligned = || {
        let search = similar(&database).query(window.clone()).exclude(None);
        search.align().k(1)
    };
    let own = |search: Similar<'_>| search.run().unwrap().hits[0].distance == 0.0;
    assert!(own(aligned().filter(included)) && !own(aligned()));
}

#[test]
fn no_two_aligned_windows_overlap() {
    let (_folder, database) = example_database().unwrap();
    let window = Query::region(Interval::new("chr1", 40_000, 48_000));
    for spread in [None, Some(Resolution::Kbp5)] {
        let search = similar(&database).query(window.clone()).spread(spread);
        let hits = search.exclude(None).align().k(12).run().unwrap().hits;
        assert_eq!(hits.len(), 12);
        for (i, hit) in hits.iter().enumerate() {
            for other in &hits[..i] {
                let (a, b) = (&hit.bins, &other.bins);
                assert!(a.end <= b.start || b.end <= a.start, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn fewer_hits_come_back_where_the_filter_leaves_fewer() {
    let (_folder, database) = example_database().unwrap();
    let filter = Filter {
        inside: Some(vec![Interval::new("chr1", 60_000, 60_100)]),
        ..Filter::default()
    };
    let query = similar(&database)
        .query(Query::position("chr2", 50_000))
        .filter(filter);
    let answer = query.clone().spread(None).run().unwrap();
    assert_eq!(answer.hits.len(), 4);
    assert_eq!(query.run().unwrap().hits.len(), 1, "one for each 5 kbp");
}

#[test]
fn a_gene_is_asked_for_by_its_parts() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let annotation = Annotation::read(&database, model.axis()).unwrap();
    let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    for (part, start, end, resolution) in [
        (GenePart::Promoter, 59_000, 61_025, Resolution::Bp250),
        (GenePart::Body, 60_000, 70_000, Resolution::Kbp5),
        (GenePart::Tss, 60_000, 60_025, Resolution::Bp25),
    ] {
        let query = Query::Gene {
            name: "alpha".into(),
            part,
        };
        let options = SearchOptions::default();
        let answer = searcher
            .search(&query, &options, None, annotation.genes())
            .unwrap();
        assert_eq!(answer.interval, Some(Interval::new("chr1", start, end)));
        assert_eq!(answer.resolution, resolution);
        let away = |h: &crate::search::Hit| {
            h.interval.chrom == "chr2"
                || h.interval.end + 50_000 <= start
                || h.interval.start >= end + 50_000
        };
        assert!(answer.hits.iter().all(away));
    }
}

#[test]
fn the_nearest_gene_comes_with_its_signed_distance() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let annotation = Annotation::read(&database, model.axis()).unwrap();
    let nearest = |start, end| annotation.nearest_gene(&Interval::new("chr1", start, end));
    // On the forward strand, upstream; on the reverse strand, downstream.
    let gene = nearest(59_000, 59_025).unwrap();
    assert_eq!((gene.name.as_str(), gene.distance), ("ALPHA", -988));
    let gene = nearest(120_000, 120_025).unwrap();
    assert_eq!((gene.name.as_str(), gene.distance), ("BETA", 4_987));
    assert_eq!(annotation.nearest_gene(&Interval::new("chr2", 0, 25)), None);
}
