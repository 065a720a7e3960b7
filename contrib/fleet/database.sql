-- Once, when the volume is new: the database, and the role that owns it, which is no superuser.
\set password `cat /run/secrets/postgres_password`
CREATE ROLE ccod LOGIN PASSWORD :'password';
CREATE DATABASE ccod OWNER ccod;
