//! Which elements of a chromosome are at work in a biosample.

use super::SimulationConfig;
use super::chromosome::ChromosomeTruth;
use super::elements::Programme;
use super::random::Draws;
use super::state::Domain;

/// What a promoter does in a biosample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PromoterActivity {
    pub(crate) state: PromoterState,
    /// Height of its marks, 1 being typical; 0 where silent.
    pub(crate) level: f32,
    /// The gene's expression in RPKM, before anyone measures it.
    pub(crate) rpkm: f32,
    /// Height of the marks along the gene's body, 1 being typical of a well transcribed one.
    pub(crate) transcription: f32,
}

/// The three kinds of promoters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromoterState {
    Active,
    Bivalent,
    Silent,
}

/// What an enhancer does in a biosample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnhancerState {
    Active,
    Poised,
    Off,
}

/// The activity of a chromosome's elements in one biosample, in the order of the elements.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) domains: Vec<Domain>,
    pub(crate) promoters: Vec<PromoterActivity>,
    /// State, and height of the marks (0 where off).
    pub(crate) enhancers: Vec<(EnhancerState, f32)>,
    /// Height of the CTCF peaks, 0 where unbound.
    pub(crate) insulators: Vec<f32>,
}

/// What a domain turns into where it switches, by its kind in the reference.
const SWITCHES_TO: [[f64; 4]; 4] = [
    [0.0, 0.5, 0.0, 0.5],
    [0.6, 0.0, 0.0, 0.4],
    [0.0, 0.1, 0.0, 0.9],
    [0.5, 0.5, 0.0, 0.0],
];
/// How readily each kind switches: constitutive heterochromatin hardly does.
const SWITCHES: [f64; 4] = [1.0, 1.2, 0.3, 0.8];
/// The share of otherwise active enhancers that a domain of each kind lets work.
const ENHANCER_ALLOWED: [f64; 4] = [1.0, 0.12, 0.03, 0.6];
/// The same for promoters, and for those of housekeeping genes.
const PROMOTER_ALLOWED: [f64; 4] = [1.0, 0.1, 0.03, 0.5];
const HOUSEKEEPING_ALLOWED: [f64; 4] = [1.0, 0.4, 0.1, 0.95];

impl Activity {
    /// The activity in a biosample. The group's choices come from the group's own stream, so that
    /// all its biosamples start from the same ones.
    pub(crate) fn draw(
        config: &SimulationConfig,
        truth: &ChromosomeTruth,
        group: usize,
        biosample: usize,
    ) -> Self {
        let streams = |layer: &str| {
            let of_group = format!("{layer} of group");
            let of_biosample = format!("{layer} of biosample");
            let chrom = truth.number as u64;
            (
                Draws::new(config.seed, &of_group, &[chrom, group as u64]),
                Draws::new(config.seed, &of_biosample, &[chrom, biosample as u64]),
            )
        };
        let domains = draw_domain_kinds(config, truth, streams("domains"));
        let enhancers = draw_enhancer_states(config, truth, &domains, streams("enhancers"));
        let promoters =
            draw_promoter_states(config, truth, &domains, &enhancers, streams("promoters"));
        let insulators = draw_insulator_levels(config, truth, streams("insulators"));
        Activity {
            domains,
            promoters,
            enhancers,
            insulators,
        }
    }
}

fn draw_domain_kinds(
    config: &SimulationConfig,
    truth: &ChromosomeTruth,
    (mut of_group, mut of_biosample): (Draws, Draws),
) -> Vec<Domain> {
    let switch = |draws: &mut Draws, kind: Domain, rate: f64| {
        let switches = draws.chance((rate * SWITCHES[kind.index()]).min(1.0));
        let other = Domain::ALL[draws.weighted(&SWITCHES_TO[kind.index()])];
        if switches { other } else { kind }
    };
    let domains = truth.domains.iter();
    domains
        .map(|run| {
            let kind = switch(&mut of_group, run.kind, config.group_switching);
            switch(&mut of_biosample, kind, config.biosample_switching)
        })
        .collect()
}

/// Whether a programme turns its element on, drawing once from either stream.
fn is_on(programme: Programme, of_group: &mut Draws, of_biosample: &mut Draws) -> bool {
    let (group, biosample) = (of_group.uniform(), of_biosample.uniform());
    match programme {
        Programme::Constitutive => true,
        Programme::ByGroup(p) => group < p,
        Programme::Private(p) => biosample < p,
    }
}

fn draw_enhancer_states(
    config: &SimulationConfig,
    truth: &ChromosomeTruth,
    domains: &[Domain],
    (mut of_group, mut of_biosample): (Draws, Draws),
) -> Vec<(EnhancerState, f32)> {
    let rate = config.biosample_switching;
    truth
        .enhancers
        .iter()
        .map(|enhancer| {
            let wanted = is_on(enhancer.programme, &mut of_group, &mut of_biosample);
            let kind = domains[enhancer.domain];
            let allowed = of_group.chance(ENHANCER_ALLOWED[kind.index()]);
            let flips = of_biosample.uniform();
            let poised = of_biosample.uniform();
            let level = enhancer.strength * of_biosample.log_normal(1.0, 0.25) as f32;
            let is_active = match wanted && allowed {
                true => flips >= (1.3 * rate).min(1.0),
                false => allowed && flips < 0.3 * rate,
            };
            // Enhancers that the group could use stay marked more often than foreign ones.
            let poised_share = if wanted { 0.4 } else { 0.12 };
            match (
                is_active,
                poised < poised_share && kind != Domain::Heterochromatin,
            ) {
                (true, _) => (EnhancerState::Active, level),
                (false, true) => (EnhancerState::Poised, level),
                (false, false) => (EnhancerState::Off, 0.0),
            }
        })
        .collect()
}

fn draw_promoter_states(
    config: &SimulationConfig,
    truth: &ChromosomeTruth,
    domains: &[Domain],
    enhancers: &[(EnhancerState, f32)],
    (mut of_group, mut of_biosample): (Draws, Draws),
) -> Vec<PromoterActivity> {
    // What the active enhancers of each gene add up to.
    let mut help = vec![0.0f64; truth.genes.len()];
    for (enhancer, (state, level)) in truth.enhancers.iter().zip(enhancers) {
        if let (EnhancerState::Active, Some(gene)) = (state, enhancer.target) {
            help[gene] += f64::from(*level);
        }
    }
    truth
        .genes
        .iter()
        .zip(help)
        .map(|(gene, help)| {
            let kind = domains[gene.domain];
            let wanted = is_on(gene.programme, &mut of_group, &mut of_biosample);
            let allowed = match gene.programme {
                Programme::Constitutive => HOUSEKEEPING_ALLOWED,
                _ => PROMOTER_ALLOWED,
            };
            let allowed = of_group.chance(allowed[kind.index()]);
            let flips = of_biosample.uniform();
            let jitter = of_biosample.log_normal(1.0, 0.25);
            let spread = of_biosample.normal();
            let is_active = match wanted && allowed {
                true => flips >= 0.5 * config.biosample_switching,
                false => allowed && flips < 0.3 * config.biosample_switching,
            };
            let strength = f64::from(gene.strength) * jitter;
            if is_active {
                let enhanced = 1.6 * (1.0 + help).log2();
                let rpkm = (f64::from(gene.base_log2) + enhanced + 0.4 * spread).exp2();
                let transcription = ((1.0 + rpkm).log2() / 5.0).min(1.8);
                PromoterActivity {
                    state: PromoterState::Active,
                    level: (strength * (0.5 + 0.5 * transcription)) as f32,
                    rpkm: rpkm as f32,
                    transcription: transcription as f32,
                }
            } else {
                // A silent gene leaks a little, one in heterochromatin hardly.
                let is_bivalent = kind == Domain::Polycomb && gene.has_cpg_island;
                let leak = if is_bivalent { -2.0 } else { -4.5 } + 1.6 * spread;
                PromoterActivity {
                    state: if is_bivalent {
                        PromoterState::Bivalent
                    } else {
                        PromoterState::Silent
                    },
                    level: if is_bivalent { strength as f32 } else { 0.0 },
                    rpkm: leak.exp2() as f32,
                    transcription: 0.0,
                }
            }
        })
        .collect()
}

fn draw_insulator_levels(
    config: &SimulationConfig,
    truth: &ChromosomeTruth,
    (mut of_group, mut of_biosample): (Draws, Draws),
) -> Vec<f32> {
    truth
        .insulators
        .iter()
        .map(|site| {
            let wanted = is_on(site.programme, &mut of_group, &mut of_biosample);
            let lost = of_biosample.chance(0.5 * config.biosample_switching);
            let jitter = of_biosample.log_normal(1.0, 0.2) as f32;
            if wanted && !lost {
                site.strength * jitter
            } else {
                0.0
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large() -> (SimulationConfig, ChromosomeTruth) {
        let config = SimulationConfig {
            chromosome_bp: 40_000_000,
            ..SimulationConfig::default()
        };
        let truth = ChromosomeTruth::draw(&config, 0);
        (config, truth)
    }

    /// The share of a's active enhancers that are active in b as well.
    fn shared(a: &Activity, b: &Activity) -> f64 {
        let is_active = |e: &(EnhancerState, f32)| e.0 == EnhancerState::Active;
        let n = a.enhancers.iter().filter(|e| is_active(e)).count();
        let both = a.enhancers.iter().zip(&b.enhancers);
        both.filter(|(x, y)| is_active(x) && is_active(y)).count() as f64 / n as f64
    }

    #[test]
    fn biosamples_of_a_group_share_enhancers_that_other_groups_lack() {
        let (config, truth) = large();
        let [a, b, other] =
            [(0, 0), (0, 3), (1, 1)].map(|(g, i)| Activity::draw(&config, &truth, g, i));
        let (within, across) = (shared(&a, &b), shared(&a, &other));
        assert!(within > 0.7, "{within}");
        assert!((0.3..0.6).contains(&across), "{across}");
    }

    #[test]
    fn without_switching_a_group_is_of_one_mind() {
        let (mut config, truth) = large();
        config.biosample_switching = 0.0;
        let [a, b] = [0, 3].map(|i| Activity::draw(&config, &truth, 0, i));
        assert_eq!(a.domains, b.domains);
        for ((x, y), gene) in a.promoters.iter().zip(&b.promoters).zip(&truth.genes) {
            assert_eq!(x.state, y.state, "{}", gene.gene.id);
        }
    }

    #[test]
    fn active_genes_are_expressed_and_enhancers_help_them() {
        let (config, truth) = large();
        let activity = Activity::draw(&config, &truth, 0, 0);
        let mean_log2 = |wanted: PromoterState, help: Option<bool>| {
            let values: Vec<f64> = (0..truth.genes.len())
                .filter(|g| activity.promoters[*g].state == wanted)
                .filter(|g| {
                    let helped = truth
                        .enhancers
                        .iter()
                        .zip(&activity.enhancers)
                        .any(|(e, (s, _))| e.target == Some(*g) && *s == EnhancerState::Active);
                    help.is_none_or(|h| h == helped)
                })
                .map(|g| f64::from(activity.promoters[g].rpkm).log2())
                .collect();
            assert!(values.len() > 20, "{wanted:?} {help:?}: {}", values.len());
            values.iter().sum::<f64>() / values.len() as f64
        };
        let active = mean_log2(PromoterState::Active, None);
        assert!(active > mean_log2(PromoterState::Bivalent, None) + 4.0);
        assert!(active > mean_log2(PromoterState::Silent, None) + 6.0);
        let helped = mean_log2(PromoterState::Active, Some(true));
        assert!(helped > mean_log2(PromoterState::Active, Some(false)) + 0.7);
    }
}
