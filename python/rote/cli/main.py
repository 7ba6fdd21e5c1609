"""`rote COMMAND ...`: finds the command's module and turns a user's mistake into one line."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

# Loaded when they are called: help must not wait for torch.
COMMANDS = {
    "demo": "one command, a few minutes on two CPU cores, ends in a report page",
    "run": "run an experiment, or the suite of all that the claims need",
    "sweep": "a grid of runs of one experiment, here or on a Ray cluster",
    "scores": "scores of single examples: memorization, label errors, a page of examples",
    "claims": "the table of claims, judged by run folders",
    "report": "tables and figures of run folders as one HTML page",
    "data": "describe, check and convert data sets",
    "augment": "list, describe and preview recipes",
    "bench": "kernels and trainer against their baselines, on this machine",
    "info": "versions, device, instruction sets, what is compiled in",
}

USER_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the words after `rote`; those of the process by default.

    Returns:
        The exit status: 0, or 2 after a mistake of the user's, of which one line on standard error tells. Set
        `ROTE_TRACEBACK=1` to see where it was found.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] in ("-V", "--version"):
        from rote import __version__

        print(f"rote {__version__}")
        return 0
    if words[0] not in COMMANDS:
        return complain(f"no command {words[0]!r}{_suggestion(words[0])}; `rote` lists the commands")
    try:
        return importlib.import_module(f"rote.cli.{words[0]}").run(words[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) is gone; nothing is left to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("ROTE_TRACEBACK") or not _is_users(error):
            raise
        return complain(_message(error))


def usage() -> str:
    """The help text of `rote` alone."""
    width = max(map(len, COMMANDS))
    lines = ["usage: rote COMMAND [options]", "", "What neural networks learn by rote, measured.", "", "commands:"]
    lines += [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    lines += ["", "`rote COMMAND --help` lists a command's options; `rote --version` prints the version."]
    return "\n".join(lines)


def complain(message: str) -> int:
    """Prints one line and gives the status of a user's mistake."""
    print(f"rote: error: {message}", file=sys.stderr)
    return USER_ERROR


def _is_users(error: Exception) -> bool:
    """Whether an error is about what the user asked for (input, data, folders, disk), not about Rote's code."""
    from rote.runs import RunError
    from rote.train import CheckpointError, TrainingDiverged, TrainingOutOfMemory

    if isinstance(error, ImportError):  # a package is missing or too old; what else cannot be imported is a bug
        absent = isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("rote")
        return absent or "pip install" in str(error)
    kinds = (ValueError, OSError, RunError, CheckpointError, TrainingDiverged, TrainingOutOfMemory)
    return isinstance(error, kinds)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        # Of a rename it is the second file that the user named.
        name = error.filename2 or error.filename
        return f"{name}: {error.strerror}" if name else error.strerror
    if isinstance(error, ModuleNotFoundError) and "pip install" not in str(error):
        return f"{error}; `pip install 'rote[lab]'` installs what the commands need"
    return " ".join(str(error).split())


def _suggestion(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
