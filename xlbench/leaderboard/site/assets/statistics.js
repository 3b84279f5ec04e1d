"use strict";
// The paired tests of `xlbench compare`, in a worker: the same draws, the same figures. Each function names the one of
// the package that it repeats; the tests of the package hold their figures against each other.
const stats = (() => {
  const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

  // numpy's PCG64 (O'Neill 2014, XSL-RR 128/64).
  class Generator {
    constructor({ state, increment }) {
      this.state = BigInt(state);
      this.increment = BigInt(increment);
      this.halves = new BigUint64Array(2);
      this.words = new Uint32Array(this.halves.buffer); // The least first.
      this.kept = null;
    }

    // 32 random bits: the lower half of 64, then the upper one.
    next() {
      if (this.kept !== null) {
        const kept = this.kept;
        this.kept = null;
        return kept;
      }
      this.state = BigInt.asUintN(128, this.state * MULTIPLIER + this.increment);
      this.halves[0] = this.state;
      this.halves[1] = this.state >> 64n;
      const [a, b, c, d] = this.words;
      let low = (a ^ c) >>> 0,
        high = (b ^ d) >>> 0,
        turn = d >>> 26;
      if (turn & 32) [low, high] = [high, low];
      turn &= 31;
      if (turn) [low, high] = [(low >>> turn) | (high << (32 - turn)), (high >>> turn) | (low << (32 - turn))];
      this.kept = high >>> 0;
      return low >>> 0;
    }

    // `integers(0, n)` for n < 2^32 (Lemire 2019).
    below(n) {
      let product = this.next() * n;
      if (product % 4294967296 < n) {
        const least = (4294967296 - n) % n;
        while (product % 4294967296 < least) product = this.next() * n;
      }
      return Math.floor(product / 4294967296);
    }

    // `integers(0, 256, size=n, dtype=uint8)`.
    bytes(n) {
      const found = new Uint8Array(n);
      for (let i = 0, buffer = 0; i < n; i++) {
        buffer = i % 4 ? buffer >>> 8 : this.next();
        found[i] = buffer & 255;
      }
      return found;
    }
  }

  const ALPHA = 0.05,
    RESAMPLES = 2000,
    DRAWS = 10000,
    MANY_DRAWS = 100000,
    CHUNK = 1000;
  const TOLERANCE = 1e-11,
    NEGLIGIBLE = 1e-6,
    ENOUGH = 1000;
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // What is compared, in the order of `xlbench compare`: by measure and kind the languages, then their mean; each with
  // the weights of the columns. (comparison.study.quantities_of, statistics.macro_weights)
  const quantitiesOf = (columns) => {
    const groups = new Map();
    columns.forEach(([kind, measure], i) => {
      const key = JSON.stringify([measure, kind]);
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(i);
    });
    return [...groups].flatMap(([key, members]) => {
      const [measure, kind] = JSON.parse(key);
      const languages = [...new Set(members.map((i) => columns[i][2]))];
      const total = Object.fromEntries(
        languages.map((language) => [
          language,
          sum(members.filter((i) => columns[i][2] === language).map((i) => columns[i][3])),
        ]),
      );
      const named = (name, chosen, share) => ({
        measure,
        kind,
        name,
        weights: chosen.map((i) => [i, columns[i][3] / total[columns[i][2]] / share]),
      });
      const single =
        languages.length > 1
          ? languages.map((language) =>
              named(
                language,
                members.filter((i) => columns[i][2] === language),
                1,
              ),
            )
          : [];
      return [...single, named("mean", members, languages.length)];
    });
  };

  // What each question adds to each quantity: the quantity is the sum. (statistics.contributions)
  const contributions = (columns, quantities) => {
    const n = columns.map((column) => column.reduce((count, value) => count + !Number.isNaN(value), 0));
    return quantities.map(({ weights }) => {
      const part = new Float64Array(columns[0].length);
      for (const [i, weight] of weights) {
        const column = columns[i],
          scale = weight / Math.max(n[i], 1);
        for (let q = 0; q < part.length; q++) if (!Number.isNaN(column[q])) part[q] += column[q] * scale;
      }
      return part;
    });
  };

  // For each byte of a draw and each of its 256 values, the sum of the questions that it flips.
  const tableOf = (part, lastFirst) => {
    const nBytes = Math.ceil(part.length / 8),
      table = new Float64Array(nBytes * 256);
    for (let b = 0; b < nBytes; b++) {
      for (let bit = 0; bit < 8; bit++) {
        const value = part[8 * b + (lastFirst ? 7 - bit : bit)] || 0;
        for (let code = 1 << bit; code < 2 << bit; code++) {
          table[256 * b + code] = table[256 * b + code - (1 << bit)] + value;
        }
      }
    }
    return table;
  };

  // Chunks of draws, a row of bytes for each: all of them if they are few, else random ones.
  function* flips(nQuestions, draws, seed) {
    const nBytes = Math.ceil(nQuestions / 8);
    if (2 ** nQuestions <= draws) {
      const all = new Uint8Array(2 ** nQuestions * nBytes);
      for (let code = 0; code < 2 ** nQuestions; code++) {
        for (let b = 0; b < nBytes; b++) all[code * nBytes + b] = code >>> (8 * b);
      }
      yield all;
      return;
    }
    const random = new Generator(seed);
    for (let start = 0; start < draws; start += CHUNK) yield random.bytes(Math.min(CHUNK, draws - start) * nBytes);
  }

  // The two-sided p-value of each quantity's difference. (statistics.p_values)
  const pValues = (parts, draws, seed) => {
    const nQuestions = parts[0].length,
      nBytes = Math.ceil(nQuestions / 8),
      exact = 2 ** nQuestions <= draws;
    const tests = parts.map((part) => {
      const total = sum(part),
        reached = Math.abs(total) - TOLERANCE * sum(part.map(Math.abs));
      const likely = reached ** 2 / 2 <= sum(part.map((d) => d * d)) * Math.log((2 * draws) / NEGLIGIBLE);
      return { total, reached, hits: 0, drawn: likely || exact ? 0 : draws, tried: likely || exact, part };
    });
    let tried = tests.filter((test) => test.tried);
    for (const test of tried) test.table = tableOf(test.part, !exact);
    for (const chunk of flips(nQuestions, draws, seed)) {
      const n = chunk.length / nBytes;
      for (const test of tried) {
        for (let i = 0; i < chunk.length; i += nBytes) {
          let flipped = 0;
          for (let b = 0; b < nBytes; b++) flipped += test.table[256 * b + chunk[i + b]];
          test.hits += Math.abs(test.total - 2 * flipped) >= test.reached;
        }
        test.drawn += n;
      }
      tried = tried.filter((test) => test.hits < ENOUGH || test.drawn < DRAWS);
      if (!tried.length) break;
    }
    return tests.map(({ hits, drawn }) => (exact ? hits / drawn : (1 + hits) / (1 + drawn)));
  };

  // (statistics.holm)
  const holm = (p) => {
    const adjusted = new Array(p.length);
    let least = 0;
    range(p.length)
      .sort((a, b) => p[a] - p[b] || a - b)
      .forEach((index, i) => {
        least = Math.max(least, p[index] * (p.length - i));
        adjusted[index] = Math.min(least, 1);
      });
    return adjusted;
  };

  const percentile = (sorted, share) => {
    const at = (sorted.length - 1) * share,
      before = Math.floor(at),
      t = at - before;
    const low = sorted[before],
      high = sorted[Math.min(before + 1, sorted.length - 1)];
    return t < 0.5 ? low + (high - low) * t : high - (high - low) * (1 - t);
  };

  // The interval of each quantity's difference. (statistics.difference_intervals)
  const intervals = (changes, quantities, seed) => {
    const nQuestions = changes[0].length,
      random = new Generator(seed),
      counts = new Float64Array(nQuestions);
    const asked = changes.map((change) => change.map((value) => Number(!Number.isNaN(value))));
    const values = changes.map((change) => change.map((value) => (Number.isNaN(value) ? 0 : value)));
    const whole = asked.map((column) => column.every(Boolean));
    const means = quantities.map(() => []),
      found = new Float64Array(changes.length);
    for (let r = 0; r < RESAMPLES; r++) {
      counts.fill(0);
      for (let i = 0; i < nQuestions; i++) counts[random.below(nQuestions)]++;
      values.forEach((column, c) => {
        let total = 0,
          n = 0;
        for (let q = 0; q < nQuestions; q++) total += counts[q] * column[q];
        if (whole[c]) n = nQuestions;
        else for (let q = 0; q < nQuestions; q++) n += counts[q] * asked[c][q];
        found[c] = total / n;
      });
      quantities.forEach(({ weights }, k) => {
        let total = 0,
          weight = 0;
        for (const [i, w] of weights)
          if (!Number.isNaN(found[i])) {
            total += found[i] * w;
            weight += w;
          }
        if (weight) means[k].push(total / weight);
      });
    }
    return means.map((drawn) => {
      const sorted = Float64Array.from(drawn).sort();
      return [ALPHA / 2, 1 - ALPHA / 2].map((share) => Math.round(percentile(sorted, share) * 1e6) / 1e6);
    });
  };

  // The mean difference of a question divided by its standard deviation. (statistics.effect_sizes)
  const effectSize = (part, present) => {
    const kept = part.filter((_, q) => present[q]),
      mean = sum(part) / kept.length;
    const spread = Math.sqrt(sum(kept.map((d) => (d - mean) ** 2)) / (kept.length - 1));
    return spread > TOLERANCE * Math.max(...part.map(Math.abs)) ? mean / spread : NaN;
  };

  // All differences of a model from the baseline, as `xlbench compare BASELINE MODEL` has them. (comparison.compare)
  const compare = (baseline, model, { columns, lower, seed }) => {
    const quantities = quantitiesOf(columns);
    const [before, after] = [baseline, model].map((values) => contributions(values, quantities));
    const parts = after.map((part, k) => part.map((value, q) => value - before[k][q]));
    const enough = Math.min(Math.ceil((50 * parts.length) / ALPHA), MANY_DRAWS);
    const draws = Math.max(DRAWS, enough, Math.ceil((2 * parts.length) / ALPHA));
    const p = pValues(parts, draws, seed),
      adjusted = holm(p);
    const bound = Math.max(0, ...adjusted.filter((_, k) => p[k] <= 1 / (1 + draws)));
    const changes = model.map((column, c) => column.map((value, q) => value - baseline[c][q]));
    const ends = intervals(changes, quantities, seed);
    const differences = quantities.map(({ measure, kind, name, weights }, k) => {
      const present = baseline[0].map((_, q) => Number(weights.some(([i]) => !Number.isNaN(baseline[i][q]))));
      const [from, to] = [sum(before[k]), sum(after[k])],
        gain = lower.includes(measure) ? from - to : to - from;
      const verdict = adjusted[k] > ALPHA ? "cannot be told apart" : gain > 0 ? "better" : "worse";
      return {
        measure,
        kind,
        name,
        baseline: from,
        value: to,
        low: ends[k][0],
        high: ends[k][1],
        p: p[k],
        adjusted: adjusted[k],
        isBound: adjusted[k] <= bound,
        effect: effectSize(parts[k], present),
        questions: sum(present),
        verdict,
      };
    });
    return { differences, draws, resamples: RESAMPLES, alpha: ALPHA };
  };

  return { Generator, compare };
})();

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  self.addEventListener("message", ({ data }) => {
    self.postMessage(stats.compare(data.baseline, data.model, data));
  });
}
