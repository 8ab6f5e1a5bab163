"""Open the calm_lab app: ``python app.py``. For options use ``calm-lab app --help``."""

from calm_lab.app import build_app, launch

__all__ = ["build_app", "launch"]

if __name__ == "__main__":
    launch(host="127.0.0.1", port=7860)
