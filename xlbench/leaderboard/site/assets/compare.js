"use strict";
(() => {
  const { element, number, between, options } = site;
  const { tasks, lower, measures } = site.data();
  const form = document.querySelector(".controls"),
    state = document.querySelector(".state"),
    found = document.getElementById("found");
  const how = document.getElementById("how");
  const FIRST = { task: tasks[0].key, a: "", b: "" };
  let view = site.readView(FIRST);
  const task = () => tasks.find(({ key }) => key === view.task) ?? tasks[0];

  const explained = (measure) => `${measures[measure].about} ${measures[measure].short}.`;
  const selects = () => [...form.querySelectorAll("select[name=b]")];

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
  const tableOf = (title, differences, level) => {
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
      element(level, {}, title),
      element("p", { class: "how" }, explained(differences[0].measure)),
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

  const titleOf = (d) =>
    site.isBias(d.measure)
      ? d.measure
      : `${site.KINDS[d.kind][0].toUpperCase()}${site.KINDS[d.kind].slice(1)} ${d.measure}`;
  const tablesOf = (result, level) => {
    const groups = new Map();
    for (const d of result.differences) groups.set(titleOf(d), [...(groups.get(titleOf(d)) ?? []), d]);
    return [...groups].map(([title, differences]) => tableOf(title, differences, level));
  };
  const verdictOf = (d) => element("span", { class: `verdict v${d.verdict[0]}` }, VERDICTS[d.verdict]);

  // Means of all models side by side, each with its verdict against the baseline.
  const sideBySide = (a, compared) => {
    const of = ({ result }) => (result.reason ? [] : result.differences.filter(({ name }) => name === "mean"));
    const titles = [...new Set(compared.flatMap((each) => of(each).map(titleOf)))];
    const label = "Means over languages side by side";
    const row = (title) => {
      const differences = compared.map((each) => of(each).find((d) => titleOf(d) === title));
      const { baseline, measure } = differences.find(Boolean);
      const cells = differences.map((d) =>
        d
          ? element("td", {}, element("span", {}, number(d.value, measure)), element("small", {}, verdictOf(d)))
          : element("td", {}, "–"),
      );
      const head = element("th", { scope: "row" }, title, element("small", {}, measures[measure].short));
      return element("tr", {}, head, element("td", {}, number(baseline, measure)), cells);
    };
    const heads = [a, ...compared.map(({ b }) => b)].map((model, i) =>
      element("th", { scope: "col" }, element("bdi", {}, model.label), i ? null : element("small", {}, "baseline")),
    );
    return element(
      "section",
      {},
      element("h2", {}, label),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
        element(
          "table",
          { id: "side" },
          element("caption", { class: "hidden" }, label),
          element("thead", {}, element("tr", {}, element("td"), heads)),
          element("tbody", {}, titles.map(row)),
        ),
      ),
    );
  };
  const folded = (a, { result, b }) => {
    const title = element("h2", {}, element("bdi", {}, b.label), " against ", element("bdi", {}, a.label));
    const said = result.reason ? `These two cannot be compared: ${result.reason}` : sentence(result, a, b);
    const body = result.reason ? [] : tablesOf(result, "h3");
    return element("details", { class: "part" }, element("summary", {}, title), element("p", {}, said), body);
  };

  const show = (a, compared) => {
    const [{ result, b }] = compared;
    if (compared.length > 1) {
      state.replaceChildren(
        `${compared.length} models against `,
        element("bdi", {}, a.label),
        ". The figures of each by language are below.",
      );
      found.replaceChildren(sideBySide(a, compared), ...compared.map((each) => folded(a, each)));
    } else {
      state.replaceChildren(...sentence(result, a, b));
      found.replaceChildren(...tablesOf(result, "h2"));
    }
    const shown = compared.find((each) => !each.result.reason)?.result;
    if (!shown) return;
    how.textContent =
      `The range below a difference is its 95 % interval, by a bootstrap of ${shown.resamples.toLocaleString("en")} draws of ` +
      `${shown.clusters}. p: paired randomisation test (at most ${shown.draws.toLocaleString("en")} draws) that swaps all values of one ${shown.unit} between ` +
      `the two models, corrected by Holm's method for the ${shown.differences.length} differences of these two; verdicts have p up to ${String(shown.alpha).slice(1)}. d_z: ` +
      "mean difference of a question divided by its standard deviation. These are the figures of `xlbench compare BASELINE MODEL`: the " +
      "draws are the same. A rank on the board corrects for all pairs of its models, so that two that are told apart here may share one there.";
    how.hidden = false;
  };

  const fail = (text) => {
    state.replaceChildren(element("span", { class: "warning" }, text));
  };

  const modelsOf = (keys) => keys.split(",").map((key) => task().models.find((each) => each.key === key));

  let asked = 0;
  const update = async () => {
    const number_ = ++asked;
    const [a] = modelsOf(view.a),
      others = modelsOf(view.b).filter(Boolean);
    site.keepView(view, FIRST);
    found.replaceChildren();
    how.hidden = true;
    if (!a || !others.length) {
      state.textContent = "Choose two models.";
      return;
    }
    if (others.includes(a)) {
      state.textContent = "A model is not compared with itself: these are one and the same. Choose another.";
      return;
    }
    state.textContent = "Reading …";
    if (location.protocol === "file:") {
      fail(
        "A browser lets no page read files beside it: put the site on a web server, or use `xlbench leaderboard serve`.",
      );
      return;
    }
    let compared;
    try {
      compared = await Promise.all(others.map(async (b) => ({ b, result: await read(a, b) })));
    } catch (error) {
      if (number_ === asked) fail(`The comparison could not be read (${error.message}). Load the page again.`);
      return;
    }
    if (number_ !== asked) return;
    if (others.length === 1 && compared[0].result.reason)
      fail(`These two cannot be compared: ${compared[0].result.reason}`);
    else show(a, compared);
  };

  const fill = () => {
    view.task = options(
      form.elements.task,
      tasks.map(({ key, title }) => [key, title]),
      view.task,
    );
    const choices = task().models.map(({ key, label }) => [key, label]);
    view.a = options(form.elements.a, choices, view.a);
    const known = modelsOf(view.b).filter(Boolean);
    const other = task().models.find(({ key }) => key !== view.a);
    const chosen = [...new Set(known.length && view.b !== view.a ? known : [other].filter(Boolean))];
    const place = form.querySelector(".models");
    place.replaceChildren(
      ...chosen.slice(0, site.MOST_COMPARED).map(({ key }, i) => {
        const select = element("select", { name: "b" });
        options(select, i ? [["", "(take it out)"], ...choices] : choices, key);
        return element("label", {}, element("span", {}, i ? `Model ${i + 1}` : "Model"), select);
      }),
    );
    view.b = chosen.map(({ key }) => key).join(",");
    form.querySelector(".add").disabled = chosen.length >= Math.min(site.MOST_COMPARED, choices.length - 1);
  };
  form.addEventListener("input", ({ target }) => {
    if (target.name === "b") {
      view.b = [...new Set(selects().map(({ value }) => value))].filter(Boolean).join(",");
      if (selects().length !== view.b.split(",").length) fill();
    } else view[target.name] = target.value;
    if (target.name === "task") fill();
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector(".add").addEventListener("click", () => {
    const used = [view.a, ...view.b.split(",")];
    const next = task().models.find(({ key }) => !used.includes(key));
    if (!next) return;
    view.b = [...view.b.split(","), next.key].filter(Boolean).join(",");
    fill();
    selects().at(-1).focus();
    update();
  });
  form.querySelector(".swap").addEventListener("click", () => {
    const [first, ...rest] = view.b.split(",");
    [view.a, view.b] = [first, [view.a, ...rest].join(",")];
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
