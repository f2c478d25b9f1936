/** The look of the documentation page; colours follow the reader's scheme and keep 4.5:1 on text. */
export const pageStyle = `
:root { color-scheme: light dark;
  --ground: light-dark(#ffffff, #0f1216); --panel: light-dark(#f5f6f8, #161b21); --line: light-dark(#e1e4e9, #29313a);
  --ink: light-dark(#171b21, #e7ebf0); --soft: light-dark(#59636f, #9aa6b2); --accent: light-dark(#0b62c4, #6cb2ff);
  --get: light-dark(#0b62c4, #6cb2ff); --post: light-dark(#14713d, #5fd18f); --put: light-dark(#8a5200, #f0b357);
  --patch: light-dark(#7a45b8, #c79bff); --delete: light-dark(#b3261e, #ff8f87);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Code', 'JetBrains Mono', Menlo, Consolas, monospace; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 4.5rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.6 system-ui, -apple-system, 'Segoe UI', sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem; z-index: 2; }
header { position: sticky; top: 0; z-index: 1; display: flex; align-items: center; justify-content: space-between; gap: 1rem;
  height: 3.5rem; padding: 0 max(1.5rem, calc((100vw - 76rem) / 2 + 1.5rem)); background: var(--ground); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.05rem; margin: 0; letter-spacing: -.01em; } .version { color: var(--soft); font-weight: 400; margin-left: .4rem; }
.columns { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 76rem; margin: 0 auto; }
nav { position: sticky; top: 3.5rem; align-self: start; max-height: calc(100vh - 3.5rem); overflow: auto; padding: 1.25rem 1rem 2rem 1.5rem; }
nav h2 { margin: 1.25rem 0 .35rem; font-size: .75rem; font-weight: 600; color: var(--soft); text-transform: capitalize; } nav h2:first-child { margin-top: 0; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; gap: .6rem; align-items: baseline; padding: .25rem .5rem; margin-left: -.5rem; border-radius: 6px; color: var(--ink); text-decoration: none; font-size: .84rem; overflow-wrap: anywhere; }
nav a:hover { background: var(--panel); } nav a span { font-family: var(--mono); font-size: .8rem; } nav .method { min-width: 3.1rem; font-size: .66rem; }
main { padding: 1rem 1.5rem 6rem 2rem; border-left: 1px solid var(--line); min-height: calc(100vh - 3.5rem); }
section { padding: 1.5rem 0 2rem; border-bottom: 1px solid var(--line); } section:last-child { border: 0; }
section h2 { display: flex; gap: .75rem; align-items: baseline; margin: 0 0 .5rem; font-size: 1.1rem; }
section p { margin: .25rem 0 1rem; max-width: 44rem; }
.path { font: 600 1.02rem var(--mono); color: inherit; text-decoration: none; overflow-wrap: anywhere; } .path:hover { text-decoration: underline; }
.path em { font-style: normal; color: var(--accent); }
.method { font: 700 .74rem var(--mono); letter-spacing: .03em; } .get { color: var(--get); } .post { color: var(--post); }
.put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.table { overflow-x: auto; margin: 1rem 0; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; }
caption, figcaption { text-align: left; font-size: .78rem; font-weight: 600; color: var(--soft); padding-bottom: .35rem; }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); vertical-align: top; } th { font-weight: 500; width: 14rem; }
td:nth-child(2) { width: 15rem; } td:last-child, small { color: var(--soft); }
code { font-family: var(--mono); font-size: .86em; }
figure { margin: 1rem 0; } figcaption { display: flex; justify-content: space-between; align-items: center; min-height: 1.9rem; }
pre { margin: 0; padding: .85rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; line-height: 1.5; }
button { font: 500 .76rem system-ui, sans-serif; min-height: 24px; padding: .1rem .6rem; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
button:hover { border-color: var(--soft); }
.empty { color: var(--soft); padding: 3rem 0; }
@media (max-width: 50rem) { .columns { display: block; } nav { position: static; max-height: none; padding-bottom: 0; } main { border: 0; padding-left: 1.5rem; } th, td:nth-child(2) { width: auto; } }
`
