"""Makes the committed demo fixture anew: ``python -m bot.evals.fixture [FOLDER]``; the folder is ``fixtures/incidents`` unless named."""

import shutil
import sys
import tempfile
from pathlib import Path

from bot.evals.pack import pack
from bot.evals.simulate import simulate

SEED, DAYS, SCALE = 1, 5.0, 1.0


def make(folder: Path) -> Path:
    """Write ``story.tar.zst`` and ``story.truth.json`` into a folder and return the archive's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        export = Path(scratch) / "story"
        truth = simulate("story", export, seed=SEED, days=DAYS, scale=SCALE)
        archive = pack(export, folder / "story.tar.zst")
        shutil.copyfile(truth, folder / "story.truth.json")
    return archive


if __name__ == "__main__":
    made = make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("fixtures/incidents"))
    sys.stdout.write(f"{made} ({made.stat().st_size:,} bytes)\n")
