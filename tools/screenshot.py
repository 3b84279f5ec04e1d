r"""Takes a picture of an HTML report with a Chromium that is installed, in few colours, so that it is small.

    python tools/screenshot.py REPORT.html PICTURE.png [--width 1280] [--height 900] [--at t1-m1] [--dark]

The README's own is of submissions to the leaderboard:

    xlbench report leaderboard:multilingual-e5-small-4bit leaderboard:use-multilingual leaderboard:all-MiniLM-L6-v2 \
        leaderboard:hash --output report.html
    python tools/screenshot.py report.html docs/report.png --height 1240
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

_COLOURS = 48
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing that asks a network for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main() -> None:
    """Takes the picture that the arguments ask for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900, help="0 for the whole page")
    parser.add_argument("--at", help="id of the section to begin with, such as t1-m1-grid")
    parser.add_argument("--dark", action="store_true")
    chosen = parser.parse_args()
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        parser.error(f"no browser found; expected one of {', '.join(NAMES)}, as of Debian's package chromium")
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = browser.new_page(
            viewport={"width": chosen.width, "height": chosen.height or 900},
            color_scheme="dark" if chosen.dark else "light",
            reduced_motion="reduce",
        )
        page.goto(f"{chosen.report.resolve().as_uri()}#{chosen.at or ''}")
        page.screenshot(path=chosen.picture, full_page=chosen.height == 0)
        browser.close()
    with Image.open(chosen.picture) as picture:
        few = picture.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(chosen.picture, optimize=True)


if __name__ == "__main__":
    main()
