"""Reading of our YAML files from odd places."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.profiles.yaml_file import read_text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checks.yml")

    for path in (tmp_path / "checks.yml", Path("/dev/zero")):
        with pytest.raises(ConfigurationError, match="not a regular file"):
            read_text(path, ConfigurationError)
