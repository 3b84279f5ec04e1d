"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Sorting: by the full value in data-v where there is one, else by text; what is not there stays last.
  const keyOf = (row, column) => {
    const cell = row.children[column];
    return cell.dataset.v === undefined ? cell.firstChild.textContent.trim() : Number(cell.dataset.v);
  };
  const sort = (head) => {
    const table = head.closest("table"), column = head.cellIndex, body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [keyOf(row, column), row]);
    const numeric = keyed.some(([key]) => typeof key === "number");
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const missing = ([key]) => (numeric ? typeof key !== "number" : key === "");
    keyed.sort((a, b) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      return sign * (numeric ? a[0] - b[0] : a[0].localeCompare(b[0], "en"));
    });
    all("thead th", table).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    body.append(...keyed.map(([, row]) => row));
  };
  all("table.sortable thead button").forEach((button) => {
    button.addEventListener("click", () => sort(button.closest("th")));
  });

  // The language filter: rows and columns of a language are hidden together.
  const form = document.querySelector(".filter");
  if (form) {
    const boxes = all("input", form);
    const apply = () => {
      const hidden = new Set(boxes.filter((box) => !box.checked).map((box) => box.value));
      all("tr[data-l]").forEach((row) => { row.hidden = hidden.has(row.dataset.l); });
      all("table").filter((table) => table.querySelector("thead th[data-l]")).forEach((table) => {
        const heads = [...table.tHead.rows[0].cells];
        heads.forEach((head, column) => {
          if (head.dataset.l === undefined) return;
          all("tr", table).forEach((row) => { row.cells[column].hidden = hidden.has(head.dataset.l); });
        });
      });
      form.querySelector("[role=status]").textContent =
        hidden.size ? `${boxes.length - hidden.size} of ${boxes.length}; means are of all.` : "";
    };
    form.addEventListener("change", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    all("button", form).forEach((button) => button.addEventListener("click", () => {
      boxes.forEach((box) => { box.checked = Boolean(button.dataset.all); });
      apply();
    }));
    // A browser may remember the boxes of an earlier visit.
    apply();
  }

  all(".copy").forEach((button) => button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }));

  // Where a link leads into what is folded, it is opened.
  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    all(":scope > .part", target).forEach((part) => { part.open = true; });
    for (let at = target.closest(".part"); at; at = at.parentElement.closest(".part")) at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  all('aside a[href^="#"]').forEach((link) => link.addEventListener("click", () => setTimeout(unfold)));
  unfold();

  if (matchMedia("(max-width: 900px)").matches) {
    all(".fold").forEach((fold) => { fold.open = false; });
  }
})();
