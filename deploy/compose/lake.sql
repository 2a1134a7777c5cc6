-- DuckLake's catalog has a database of its own, beside Dagster's.
create database lake;
