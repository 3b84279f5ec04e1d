"use strict";
// The first page: what is chosen above is kept in the address, and shown in the table, the picture and the list of what
// was reported only.
(() => {
  const { element, columnName, options, table } = site;
  const { models, tasks } = site.data();
  const SIZES = [
    ["", "all"],
    ["0-50", "up to 50 M"],
    ["50-200", "50 to 200 M"],
    ["200-1000", "200 M to 1 B"],
    ["1000-", "over 1 B"],
    ["none", "without parameters"],
  ];
  const LEVELS = ["", "deep-verified", "sample-verified", "verified"].map((level) => [level, level || "all"]);
  const KINDS = ["mono", "cross", "multi"];
  const [MONO, MULTI, DISTANCE] = [0, 2, 3];
  const BEGINNING = { setting: "", language: "", size: "", licence: "", level: "", search: "", sort: "" };
  const FIRST = { task: tasks[0].key, ...BEGINNING };

  const form = document.querySelector(".controls");
  const chosen = new Set();
  let view = site.readView(FIRST);
  const task = () => tasks.find(({ key }) => key === view.task) ?? tasks[0];
  const settings = () => KINDS.filter((kind) => task().kinds.includes(kind));
  const setting = () => (settings().includes(view.setting) ? view.setting : settings().at(-1));
  const measures = () => task().columns.map(([, measure]) => measure);

  // Of a row the means over languages with their intervals, or the values of the language that is chosen.
  const valuesOf = ({ mean, by }) => {
    const at = task().languages.indexOf(view.language);
    return at < 0 ? mean : by[at].map((value) => (value === null ? null : [value, null, null]));
  };
  const inSize = (parameters) => {
    if (!view.size || parameters === null) return !view.size || view.size === "none";
    const [from, to] = view.size.split("-").map((end) => (end ? Number(end) * 1e6 : Infinity));
    return parameters > from && parameters <= to;
  };
  const fits = (row) =>
    row.level !== "reported" &&
    inSize(row.parameters) &&
    [row.licence, ""].includes(view.licence) &&
    [row.level, ""].includes(view.level);
  const rowsOf = () =>
    task()
      .rows.filter(fits)
      .map((row) => {
        const rank = view.language ? null : row.ranks[KINDS.indexOf(setting())];
        return { row, rank, model: models[row.model], values: valuesOf(row) };
      });

  // Models can be chosen, and then compared.
  const choose = ({ model }) => {
    const box = element("input", { type: "checkbox", "aria-label": `Choose ${model.label} for comparison` });
    box.checked = chosen.has(model.key);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(model.key);
      else chosen.delete(model.key);
      showChosen();
    });
    return box;
  };
  const board = table.made(document.getElementById("board"), { measures, choose });
  const showChosen = () => {
    const note = document.getElementById("chosen"),
      [a, ...others] = chosen;
    note.hidden = !a;
    const href = `compare.html#${new URLSearchParams({ task: task().key, a, b: others.join(",") })}`;
    const link = element("a", { class: "button", href }, `Compare the ${chosen.size} chosen models`);
    note.replaceChildren(others.length ? link : "Choose another model to compare with.");
    for (const box of board.boxes()) box.disabled = chosen.size >= site.MOST_COMPARED && !box.checked;
  };

  const reportedRows = () => {
    const at = task().languages.indexOf(view.language);
    const ofPapers = task().reported.map(({ label, source, form, mean, by }) => ({
      label: element("bdi", {}, label),
      source,
      form,
      values: at < 0 ? mean : by[at].map((value) => (value === null ? null : [value])),
    }));
    const submitted = task()
      .rows.filter(({ level }) => level === "reported")
      .map((row) => ({ label: table.name(models[row.model], row), source: row.submitter, form: "as here", values: valuesOf(row) }));
    return [...ofPapers, ...submitted].filter(({ values }) => values.some(Boolean));
  };
  const showReported = () => {
    const rows = reportedRows();
    document.getElementById("reported").hidden = !rows.length;
    const known = measures()
      .map((_, i) => i)
      .filter((i) => rows.some(({ values }) => values[i]));
    const text = (name) => element("th", { scope: "col", class: "t" }, name);
    const heads = [
      text("model"),
      ...known.map((i) => {
        const { short } = task().measures[measures()[i]];
        return element("th", { scope: "col" }, columnName(task().columns[i]), element("small", {}, short));
      }),
      text("form of the task"),
      text("source"),
    ];
    const body = rows.map(({ label, form, source, values }) => {
      const figures = known.map((i) => element("td", {}, table.figure(values[i], measures()[i])));
      const told = [form, source].map((text) => element("td", { class: "t wrap" }, text));
      return element("tr", {}, element("th", { scope: "row" }, label), figures, told);
    });
    document
      .querySelector("#reported table")
      .replaceChildren(
        element("caption", { class: "hidden" }, "Reported numbers"),
        element("thead", {}, element("tr", {}, heads)),
        element("tbody", {}, body),
      );
  };

  const showPlane = (rows) => {
    const points = rows
      .filter(({ values }) => values[MONO] && values[MULTI])
      .map(({ model, row, values }) => ({
        label: row.baseline ? `${model.label} (baseline)` : model.label,
        href: site.pageOf(model),
        x: values[MONO][0],
        y: values[MULTI][0],
        size: values[DISTANCE]?.[0] ?? null,
        baseline: row.baseline,
      }));
    const { headline } = task();
    const names = { x: `monolingual ${headline}`, y: `multilingual ${headline}`, size: "RankDistance" };
    site.plane(document.getElementById("plane"), points, names);
  };

  const say = (n) => {
    const total = task().rows.filter(({ level }) => level !== "reported").length;
    document.getElementById("count").textContent = `${n.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    document.getElementById("board-title").textContent = task().title;
    document.getElementById("how").textContent = view.language
      ? `Queries in ${view.language} only. Ranks are of the means over all languages.`
      : `Ranked by ${site.KINDS[setting()]} ${task().headline}; a rank is 1 + the number of models that are significantly better.`;
  };

  // On a phone the board has the column that it is ranked by, or all when they are wanted or one of them sorts it.
  const columns = document.getElementById("columns");
  let allColumns = false;
  const showColumns = () => {
    const [sorted] = view.sort.split(":");
    const other = sorted && !["rank", "model", `c${KINDS.indexOf(setting())}`].includes(sorted);
    document.getElementById("board").classList.toggle("few", !allColumns && !other);
    columns.setAttribute("aria-pressed", String(allColumns || Boolean(other)));
    columns.disabled = Boolean(other);
  };
  columns.addEventListener("click", () => {
    allColumns = !allColumns;
    showColumns();
  });
  const showFigures = () => {
    for (const each of document.querySelectorAll(".of-task")) each.hidden = each.dataset.task !== task().key;
  };
  const showFilters = () => {
    const names = ["language", "size", "licence", "level", "search"];
    const used = names.filter((name) => view[name] !== FIRST[name]).length;
    document.querySelector(".more summary").textContent = used ? `Filters (${used})` : "Filters";
  };

  let filling = false;
  const update = () => {
    const has = (i) => task().rows.some(({ mean }) => mean[i]);
    const asked = view.sort.split(":");
    filling = true;
    board.head(task(), { main: setting(), has });
    const order = board.known(asked) ? asked : [`c${KINDS.indexOf(setting())}`, "desc"];
    const shown = board.fill(rowsOf(), { search: view.search, order });
    filling = false;
    say(shown.length);
    showPlane(shown);
    showReported();
    showChosen();
    showColumns();
    showFigures();
    showFilters();
    site.keepView(view, FIRST);
  };
  board.on("order", () => {
    if (filling) return;
    view.sort = board.order()?.join(":") ?? "";
    showColumns();
    site.keepView(view, FIRST);
  });
  // A page of the table that was not drawn before has boxes of its own.
  board.on("draw", showChosen);

  const showSettings = () => {
    const segments = settings().map((kind) => {
      const radio = element("input", { type: "radio", name: "setting", value: kind });
      radio.checked = kind === setting();
      return element("label", {}, radio, element("span", {}, site.KINDS[kind]));
    });
    const place = form.querySelector(".choice");
    place.replaceChildren(place.firstElementChild, element("div", { class: "segments" }, segments));
  };
  const fillForm = () => {
    const { elements } = form;
    const pairs = (texts) => texts.map((text) => [text, text]);
    view.task = options(
      elements.task,
      tasks.map(({ key, title }) => [key, title]),
      view.task,
    );
    showSettings();
    view.language = options(elements.language, [["", "mean of all"], ...pairs(task().languages)], view.language);
    view.size = options(elements.size, SIZES, view.size);
    const licences = [...new Set(task().rows.map(({ licence }) => licence))].sort();
    view.licence = options(elements.licence, [["", "all"], ...pairs(licences)], view.licence);
    view.level = options(elements.level, LEVELS, view.level);
    elements.search.value = view.search;
  };

  form.addEventListener("input", ({ target }) => {
    view[target.name] = target.value;
    // Another setting or task begins with the best in it.
    if (["setting", "task"].includes(target.name)) view.sort = "";
    if (target.name === "task") {
      chosen.clear();
      fillForm();
    }
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    view = { ...FIRST };
    chosen.clear();
    fillForm();
    update();
  });
  window.addEventListener("hashchange", () => {
    view = site.readView(FIRST);
    fillForm();
    update();
  });
  fillForm();
  update();
  requestAnimationFrame(() => performance.mark("drawn"));
})();
