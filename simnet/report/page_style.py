"""The look of the page: readable on a phone, on a desk, on paper."""

CSS = """
:root { --ink: #1d2327; --soft: #5b6670; --line: #dfe3e6; --wash: #f5f7f8; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .75rem; }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .5rem; }
p { max-width: 46rem; }
.lead { color: var(--soft); font-size: 1.08rem; margin-top: 0; }
.answer { border-left: 4px solid var(--accent); background: var(--wash); padding: .4rem 1.1rem;
  margin: 1.25rem 0; }
.answer p { margin: .55rem 0; }
.note, figcaption, footer { color: var(--soft); font-size: .88rem; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .83rem; font-variant-numeric: tabular-nums; }
th, td { padding: .38rem .65rem; text-align: right; vertical-align: bottom;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); min-width: 4.2rem; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
td:first-child { font-weight: 600; }
tbody tr:hover td { background: var(--wash); }
figure { margin: 1.5rem 0 2.25rem; }
.plot { overflow-x: auto; }
.plot img { display: block; width: 100%; min-width: 36rem; height: auto; }
figcaption { max-width: 46rem; margin-top: .4rem; }
.samples { display: flex; flex-wrap: wrap; gap: .9rem; margin: .5rem 0 1.25rem; }
.card { margin: 0; width: 7.5rem; }
.card img { width: 7.5rem; height: 7.5rem; object-fit: contain; image-rendering: pixelated;
  background: var(--wash); border: 1px solid var(--line); }
.card figcaption { font-size: .74rem; line-height: 1.35; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 4px; padding: .5rem .9rem; margin: .75rem 0; }
summary { cursor: pointer; font-weight: 600; }
pre { overflow-x: auto; font: .8rem/1.45 ui-monospace, Consolas, monospace; }
footer { margin-top: 3rem; }
@media (max-width: 40rem) {
  body { font-size: 15px; } main { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.6rem; }
}
@media print {
  main { max-width: none; padding: 0; } .wide, .plot { overflow: visible; } .plot img { min-width: 0; }
  table { font-size: .6rem; } th, td { padding: .2rem .3rem; white-space: normal; min-width: 0; }
  figure, .samples { break-inside: avoid; } th:first-child, td:first-child { position: static; }
}
"""
