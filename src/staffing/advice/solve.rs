//! Flows of people between desks in one half hour.
//!
//! A linear program over offers: each brings people to one desk, from another desk or from outside. It is a transport problem,
//! whose best solution has whole numbers. If it is too large, or if the solver fails, a greedy solution is used.

use good_lp::{Expression, ProblemVariables, Solution, SolverModel, microlp, variable};

/// The linear program is solved only up to this number of offers.
const OFFERS_MAX: usize = 2_000;
/// The value of each further offer is reduced by this amount, so that the choice between equal solutions is always the same.
const ORDER: f64 = 1e-6;

/// One way to bring people to a desk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// The desk that gets people.
    pub to: usize,
    /// The desk that gives them; `None` from outside.
    pub from: Option<usize>,
    /// Maximum number of people.
    pub most: u32,
    /// Value of one of these people at the desk.
    pub worth: f64,
}

/// Missing people, and people to spare, at each desk.
#[derive(Clone, Copy, Debug)]
pub struct Flows<'a> {
    pub short: &'a [u32],
    pub spare: &'a [u32],
    pub offers: &'a [Offer],
}

impl Flows<'_> {
    /// The total value of these numbers of people by offer.
    pub fn worth(&self, people: &[u32]) -> f64 {
        people.iter().zip(self.offers).map(|(n, offer)| f64::from(*n) * offer.worth).sum()
    }

    /// Whether no desk gets more people than are missing, and no desk gives more than it has to spare.
    pub fn holds(&self, people: &[u32]) -> bool {
        let (mut short, mut spare) = (self.short.to_vec(), self.spare.to_vec());
        people.iter().zip(self.offers).all(|(n, offer)| {
            let Some(left) = short[offer.to].checked_sub(*n) else { return false };
            short[offer.to] = left;
            if let Some(from) = offer.from {
                let Some(left) = spare[from].checked_sub(*n) else { return false };
                spare[from] = left;
            }
            *n <= offer.most
        })
    }
}

/// The numbers of people by offer with the highest total value.
pub fn flows(problem: &Flows<'_>) -> Vec<u32> {
    let greedy = greedy(problem);
    let moves = problem.offers.iter().any(|offer| offer.from.is_some());
    // Without moves no desk competes with another.
    if !moves || problem.offers.len() > OFFERS_MAX {
        return greedy;
    }
    match program(problem) {
        Some(best) if problem.holds(&best) && problem.worth(&best) >= problem.worth(&greedy) => {
            best
        }
        _ => greedy,
    }
}

/// A greedy solution: offers in order of their value, each with as many people as possible.
pub fn greedy(problem: &Flows<'_>) -> Vec<u32> {
    let (mut short, mut spare) = (problem.short.to_vec(), problem.spare.to_vec());
    let mut order: Vec<usize> = (0..problem.offers.len()).collect();
    order.sort_by(|a, b| {
        problem.offers[*b].worth.total_cmp(&problem.offers[*a].worth).then_with(|| a.cmp(b))
    });
    let mut people = vec![0; problem.offers.len()];
    for at in order {
        let offer = &problem.offers[at];
        if offer.worth <= 0.0 {
            continue;
        }
        let has = offer.from.map_or(u32::MAX, |from| spare[from]);
        let n = offer.most.min(short[offer.to]).min(has);
        short[offer.to] -= n;
        if let Some(from) = offer.from {
            spare[from] -= n;
        }
        people[at] = n;
    }
    people
}

/// The solution of the linear program, in whole people; `None` if the solver fails.
fn program(problem: &Flows<'_>) -> Option<Vec<u32>> {
    let mut variables = ProblemVariables::new();
    let mut worth = Expression::from(0.0);
    let mut to: Vec<Option<Expression>> = vec![None; problem.short.len()];
    let mut from: Vec<Option<Expression>> = vec![None; problem.spare.len()];
    let mut people = Vec::with_capacity(problem.offers.len());
    for (at, offer) in problem.offers.iter().enumerate() {
        let n = variables.add(variable().min(0.0).max(f64::from(offer.most)));
        worth += offer.worth * (1.0 - ORDER * at as f64) * n;
        *to[offer.to].get_or_insert_with(|| Expression::from(0.0)) += n;
        if let Some(source) = offer.from {
            *from[source].get_or_insert_with(|| Expression::from(0.0)) += n;
        }
        people.push(n);
    }
    let mut model = variables.maximise(worth).using(microlp);
    for (sums, most) in [(to, problem.short), (from, problem.spare)] {
        for (sum, most) in sums.into_iter().zip(most) {
            if let Some(sum) = sum {
                model.add_constraint(sum.leq(f64::from(*most)));
            }
        }
    }
    let solved = model.solve().ok()?;
    let whole = |n: &good_lp::Variable| (solved.value(*n) + 1e-6).floor().max(0.0) as u32;
    Some(people.iter().map(whole).collect())
}
