//! Gene expression: what RNA-seq measures of the states' RPKM.

use crate::random::Draws;
use crate::{Simulation, SimulationError};

/// Standard deviation of the logarithm of a measured RPKM around the true one.
const MEASUREMENT_SIGMA: f64 = 0.15;

impl Simulation {
    /// The expression of a chromosome's genes (in [`Simulation::genes`]' order) in all biosamples,
    /// in RPKM: `[n_genes, n_biosamples]`, row-major.
    ///
    /// A gene with an active promoter is expressed at its own level, raised by the active
    /// enhancers that drive it; others leak.
    ///
    /// # Errors
    /// When the simulation has no such chromosome.
    pub fn expression(&self, chromosome: usize) -> Result<Vec<f32>, SimulationError> {
        let truth = self.chromosome(chromosome)?;
        let n_biosamples = self.biosamples().len();
        let mut matrix = vec![0.0; truth.genes.len() * n_biosamples];
        for biosample in 0..n_biosamples {
            let ids = [truth.number as u64, biosample as u64];
            let mut draws = Draws::new(self.config().seed, "expression", &ids);
            let activity = self.activity(truth, biosample);
            for (gene, promoter) in activity.promoters.iter().enumerate() {
                let measured = draws.log_normal(f64::from(promoter.rpkm), MEASUREMENT_SIGMA);
                matrix[gene * n_biosamples + biosample] = measured as f32;
            }
        }
        Ok(matrix)
    }
}

#[cfg(test)]
mod tests {
    use crate::activity::PromoterState;
    use crate::{Simulation, SimulationConfig};

    #[test]
    fn expression_follows_the_promoters_state_in_every_biosample() {
        let config = SimulationConfig {
            n_chromosomes: 1,
            chromosome_bp: 8_000_000,
            ..Default::default()
        };
        let simulation = Simulation::new(config).unwrap();
        let matrix = simulation.expression(0).unwrap();
        let truth = &simulation.chromosomes[0];
        let (mut right, mut n_active) = (0, 0);
        for b in 0..8 {
            let activity = simulation.activity(truth, b);
            for (g, promoter) in activity.promoters.iter().enumerate() {
                let is_active = promoter.state == PromoterState::Active;
                n_active += usize::from(is_active);
                right += usize::from((matrix[g * 8 + b] >= 0.5) == is_active);
            }
        }
        let share = right as f64 / matrix.len() as f64;
        assert!(share > 0.93, "{share}");
        // Real genes: 50 to 67 % at 0.5 RPKM or more.
        let active = n_active as f64 / matrix.len() as f64;
        assert!((0.35..0.75).contains(&active), "{active}");
        assert!(simulation.expression(1).is_err());
    }
}
