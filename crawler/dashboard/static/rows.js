// How do tables follow the crawl without being made anew? Texts are set only where they changed, always as text.

const SVG = "http://www.w3.org/2000/svg";
const points = matchMedia("(hover: hover)");

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else if (key === "class") made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// Cells: {text, class, head} or {url, text} or {share, bad} or {fields}.
function cell(told) {
  const made = element(told.head ? "th" : "td", told.class ? { class: told.class } : {});
  if (told.head) made.scope = "row";
  if (told.share !== undefined) made.className = "share";
  return made;
}

function fill(target, told) {
  if (told.share !== undefined) bar(target, told);
  else if (told.url !== undefined) link(target, told);
  else if (told.fields) fields(target, told.fields);
  else say(target, told.text);
}

function bar(target, { share, bad }) {
  if (!target.firstChild) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 100 9");
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("aria-hidden", "true");
    drawing.append(document.createElementNS(SVG, "rect"));
    drawing.firstChild.setAttribute("height", "9");
    target.append(drawing, element("span", { class: "hidden" }));
  }
  target.firstChild.firstChild.setAttribute("width", String(Math.max(share * 100, share ? 1 : 0)));
  target.firstChild.firstChild.setAttribute("class", bad ? "bad" : "");
  say(target.lastChild, `${(share * 100).toFixed(1)} %`);
}

// Only what leads to a page of the web is a link, whatever a crawl has found.
function link(target, { url }) {
  if (target.dataset.url === url) return;
  target.dataset.url = url;
  if (/^https?:\/\//i.test(url)) {
    target.replaceChildren(element("a", { href: url, rel: "noreferrer noopener", target: "_blank", text: url }));
  } else {
    target.replaceChildren(element("span", { class: "word", text: url }));
  }
}

function fields(target, pairs) {
  target.replaceChildren(
    ...pairs.map(([name, value]) =>
      element("span", { class: "field" }, element("b", { text: `${name} ` }), element("span", { class: "word", text: value }), " "),
    ),
  );
}

// Rows that stay where they are: numbers that change.
export function follow(table, rows, empty) {
  const body = table.tBodies[0];
  if (nothing(body, rows, empty)) return;
  while (body.rows.length > rows.length) body.lastChild.remove();
  rows.forEach((cells, index) => {
    const row = body.rows[index] || body.insertRow();
    if (row.cells.length !== cells.length) row.replaceChildren(...cells.map(cell));
    cells.forEach((told, place) => {
      if (told.class !== undefined) row.cells[place].className = told.class;
      fill(row.cells[place], told);
    });
  });
}

// Rows that come at the top and go at the bottom, each with a key of its own. Whoever points at them, or has moved
// the focus there, is not to have them taken away.
export function pass(table, rows, empty) {
  const section = table.closest("section");
  const held = section.querySelector(".held");
  const box = table.closest(".scroll");
  held.hidden = !((points.matches && box.matches(":hover")) || box.matches(":focus-within"));
  if (!held.hidden && table.dataset.filled) return;
  const body = table.tBodies[0];
  if (nothing(body, rows, empty)) return;
  table.dataset.filled = "1";
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const times = new Map();
  const wanted = rows.map(({ key: same, cells }) => {
    times.set(same, (times.get(same) ?? 0) + 1);
    const key = `${same} ${times.get(same)}`;
    const found = known.get(key);
    if (found) {
      known.delete(key);
      return found;
    }
    const row = document.createElement("tr");
    row.dataset.key = key;
    for (const told of cells) {
      const made = cell(told);
      fill(made, told);
      row.append(made);
    }
    return row;
  });
  for (const row of known.values()) row.remove();
  wanted.forEach((row, index) => {
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] || null);
  });
}

function nothing(body, rows, empty) {
  if (rows.length) {
    if (body.querySelector(".empty")) body.replaceChildren();
    return false;
  }
  if (!body.querySelector(".empty")) {
    const columns = body.parentElement.tHead.rows[0].cells.length;
    body.replaceChildren(element("tr", {}, element("td", { class: "empty", colspan: columns, text: empty })));
  }
  return true;
}
