//! The API asked as a browser asks it, and held against its description.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Body as _;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::app::App;
use super::guard::Guard;
use super::routes::{OPENAPI, router};
use super::state::Open;
use super::variants::Variants;
use crate::genome::Interval;
use crate::imputation::impute_track;
use crate::loci::Site;
use crate::model::TrainedModel;
use crate::store::{Database, Transform};

struct Asked {
    _folder: tempfile::TempDir,
    database: Database,
    router: Router,
    runtime: tokio::runtime::Runtime,
}

/// The example database, whose model has biosamples S1 … and assays A1 …, and no track.
fn example(token: Option<&str>) -> Asked {
    let (folder, written) = crate::search::example_database().unwrap();
    let path = written.path().to_path_buf();
    drop(written);
    let guard = Guard {
        token: token.map(str::to_string),
        hosts: Vec::new(),
        any_address: false,
    };
    let variants = Variants::new(vec![Site {
        interval: Interval::new("chr1", 40_000, 40_001),
        name: Some("rs12".into()),
    }]);
    let open = Open::new(Database::open_read_only(&path).unwrap(), variants);
    Asked {
        _folder: folder,
        database: Database::open(&path).unwrap(),
        router: router(App::new(open, guard, 2)),
        runtime: tokio::runtime::Runtime::new().unwrap(),
    }
}

impl Asked {
    fn send(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder()
            .uri(path)
            .header("host", "localhost:7317");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let service = TowerToHyperService::new(self.router.clone());
        let request = request.body(Body::empty()).unwrap();
        self.runtime.block_on(service.call(request)).unwrap()
    }

    fn bytes(&self, response: Response<Body>) -> Vec<u8> {
        let mut body = std::pin::pin!(response.into_body());
        self.runtime.block_on(async {
            let mut bytes = Vec::new();
            while let Some(frame) =
                std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
            {
                bytes.extend(frame.unwrap().into_data().unwrap());
            }
            bytes
        })
    }

    fn json(&self, path: &str) -> (StatusCode, Value) {
        let response = self.send(path, &[]);
        let status = response.status();
        let bytes = self.bytes(response);
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn record(&self) -> crate::store::ModelRecord {
        self.database.read_model(None).unwrap().record
    }
}

/// What of a value is not as its schema says.
fn faults(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{at}: a schema of type {other}"),
    };
    let fits = match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        other => panic!("{at}: type {other}"),
    };
    if !fits {
        found.push(format!("{at} is {value}, not {}", schema["type"]));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{at} lacks {name}"));
        }
    }
    let properties = schema["properties"].as_object();
    for (name, inner) in value.as_object().into_iter().flatten() {
        match properties.map(|p| p.get(name)) {
            Some(Some(of)) => faults(inner, of, &format!("{at}.{name}"), found),
            // Some objects list no more than what matters here; an answer of select has more.
            Some(None) if at.starts_with("/api/v1/select ") => {}
            Some(None) => found.push(format!("{at}.{name} is not described")),
            None => {}
        }
    }
    if let Some(of) = schema.get("items") {
        for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
            faults(inner, of, &format!("{at}[{i}]"), found);
        }
    }
}

#[test]
fn every_described_path_answers_its_example_as_its_schema_says() {
    let asked = example(None);
    let record = asked.record();
    let described: Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = described["paths"].as_object().unwrap();
    let mut n = 0;
    for (path, item) in paths {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if schema.is_null()
            || path.ends_with("openapi.json")
            || path.contains("/projection") && !path.ends_with('s')
        {
            continue;
        }
        let mut query = Vec::new();
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let example = match (name, &parameter["example"]) {
                ("biosample", Value::String(_)) => record.biosamples[0].clone(),
                ("assay", Value::String(_)) => record.assays[0].clone(),
                // Of these the example database has none.
                ("pictures" | "for" | "higher_in", _) | (_, Value::Null) => continue,
                ("position", _) => "chr1:40,000".into(),
                ("start", _) => "40000".into(),
                ("end", _) => "49000".into(),
                (_, Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            };
            query.push(format!("{name}={example}"));
        }
        let (status, answer) = asked.json(&format!("{path}?{}", query.join("&")));
        assert_eq!(status, 200, "{path}: {answer}");
        let mut found = Vec::new();
        faults(&answer, schema, &format!("{path} "), &mut found);
        assert!(found.is_empty(), "{found:#?}");
        n += 1;
    }
    assert!(n >= 13, "{n} paths were asked");
}

#[test]
fn a_variant_is_found_by_its_name_and_choices_have_their_costs() {
    let asked = example(None);
    let (_, info) = asked.json("/api/v1/info");
    assert_eq!(info["variants"], 1);
    let (_, found) = asked.json("/api/v1/variants?query=RS1");
    assert_eq!(found["variants"][0]["name"], "rs12");
    assert_eq!(found["variants"][0]["start"], 40_000);
    assert_eq!(found["variants"][0]["covered"], true);
    let (_, none) = asked.json("/api/v1/variants?query=rs9");
    assert_eq!(none["variants"].as_array().unwrap().len(), 0);
    let name = asked.record().assays[0].clone();
    let path = format!("/api/v1/select?what=assays&k=2&costs={name}=7,other=2");
    let (status, answer) = asked.json(&path);
    assert_eq!(status, 200, "{answer}");
    for chosen in answer["chosen"].as_array().unwrap() {
        let expected = if chosen["name"] == name { 7.0 } else { 2.0 };
        assert_eq!(chosen["cost"].as_f64(), Some(expected), "{chosen}");
    }
    // What costs more than the budget is not chosen.
    let (_, answer) = asked.json(&format!("{path}&budget=4"));
    let chosen = answer["chosen"].as_array().unwrap();
    assert!(!chosen.is_empty() && chosen.iter().all(|c| c["name"] != name));
    let total: f64 = chosen.iter().map(|c| c["cost"].as_f64().unwrap()).sum();
    assert!(total <= 4.0, "{chosen:?}");
}

#[test]
fn what_is_not_described_is_refused() {
    let asked = example(None);
    for (path, status) in [
        ("/api/v1/nothing", 404),
        ("/nothing", 404),
        ("/../Cargo.toml", 404),
        ("/api/v1/info?x=1", 400),
        ("/api/v1/genes", 400),
        ("/api/v1/genes?query=a&query=b", 400),
        ("/api/v1/genes?query=a&limit=x", 400),
        (
            "/api/v1/signal?biosample=S1&assay=nothing&chrom=chr1&start=1&end=2&kind=imputed",
            404,
        ),
        (
            "/api/v1/signal?biosample=S1&assay=A1&chrom=chr1&start=40000&end=40001&kind=x",
            400,
        ),
        (
            "/api/v1/signal?biosample=S1&assay=A1&chrom=chr9&start=1&end=2&kind=imputed",
            400,
        ),
        ("/api/v1/similar?position=chr1", 400),
        ("/api/v1/similar?position=chr1:1&gene=ALPHA", 400),
        ("/api/v1/similar?gene=OMEGA", 400),
        // The factors of the example have no axes.
        ("/api/v1/similar?gene=ALPHA&explain=true", 400),
        ("/api/v1/similar?gene=ALPHA&weights=A1=2", 400),
        ("/api/v1/similar?gene=ALPHA&weights=5kbp", 400),
        ("/api/v1/similar?gene=ALPHA&weights=5kbp=-1", 400),
        // It has no track.
        ("/api/v1/similar?gene=ALPHA&higher_in=group=a", 400),
        ("/api/v1/similar?gene=ALPHA&higher_in=group", 400),
        ("/api/v1/select?what=all", 400),
        ("/api/v1/select?what=assays&costs=A1", 400),
        ("/api/v1/select?what=assays&costs=nothing=1", 400),
        ("/api/v1/select?what=assays&costs=other=-1", 400),
        ("/api/v1/select?what=assays&costs=other=1&budget=x", 400),
        ("/api/v1/select?what=assays&budget=2", 400),
        ("/api/v1/projection?name=x", 404),
        (
            "/api/v1/projection/signal?name=x&biosample=S1&assay=A1",
            404,
        ),
        ("/api/v1/bigwig/imputed/S1/A1.txt", 404),
        ("/api/v1/bigwig/x/S1/A1.bw", 404),
        ("/api/v1/bigwig/measured/S1/A1.bw", 404),
    ] {
        let response = asked.send(path, &[]);
        assert_eq!(response.status().as_u16(), status, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
    }
    let long = format!("/api/v1/genes?query={}", "a".repeat(5_000));
    assert_eq!(asked.send(&long, &[]).status(), 400);
    let longer = format!("/api/v1/genes?query={}", "a".repeat(20_000));
    assert_eq!(asked.send(&longer, &[]).status(), 414);
    let (_, answer) = asked.json("/api/v1/similar?gene=ALPH");
    let message = answer["error"].as_str().unwrap();
    assert!(message.contains("ALPHA"), "{message}");
}

#[test]
fn other_sites_and_those_without_the_token_are_refused() {
    let asked = example(Some("secret123"));
    let status = |path: &str, headers: &[(&str, &str)]| asked.send(path, headers).status().as_u16();
    assert_eq!(status("/api/v1/info", &[]), 401);
    assert_eq!(status("/", &[]), 401);
    assert_eq!(status("/api/v1/info?token=secret12", &[]), 401);
    assert_eq!(status("/api/v1/info?token=secret123", &[]), 200);
    assert_eq!(
        status("/api/v1/info", &[("authorization", "Bearer secret123")]),
        200
    );
    let page = asked.send("/?token=secret123", &[]);
    assert_eq!(page.status(), 303);
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(status("/api/v1/info", &[("cookie", cookie)]), 200);
    let open = example(None);
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(open.send("/api/v1/info", &foreign).status(), 403);
}

/// A range of a bigWig.
fn range(asked: &Asked, path: &str, first: usize, last: usize) -> Vec<u8> {
    let response = asked.send(path, &[("range", &format!("bytes={first}-{last}"))]);
    assert_eq!(response.status(), 206);
    let bytes = asked.bytes(response);
    assert_eq!(bytes.len(), last + 1 - first);
    bytes
}

#[test]
fn a_bigwig_that_no_file_holds_reads_as_what_the_model_imputes() {
    let asked = example(None);
    let record = asked.record();
    let (biosample, assay) = (&record.biosamples[1], &record.assays[0]);
    let path = format!("/api/v1/bigwig/imputed/{biosample}/{assay}.bw");
    let response = asked.send(&path, &[]);
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["accept-ranges"], "bytes");
    let length: usize = response.headers()["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let whole = asked.bytes(response);
    assert_eq!(whole.len(), length);
    for (first, last) in [
        (0, 0),
        (63, 700),
        (length / 2, length / 2 + 9_000),
        (length - 1, length - 1),
    ] {
        assert_eq!(range(&asked, &path, first, last), whole[first..=last]);
    }
    let file = asked.database.path().join("x.bw");
    std::fs::write(&file, &whole).unwrap();
    let model = TrainedModel::open(&asked.database, None).unwrap();
    let experiment = crate::compendium::Experiment::new(biosample, assay);
    let expected = impute_track(&asked.database, &model, &experiment).unwrap();
    let mut read = vec![f32::NAN; expected.len()];
    let location = crate::formats::Location::Path(file);
    crate::formats::open_signal(&location, None)
        .unwrap()
        .read(
            model.axis(),
            &crate::formats::ReadOptions::default(),
            &mut |first, piece| {
                read[first as usize..first as usize + piece.len()].copy_from_slice(piece);
                Ok(())
            },
        )
        .unwrap();
    for (i, (read, stored)) in read.iter().zip(&expected).enumerate() {
        assert_eq!(*read, Transform::Arcsinh.invert(*stored), "bin {i}");
    }
}

#[test]
fn signal_is_averaged_to_the_points_that_are_asked_for() {
    let asked = example(None);
    let record = asked.record();
    let (biosample, assay) = (&record.biosamples[0], &record.assays[0]);
    let of = |points: usize| {
        let path = format!(
            "/api/v1/signal?biosample={biosample}&assay={assay}&kind=imputed&scale=arcsinh\
             &chrom=chr1&start=40000&end=41000&points={points}"
        );
        let (status, answer) = asked.json(&path);
        assert_eq!(status, 200, "{answer}");
        let values = answer["stretches"][0]["values"].as_array().unwrap().clone();
        let values: Vec<f64> = values.iter().map(|v| v.as_f64().unwrap()).collect();
        (answer["step"].as_u64().unwrap(), values)
    };
    let (step, fine) = of(1_000);
    assert_eq!((step, fine.len()), (25, 40));
    let (step, coarse) = of(10);
    assert_eq!((step, coarse.len()), (100, 10));
    for (four, mean) in fine.chunks(4).zip(&coarse) {
        assert!((four.iter().sum::<f64>() / 4.0 - mean).abs() < 1e-6);
    }
}

#[test]
fn a_model_stays_open_and_is_found_anew_for_every_request() {
    let asked = example(None);
    let read = Database::open_read_only(asked.database.path()).unwrap();
    let open = Open::new(read, Variants::new(Vec::new()));
    let name = asked.record().name;
    let first = open.model(None).map_err(|r| r.message).unwrap();
    let again = open.model(Some(&name)).map_err(|r| r.message).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    // What is open keeps others from removing a model, until its process has gone.
    drop((first, again));
    let (biosample, assay) = (&asked.record().biosamples[0], &asked.record().assays[0]);
    let path = format!("/api/v1/bigwig/imputed/{biosample}/{assay}.bw?model=gone");
    assert_eq!(asked.send(&path, &[]).status(), 404);
}

#[test]
fn a_database_that_is_served_cannot_be_written() {
    let asked = example(None);
    let served = Database::open_read_only(asked.database.path()).unwrap();
    assert!(served.is_read_only());
    let refused = served.set_default_model(&asked.record().name);
    assert!(refused.is_err());
}

#[test]
fn an_explanation_is_as_its_schema_says() {
    let group = |name: &str| crate::search::GroupShare {
        name: name.into(),
        share: 1.0,
        query: Some(0.5),
        hit: None,
        agreement: None,
    };
    let explanation = crate::search::Explanation {
        resolutions: [0.25, 0.25, 0.5],
        tracks: vec![crate::search::TrackShare {
            biosample: "S1".into(),
            assay: "A1".into(),
            share: 1.0,
            query: Some(0.5),
            hit: None,
        }],
        assays: vec![group("A1")],
        biosamples: vec![group("S1")],
    };
    let described: Value = serde_json::from_str(OPENAPI).unwrap();
    let schema = &described["paths"]["/api/v1/similar"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"]["properties"]["hits"]["items"]["properties"]["explanation"];
    let mut found = Vec::new();
    faults(&explanation.object(), schema, "explanation", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn hits_are_those_of_the_weights_that_are_given() {
    let asked = example(None);
    let path = "/api/v1/similar?position=chr1:40,000&exclude=4000&k=3";
    let (_, plain) = asked.json(path);
    let (status, weighted) = asked.json(&format!("{path}&weights=5kbp=0,250bp=0.5"));
    assert_eq!(status, 200, "{weighted}");
    let weights = &weighted["query"]["weights"];
    assert_eq!(*weights, serde_json::json!(["5kbp=0", "250bp=0.5"]));
    assert!(plain["query"].get("weights").is_none());
    let pairs = [("5kbp".to_string(), 0.0), ("250bp".to_string(), 0.5)];
    let answer = asked
        .database
        .similar(crate::search::Query::position("chr1", 39_999))
        .exclude(4_000)
        .k(3)
        .weights(crate::search::Weights::new(&pairs).unwrap())
        .run()
        .unwrap();
    for (hit, expected) in weighted["hits"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&answer.hits)
    {
        assert_eq!(hit["start"], expected.interval.start);
        assert_eq!(hit["distance"], expected.distance);
    }
    assert_ne!(plain["hits"], weighted["hits"]);
}

#[test]
fn a_map_has_the_mean_signal_of_a_track_at_each_of_its_points() {
    use crate::store::{NewProjection, NewTrack, ProjectionColumn};
    let asked = example(None);
    let axis = asked.database.axis();
    let mut writer = (asked.database)
        .begin_track(NewTrack {
            biosample: "S1".into(),
            assay: "A1".into(),
            transform: Transform::None,
            unit: None,
            sources: vec![],
            values: Default::default(),
            normalisation: None,
        })
        .unwrap();
    let mut values = vec![0f32; axis.n_bins() as usize];
    let first = axis.bin_at("chr1", 40_000).unwrap() as usize;
    values[first..first + 2].copy_from_slice(&[1.0, 4.0]);
    values[first + 2] = f32::NAN;
    writer.write(0, &values).unwrap();
    writer.commit().unwrap();
    let numbers = |list: &[f64]| ProjectionColumn::Numbers(list.to_vec());
    let texts = ["chr2", "chr1", "chr1"].map(String::from).to_vec();
    let new = NewProjection {
        name: "map".into(),
        axis: "genome".into(),
        method: "pca".into(),
        model: "example".into(),
        model_checksum: String::new(),
        settings: Value::Null,
        result: Value::Null,
        columns: vec![
            ("x".into(), numbers(&[0.0, 1.0, 2.0])),
            ("place: chrom".into(), ProjectionColumn::Texts(texts)),
            (
                "place: start".into(),
                numbers(&[41_000.0, 40_050.0, 40_000.0]),
            ),
            (
                "place: end".into(),
                numbers(&[41_025.0, 40_075.0, 40_075.0]),
            ),
        ],
    };
    asked.database.save_projection(&new).unwrap();
    let path = "/api/v1/projection/signal?name=map&biosample=S1&assay=A1";
    let (status, answer) = asked.json(path);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["signal"], serde_json::json!([0.0, null, 2.5]));
    let described: Value = serde_json::from_str(OPENAPI).unwrap();
    let schema = &described["paths"]["/api/v1/projection/signal"]["get"]["responses"]["200"]["content"]
        ["application/json"]["schema"];
    let mut found = Vec::new();
    faults(&answer, schema, path, &mut found);
    assert!(found.is_empty(), "{found:#?}");
    let (status, _) = asked.json("/api/v1/projection/signal?name=map&biosample=S1&assay=A2");
    assert_eq!(status, 404);
}
