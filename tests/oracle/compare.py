#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `steptrace report --compare OLD NEW --json` has to say, computed from the same files in
another way: from all single values, and with exact fractions where they are possible.

    tests/oracle/compare.py COMPARISON.json OLD NEW     prints each difference; exit status 1 if any

The program ranks buckets of histograms. So U has to be exactly that of the buckets, and may differ
from that of the values by no more than half of the pairs that share a bucket and are not equal.
"""
import collections
import fractions
import functools
import json
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from report import Reader, ns_of_ms  # noqa: E402

MIN, LEVEL, EXACT = 20, 0.05, 1000
FAILS = fractions.Fraction(5, 100) / 2
QUANTILES = {"p50": fractions.Fraction(1, 2), "p95": fractions.Fraction(95, 100)}


class Side:
    def __init__(self):
        self.count, self.failed, self.values = 0, 0, []

    def add(self, event, name):
        self.count += 1
        self.failed += event.get("outcome") in ("failure", "aborted")
        ns = ns_of_ms(event.get(name))
        self.values += [] if ns is None else [ns]


def rows_of(paths, matches):
    """(command,) and (command, step type): Side."""
    rows = collections.defaultdict(Side)
    for _, event in Reader(paths).events:
        slug = event.get("command_slug") or ""
        if matches and not matches(slug):
            continue
        if event["event"] == "command.execution.completed":
            rows[(slug,)].add(event, "total_duration_ms")
        if event["event"] == "dsl.step.executed":
            rows[slug, event.get("step_type") or ""].add(event, "duration_ms")
    return rows


# ---- the tests, naively

def bucket(ns):
    """The smallest value in the bucket: the seven highest bits of the value."""
    ns = min(ns, 2**53 - 1)
    below = max(ns.bit_length() - 7, 0)
    return ns >> below << below


def bucket_end(ns):
    below = max(min(ns, 2**53 - 1).bit_length() - 7, 0)
    return bucket(ns) + (1 << below) - 1


def rank_sum(old, new):
    """U of new, as a fraction, and the sizes of the groups of ties: from ranks."""
    everything = sorted([(value, 0) for value in old] + [(value, 1) for value in new])
    ranks, ties, at = fractions.Fraction(0), [], 0
    while at < len(everything):
        end = at
        while end < len(everything) and everything[end][0] == everything[at][0]:
            end += 1
        middle = fractions.Fraction(at + 1 + end, 2)
        ranks += middle * sum(side for _, side in everything[at:end])
        ties.append(end - at)
        at = end
    return ranks - fractions.Fraction(len(new) * (len(new) + 1), 2), ties


def rank_p(old, new):
    u, ties = rank_sum(old, new)
    n, m = len(old), len(new)
    whole = n + m
    variance = fractions.Fraction(n * m, 12) * (
        whole + 1 - fractions.Fraction(sum(t**3 - t for t in ties), whole * (whole - 1)))
    away = abs(u - fractions.Fraction(n * m, 2)) - fractions.Fraction(1, 2)
    if variance == 0 or away <= 0:
        return u, 1.0
    return u, math.erfc(float(away) / math.sqrt(variance) / math.sqrt(2))


def fisher_p(old, new):
    failed, whole = old.failed + new.failed, old.count + new.count
    tables = {x: math.comb(old.count, x) * math.comb(new.count, failed - x)
              for x in range(max(0, failed - new.count), min(failed, old.count) + 1)}
    assert sum(tables.values()) == math.comb(whole, failed)
    observed = tables[old.failed]
    return fractions.Fraction(sum(t for t in tables.values() if t <= observed),
                              math.comb(whole, failed))


def holm(tests):
    """[(p, key)]: the corrected p of each key."""
    corrected, largest = {}, 0
    for index, (p, key) in enumerate(sorted(tests, key=lambda test: test[0])):
        largest = max(largest, p * (len(tests) - index))
        corrected[key] = min(largest, 1)
    return corrected


def quantile(values, fraction):
    return sorted(values)[max(math.ceil(fraction * len(values)), 1) - 1] if values else 0


@functools.lru_cache(maxsize=None)
def interval_ranks(n, fraction):
    """From 1, or None: from the binomial distribution, in whole numbers."""
    part, whole = fraction.numerator, fraction.denominator
    shares = [math.comb(n, k) * part**k * (whole - part)**(n - k) for k in range(n + 1)]
    limit = FAILS * whole**n
    low = high = None
    below = above = 0
    for k in range(n):  # the probability that at most k values are below the quantile
        below += shares[k]
        if below > limit:
            break
        low = k + 1
    for k in range(n, 0, -1):  # ... that at least k values are
        above += shares[k]
        if above > limit:
            break
        high = k
    return low, high


def interval(values, fraction):
    """The two values of the sample between which the quantile of the distribution lies, or None
    where the sample is too small for that bound."""
    values = sorted(values)
    return [rank and values[rank - 1] for rank in interval_ranks(len(values), fraction)]


# ---- the comparison

class Comparison:
    def __init__(self, told, old_paths, new_paths, matches=None):
        self.told = told
        self.old, self.new = rows_of(old_paths, matches), rows_of(new_paths, matches)
        self.wrong = []
        self.tests = []

    def expect(self, is_right, *words):
        if not is_right:
            self.wrong.append(" ".join(map(str, words)))

    def same(self, told, expected, *words, within=1e-9):
        is_same = told is not None and abs(told - expected) <= within * max(abs(expected), 1e-300)
        self.expect(is_same, *words, "is", told, "not", float(expected))

    def check(self):
        rows = {(row["command"] or "",) + ((row["step_type"] or "",) if "step_type" in row else ()):
                row for row in self.told["commands"] + self.told["steps"]}
        keys = set(self.old) | set(self.new)
        self.expect(set(rows) == keys, "rows", sorted(set(rows) ^ keys))
        for key in sorted(keys & set(rows)):
            self.check_row(key, rows[key])
        corrected = holm(self.tests)
        self.expect(self.told["tests"]["count"] == len(self.tests), "the number of tests")
        for key in sorted(keys & set(rows)):
            self.check_verdicts(key, rows[key], corrected)
        return self.wrong

    def check_row(self, key, row):
        for name, side in (("old", self.old[key]), ("new", self.new[key])):
            told = row[name]
            self.expect((told["count"], told["failed"], told["timed"]) ==
                        (side.count, side.failed, len(side.values)), key, name, told)
            self.expect(told["sum_ns"] == sum(side.values), key, name, "sum")
            self.expect(told["max_ns"] == max(side.values, default=0), key, name, "max")
            for quantile_name, fraction in QUANTILES.items():
                self.same(told[quantile_name + "_ns"], quantile(side.values, fraction), key, name,
                          quantile_name, within=0.008)
        for quantile_name in QUANTILES:
            self.check_ratio(key, row, quantile_name)

    def check_ratio(self, key, row, name):
        told, fraction = row["durations"][name], QUANTILES[name]
        old, new = self.old[key].values, self.new[key].values
        if not new or not quantile(old, fraction):
            self.expect(told == {"ratio": None, "low": None, "high": None}, key, told)
            return
        self.same(told["ratio"], quantile(new, fraction) / quantile(old, fraction), key, "ratio",
                  within=0.017)
        if max(len(old), len(new)) > EXACT:
            return
        middles = [row[side][name + "_ns"] for side in ("old", "new")]
        (old_low, old_high), (new_low, new_high) = (
            self.ends(values, fraction) for values in (old, new))
        self.check_bound(key, told["low"], -1, middles, old_high, new_low)
        self.check_bound(key, told["high"], 1, middles, old_low, new_high)

    @staticmethod
    def ends(values, fraction):
        """The outer ends of the buckets, but no further than the smallest and largest value."""
        low, high = interval(values, fraction)
        return (None if low is None else max(bucket(low), min(values)),
                None if high is None else min(bucket_end(high), max(values)))

    def check_bound(self, key, told, sign, middles, old_end, new_end):
        if not old_end or not new_end or not middles[1]:
            self.expect(told is None, key, "bound", told)
            return
        away = math.hypot(math.log(new_end / middles[1]), math.log(old_end / middles[0]))
        self.same(told, middles[1] / middles[0] * math.exp(sign * away), key, "bound")

    def check_verdicts(self, key, row, corrected):
        pass

    def early(self, key, old, new):
        if not self.old[key].count:
            return "new"
        if not self.new[key].count:
            return "gone"
        return "too_few" if min(old, new) < MIN else None


class Tested(Comparison):
    def check(self):
        for key in set(self.old) | set(self.new):
            old, new = self.old[key], self.new[key]
            if not self.early(key, len(old.values), len(new.values)):
                u, p = rank_p(list(map(bucket, old.values)), list(map(bucket, new.values)))
                self.tests.append((p, (key, "durations")))
                setattr(old, "u", u)
            if not self.early(key, old.count, new.count):
                self.tests.append((fisher_p(old, new), (key, "failures")))
        self.own = {test: p for p, test in self.tests}
        return super().check()

    def check_verdicts(self, key, row, corrected):
        old, new = self.old[key], self.new[key]
        rate = [side.failed / side.count if side.count else 0 for side in (old, new)]
        for name, more, words in (("durations", None, ("slower", "faster")),
                                  ("failures", rate[1] > rate[0], ("more", "fewer"))):
            told, test = row[name], (key, name)
            if test not in self.own:
                counts = ([len(side.values) for side in (old, new)] if name == "durations"
                          else [side.count for side in (old, new)])
                self.expect(told["verdict"] == self.early(key, *counts), key, told)
                self.expect(told["p"] is None and told["p_corrected"] is None, key, told)
                continue
            self.same(told["p"], float(self.own[test]), key, name, "p", within=1e-6)
            self.same(told["p_corrected"], float(corrected[test]), key, name, "p_corrected",
                      within=1e-6)
            if name == "durations":
                more = self.check_u(key, told, old, new)
            verdict = "no_difference_found" if corrected[test] >= LEVEL else words[not more]
            self.expect(told["verdict"] == verdict, key, told, verdict)

    def check_u(self, key, told, old, new):
        pairs = len(old.values) * len(new.values)
        self.same(told["u"], old.u, key, "u")
        self.same(told["slower_probability"], old.u / pairs, key, "slower_probability")
        exact, _ = rank_sum(old.values, new.values)
        in_bucket, equal = (
            sum(count * found.get(value, 0) for value, count in collections.Counter(ours).items())
            for ours, found in (
                (map(bucket, old.values), collections.Counter(map(bucket, new.values))),
                (old.values, collections.Counter(new.values))))
        self.expect(abs(old.u - exact) <= fractions.Fraction(in_bucket - equal, 2), key,
                    "U of the buckets", float(old.u), "is too far from", float(exact))
        return 2 * old.u > pairs


def check(text, old_paths, new_paths, **options):
    """Lines of text, one for each difference."""
    return Tested(json.loads(text), old_paths, new_paths, **options).check()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found_wrong = check(file.read(), [sys.argv[2]], [sys.argv[3]])
    print("\n".join(found_wrong))
    sys.exit(bool(found_wrong))
