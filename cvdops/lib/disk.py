"""Free space on the disk that holds a folder."""

import shutil
from pathlib import Path


def free(folder: Path) -> int:
    """MB that its owner may still use there. Of a folder that is not made yet: where it would be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free >> 20
