"use strict";
// Models in the plane of two settings, as SVG whose circles are links. The table has the same numbers for those who do not
// see it, so that circles take no place in the order of the keyboard.
site.plane = (() => {
  const { element, number } = site;
  const WIDTH = 920;
  const HEIGHT = 520;
  const EDGE = { left: 56, right: WIDTH - 20, top: 16, bottom: HEIGHT - 48 };
  const FEW = 12;
  const LETTER = 6.6; // Its width in pixels, about.
  const LINE = 15;

  // From the least to the greatest value with a margin, within what a measure of retrieval can have.
  const spread = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = (high - low) * 0.07 || 0.05;
    return [Math.max(0, low - margin), Math.min(1, high + margin)];
  };
  const scale = ([low, high], [from, to]) => {
    const at = (value) => from + ((value - low) / (high - low)) * (to - from);
    const step = [0.01, 0.02, 0.05, 0.1].find((each) => (high - low) / each <= 8) ?? 0.2;
    const first = Math.ceil(low / step);
    const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
    return Object.assign(at, { low, high, ticks });
  };

  const grid = (atX, atY) => {
    const { left, right, top, bottom } = EDGE;
    const text = (at) => number(at, "AP").slice(0, 3);
    const line = (ends) => element("line", { class: "grid", ...ends });
    const tick = (places, at) => element("text", { class: "tick", ...places }, text(at));
    return [
      ...atX.ticks.flatMap((at) => [
        line({ x1: atX(at), x2: atX(at), y1: top, y2: bottom }),
        tick({ x: atX(at), y: bottom + 20, "text-anchor": "middle" }, at),
      ]),
      ...atY.ticks.flatMap((at) => [
        line({ x1: left, x2: right, y1: atY(at), y2: atY(at) }),
        tick({ x: left - 8, y: atY(at) + 4, "text-anchor": "end" }, at),
      ]),
    ];
  };

  // The line on which a model has the same in both.
  const diagonal = (atX, atY) => {
    const [from, to] = [Math.max(atX.low, atY.low), Math.min(atX.high, atY.high)];
    if (from >= to) return [];
    return [element("line", { class: "same", x1: atX(from), y1: atY(from), x2: atX(to), y2: atY(to) })];
  };

  const circle = (point, names) => {
    const told = [point.label, `${names.x} ${number(point.x, "AP")}`, `${names.y} ${number(point.y, "AP")}`];
    if (point.size !== null) told.push(`${names.size} ${number(point.size, names.size)}`);
    const shape = { cx: point.cx, cy: point.cy, r: point.r };
    const link = { href: point.href, tabindex: -1 };
    if (point.baseline) shape.class = "baseline";
    return element("svg:a", link, element("circle", shape, element("title", {}, told.join("\n"))));
  };

  // Names only of those that no other beats in both, or of all if they are few; never one upon another.
  const labels = (points) => {
    const beats = (a, b) => a.x >= b.x && a.y >= b.y && (a.x > b.x || a.y > b.y);
    const named = points.length <= FEW ? [...points] : points.filter((a) => !points.some((b) => beats(b, a)));
    const taken = [];
    return named
      .sort((a, b) => b.y - a.y)
      .flatMap(({ label, cx, cy, r }) => {
        const text = label.length > 40 ? `${label.slice(0, 39)}…` : label;
        const long = text.length * LETTER;
        const leftwards = cx > WIDTH * 0.66;
        const start = leftwards ? cx - r - 5 - long : cx + r + 5;
        const end = start + long;
        const meets = (other, at) => start < other.end && other.start < end && Math.abs(other.at - at) < LINE;
        const free = (at) => at > EDGE.top + 8 && at < EDGE.bottom && !taken.some((other) => meets(other, at));
        const at = [4, 18, -10, 32, -24].map((shift) => cy + shift).find(free);
        if (at === undefined) return [];
        taken.push({ start, end, at });
        const place = leftwards ? { x: end, "text-anchor": "end" } : { x: start };
        return [element("text", { class: "name", y: at, ...place }, text)];
      });
  };

  // `points` have `x`, `y`, `size` (null for none), `label` and `href`; `names` are those of the three measures.
  return (place, points, names) => {
    if (!points.length) {
      place.replaceChildren(element("p", { class: "how" }, "No model that is shown has both."));
      return;
    }
    const atX = scale(spread(points.map(({ x }) => x)), [EDGE.left, EDGE.right]);
    const atY = scale(spread(points.map(({ y }) => y)), [EDGE.bottom, EDGE.top]);
    const most = Math.max(...points.map(({ size }) => size ?? 0)) || 1;
    const placed = points.map((point) => {
      const r = 4 + 15 * Math.sqrt((point.size ?? 0) / most);
      return { ...point, cx: atX(point.x), cy: atY(point.y), r };
    });
    const told = `${names.y} against ${names.x} of ${points.length} models; the table above has the numbers`;
    const svg = element(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": told },
      grid(atX, atY),
      diagonal(atX, atY),
      element("text", { class: "axis", x: EDGE.right, y: HEIGHT - 8, "text-anchor": "end" }, `${names.x} →`),
      element("text", { class: "axis", x: EDGE.left + 6, y: EDGE.top + 12 }, `↑ ${names.y}`),
      // Large circles lie below small ones, so that none is hidden.
      [...placed].sort((a, b) => b.r - a.r).map((point) => circle(point, names)),
      labels(placed),
    );
    const frame = { class: "scroll", tabindex: 0, role: "group", "aria-label": `${names.y} against ${names.x}` };
    place.replaceChildren(element("div", frame, svg));
  };
})();
