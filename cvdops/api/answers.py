"""What calls answer, as examples of the description: taken from the demo, where a test runs each call."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_suffix(".json")

# Operation id → status → the answer, of whose lists only the first item is shown.
ANSWERS: Mapping[str, Mapping[str, Any]] = json.loads(PLACE.read_text(encoding="utf-8"))
