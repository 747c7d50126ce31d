"""The page that `skein.inspect` serves."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>microthreads</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 1em 1.5em; color: #222; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: 2px 8px; vertical-align: top }
th { border-bottom: 1px solid #999; cursor: pointer; white-space: nowrap } td { font: 12px ui-monospace, monospace }
tr.row { cursor: pointer } tr.row:hover { background: #8882 } td.n { text-align: right } .stuck { color: #c00; font-weight: 600 }
nav { margin: .7em 0; display: flex; gap: 1em; flex-wrap: wrap; align-items: center } nav button.on { font-weight: 700 }
pre { font: 12px ui-monospace, monospace; margin: 0 0 .5em 1.5em } input { width: 20em } svg text { font: 11px ui-monospace, monospace }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } .stuck { color: #f66 } svg { stroke: #ddd; fill: #ddd } }
</style>
<h2 id="title">microthreads</h2>
<nav><button data-tab="rows">All</button><button data-tab="groups">Where they are</button><button data-tab="graph">Who waits for whom</button>
<input id="text" placeholder="search: file, function, state, 0x…"><select id="state"><option value="">any state</option></select>
<label><input type="checkbox" id="live" checked style="width: auto"> each second</label></nav>
<nav id="pages"></nav><div id="out"></div>
<script>
"use strict";
const q = { tab: "rows", text: "", state: "", sort: "state", offset: 0, count: 100 };
const $ = id => document.getElementById(id);
const esc = s => String(s ?? "").replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
const place = r => r.file ? esc(r.function) + " <small>" + esc(r.file) + ":" + r.line + "</small>" : "<i>not begun</i>";
const kb = n => n < 10240 ? n + " B" : n < 10485760 ? Math.round(n / 1024) + " kB" : Math.round(n / 1048576) + " MB";
const open = new Map();
async function ask(what, args) {
  const a = await (await fetch(what + "?" + new URLSearchParams(args))).json();
  if (a.ended) { $("title").textContent = "The program has ended."; $("live").checked = false; throw "ended"; }
  if (a.error) throw a.error;
  return a;
}
const COLUMNS = [["id", "id"], ["kind", "kind"], ["state", "state"], ["place", "place"], ["waits", "waits for"], ["", "CPU s"],
  ["depth", "frames"], ["memory", "memory"], ["thread", "thread"], ["", "parent"]];
async function rows() {
  const a = await ask("rows", { text: q.text, state: q.state, sort: q.sort, offset: q.offset, count: q.count });
  head(a);
  let h = "<table><tr>" + COLUMNS.map(([k, t]) => `<th data-sort="${k}">${t}${q.sort == k ? " ▲" : q.sort == "-" + k ? " ▼" : ""}</th>`).join("") + "</tr>";
  for (const r of a.rows) {
    h += `<tr class="row" data-id="${esc(r.id)}"><td>${esc(r.id)}<td>${esc(r.kind)}<td>${esc(r.state)}<td>${place(r)}<td>` +
      (r.via ? esc(r.via) + " " : "") + (r.waits ? "<small>" + esc(r.waits) + "</small>" : "") +
      `<td class="n">${r.cpu.toFixed(2)}<td class="n">${r.depth}<td class="n">${kb(r.memory)}<td>${r.thread}<td>${esc(r.parent)}</tr>`;
    if (open.has(r.id)) h += `<tr><td colspan="10">${open.get(r.id)}</tr>`;
  }
  $("out").innerHTML = h + "</table>";
  const last = Math.max(0, Math.ceil(a.matching / q.count) - 1) * q.count;
  $("pages").innerHTML = `<button data-go="0">first</button><button data-go="${Math.max(0, q.offset - q.count)}">before</button>` +
    `${a.matching ? q.offset + 1 : 0}–${Math.min(a.matching, q.offset + q.count)} of ${a.matching}` +
    `<button data-go="${Math.min(last, q.offset + q.count)}">next</button><button data-go="${last}">last</button>`;
}
function head(a) {
  $("title").textContent = a.total + " microthreads: " + Object.entries(a.states).sort().map(([s, n]) => n + " " + s).join(", ");
  const s = $("state"), have = [...s.options].map(o => o.value);
  for (const name of Object.keys(a.states)) if (!have.includes(name)) s.add(new Option(name, name));
}
async function groups() {
  const a = await ask("rows", { text: q.text, state: q.state, count: 0 });
  head(a);
  $("pages").innerHTML = "";
  $("out").innerHTML = "<table><tr><th>how many<th>state<th>place<th>in</tr>" + a.groups.map(g =>
    `<tr><td class="n">${g.count}<td>${esc(g.state)}<td>${place(g)}<td>${esc(g.via)}</tr>`).join("") + "</table>";
}
async function graph() {
  const g = await ask("graph", {}), stuck = new Set(g.stuck);
  const dead = g.cycles.filter(c => c.every(i => stuck.has(i))).length;
  $("pages").innerHTML = (dead ? `<span class="stuck">${dead} deadlocks</span>` : "no deadlock") +
    (g.cycles.length > dead ? `, ${g.cycles.length - dead} circles that others could break` : "");
  const name = i => g.nodes[i] ? esc(g.nodes[i].id) : "?";
  let h = "";
  for (const c of g.cycles) {
    const n = c.length, R = Math.max(60, n * 22), at = i => [R + 130 + R * Math.sin(2 * Math.PI * i / n), R + 30 - R * Math.cos(2 * Math.PI * i / n)];
    h += `<svg width="${2 * R + 420}" height="${2 * R + 60}"><defs><marker id="a" markerWidth="8" markerHeight="8" refX="14" refY="3" orient="auto"><path d="M0,0 L6,3 L0,6" fill="#c00"/></marker></defs>`;
    for (let i = 0; i < n; i++) {
      const [x, y] = at(i), [u, v] = at((i + 1) % n);
      h += `<line x1="${x}" y1="${y}" x2="${u}" y2="${v}" stroke="#c00" marker-end="url(#a)"/><circle cx="${x}" cy="${y}" r="5"/>` +
        `<text x="${x + 8}" y="${y}" stroke="none">${name(c[i])} ${esc(g.nodes[c[i]]?.function)}</text>`;
    }
    h += "</svg>";
  }
  h += "<table><tr><th>who<th>where<th>waits for<th>which is known to</tr>";
  for (const [i, to] of Object.entries(g.edges)) {
    const r = g.nodes[i];
    h += `<tr class="${stuck.has(+i) ? "stuck" : ""}"><td>${name(i)}<td>${place(r)}<td>${esc(r.waits)}<td>` +
      (to.length ? to.slice(0, 8).map(name).join(", ") + (to.length > 8 ? ` and ${to.length - 8} more` : "") : "no stack leads to it") + "</tr>";
  }
  $("out").innerHTML = h + "</table>" + (g.left_out ? `<p>${g.left_out} microthreads are left out.</p>` : "");
}
async function show() {
  for (const b of document.querySelectorAll("[data-tab]")) b.className = b.dataset.tab == q.tab ? "on" : "";
  try { await { rows, groups, graph }[q.tab](); } catch (e) { if (e !== "ended") $("pages").textContent = e; }
}
document.addEventListener("click", async e => {
  const d = (e.target.closest("[data-tab], [data-sort], [data-go], [data-id]") || {}).dataset;
  if (!d) return;
  if (d.tab) q.tab = d.tab;
  if (d.sort) { q.sort = q.sort == d.sort ? "-" + d.sort : d.sort; q.offset = 0; }
  if (d.go !== undefined) q.offset = +d.go;
  if (d.id) {
    if (open.has(d.id)) open.delete(d.id);
    else {
      const a = await ask("stack", { id: d.id });
      open.set(d.id, a.frames ? "<pre>" + a.frames.map(f => `${esc(f[0])}:${f[1]}  ${esc(f[2])}`).join("\\n") +
        (a.left_out ? `\\nand ${a.left_out} more` : "") + "</pre>" : "<i>it has ended</i>");
    }
  }
  show();
});
$("text").addEventListener("input", e => { q.text = e.target.value; q.offset = 0; show(); });
$("state").addEventListener("change", e => { q.state = e.target.value; q.offset = 0; show(); });
let busy = false;
setInterval(async () => { if ($("live").checked && !busy && !document.hidden) { busy = true; await show(); busy = false; } }, 1000);
show();
</script></html>
"""
