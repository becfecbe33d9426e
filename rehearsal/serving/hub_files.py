"""What a program in a container fetches from the Hugging Face hub: the tokenizer of a repository."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from rehearsal.serving.tokenizer import TokenizerMissingError

ENDPOINT = "HF_ENDPOINT"
FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
UNREACHABLE = (
    "We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the"
    " cached files.\nCheck your internet connection or see how to run the library in offline mode at"
    " 'https://huggingface.co/docs/transformers/installation#offline-mode'."
)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_TIMEOUT_SECONDS = 10


def is_repository(name: str) -> bool:
    """Tell whether a model's name means the hub: OWNER/NAME, and no folder of this machine."""
    return bool(_REPOSITORY.fullmatch(name)) and not Path(name).is_dir()


def tokenizer_folder(name: str) -> Path:
    """Fetch a repository's tokenizer at `main`, once for each container.

    Raises:
        TokenizerMissingError: in transformers' words, when the hub is not reached.
    """
    folder = Path.home() / ".cache" / "huggingface" / name.replace("/", "--")
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if not (folder / file).is_file():
            _fetch(name, file, folder / file)
    return folder


def _fetch(name: str, file: str, target: Path) -> None:
    endpoint = os.environ.get(ENDPOINT)
    if not endpoint:
        raise TokenizerMissingError(UNREACHABLE)
    url = f"{endpoint}/{name}/resolve/main/{file}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=_TIMEOUT_SECONDS) as answer:
            target.write_bytes(answer.read())
    except urllib.error.HTTPError as error:
        if file == FILES[0]:
            raise TokenizerMissingError(
                f"{name} is not a valid model identifier listed on the hub"
            ) from error
    except OSError as error:
        raise TokenizerMissingError(UNREACHABLE) from error
