"""The pictures in the README, made from the demo's own data: `make pictures`.

The terminal is a real pseudo-terminal, drawn as an SVG; the notebook is executed, and Chromium takes its picture.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI, TerminalTheme
from rich.text import Text

PROJECT = Path(__file__).resolve().parents[1]
PICTURES = PROJECT / "docs" / "pictures"
COLUMNS = 100

COMMANDS = (
    "art run digits.py -p max_depth=6",
    "art why train",
    "art runs --sort -accuracy --columns max_depth,accuracy,took",
    "art log digits-model@production --graph --oneline",
)
CELLS = (
    "from artvcs import Client\nfrom digits import digits\n\nrun = digits(max_depth=7)\nrun",
    'Client().get_artifact_version("digits-model", "production")',
)

_FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, "DejaVu Sans Mono", monospace }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""As rich's own, without the fonts that it would fetch."""


def on_a_terminal(command: str, folder: Path, columns: int = COLUMNS) -> str:
    """What a command leaves on a terminal, in its colours."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    started = subprocess.Popen(
        ["sh", "-c", command], cwd=folder, stdin=slave, stdout=slave, stderr=slave,
        env=dict(os.environ),  # GNU readline, once imported, says its COLUMNS to children that just inherit
    )  # fmt: skip
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 1 << 16):
            shown += piece
    except OSError:  # how Linux says that nobody writes any more
        pass
    os.close(master)
    if started.wait():
        raise SystemExit(f"`{command}` failed: {shown.decode()}")
    moved_away = re.sub(r"[^\n]*\r\x1b\[K", "", shown.decode())
    return moved_away.replace("\r\n", "\n")


def draw_terminal(demo: Path, commands: tuple[str, ...] = COMMANDS, theme: TerminalTheme = DIMMED_MONOKAI) -> str:
    """An SVG of a terminal in which commands were typed in the demo's folder."""
    shown = "\n".join(f"\x1b[1m$ {command}\x1b[0m\n{on_a_terminal(command, demo)}" for command in commands)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(shown.rstrip()))
    return console.export_svg(title="art", theme=theme, code_format=_FRAME, unique_id="art")


def draw_notebook(demo: Path, picture: Path) -> None:
    """A picture of an executed notebook in the demo's folder."""
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter
    from PIL import Image, ImageChops

    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("The picture of a notebook needs Chromium: install it, as with `apt-get install chromium`.")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, resources={"metadata": {"path": str(demo)}}).execute()
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (demo / "notebook.html").write_text(re.sub(r"<script\b[^>]*\bsrc=.*?</script>", "", page, flags=re.DOTALL))
    taken = demo / "notebook.png"
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1400",
         f"--screenshot={taken}", str(demo / "notebook.html")],
        check=True, capture_output=True,
    )  # fmt: skip
    image = Image.open(taken).convert("RGB")
    background = Image.new("RGB", image.size, "white")
    _, _, _, bottom = ImageChops.difference(image, background).getbbox() or (0, 0, *image.size)
    image.crop((0, 0, image.width, bottom + 10)).quantize(64).save(picture, optimize=True)


def main() -> None:
    """Makes all of them anew."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        subprocess.run(["sh", str(PROJECT / "examples" / "demo.sh"), str(demo)], check=True, capture_output=True)
        (PICTURES / "terminal.svg").write_text(draw_terminal(demo))
        draw_notebook(demo, PICTURES / "notebook.png")


if __name__ == "__main__":
    main()
