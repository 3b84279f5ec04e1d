"use strict";
// What the pages share. Texts become text nodes and attributes only: nothing of a submission is ever parsed as HTML.
const site = (() => {
  const SVG = ["svg", "svg:a", "circle", "line", "text", "title"];
  const element = (name, attributes = {}, ...children) => {
    const made = SVG.includes(name)
      ? document.createElementNS("http://www.w3.org/2000/svg", name.replace("svg:", ""))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      // Not the attribute, which a stricter policy would refuse.
      if (key === "style") made.style.cssText = value;
      else if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== ""));
    return made;
  };

  const data = () => JSON.parse(document.getElementById("data").textContent);

  // As reports.cells.number shows a value, with a true minus.
  const DECIMALS = { RankDistance: 0, MaxRankNorm: 1 };
  const number = (value, measure) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "";
    const decimals = DECIMALS[measure] ?? 3;
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals, roundingMode: "halfEven" };
    const shown = value.toLocaleString("en", digits);
    return shown
      .replace(/^-?0(?=\.)/, (zero) => zero.replace("0", ""))
      .replace(/^-(?=[.0]*$)/, "")
      .replace("-", "−");
  };
  const between = (low, high, measure) => {
    if (low === null || low === undefined) return "";
    const ends = [low, high].map((end) => number(end, measure));
    return ends.join(ends.some((end) => end.startsWith("−")) ? " to " : " – ");
  };
  const KINDS = { mono: "monolingual", cross: "cross-lingual", multi: "multilingual" };
  const isBias = (measure) => ["RankDistance", "LPR"].includes(measure);
  const columnName = ([kind, measure]) => (isBias(measure) ? measure : `${KINDS[kind]} ${measure}`);

  // The view is kept in the address, after the '#': what is as it is at first is left out.
  const readView = (first) => {
    const given = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(Object.entries(first).map(([key, value]) => [key, given.get(key) ?? value]));
  };
  const keepView = (view, first) => {
    const changed = Object.entries(view).filter(([key, value]) => value !== first[key]);
    const hash = new URLSearchParams(changed).toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : "#");
  };

  const options = (select, choices, chosen) => {
    select.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
    select.value = choices.some(([value]) => value === chosen) ? chosen : (choices[0]?.[0] ?? "");
    return select.value;
  };

  const pageOf = (model) => `models/${encodeURIComponent(model.key)}.html`;

  const MOST_COMPARED = 8;

  return {
    element, data, number, between, KINDS, isBias, columnName, readView, keepView, options, pageOf, MOST_COMPARED,
  };
})();
