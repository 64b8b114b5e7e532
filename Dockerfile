# The crawler in a container: docs/docker.md says how to use it.
FROM python:3.12-slim

COPY pyproject.toml README.md LICENSE /src/
COPY crawler /src/crawler
RUN pip install --no-cache-dir --root-user-action=ignore /src && rm -r /src

# crawls land in what is mounted here
RUN useradd --uid 1000 --no-create-home crawl && mkdir /crawl && chown 1000:1000 /crawl
WORKDIR /crawl
USER 1000:1000
ENV HOME=/tmp

ENTRYPOINT ["crawler"]
CMD ["--help"]
