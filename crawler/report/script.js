"use strict";
// Sorts tables, filters the long ones, unfolds all for the printer. Without it the page says all the same.
const status = document.querySelector("[role=status]");

function keyOf(row, column) {
  const cell = row.cells[column];
  return "value" in cell.dataset ? cell.dataset.value : cell.textContent;
}

// Numbers by size, texts as a person would, what is empty last.
function compare(one, other, numeric) {
  if (one === "" || other === "") return (one === "") - (other === "");
  return numeric ? Number(one) - Number(other) : one.localeCompare(other, undefined, { numeric: true });
}

function sort(table, head) {
  const column = head.cellIndex;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
  const numeric = rows.every(([key]) => key === "" || !Number.isNaN(Number(key)));
  const before = head.getAttribute("aria-sort");
  const order = before ? (before === "descending" ? "ascending" : "descending") : numeric ? "descending" : "ascending";
  const turn = order === "descending" ? -1 : 1;
  rows.sort(([one], [other]) => compare(one, other, numeric) * (one === "" || other === "" ? 1 : turn));
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  body.append(...rows.map(([, row]) => row));
  status.textContent = `Sorted by ${head.textContent}, ${order}.`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    if ("fixed" in head.dataset) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}

for (const box of document.querySelectorAll(".tall")) {
  const rows = [...box.querySelectorAll("tbody tr")];
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "search";
  label.className = "filter";
  label.append("Show rows with", input);
  input.setAttribute("aria-label", `Show rows with this text: ${box.dataset.name}`);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    status.textContent = `${shown} of ${rows.length} rows.`;
  });
  box.before(label);
}

// What scrolls sideways or down can be reached, and is named, without a pointer.
function reach(box) {
  const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  if (scrolls) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.dataset.name);
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
for (const box of document.querySelectorAll(".box")) sizes.observe(box);

// Where one is, in the table of contents.
const entries = new Map([...document.querySelectorAll("nav a")].map((entry) => [entry.hash.slice(1), entry]));
const seen = new Set();
const sections = [...document.querySelectorAll("main > section")];
const watch = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) seen[isIntersecting ? "add" : "delete"](target);
  const now = sections.find((section) => seen.has(section));
  for (const [key, entry] of entries) {
    if (now && key === now.id) entry.setAttribute("aria-current", "true");
    else entry.removeAttribute("aria-current");
  }
}, { rootMargin: "-10% 0px -60% 0px" });
for (const section of sections) watch.observe(section);

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const fold of folded) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of folded) fold.open = false;
});
