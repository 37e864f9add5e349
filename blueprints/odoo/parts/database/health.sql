-- Whether the database takes writes. Each look leaves the time: a restored database tells by it how much was lost.
SELECT NOT pg_is_in_recovery() AS open, to_regclass('millwright.heartbeat') IS NOT NULL AS beats \gset
\if :open
  \if :beats
    UPDATE millwright.heartbeat SET at = clock_timestamp();
  \endif
  \echo open
\endif
