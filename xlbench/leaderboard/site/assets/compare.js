"use strict";
(() => {
  const { element, number, between, options } = site;
  const { tasks, lower } = site.data();
  const form = document.querySelector(".controls"),
    state = document.querySelector(".state"),
    found = document.getElementById("found");
  const how = document.getElementById("how");
  const FIRST = { task: tasks[0].key, a: "", b: "" };
  let view = site.readView(FIRST);
  const task = () => tasks.find(({ key }) => key === view.task) ?? tasks[0];

  // The file has the first model of the task's list as the baseline; the other way round all differences turn.
  const TURNED = { better: "worse", worse: "better" };
  const turn = (d) => ({
    ...d,
    baseline: d.value,
    value: d.baseline,
    low: -d.high,
    high: -d.low,
    effect: d.effect === null ? null : -d.effect,
    verdict: TURNED[d.verdict] ?? d.verdict,
  });
  const read = async (a, b) => {
    const keys = task().models.map(({ key }) => key),
      turned = keys.indexOf(a.key) > keys.indexOf(b.key);
    const [one, other] = turned ? [b, a] : [a, b];
    const answer = await fetch(`data/${task().key}/${one.key}--${other.key}.json`);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const result = await answer.json();
    return turned && result.differences ? { ...result, differences: result.differences.map(turn) } : result;
  };

  const p = ({ adjusted, isBound }) => {
    if (adjusted < 0.001) return "<.001";
    return (isBound ? "≤" : "") + number(adjusted, "p");
  };
  const VERDICTS = { better: "▲ better", worse: "▼ worse", equivalent: "= equivalent", "cannot be told apart": "not told apart" };
  const signed = (value, measure) => {
    const text = number(value, measure);
    return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
  };

  // The difference with its interval on a line that is as long as the greatest of the table.
  const scale = ({ low, high, baseline, value }, most) => {
    const at = (x) => (50 + (50 * x) / most).toFixed(2);
    return element(
      "span",
      { class: "scale forest", "aria-hidden": "true" },
      element("i", { class: "zero" }),
      element("i", { class: "range", style: `left:${at(low)}%;width:${(at(high) - at(low)).toFixed(2)}%` }),
      element("i", { class: "dot", style: `left:${at(value - baseline)}%` }),
    );
  };
  const rowOf = (d, most) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, d.name),
      element("td", {}, number(d.baseline, d.measure)),
      element("td", {}, number(d.value, d.measure)),
      element(
        "td",
        {},
        element("span", {}, signed(d.value - d.baseline, d.measure)),
        element("small", {}, between(d.low, d.high, d.measure)),
      ),
      element("td", { class: "t" }, scale(d, most)),
      element("td", {}, d.effect === null ? "" : number(Math.round(d.effect * 100) / 100, "d").replace(/0$/, "")),
      element("td", {}, p(d)),
      element("td", { class: "t" }, element("span", { class: `verdict v${d.verdict[0]}` }, VERDICTS[d.verdict])),
      element("td", {}, d.questions.toLocaleString("en")),
    );
  const tableOf = (title, differences) => {
    // Differences that are of no account look so: the line is never shorter than a fiftieth of the measure's own.
    const least = lower.includes(differences[0].measure)
      ? 0.02 * Math.max(...differences.map(({ value }) => value))
      : 0.02;
    const most = Math.max(least, ...differences.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)])) || 1;
    const means = differences.filter(({ name }) => name === "mean"),
      others = differences.filter(({ name }) => name !== "mean");
    const heads = ["language", "baseline", "model", "difference", "", "d_z", "p", "verdict", "questions"];
    return element(
      "section",
      {},
      element("h2", {}, title),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": title },
        element(
          "table",
          {},
          element("caption", { class: "hidden" }, title),
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              heads.map((name, i) =>
                name
                  ? element("th", { scope: "col", class: i === 7 ? "t" : null }, name)
                  : element(
                      "td",
                      { class: "t" },
                      element(
                        "small",
                        {},
                        lower.includes(differences[0].measure) ? "← better · worse →" : "← worse · better →",
                      ),
                    ),
              ),
            ),
          ),
          element(
            "tbody",
            {},
            others.map((d) => rowOf(d, most)),
          ),
          element(
            "tfoot",
            {},
            means.map((d) => rowOf(d, most)),
          ),
        ),
      ),
    );
  };

  const sentence = ({ differences }, a, b) => {
    const parts = differences
      .filter(({ name }) => name === "mean")
      .map(
        (d) =>
          `${d.measure === "RankDistance" ? d.measure : `${site.KINDS[d.kind]} ${d.measure}`} ${d.verdict} (${signed(d.value - d.baseline, d.measure)})`,
      );
    return [element("bdi", {}, b.label), " against ", element("bdi", {}, a.label), `: ${parts.join(", ")}.`];
  };

  const show = (result, a, b) => {
    const groups = new Map();
    for (const d of result.differences) {
      const title = site.isBias(d.measure)
        ? d.measure
        : `${site.KINDS[d.kind][0].toUpperCase()}${site.KINDS[d.kind].slice(1)} ${d.measure}`;
      groups.set(title, [...(groups.get(title) ?? []), d]);
    }
    state.replaceChildren(...sentence(result, a, b));
    found.replaceChildren(...[...groups].map(([title, differences]) => tableOf(title, differences)));
    how.textContent =
      `The range below a difference is its 95 % interval, by a bootstrap of ${result.resamples.toLocaleString("en")} draws of ` +
      `${result.clusters}. p: paired randomisation test (at most ${result.draws.toLocaleString("en")} draws) that swaps all values of one ${result.unit} between ` +
      `the two models, corrected by Holm's method for the ${result.differences.length} differences; verdicts have p up to ${String(result.alpha).slice(1)}. d_z: ` +
      "mean difference of a question divided by its standard deviation. These are the figures of `xlbench compare BASELINE MODEL`: the " +
      "draws are the same. A rank on the board corrects for all pairs of its models, so that two that are told apart here may share one there.";
    how.hidden = false;
  };

  const fail = (text) => {
    state.replaceChildren(element("span", { class: "warning" }, text));
  };

  let asked = 0;
  const update = async () => {
    const number_ = ++asked;
    const { models } = task(),
      a = models.find(({ key }) => key === view.a),
      b = models.find(({ key }) => key === view.b);
    site.keepView(view, FIRST);
    found.replaceChildren();
    how.hidden = true;
    if (!a || !b) {
      state.textContent = "Choose two models.";
      return;
    }
    if (a === b) {
      state.textContent = "These are one and the same: choose another model.";
      return;
    }
    state.textContent = "Reading …";
    if (location.protocol === "file:") {
      fail(
        "A browser lets no page read files beside it: put the site on a web server, or use `xlbench leaderboard serve`.",
      );
      return;
    }
    let result;
    try {
      result = await read(a, b);
    } catch (error) {
      if (number_ === asked) fail(`The comparison could not be read (${error.message}). Load the page again.`);
      return;
    }
    if (number_ !== asked) return;
    if (result.reason) fail(`These two cannot be compared: ${result.reason}`);
    else show(result, a, b);
  };

  const fill = () => {
    view.task = options(
      form.elements.task,
      tasks.map(({ key, title }) => [key, title]),
      view.task,
    );
    const choices = task().models.map(({ key, label }) => [key, label]);
    view.a = options(form.elements.a, choices, view.a);
    view.b = options(
      form.elements.b,
      choices,
      view.b && view.b !== view.a ? view.b : (choices.find(([key]) => key !== view.a)?.[0] ?? ""),
    );
  };
  form.addEventListener("input", ({ target }) => {
    view[target.name] = target.value;
    if (target.name === "task") fill();
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector(".swap").addEventListener("click", () => {
    [view.a, view.b] = [view.b, view.a];
    fill();
    update();
  });
  window.addEventListener("hashchange", () => {
    view = site.readView(FIRST);
    fill();
    update();
  });
  fill();
  update();
})();
