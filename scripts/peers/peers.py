#!/usr/bin/env python3
"""Scores the calls that `tfps evaluate` hands out with LightGBM and PyOD.

    peers.py FOLDER

FOLDER has rows.arrow, manifest.json and perhaps other.arrow, as src/evaluate/exchange.rs describes
them; the answers are written into it. Every fold is learned from its own training rows alone. The
calls that judge come without their labels, so nothing here can be tuned on them.

LightGBM has what an experienced user would give it: all training rows, two class weightings each
stopped early on the last quarter of the training part by a measure that suits it, of which the one
with the better average precision there is fitted again on all of it. The calibration part serves
for probabilities by Platt's line (and for thresholds, chosen elsewhere), as it does for the model
of TFPS. The detectors of PyOD are fitted on legitimate training rows, as the isolation forest of
TFPS is; those are the same in every fold.
"""

import csv
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow.ipc
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

TRAIN, CALIBRATE, JUDGE = 1, 2, 3

# LightGBM's own rate and leaves, five times its number of trees: half the rate and twice the leaves
# take ten times as long.
ROUNDS = 500
PATIENCE = 30
ROUNDS_UNSEEN = 100
LIGHTGBM = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_child_samples": 40,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    # Fixed: sums are added up in the order of the threads.
    "num_threads": 2,
}
# ECOD sorts every feature of the rows it was fitted on together with those it scores.
ECOD_ROWS = 50_000


# Of features that are constant.
warnings.filterwarnings("ignore", message="Precision loss occurred")


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def read(path, features):
    """The features as an array, and the other columns by name."""
    with pyarrow.ipc.open_stream(path) as stream:
        table = stream.read_all()
    matrix = np.empty((table.num_rows, len(features)), dtype=np.float32)
    for position, name in enumerate(features):
        matrix[:, position] = table.column(name).to_numpy()
    others = [name for name in table.column_names if name not in set(features)]
    return matrix, {name: table.column(name).to_numpy() for name in others}


def write(path, rows, scores):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", *scores])
        for row, *values in zip(rows.tolist(), *(s.tolist() for s in scores.values())):
            out.writerow([row, *(repr(value) for value in values)])


class Boosted:
    """LightGBM, the better of two class weightings, with calibrated probabilities."""

    def __init__(self, binned, matrix, fraud, train, later, calibrate, seed):
        learn = binned.subset(np.flatnonzero(train & ~later))
        check = binned.subset(np.flatnonzero(later))
        positives = max(int(fraud[train].sum()), 1)
        balance = float((int(train.sum()) - positives) / positives)
        # Too little to choose by: LightGBM's own number of trees, unweighted.
        best = (0.0, 1.0, LIGHTGBM | {"seed": seed}, ROUNDS_UNSEEN)
        choices = ((1.0, "binary_logloss"), (balance**0.5, "average_precision"))
        if not (fraud[later].any() and fraud[train & ~later].any()):
            choices = ()
        # Weighted, the log-loss is of other odds than those of the calls.
        for weight, metric in choices:
            params = LIGHTGBM | {"seed": seed, "scale_pos_weight": weight, "metric": metric}
            stop = lightgbm.early_stopping(PATIENCE, verbose=False)
            model = lightgbm.train(params, learn, ROUNDS, valid_sets=[check], callbacks=[stop])
            raw = model.predict(matrix[later], raw_score=True)
            precision = average_precision_score(fraud[later], raw)
            if precision > best[0]:
                best = (precision, weight, params, max(model.best_iteration, 1))
        _, self.weight, params, self.trees = best
        everything = binned.subset(np.flatnonzero(train))
        self.model = lightgbm.train(params, everything, self.trees)
        raw = self.model.predict(matrix[calibrate], raw_score=True)
        line = LogisticRegression(C=1e6, max_iter=1000)
        self.line = line.fit(raw.reshape(-1, 1), fraud[calibrate])

    def score(self, matrix):
        raw = self.model.predict(matrix, raw_score=True)
        return self.line.predict_proba(raw.reshape(-1, 1))[:, 1]


def main(folder):
    begun = time.monotonic()
    manifest = json.loads((folder / "manifest.json").read_text())
    features, seed = manifest["features"], manifest["seed"] % 2**31
    matrix, columns = read(folder / "rows.arrow", features)
    other = read(folder / "other.arrow", features) if manifest["other"] else None
    rows, fraud = columns["row"], columns["fraud"] == 1
    say(f"{len(rows)} rows of {len(features)} features, {len(manifest['folds'])} folds")
    names = [f"f{position}" for position in range(len(features))]
    # Bins are cut on training rows of the fold that knows all; labels have no part in it.
    known = columns["part_known"]
    reference = lightgbm.Dataset(
        matrix[known == TRAIN], fraud[known == TRAIN].astype(np.float32), feature_name=names
    ).construct()
    binned = lightgbm.Dataset(
        matrix,
        fraud.astype(np.float32),
        reference=reference,
        feature_name=names,
        free_raw_data=False,
    ).construct()
    rng = np.random.default_rng(seed)
    # What is held out is fraud: legitimate training rows are those of every fold.
    learnable = np.flatnonzero((known == TRAIN) & ~fraud)
    few = rng.choice(learnable, min(ECOD_ROWS, len(learnable)), replace=False)
    ecod = ECOD().fit(matrix[np.sort(few)])
    scored = np.flatnonzero((known == CALIBRATE) | (known == JUDGE))
    ecod_scores = np.full(len(rows), np.nan)
    ecod_scores[scored] = ecod.decision_function(matrix[scored])
    say(f"ECOD done after {time.monotonic() - begun:.0f} s")
    forest = IForest(random_state=seed).fit(matrix[learnable])
    forest_scores = np.full(len(rows), np.nan)
    forest_scores[scored] = forest.decision_function(matrix[scored])
    say(f"isolation forest done after {time.monotonic() - begun:.0f} s")
    weights, trees = {}, {}
    for fold in manifest["folds"]:
        part = columns[f"part_{fold}"]
        train, calibrate = part == TRAIN, part == CALIBRATE
        wanted = calibrate | (part == JUDGE)
        later = columns[f"later_{fold}"] == 1
        boosted = Boosted(binned, matrix, fraud, train, later, calibrate, seed)
        weights[fold], trees[fold] = boosted.weight, boosted.trees
        scores = {
            "lightgbm": boosted.score(matrix[wanted]),
            "pyod-iforest": forest_scores[wanted],
            "pyod-ecod": ecod_scores[wanted],
        }
        write(folder / f"scores-{fold}.csv", rows[wanted], scores)
        if fold == "known" and other is not None:
            elsewhere, their = other
            scores = {
                "lightgbm": boosted.score(elsewhere),
                "pyod-iforest": forest.decision_function(elsewhere),
                "pyod-ecod": ecod.decision_function(elsewhere),
            }
            write(folder / "scores-other.csv", their["row"], scores)
        say(f"fold {fold} done after {time.monotonic() - begun:.0f} s")
    pyod = f"PyOD {version('pyod')}"
    detectors = {
        "lightgbm": {
            "probabilities": True,
            "about": f"LightGBM {version('lightgbm')}, all training rows, up to {ROUNDS} trees of "
            f"{LIGHTGBM['num_leaves']} leaves at rate {LIGHTGBM['learning_rate']}, early stopping "
            "on the last quarter of them, the better of two class weightings there, Platt's line",
        },
        "pyod-iforest": {
            "probabilities": False,
            "about": f"isolation forest of {pyod}, its defaults, fitted on legitimate training rows",
        },
        "pyod-ecod": {
            "probabilities": False,
            "about": f"ECOD of {pyod}, fitted on {len(few)} legitimate training rows",
        },
    }
    answer = {"rows_sha256": manifest["rows_sha256"], "detectors": detectors}
    (folder / "detectors.json").write_text(json.dumps(answer, indent=2))
    say(f"trees {trees}, weights of fraud {weights}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
