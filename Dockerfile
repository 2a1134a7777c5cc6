# The code server, the Celery workers, the webserver and the daemon are all this image.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# The packages first, so that a change of the code builds one small layer; an empty package stands
# in for the code meanwhile. pip does not apply constraints to the environment it builds in, so the
# build uses this one's setuptools.
COPY pyproject.toml README.md constraints.txt ./
RUN mkdir pipelines_project && touch pipelines_project/__init__.py
RUN pip install -c constraints.txt setuptools
RUN pip install -c constraints.txt --no-build-isolation -e '.[celery,excel,glue,kubernetes,lake,mssql-source,mysql-source,openlineage,postgres-source,prometheus,s3]'

COPY .dlt .dlt
COPY deploy/dagster.yaml deploy/workspace.yaml /app/home/
COPY pipelines_project pipelines_project

# Data is elsewhere; a run writes the report, and files of a month while it lands.
RUN useradd --create-home --uid 1000 dagster && mkdir report && chown dagster home report
USER dagster
ENV DAGSTER_HOME=/app/home REPORT_PATH=/app/report/report.html

EXPOSE 4000
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s \
  CMD ["dagster", "api", "grpc-health-check", "-p", "4000"]
CMD ["dagster", "api", "grpc", "-m", "pipelines_project.definitions", "-h", "0.0.0.0", "-p", "4000"]
