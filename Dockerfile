# The app on a machine without a GPU: docker build -t calm-lab . && docker run --rm -p 127.0.0.1:7860:7860 calm-lab
FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    GRADIO_ANALYTICS_ENABLED=False

WORKDIR /srv/calm-lab
COPY constraints.txt ./
# The CPU wheel first: a plain `pip install torch` on Linux brings several GB of CUDA libraries. An extra index, not the
# only one, because that one keeps few versions of what torch needs; of 2.13.0 and 2.13.0+cpu pip takes the latter.
RUN pip install -c constraints.txt torch --extra-index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE ./
COPY calm_lab ./calm_lab
RUN pip install -c constraints.txt .

# Hugging Face Spaces runs containers as user 1000.
RUN useradd --create-home --uid 1000 calm
USER calm
WORKDIR /home/calm

EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860', timeout=5)"]
# Inside a container loopback is unreachable, so listen on all of its interfaces; what is published is up to `docker run -p`.
CMD ["calm-lab", "app", "--host", "0.0.0.0", "--port", "7860", "--share-safe"]
