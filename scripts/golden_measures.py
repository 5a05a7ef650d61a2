"""Golden values of the measures, from numpy, scipy and scikit-learn.

    pip install numpy scipy scikit-learn
    python scripts/golden_measures.py        # writes fixtures/measures/*.json

Inputs are seeded, rounded to four decimals so that they read back to the bit, and written beside
what the reference libraries say of them: as they are (f64) and rounded to f32 first. `null` stands
where a measure is undefined. Made with numpy 2.4, scipy 1.17, scikit-learn 1.9.
"""
import itertools
import json
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "measures"


def number(value):
    value = float(value)
    return value if np.isfinite(value) else None


def tops(values, percent):
    """The highest percent of the values, once for each cyclic order of those that tie for the last places:
    each of them is among the top equally often, so a mean over these sets is the mean over all."""
    k = round(len(values) * percent / 100)
    if k == 0:
        return []
    last = np.sort(values)[-k]
    above, tied = np.flatnonzero(values > last), np.flatnonzero(values == last)
    places = k - len(above)
    if last == 0 and len(tied) > places:
        return []
    turns = range(len(tied)) if len(tied) > places else [0]
    return [np.concatenate([above, np.roll(tied, -turn)[:places]]) for turn in turns]


def mean_over(measure, *sets):
    """The mean of a measure over all combinations of tops; undefined where there are none."""
    values = [measure(*chosen) for chosen in itertools.product(*sets)]
    return np.mean(values) if values else np.nan


def partial(observed, imputed, average):
    """Their correlation after the least-squares lines over the average are taken out."""
    if np.ptp(average) == 0:
        return np.corrcoef(observed, imputed)[0, 1]
    design = np.column_stack([np.ones(len(average)), average])
    rest = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (observed, imputed)]
    if any(r.var() <= 1e-12 * np.mean(v ** 2) for r, v in zip(rest, (observed, imputed))):
        return np.nan
    return np.corrcoef(*rest)[0, 1]


def area(positive, scores):
    labels = np.zeros(len(scores), dtype=int)
    labels[positive] = 1
    return number(metrics.roc_auc_score(labels, scores))


def track_measures(observed, imputed, average, weights, peaks, ranges):
    varies = np.ptp(observed) > 0 and np.ptp(imputed) > 0
    within = np.concatenate([np.arange(a, b) for a, b in ranges])
    slope, intercept = stats.linregress(imputed, observed)[:2] if np.ptp(imputed) > 0 else (np.nan, np.nan)
    centred = imputed - imputed.mean() if np.ptp(imputed) > 0 else np.zeros(len(imputed))
    expected = dict(
        mse=metrics.mean_squared_error(observed, imputed),
        mse_weighted=metrics.mean_squared_error(observed, imputed, sample_weight=weights),
        mse_within=metrics.mean_squared_error(observed[within], imputed[within]),
        shape_mse=np.mean((observed - observed.mean() - np.nan_to_num(slope) * centred) ** 2),
        r_squared=metrics.r2_score(observed, imputed) if np.ptp(observed) > 0 else np.nan,
        gwcorr=stats.pearsonr(observed, imputed)[0] if varies else np.nan,
        gwspear=stats.spearmanr(observed, imputed)[0] if varies else np.nan,
        specificity=partial(observed, imputed, average),
        departure_correlation=stats.pearsonr(observed - average, imputed - average)[0]
        if np.ptp(observed - average) > 0 and np.ptp(imputed - average) > 0 else np.nan,
        slope=slope,
        intercept=intercept,
        auprc=metrics.average_precision_score(peaks, imputed),
        catchpeakobs=metrics.roc_auc_score(peaks, imputed),
    )
    obs1, imp1, obs5, imp5 = tops(observed, 1), tops(imputed, 1), tops(observed, 5), tops(imputed, 5)
    squares = (observed - imputed) ** 2
    share = lambda a, b: len(set(a) & set(b)) / len(a)
    expected.update(
        mse1obs=mean_over(lambda top: squares[top].mean(), obs1),
        mse1imp=mean_over(lambda top: squares[top].mean(), imp1),
        match1=mean_over(share, obs1, imp1),
        catch1obs=mean_over(share, obs1, imp5),
        catch1imp=mean_over(share, imp1, obs5),
        aucobs1=mean_over(lambda top: area(top, imputed), obs1),
        aucimp1=mean_over(lambda top: area(top, observed), imp1),
    )
    return {name: number(value) for name, value in expected.items()}


def tracks(rng):
    def noisy(n):
        shape = rng.gamma(0.5, 1.5, n)
        return shape + rng.normal(0, 0.4, n), 0.7 * shape + rng.normal(0, 0.3, n), shape

    cases = {}
    cases["signal"] = noisy(700)
    observed, imputed, average = noisy(650)
    cases["many_ties"] = np.maximum(observed, 0).round(1), np.maximum(imputed, 0).round(0), average.round(1)
    cases["signs"] = rng.normal(-5, 3, 300), rng.normal(100, 2, 300), rng.normal(0, 1, 300)
    cases["too_short_for_a_top"] = noisy(50)
    cases["three"] = np.array([1.5, -2.0, 0.25]), np.array([0.5, 0.5, 4.0]), np.array([1.0, 0.0, 0.0])
    cases["imputed_constant"] = noisy(120)[0], np.full(120, 0.1), noisy(120)[2]
    cases["observed_constant"] = np.full(120, 0.3), noisy(120)[1], noisy(120)[2]
    cases["imputes_the_average"] = (lambda o, _, a: (o, a, a))(*noisy(200))
    for name, (observed, imputed, average) in cases.items():
        n = len(observed)
        peaks = observed + rng.normal(0, 0.5, n) > np.quantile(observed, 0.8)
        peaks[:2] = True, False
        values = dict(
            observed=observed.round(4), imputed=imputed.round(4), average=average.round(4),
            weights=rng.gamma(0.3, 1, n).round(4),
        )
        starts = sorted(rng.choice(n, size=min(4, n - 1), replace=False).tolist())
        ranges = [[a, min(b, a + n // 6 + 1)] for a, b in zip(starts, starts[1:] + [n])]
        single = {k: v.astype("float32").astype("float64") for k, v in values.items()}
        yield dict(
            name=name, **{k: v.tolist() for k, v in values.items()},
            peaks=peaks.tolist(), ranges=ranges,
            expected=track_measures(**values, peaks=peaks, ranges=ranges),
            expected_f32=track_measures(**single, peaks=peaks, ranges=ranges),
        )


def recall_at_fdr(labels, scores, rate):
    if not labels.any():
        return None
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    return number(recall[precision >= 1 - rate].max())


def binary(rng):
    cases = {}
    labels = rng.random(300) < 0.2
    cases["imbalanced"] = labels, np.clip(0.2 + 0.3 * labels + rng.normal(0, 0.15, 300), 0, 1)
    labels = rng.random(200) < 0.5
    cases["few_scores"] = labels, np.clip(0.5 + 0.2 * labels + rng.normal(0, 0.2, 200), 0, 1).round(1)
    cases["all_equal"] = labels[:30], np.full(30, 0.25)
    cases["certain"] = np.array([True, False, True, False]), np.array([1.0, 0.0, 0.0, 1.0])
    cases["only_positive"] = np.full(9, True), rng.random(9)
    cases["only_negative"] = np.full(9, False), rng.random(9)
    cases["single"] = np.array([True]), np.array([0.75])
    for name, (labels, scores) in cases.items():
        scores = scores.round(4)
        both = labels.any() and not labels.all()
        case = dict(
            name=name, labels=labels.tolist(), scores=scores.tolist(),
            auroc=metrics.roc_auc_score(labels, scores) if both else None,
            average_precision=metrics.average_precision_score(labels, scores) if labels.any() else None,
            recall_at_fdr=[recall_at_fdr(labels, scores, rate) for rate in (0.0, 0.1, 0.5)],
            brier=metrics.brier_score_loss(labels, scores, pos_label=True),
            log_loss=metrics.log_loss(labels, scores, labels=[False, True]),
            roc=None, precision_recall=None,
        )
        if both:
            false_positive, true_positive, at = metrics.roc_curve(labels, scores, drop_intermediate=False)
            case["roc"] = list(zip(at[1:].tolist(), false_positive[1:].tolist(), true_positive[1:].tolist()))
        if labels.any():
            precision, recall, at = metrics.precision_recall_curve(labels, scores)
            case["precision_recall"] = list(zip(at.tolist(), recall.tolist(), precision.tolist()))[::-1]
        yield case


def published(observed, imputed, variance, genes, enhancers):
    """The ENCODE Imputation Challenge's measures, written from its scorer's published definitions
    (github.com/ENCODE-DCC/imputation_challenge: score.py, score_metrics.py).

    The top 1 % is every bin at or above the floor(0.01 n)-th highest value, the top 5 % at or above the fifth
    multiple of that rank; overlaps are counts. A gene or an enhancer is the bins start // 25 to end // 25,
    inclusive, and a bin counts once for every annotation that holds it.
    """
    k = int(len(observed) * 0.01)
    reach = lambda values, rank: values >= np.sort(values)[-rank]
    obs1, imp1, obs5, imp5 = (reach(v, r) for v, r in ((observed, k), (imputed, k), (observed, 5 * k), (imputed, 5 * k)))
    squares = (observed - imputed) ** 2
    bins = lambda start, end: (start // 25, end // 25 + 1)
    promoters = []
    for start, end, strand in genes:
        first, last = bins(start, end)
        promoters.append(squares[first - 80:first] if strand == "+" else squares[last:last + 80])
    within = lambda places: np.concatenate([squares[slice(*bins(start, end))] for start, end, *_ in places]).mean()
    return dict(
        mse=squares.mean(), gwcorr=np.corrcoef(observed, imputed)[0, 1],
        gwspear=stats.spearmanr(observed, imputed)[0],
        mse1obs=squares[obs1].mean(), mse1imp=squares[imp1].mean(),
        match1=float((obs1 & imp1).sum()), catch1obs=float((obs1 & imp5).sum()), catch1imp=float((imp1 & obs5).sum()),
        aucobs1=metrics.roc_auc_score(obs1, imputed), aucimp1=metrics.roc_auc_score(imp1, observed),
        msevar=squares.dot(variance) / variance.sum(),
        mseprom=np.concatenate(promoters).mean(), msegene=within(genes), mseenh=within(enhancers),
    )


def challenge(rng):
    """Where the Challenge's definitions and ours meet: n a multiple of 100, no ties, annotations apart from each
    other and ending inside a bin. Overlaps are shares here and counts there."""
    n = 600
    observed = (rng.permutation(n) / 100 + 0.005).round(4)
    imputed = (np.argsort(np.argsort(observed + rng.normal(0, 1, n))) * 0.0137).round(4)
    variance = rng.gamma(1, 1, n).round(4)
    assert len(set(observed)) == n and len(set(imputed)) == n
    genes = [(2510, 3490, "+"), (6010, 6990, "-"), (11260, 12010, "+")]
    expected = published(observed, imputed, variance, genes, [(10, 20)])
    expected.pop("mseenh")
    for name in ("match1", "catch1obs", "catch1imp"):
        expected[name] /= int(n * 0.01)
    return dict(observed=observed.tolist(), imputed=imputed.tolist(), variance=variance.tolist(), genes=genes, expected=expected)


def challenge_cases(rng):
    """Where they differ: ties at the threshold, zeros in the top, n no multiple of 100, annotations that overlap,
    are repeated, or end on a bin's edge."""
    def case(name, observed, imputed):
        variance = rng.gamma(1, 1, len(observed)).round(4)
        genes = [(2510, 3500, "+"), (2510, 3475, "+"), (3000, 5025, "-"), (6010, 6990, "-"), (6010, 6990, "-")]
        enhancers = [(500, 700), (600, 900), (600, 900), (9000, 9010)]
        observed, imputed = observed.round(4), imputed.round(4)
        return dict(
            name=name, observed=observed.tolist(), imputed=imputed.tolist(), variance=variance.tolist(), genes=genes,
            enhancers=enhancers,
            expected={n: number(v) for n, v in published(observed, imputed, variance, genes, enhancers).items()},
        )

    shape = rng.gamma(0.5, 1.5, 790)
    noisy = np.maximum(0.7 * shape + rng.normal(0, 0.3, 790), 0)
    sparse = np.where(np.arange(640) % 213 == 100, rng.gamma(2, 3, 640), 0)
    return [
        case("smooth", shape, noisy),
        case("ties", shape.round(0), noisy.round(0)),
        case("zeros in the top", sparse, np.roll(sparse, 3)),
    ]


def classes(rng):
    """Out-of-fold predictions of two classes, as the tasks score them: random, and as bad as they get."""
    yes = lambda n, share: rng.random(n) < share
    spread = lambda labels, by: np.clip(0.3 + by * labels + rng.normal(0, 0.2, len(labels)), 0, 1)
    rare, even, few = yes(2000, 0.03), yes(500, 0.5), yes(400, 0.2)
    one = np.arange(300) == 117
    return {
        "rare": (rare, spread(rare, 0.3)), "even": (even, spread(even, 0.2)), "against": (even, spread(even, -0.5)),
        "three levels": (few, np.round(spread(few, 0.2) * 2) / 2),
        "constant": (few, np.full(400, 0.2)), "constant 0": (few, np.zeros(400)), "constant 1": (few, np.ones(400)),
        "the only positive, tied with most": (one, np.where(np.arange(300) % 3 == 0, 0.75, 0.25)),
        "the only positive, last": (one, np.where(one, 0.0, 0.5)),
        "the only negative": (~one, spread(~one, 0.2)),
        "perfect": (even, even.astype(float)), "perfectly wrong": (even, 1.0 - even),
        "all but certain": (even, np.where(even, 1e-17, 0.9999999999999999)),
        "orders of magnitude": (even, 10.0 ** rng.integers(-17, 1, 500)),
        "two": (np.array([True, False]), np.array([0.25, 0.75])),
        "two tied": (np.array([True, False]), np.array([0.5, 0.5])),
        "positives alone": (np.full(9, True), rng.random(9)), "negatives alone": (np.full(9, False), rng.random(9)),
    }


def numbers(rng):
    """The same of numbers."""
    x = rng.normal(0, 1, 800)
    y = 0.5 * x + rng.normal(0, 1, 800)
    counts = rng.poisson(0.7, 800)
    return {
        "random": (x, y), "against": (x, -y), "ties": (counts, np.round(counts + rng.normal(0, 1, 800))),
        "most are 0": (counts * (rng.random(800) < 0.1), np.maximum(y, 0)),
        "constant prediction": (x, np.full(800, 0.1)), "constant label": (np.full(800, 0.3), y),
        "both constant": (np.full(80, 0.3), np.full(80, 0.1)), "constant and right": (np.full(80, 0.3), np.full(80, 0.3)),
        "perfect": (x, x), "far from 0": (x + 1e6, y + 1e6), "large": (x * 1e9, y * 1e9),
        "small": (x * 1e-3 + 1, y * 1e-3 + 1), "far off": (x, y + 1e6), "one outlier": (np.append(x, 1e6), np.append(y, -1e6)),
        "two": (np.array([1.5, -2.0]), np.array([0.5, 4.0])), "two tied": (np.array([1.0, 2.0]), np.array([0.5, 0.5])),
    }


def predictions(rng):
    """What the tasks report. Of one class alone neither curve says anything, nor do R² and correlation of a
    constant: `null`, where scikit-learn and scipy warn and give 0, 1 or nan."""
    cases = []
    for name, (labels, scores) in classes(rng).items():
        # 17 digits would not read back to the bit.
        scores = np.where(np.abs(scores - 0.5) < 0.4999, scores.round(4), scores)
        both = labels.any() and not labels.all()
        cases.append(dict(
            name=name, target="classification", labels=labels.astype(float).tolist(), predictions=scores.tolist(),
            expected=dict(
                average_precision=metrics.average_precision_score(labels, scores) if both else None,
                auroc=metrics.roc_auc_score(labels, scores) if both else None,
                brier=metrics.brier_score_loss(labels, scores, pos_label=True),
                log_loss=metrics.log_loss(labels, scores, labels=[False, True]),
            ),
        ))
    for name, (labels, guesses) in numbers(rng).items():
        labels, guesses = np.round(labels, 4), np.round(guesses, 4)
        moves = np.ptp(labels) > 0
        both = moves and np.ptp(guesses) > 0
        cases.append(dict(
            name=name, target="regression", labels=labels.tolist(), predictions=guesses.tolist(),
            expected=dict(
                r_squared=metrics.r2_score(labels, guesses) if moves else None,
                pearson=number(stats.pearsonr(labels, guesses)[0]) if both else None,
                spearman=number(stats.spearmanr(labels, guesses)[0]) if both else None,
                mse=metrics.mean_squared_error(labels, guesses),
            ),
        ))
    return cases


def main():
    warnings.simplefilter("ignore")
    FIXTURES.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    for name, content in (("tracks", list(tracks(rng))), ("binary", list(binary(rng))), ("challenge", challenge(rng))):
        (FIXTURES / f"{name}.json").write_text(json.dumps(content, separators=(",", ":"), default=float) + "\n")
    content = challenge_cases(np.random.default_rng(9))
    (FIXTURES / "challenge_cases.json").write_text(json.dumps(content, separators=(",", ":"), default=float) + "\n")
    content = predictions(np.random.default_rng(4))
    (FIXTURES / "predictions.json").write_text(json.dumps(content, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    main()
