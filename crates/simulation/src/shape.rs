//! The finest layer of the truth: what signal looks like at 25 bp across an element.

use serde::Serialize;

/// The shape of an assay over promoters, enhancers and insulators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Shape {
    /// A plateau of phased nucleosomes with a dip where the factors sit (H3K4me3, H3K27ac).
    Nucleosomes,
    /// As nucleosomes, but displaced outward where H3K4me3 is (H3K4me1 around promoters).
    Shoulders,
    /// Open chromatin: a peak in the dip of the nucleosomes, with low flanks (DNase).
    Open,
    /// A bound factor: a narrow peak.
    Point,
}

/// The shape of an assay along the body of a transcribed gene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Body {
    /// The same throughout.
    Flat,
    /// Rises towards the 3′ end (H3K36me3).
    Rising,
    /// Falls from the 5′ end (H3K79me2).
    Falling,
}

/// An element that shapes are drawn over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    /// The base of its centre: a TSS, an enhancer's middle, a motif.
    pub(crate) centre: u64,
    /// Half the width of its plateau of nucleosomes in bp.
    pub(crate) half_width: f32,
    /// Whether it is read towards higher coordinates.
    pub(crate) forward: bool,
    /// Promoters reach further downstream and displace H3K4me1.
    pub(crate) is_promoter: bool,
}

impl Site {
    /// No shape reaches further than this, in bp.
    pub(crate) fn reach(&self) -> u64 {
        (3.5 * self.half_width) as u64 + 300
    }
}

/// Distance between the centres of neighbouring nucleosomes, in bp.
const NUCLEOSOME_REPEAT: f32 = 185.0;

impl Shape {
    /// The height at a position, about 1 at the top.
    pub(crate) fn height(self, site: &Site, position: f32) -> f32 {
        let towards_end = position - site.centre as f32;
        let x = if site.forward {
            towards_end
        } else {
            -towards_end
        };
        match self {
            Shape::Nucleosomes => nucleosomes(site, x),
            Shape::Shoulders if site.is_promoter => {
                let from_shoulder = (x.abs() - 1.9 * site.half_width) / (0.6 * site.half_width);
                (-0.5 * from_shoulder * from_shoulder).exp() + 0.15 * nucleosomes(site, x)
            }
            // H3K4me1 spreads beyond the acetylated nucleosomes of an enhancer.
            Shape::Shoulders => {
                let wider = Site {
                    half_width: 1.7 * site.half_width,
                    ..*site
                };
                nucleosomes(&wider, x)
            }
            Shape::Open => bell(x, 80.0) + 0.08 * plateau(x, site.half_width),
            Shape::Point => bell(x, 50.0),
        }
    }
}

impl Body {
    /// The height at a share of the way from TSS to end, 1 on average.
    pub(crate) fn height(self, share: f32) -> f32 {
        match self {
            Body::Flat => 1.0,
            Body::Rising => 0.35 + 1.3 * share,
            Body::Falling => 2.6 * (-2.5 * share).exp(),
        }
    }
}

fn nucleosomes(site: &Site, x: f32) -> f32 {
    let (half_width, side) = match (site.is_promoter, x >= 0.0) {
        (true, true) => (1.3 * site.half_width, 1.0),
        (true, false) => (0.8 * site.half_width, 0.7),
        (false, _) => (site.half_width, 1.0),
    };
    let dip = 1.0 - 0.75 * bell(x, 75.0);
    // The first nucleosome beside the dip is the best placed; further ones lose the phase.
    let phase = std::f32::consts::TAU * (x.abs() - 120.0) / NUCLEOSOME_REPEAT;
    let phased = 1.0 + 0.25 * phase.cos() * (-x.abs() / 500.0).exp();
    // Within the dip both sides meet, so that there is no step at the TSS.
    let side = side + (1.0 - side) * bell(x, 75.0);
    plateau(x, half_width) * side * dip * phased
}

fn bell(x: f32, sigma: f32) -> f32 {
    (-0.5 * (x / sigma) * (x / sigma)).exp()
}

/// 1 within the half width, soft edges of about 100 bp.
fn plateau(x: f32, half_width: f32) -> f32 {
    1.0 / (1.0 + ((x.abs() - half_width) / 45.0).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(is_promoter: bool) -> Site {
        Site {
            centre: 10_000,
            half_width: 500.0,
            forward: true,
            is_promoter,
        }
    }

    #[test]
    fn histone_marks_dip_where_open_chromatin_peaks() {
        let site = site(false);
        let height = |shape: Shape, offset: f32| shape.height(&site, 10_000.0 + offset);
        assert!(height(Shape::Nucleosomes, 0.0) < 0.4 * height(Shape::Nucleosomes, 120.0));
        assert!(height(Shape::Open, 0.0) > 2.0 * height(Shape::Open, 120.0));
        assert!(height(Shape::Point, 0.0) > 0.99);
    }

    #[test]
    fn promoters_reach_downstream_on_either_strand() {
        let forward = site(true);
        let reverse = Site {
            forward: false,
            ..forward
        };
        let height = |site: &Site, offset: f32| Shape::Nucleosomes.height(site, 10_000.0 + offset);
        assert!(height(&forward, 550.0) > 3.0 * height(&forward, -550.0));
        assert_eq!(height(&forward, 550.0), height(&reverse, -550.0));
        // H3K4me1 stands beside the promoter, not on it.
        let k4me1 = |offset: f32| Shape::Shoulders.height(&forward, 10_000.0 + offset);
        assert!(k4me1(950.0) > 3.0 * k4me1(200.0));
    }

    #[test]
    fn nothing_reaches_beyond_the_reach_and_bodies_average_to_one() {
        for is_promoter in [false, true] {
            let site = site(is_promoter);
            for shape in [
                Shape::Nucleosomes,
                Shape::Shoulders,
                Shape::Open,
                Shape::Point,
            ] {
                let beyond = shape.height(&site, 10_000.0 + site.reach() as f32);
                assert!(beyond < 0.002, "{shape:?} {beyond}");
            }
        }
        for body in [Body::Flat, Body::Rising, Body::Falling] {
            let mean = (0..1000)
                .map(|i| body.height((i as f32 + 0.5) / 1000.0))
                .sum::<f32>()
                / 1e3;
            assert!((mean - 1.0).abs() < 0.06, "{body:?} {mean}");
        }
    }
}
