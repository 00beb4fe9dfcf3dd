"use strict";
(() => {
  const { cells, places, labels, equations } = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("matrix");
  const dialog = document.getElementById("cell");
  const buttons = [...table.querySelectorAll("button")];

  // Every text goes in as text: nothing of a ledger is ever parsed.
  const make = (name, text = "", more = {}) => {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    for (const [key, value] of Object.entries(more)) node.setAttribute(key, value);
    return node;
  };
  const byTwo = (flat) => flat.flatMap((first, place) => place % 2 ? [] : [[first, flat[place + 1]]]);
  const facts = (flat) => {
    const list = make("dl", "", { class: "facts" });
    for (const [label, value] of byTwo(flat)) {
      const pair = make("div");
      pair.append(make("dt", labels[label]), make("dd", value));
      list.append(pair);
    }
    return list;
  };

  // A histogram: bars by powers of two, their heights by the logarithm of the count.
  const drawing = (name, more, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(more)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const bars = (title, flat, power) => {
    const bins = byTwo(flat), part = make("section");
    part.append(make("h3", title));
    if (!bins.length) {
      part.append(make("p", "none measured"));
      return part;
    }
    const inner = bins.map(([bin]) => bin).filter(Number.isFinite);
    const least = inner.length ? Math.min(...inner) : 0, most = inner.length ? Math.max(...inner) : 0;
    const slot = (bin) => bin === "-inf" ? 0 : bin === "inf" ? most - least + 4 : bin - least + 2;
    const name = (bin) => bin === "-inf" ? "0" : bin === "inf" ? "∞" : power(bin);
    const step = 340 / Math.max(most - least + 5, 16), tallest = Math.log(1 + Math.max(...bins.map(([, n]) => n)));
    const svg = drawing("svg", { viewBox: "0 0 340 92", class: "bars", role: "img", "aria-label": title });
    for (const [bin, count] of bins) {
      const height = Math.max(1, 70 * Math.log(1 + count) / tallest), x = slot(bin) * step;
      svg.append(drawing("rect", { x: x + step * 0.06, width: step * 0.88, y: 74 - height, height }));
    }
    let free = 0;
    for (const [bin] of bins) {
      const x = (slot(bin) + 0.5) * step;
      if (x < free || (bin !== "inf" && x > 305)) continue;
      svg.append(drawing("text", { x, y: 87, "text-anchor": "middle" }, name(bin)));
      free = x + 34;
    }
    const numbers = make("details");
    const counted = bins.map(([bin, count]) => `${name(bin)}: ${count.toLocaleString("en")}`);
    numbers.append(make("summary", "as numbers"), make("p", counted.join(", ")));
    part.append(svg, numbers);
    return part;
  };

  const worst = (title, found) => {
    const part = make("section");
    if (!found) return part;
    const [own, number, replay] = found, [text, more, note] = places[number];
    part.append(make("h3", title), facts([...own, ...more]), make("div", "case", { class: "label" }), make("pre", text));
    if (replay) part.append(make("div", "replay", { class: "label" }), make("pre", replay));
    part.append(make("small", labels[note]));
    return part;
  };

  const open = (cell) => {
    const bar = make("div", "", { class: "bar" });
    const close = make("button", "Close", { type: "button", class: "close" });
    close.addEventListener("click", () => dialog.close());
    bar.append(make("h2", `${cell.of.join(" ")}: ${cell.verdict}`, { id: "cell-title" }), close);
    const parts = [bar];
    if (equations[cell.of[2]]) parts.push(make("p", equations[cell.of[2]]));
    parts.push(...cell.said.map((text) => make("p", text, { class: "warning" })), facts(cell.counts));
    if (cell.errors.length || cell.shares.length) {
      const median = cell.median ? `, median ${cell.median}` : "";
      parts.push(
        worst("Worst error", cell.error),
        bars(`Errors in ulp${median}`, cell.errors, (bin) => `2^${bin}`),
        worst("Largest share of the bound", cell.share),
        bars("Shares of the bound", cell.shares, (bin) => bin ? `2^${bin}` : "bound"),
      );
    }
    dialog.replaceChildren(...parts);
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // One stop for Tab; arrow keys move from cell to cell over gaps.
  let current = buttons[0];
  const told = (cell) => {
    const error = cell.error ? `, worst error ${cell.error[0][1]}` : "";
    return `${cell.of.join(" ")}: ${cell.verdict}${error}`;
  };
  const place = (button) => [button.parentNode.parentNode.rowIndex, button.parentNode.cellIndex];
  const at = (row, column) => table.rows[row]?.cells[column]?.querySelector("button");
  const seek = (row, column, down, right) => {
    const [rows, columns] = [table.rows.length, table.rows[table.rows.length - 1].cells.length];
    for (;;) {
      row += down;
      column += right;
      if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
      if (at(row, column)) return at(row, column);
    }
  };
  const moves = {
    ArrowLeft: ([row, column]) => seek(row, column, 0, -1),
    ArrowRight: ([row, column]) => seek(row, column, 0, 1),
    ArrowUp: ([row, column]) => seek(row, column, -1, 0),
    ArrowDown: ([row, column]) => seek(row, column, 1, 0),
    Home: ([row]) => seek(row, -1, 0, 1),
    End: ([row]) => seek(row, table.rows[row].cells.length, 0, -1),
  };
  for (const button of buttons) {
    button.tabIndex = button === current ? 0 : -1;
    button.title = told(cells[button.dataset.n]);
    button.setAttribute("aria-label", button.title);
  }
  table.addEventListener("focusin", (event) => {
    if (event.target.dataset.n === undefined) return;
    current.tabIndex = -1;
    current = event.target;
    current.tabIndex = 0;
  });
  table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.focus();
    open(cells[button.dataset.n]);
  });
  table.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey || event.target.dataset.n === undefined) return;
    event.preventDefault();
    move(place(event.target))?.focus();
  });
})();
