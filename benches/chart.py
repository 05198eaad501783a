"""Turns names and figures into a picture of horizontal bars (SVG) that can be read on light and dark. Does not measure."""
import math
from html import escape

WIDTH, LEFT, RIGHT, ROW, BAR = 860, 235, 120, 30, 18

# Without a style sheet for dark, these grey tones are readable on both.
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #6e7781; }
  .name, .figure { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12px; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-style: italic; }
  .small { font-size: 11px; }
  .grid { stroke: #8c959f; stroke-opacity: 0.35; }
  .bar { fill: #8c959f; }
  .ours { fill: #1f883d; }
  @media (prefers-color-scheme: light) { text { fill: #424a53; } .bar { fill: #afb8c1; } }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4; } .bar { fill: #57606a; } .ours { fill: #3fb950; } }
"""


def bars(title, axis, groups, foot):
    """`groups` is a list of (heading, [(name, what it does, figure, whether it is ours)])."""
    figures = [row[2] for _, rows in groups for row in rows]
    low = math.floor(math.log10(min(figures)) - 0.1)
    high = math.ceil(math.log10(max(figures)))
    span = WIDTH - LEFT - RIGHT

    def place(figure):
        return LEFT + span * (math.log10(figure) - low) / (high - low)

    out, y = [], 62
    for heading, rows in groups:
        out.append(f'<text class="group" x="16" y="{y + 4}">{escape(heading)}</text>')
        y += 12
        for name, what, figure, ours in rows:
            middle, end = y + ROW / 2, place(figure)
            out.append(f'<text class="name" x="{LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>')
            out.append(f'<rect class="bar{" ours" if ours else ""}" x="{LEFT}" y="{middle - BAR / 2}" '
                       f'width="{end - LEFT:.1f}" height="{BAR}" rx="2"/>')
            out.append(f'<text class="figure" x="{end + 7:.1f}" y="{middle + 4}">{text(figure)} <tspan '
                       f'class="small">{escape(what)}</tspan></text>')
            y += ROW
        y += 28
    bottom = y - 22
    grid = []
    for power in range(low, high + 1):
        x = place(10.0**power)
        grid.append(f'<line class="grid" x1="{x:.1f}" y1="46" x2="{x:.1f}" y2="{bottom}"/>')
        grid.append(f'<text class="small" x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{10.0**power:g}</text>')
    height = bottom + 58
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="28">{escape(title)}</text>',
        *grid,
        *out,
        f'<text class="small" x="{LEFT + span / 2}" y="{bottom + 31}" text-anchor="middle">{escape(axis)}</text>',
        f'<text class="small" x="16" y="{height - 8}">{escape(foot)}</text>',
        "</svg>",
    ]) + "\n"


def text(figure):
    """Three digits that count."""
    return f"{figure:.{max(0, 2 - math.floor(math.log10(figure)))}f}"
