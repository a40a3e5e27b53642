"""Time of drawing and moving the lineage graph in headless Chromium.

    python -m benchmarks.graph_page [SIZE …]

Reports for graphs of 1,000 and 5,000 nodes (or of each SIZE): milliseconds from the data to the first
painted frame, frames per second while the view moves (the whole graph in view, and at a zoom of 0.8), and
milliseconds until a locked path of 200 columns is painted. The floor is a canvas that draws the same boxes
and edges as plain rectangles and straight lines, without names or any other feature, in the same run. The
browser runs with `--disable-gpu`: the CPU draws. Other work on the machine lowers the figures; the load is
reported.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from tests.e2e import browser as driving
from tests.e2e.graph import synthetic
from tests.e2e.graph.conftest import GraphHandler, GraphSite

SIZES = (1000, 5000)
REPEATS = 5
SECONDS = 2
TARGETS = {1000: 50, 5000: 25}
"""Frames per second by number of nodes."""
MOUNT = """
const [view, done] = arguments;
document.querySelector('.graph').graph?.destroy();
const element = document.createElement('div');
element.className = 'graph';
document.querySelector('.graph').replaceWith(element);
const start = performance.now();
element.graph = RecceGraph.mount(element, { view, title: 'Benchmark' });
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""
FRAMES = """
const [seconds, isWhole, isFloor, done] = arguments;
const graph = document.querySelector('.graph').graph.graph;
graph.fit();
if (!isWhole) Object.assign(graph, { zoom: 0.8 });
graph.redraw();
const canvas = document.createElement('canvas');
const g = canvas.getContext('2d', { alpha: false });
if (isFloor) {
  Object.assign(canvas, { width: graph.canvas.width, height: graph.canvas.height });
  graph.field.replaceChildren(canvas);
}
const paintFloor = () => {
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.fillStyle = '#fff';
  g.fillRect(0, 0, canvas.width, canvas.height);
  const { zoom, width, height, x, y } = graph;
  g.setTransform(zoom, 0, 0, zoom, width / 2 - x * zoom, height / 2 - y * zoom);
  g.lineWidth = 1 / graph.zoom;
  g.beginPath();
  for (const { from, to } of graph.scene.edges) {
    g.moveTo(from.x + 200, from.y + 22);
    g.lineTo(to.x, to.y + 22);
  }
  g.stroke();
  g.fillStyle = '#99b';
  for (const box of graph.scene.boxes) g.fillRect(box.x, box.y, 200, 44);
};
let [frames, start] = [0, 0];
const step = (now) => {
  start ||= now;
  if (now - start >= seconds * 1000) {
    if (isFloor) graph.field.replaceChildren(graph.canvas);
    done((frames * 1000) / (now - start));
    return;
  }
  frames += 1;
  graph.panBy(Math.sin(frames / 9) * 9, Math.cos(frames / 7) * 6);
  if (isFloor) { cancelAnimationFrame(graph.frame); graph.frame = 0; paintFloor(); }
  requestAnimationFrame(step);
};
requestAnimationFrame(step);
"""
LOCK = """
const graph = document.querySelector('.graph').graph.graph;
graph.unlock();
graph.jump(arguments[0].node, true);
graph.paint();
graph.context.getImageData(0, 0, 1, 1);
const start = performance.now();
graph.lockPath(arguments[0]);
graph.paint();
graph.context.getImageData(0, 0, 1, 1);
return performance.now() - start;
"""


def measure(session: driving.Browser, site: GraphSite, size: int) -> None:
    """Print the figures of a graph of *size* nodes."""
    session.look(1400)
    session.visit(site.page("3"))
    view = synthetic.view(size)
    tree = synthetic.tree(view)
    paints = [session.wait(MOUNT, tree) for _ in range(REPEATS)]
    rates: dict[tuple[bool, bool], float] = {}
    for is_whole in (True, False):
        for is_floor in (False, True):
            rates[is_whole, is_floor] = session.wait(FRAMES, SECONDS, is_whole, is_floor)
    middle = view.nodes[size // 2].id
    path: Any = synthetic.tree(synthetic.column_path(view, middle, "column_0", most=200, width=12))
    locks = [session.run(LOCK, path) for _ in range(REPEATS)]
    print(f"{size:,} nodes, {len(view.edges):,} edges")
    target = " (to reach: 300)" if size == 1000 else ""
    print(f"  first paint           {median(paints):7.0f} ms{target}")
    for is_whole, words in ((True, "all in view"), (False, "zoom 0.8")):
        reach = f" (to reach: {TARGETS[size]})" if size in TARGETS else ""
        floor = rates[is_whole, True]
        print(f"  pan, {words:16} {rates[is_whole, False]:7.0f} frames/s{reach}; floor {floor:.0f}")
    count = len(path["columns"])
    print(f"  path of {count} columns    {median(locks):6.0f} ms (to reach: 50)")


def main(sizes: list[int]) -> None:
    """Measure graphs of all *sizes*."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), GraphHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = GraphSite(f"http://127.0.0.1:{server.server_port}")
    print(f"CPU raster (--disable-gpu), 1400 x 900, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        driving.browser(Path(scratch)) as session,
    ):
        for size in sizes:
            measure(session, site, size)
    server.shutdown()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
