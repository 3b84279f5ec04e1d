"use strict";
// The table of models: its columns and cells, on DataTables, which sorts, searches and pages.
site.table = (() => {
  const { element, number, between, isBias, columnName } = site;
  const HEADS = {
    rank: ["rank"],
    model: ["model"],
    size: ["size", "parameters"],
    speed: ["encoding", "texts a second"],
    licence: ["licence"],
    level: ["checked"],
    choose: ["compare"],
  };
  const LEVELS = ["deep-verified", "sample-verified", "verified"];
  const FIGURES = [0, 1, 2, 3, 4];
  // RankDistance, of which less is better, and LPR, of which the most is nobody's best.
  const FIRST_ASCENDING = [3, 4];

  const small = (text, name) => (text ? element("small", name ? { class: name } : {}, text) : null);

  // A value with its interval below.
  const figure = (values, measure) => {
    if (!values) return element("span");
    const [value, low, high] = values;
    const shown = element("span", { class: "value" }, number(value, measure));
    return element("span", {}, shown, small(between(low, high, measure)));
  };

  // A model's name, which leads to its page, with what a reader has to know of it.
  const name = (model, { why, trained, baseline }) => {
    const notes = [why, trained === "yes" ? "trained on evaluation data" : ""].filter(Boolean).join("; ");
    const link = element("a", { href: site.pageOf(model) }, element("bdi", {}, model.label));
    return element("span", { class: "model" }, link, small(baseline ? "baseline" : ""), small(notes, "warn"));
  };

  const million = (parameters) => {
    if (parameters === null) return "";
    const [value, unit] = parameters >= 1e9 ? [parameters / 1e9, "B"] : [parameters / 1e6, "M"];
    return `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
  };

  // Missing values stand last, whichever way the others are sorted.
  const last = (sign) => (a, b) => (a === null || b === null ? (a === null) - (b === null) : sign * (a - b));
  DataTable.type("figure", { detect: () => false, order: { asc: last(1), desc: last(-1) } });

  // A column of numbers: `value` is what it is sorted by, `show` what a cell has.
  const numbers = (key, { value, show, ascending = false, ...more }) => ({
    name: key,
    type: "figure",
    searchable: false,
    orderSequence: ascending ? ["asc", "desc"] : ["desc", "asc"],
    render: (_, type, row) => (type === "display" ? show(row) : (value(row) ?? null)),
    ...more,
  });
  const texts = (key, { value, show, ...more }) => ({
    name: key,
    type: "string",
    className: "t",
    searchable: false,
    orderSequence: ["asc", "desc"],
    render: (_, type, row) => (type === "display" ? show(row) : value(row, type)),
    ...more,
  });

  // `measures()` are those of the figures of the task that is shown, `choose(row)` the box that chooses a model.
  const columnsOf = ({ measures, choose }) => [
    numbers("rank", {
      value: ({ rank }) => rank,
      // Of a model that was not run again it is provisional.
      show: ({ rank, row }) => (rank && row.level === "verified" ? `(${rank})` : String(rank ?? "–")),
      ascending: true,
      className: "rank",
    }),
    texts("model", {
      value: ({ model, row }, type) =>
        type === "sort" ? model.label.toLowerCase() : `${model.label} ${row.submitter} ${row.licence}`,
      show: ({ model, row }) => name(model, row),
      className: "t name",
      cellType: "th",
      searchable: true,
    }),
    ...FIGURES.map((i) =>
      numbers(`c${i}`, {
        value: ({ values }) => values[i]?.[0],
        show: ({ values }) => figure(values[i], measures()[i]),
        ascending: FIRST_ASCENDING.includes(i),
        className: `figure c${i}`,
        createdCell: (td, _, { values }) => {
          if (values[i] && !isBias(measures()[i])) td.style.setProperty("--w", `${(100 * values[i][0]).toFixed(1)}%`);
        },
      }),
    ),
    numbers("size", {
      className: "about",
      value: ({ row }) => row.parameters,
      show: ({ row }) => million(row.parameters),
      ascending: true,
    }),
    numbers("speed", {
      className: "about",
      value: ({ row }) => row.speed,
      show: ({ row }) => row.speed?.toLocaleString("en", { maximumSignificantDigits: 3 }) ?? "",
    }),
    texts("licence", {
      value: ({ row }) => row.licence,
      show: ({ row }) => element("bdi", {}, row.licence),
      className: "t wrap about",
    }),
    texts("level", {
      value: ({ row }) => String(LEVELS.indexOf(row.level)),
      show: ({ row }) => element("span", { class: `badge ${row.level}` }, row.level),
      className: "t about",
    }),
    texts("choose", { value: () => "", show: choose, orderable: false }),
  ];

  const headsOf = (columns) =>
    columns.map(({ name: key, className }) => {
      // A figure's heading is filled in when its task is shown.
      const [title, note] = HEADS[key] ?? ["", " "];
      const attributes = { scope: "col", class: className ?? null };
      return element("th", attributes, element("span", { class: "head" }, title), small(note));
    });

  const made = (place, given) => {
    const columns = columnsOf(given).map((each) => ({ data: null, ariaTitle: HEADS[each.name]?.join(", "), ...each }));
    const caption = element("caption", { class: "hidden" });
    const table = element("table", {}, caption, element("thead", {}, element("tr", {}, headsOf(columns))));
    place.append(element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Models" }, table));
    const shown = new DataTable(table, {
      columns,
      data: [],
      order: [],
      pageLength: 100,
      autoWidth: false,
      deferRender: true,
      typeDetect: false,
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: { paging: { firstLast: false } } },
      language: { emptyTable: "No model fits.", zeroRecords: "No model fits." },
      createdRow: (tr) => tr.querySelector("th").setAttribute("scope", "row"),
    });

    // The headings of a task's figures; `has(i)` is whether any model has them, `main` the one that is ranked by.
    const head = (task, { main, has }) => {
      caption.textContent = `Models on ${task.title}`;
      table.className = `board barred dataTable main-${main}`;
      task.columns.forEach((each, i) => {
        const column = shown.column(`c${i}:name`);
        const { about, short } = task.measures[each[1]];
        const head = column.header();
        head.querySelector(".head").textContent = columnName(each);
        head.querySelector("small").textContent = short;
        head.title = about;
        shown.settings()[0].columns[column.index()].ariaTitle = `${columnName(each)}, ${short}`;
        column.visible(has(i), false);
      });
    };

    // The rows that fit a search, sorted by `order`, ["c2", "desc"], or as they are if it is null; gives those shown.
    const fill = (rows, { search, order }) => {
      if (order) shown.order([columns.findIndex((each) => each.name === order[0]), order[1]]);
      shown.clear().rows.add(rows).search(search).draw();
      return shown.rows({ search: "applied" }).data().toArray();
    };

    const order = () => {
      const [[at, direction] = []] = shown.order();
      return at === undefined ? null : [columns[at].name, direction];
    };
    const known = ([key, direction]) =>
      columns.some((each) => each.name === key) && ["asc", "desc"].includes(direction);
    return {
      head,
      fill,
      order,
      known,
      on: (event, call) => shown.on(event, call),
      boxes: () => table.querySelectorAll("input"),
    };
  };

  return { made, figure, name };
})();
