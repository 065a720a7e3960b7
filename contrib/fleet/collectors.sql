-- Once, when a node has made the tables: what collectors may do. They store and read, but neither change nor remove what is in
-- the log of reads, and touch no account and no table's making.
CREATE ROLE collectors;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO collectors;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO collectors;
REVOKE UPDATE, DELETE ON reads FROM collectors;
REVOKE INSERT, UPDATE, DELETE ON kept, alembic_version FROM collectors;
-- The same of tables that an update brings.
ALTER DEFAULT PRIVILEGES FOR ROLE ccod IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO collectors;
ALTER DEFAULT PRIVILEGES FOR ROLE ccod IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO collectors;
