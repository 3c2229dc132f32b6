//! Binary trees as flat arrays: in the file one [`Tree`] each, in memory one [`Forest`] for all.
//!
//! A call goes left where its value is *below* the threshold, right where it is equal or above.
//! Children stand side by side and after their parent, so no walk can run in a circle.

use serde::{Deserialize, Serialize};

/// Deepest tree a file may have: splits between the root and a leaf.
pub const MAX_DEPTH: usize = 16;
/// Most nodes of all trees of one model together: 4 MB in memory.
pub const MAX_NODES: usize = 1 << 18;

/// One tree, node by node. Node 0 is the root.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Position of the feature that is asked for; 0 in a leaf.
    pub feature: Vec<u16>,
    /// In the feature's own unit; 0 in a leaf.
    pub threshold: Vec<f32>,
    /// Node to the left, the right one is the next; 0: a leaf.
    pub left: Vec<u32>,
    /// What a walk that ends here is worth; in an inner node what it is worth on average, so
    /// that each step of a walk has a part of the result.
    pub value: Vec<f32>,
}

impl Tree {
    /// A single leaf.
    #[must_use]
    pub fn leaf(value: f32) -> Self {
        Self {
            feature: vec![0],
            threshold: vec![0.0],
            left: vec![0],
            value: vec![value],
        }
    }

    /// Turns a leaf into a split with two new leaves. Returns the left one; the right one is
    /// the next.
    pub fn split(&mut self, node: usize, feature: u16, threshold: f32, values: [f32; 2]) -> usize {
        let left = self.nodes();
        self.feature[node] = feature;
        self.threshold[node] = threshold;
        // Bounded by MAX_NODES wherever a tree is used.
        self.left[node] = u32::try_from(left).unwrap_or(u32::MAX);
        for value in values {
            self.feature.push(0);
            self.threshold.push(0.0);
            self.left.push(0);
            self.value.push(value);
        }
        left
    }

    /// How many nodes it has.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.value.len()
    }

    /// Why it cannot be walked for vectors of `features` values; `None`: it can.
    #[must_use]
    pub fn fault(&self, features: usize) -> Option<&'static str> {
        let nodes = self.nodes();
        let lengths = [self.feature.len(), self.threshold.len(), self.left.len()];
        if nodes == 0 || lengths != [nodes; 3] {
            return Some("arrays of one length, 1 or more");
        }
        let finite = self.threshold.iter().chain(&self.value);
        if !finite.into_iter().all(|x| x.is_finite()) {
            return Some("finite thresholds and values");
        }
        if self.feature.iter().any(|f| usize::from(*f) >= features) {
            return Some("features of the catalogue");
        }
        self.shape_fault()
    }

    /// Every node but the root is the child of exactly one node before it, none is too deep.
    fn shape_fault(&self) -> Option<&'static str> {
        let mut depth: Vec<Option<usize>> = vec![None; self.nodes()];
        depth[0] = Some(0);
        for (node, left) in self.left.iter().enumerate() {
            let Some(here) = depth[node] else {
                return Some("nodes that can all be reached");
            };
            if *left == 0 {
                continue;
            }
            let left = *left as usize;
            if left <= node || left + 1 >= self.nodes() {
                return Some("children after their parent and within the tree");
            }
            if here == MAX_DEPTH {
                return Some("16 splits deep at most");
            }
            for child in [left, left + 1] {
                if depth[child].replace(here + 1).is_some() {
                    return Some("one parent for each node");
                }
            }
        }
        None
    }
}

/// Checked trees, laid out for the walk.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    nodes: Box<[Node]>,
    roots: Box<[u32]>,
}

/// One split on the way of a call through a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Position of the feature that was asked for.
    pub feature: usize,
    /// Whether its value was the threshold or above.
    pub right: bool,
    /// By how much the tree's value changed.
    pub change: f64,
}

/// 16 bytes: four to a line of the cache.
#[derive(Clone, Copy, Debug)]
struct Node {
    threshold: f32,
    value: f32,
    /// 0: a leaf.
    left: u32,
    feature: u16,
}

impl Forest {
    /// Of trees without a fault, [`MAX_NODES`] nodes at most.
    #[must_use]
    pub fn new(trees: &[Tree]) -> Self {
        let mut nodes = Vec::with_capacity(trees.iter().map(Tree::nodes).sum());
        let mut roots = Vec::with_capacity(trees.len());
        for tree in trees {
            let root = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            roots.push(root);
            nodes.extend((0..tree.nodes()).map(|node| Node {
                threshold: tree.threshold[node],
                value: tree.value[node],
                left: match tree.left[node] {
                    0 => 0,
                    left => left + root,
                },
                feature: tree.feature[node],
            }));
        }
        Self {
            nodes: nodes.into(),
            roots: roots.into(),
        }
    }

    /// How many trees.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// Sum of the leaves `values` comes to, tree by tree.
    #[must_use]
    pub fn sum(&self, values: &[f32]) -> f64 {
        let leaves = self.roots.iter().map(|root| {
            let mut node = &self.nodes[*root as usize];
            while node.left != 0 {
                node = self.child(node, values);
            }
            f64::from(node.value)
        });
        leaves.sum()
    }

    /// Tells `each` step of the way and returns [`Self::sum`], to the bit. The roots and all
    /// changes add up to it.
    pub fn walk(&self, values: &[f32], mut each: impl FnMut(Step)) -> f64 {
        let leaves = self.roots.iter().map(|root| {
            let mut node = &self.nodes[*root as usize];
            while node.left != 0 {
                let child = self.child(node, values);
                each(Step {
                    feature: usize::from(node.feature),
                    right: node.is_right(values),
                    change: f64::from(child.value) - f64::from(node.value),
                });
                node = child;
            }
            f64::from(node.value)
        });
        leaves.sum()
    }

    /// Sum of the roots: what a call is worth before anything is asked.
    #[must_use]
    pub fn roots(&self) -> f64 {
        let value = |root: &u32| f64::from(self.nodes[*root as usize].value);
        self.roots.iter().map(value).sum()
    }

    fn child(&self, node: &Node, values: &[f32]) -> &Node {
        &self.nodes[(node.left + u32::from(node.is_right(values))) as usize]
    }
}

impl Node {
    fn is_right(&self, values: &[f32]) -> bool {
        values[usize::from(self.feature)] >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature 1 below 2: 10; else feature 0 below -1: 20, else 30.
    fn tree() -> Tree {
        let mut tree = Tree::leaf(15.0);
        let left = tree.split(0, 1, 2.0, [10.0, 25.0]);
        tree.split(left + 1, 0, -1.0, [20.0, 30.0]);
        tree
    }

    #[test]
    fn a_walk_goes_left_below_the_threshold_and_right_from_it_on() {
        let forest = Forest::new(&[Tree::leaf(0.5), tree()]);
        for (values, wanted) in [
            ([0.0, 1.999], 10.5),
            ([-1.5, 2.0], 20.5),
            ([-1.0, 2.0], 30.5),
        ] {
            assert!((forest.sum(&values) - wanted).abs() < 1e-12, "{values:?}");
            let mut total = forest.roots();
            forest.walk(&values, |step| total += step.change);
            assert!((total - wanted).abs() < 1e-12, "{values:?}");
        }
        let mut steps = Vec::new();
        forest.walk(&[0.0, 2.0], |step| {
            steps.push((step.feature, step.right, step.change));
        });
        assert_eq!(steps, [(1, true, 10.0), (0, true, 5.0)]);
    }

    #[test]
    fn trees_that_cannot_be_walked_are_found_out() {
        assert_eq!(tree().fault(2), None);
        let faults: [fn(&mut Tree); 9] = [
            |t| *t = Tree::default(),
            |t| t.value.truncate(4),
            |t| t.threshold[0] = f32::NAN,
            |t| t.value[3] = f32::INFINITY,
            |t| t.feature[2] = 2,
            |t| t.left[2] = 0,
            |t| t.left[2] = 2,
            |t| t.left[2] = 1,
            |t| t.left[2] = 4,
        ];
        for (i, fault) in faults.into_iter().enumerate() {
            let mut bad = tree();
            fault(&mut bad);
            assert!(bad.fault(2).is_some(), "fault {i}");
        }
        let mut deep = Tree::leaf(0.0);
        let mut node = 0;
        for _ in 0..MAX_DEPTH {
            node = deep.split(node, 0, 0.0, [0.0; 2]);
        }
        assert_eq!(deep.fault(1), None);
        deep.split(node, 0, 0.0, [0.0; 2]);
        assert_eq!(deep.fault(1), Some("16 splits deep at most"));
    }
}
